// @ts-check
/** When a crashed worker is replaced, and by what: without a browser, the worker only pretends. */
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Client } from "../../www/client.js";

/** @typedef {"webgpu" | "cpu"} Kind */

/** @type {Pretended[]} */
let workers = [];

class Pretended extends EventTarget {
  /** @type {any[]} */ asked = [];
  terminated = false;

  constructor() {
    super();
    workers.push(this);
  }

  /** @param {any} request */
  postMessage(request) {
    this.asked.push(request);
  }

  terminate() {
    this.terminated = true;
  }

  /** Answers the last request. @param {unknown} value */
  answer(value) {
    const data = { id: this.asked.at(-1).id, kind: "done", value };
    this.dispatchEvent(Object.assign(new Event("message"), { data }));
  }

  crash(message = "unreachable") {
    this.dispatchEvent(Object.assign(new Event("error"), { message }));
  }
}

Object.assign(globalThis, { Worker: Pretended });
beforeEach(() => void (workers = []));

test("a GPU that crashes while it warms up gives way to the CPU, and loses nothing", async () => {
  /** @type {Kind[]} */
  const moved = [];
  const client = started("auto", ({ backend }) => moved.push(backend.kind));
  workers[0].answer(info("webgpu"));
  await client.info();
  const references = client.references();
  await settled();
  workers[0].crash("no memory");
  assert.ok(workers[0].terminated);
  const { kind, backend, gpuFailure } = workers[1].asked[0];
  assert.deepEqual([kind, backend, gpuFailure], ["load", "cpu", "no memory"]);
  workers[1].answer(info("cpu"));
  await settled();
  workers[1].answer("known");
  assert.equal(await references, "known");
  assert.deepEqual(moved, ["cpu"]);
});

test("a crash while it loads gives way to the CPU once", async () => {
  const client = started("auto");
  const ready = client.info();
  workers[0].crash();
  workers[1].answer(info("cpu"));
  assert.equal((await ready).backend.kind, "cpu");
  const broken = started("auto").info();
  workers[2].crash();
  workers[3].crash("bad model");
  await assert.rejects(broken, { code: "internal", message: "bad model" });
  assert.equal(workers.length, 4);
});

test("where only WebGPU will do, what crashes unasked is not started again", async () => {
  const client = started("webgpu");
  workers[0].answer(info("webgpu"));
  await client.info();
  workers[0].crash("no memory");
  await assert.rejects(client.references(), { code: "device", message: "no memory" });
  await assert.rejects(client.image(new Uint8Array(1)), { code: "device" });
  assert.equal(workers.length, 1);
});

test("images that crash the worker fail one by one, and the next is worked on", async () => {
  const client = started("cpu");
  for (let i = 0; i < 3; i++) {
    workers[i].answer(info("cpu"));
    const image = client.image(new Uint8Array(1));
    await settled();
    workers[i].crash();
    await assert.rejects(image, { code: "crashed" });
  }
  workers[3].answer(info("cpu"));
  const image = client.image(new Uint8Array(1));
  await settled();
  workers[3].answer({ holds: "field" });
  assert.deepEqual(await image, { holds: "field" });
});

/** @param {"auto" | "webgpu" | "cpu"} backend @param {(info: any) => void} [onMoved] */
function started(backend, onMoved) {
  return new Client(/** @type {any} */ ({ backend }), onMoved);
}

/** @param {Kind} kind */
function info(kind) {
  return { backend: { kind } };
}

/** Settles when what is on its way has arrived. */
function settled() {
  return new Promise((resolve) => setImmediate(resolve));
}
