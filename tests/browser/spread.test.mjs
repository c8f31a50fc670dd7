// @ts-check
/** How the cells of a request are spread over seats. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { spread } from "../../www/spread.js";

/**
 * Seats that answer with their own name for every cell, each after its own time.
 *
 * @param {Record<string, number>} milliseconds of a batch, by seat
 */
function seats(milliseconds) {
  /** @type {Record<string, number>} */
  const worked = {};
  const all = Object.entries(milliseconds).map(([name, time]) => ({
    ready: Promise.resolve(),
    most: 3,
    /** @param {number} from @param {number} count */
    work: async (from, count) => {
      await sleep(time);
      worked[name] = (worked[name] ?? 0) + count;
      return Array.from({ length: count }, (_, i) => from + i);
    },
  }));
  return { own: all[0], helpers: all.slice(1), worked };
}

const going = { stopped: () => false };

test("every seat works, and batches are told in order", async () => {
  const { own, helpers, worked } = seats({ own: 5, quick: 1, slow: 20 });
  /** @type {number[]} */
  const told = [];
  await spread(100, own, helpers, {
    ...going,
    tell: (from, cells) => {
      assert.equal(from, told.length);
      told.push(...cells);
    },
  });
  assert.deepEqual(
    told,
    Array.from({ length: 100 }, (_, i) => i),
  );
  assert.deepEqual(Object.keys(worked).toSorted(), ["own", "quick", "slow"]);
  assert.equal(worked.own + worked.quick + worked.slow, 100);
});

test("a helper that is never ready holds nothing up; no cells are no work", async () => {
  const { own, helpers } = seats({ own: 0, late: 0 });
  helpers[0].ready = new Promise(() => {});
  let count = 0;
  await spread(5, own, helpers, { ...going, tell: (_, cells) => void (count += cells.length) });
  assert.equal(count, 5);
  await spread(0, own, helpers, { ...going, tell: () => assert.fail("told of nothing") });
});

test("who is ready only after a stop finds nothing to do", async () => {
  const { own, helpers, worked } = seats({ own: 1, late: 0 });
  let join = () => {};
  helpers[0].ready = new Promise((resolve) => (join = () => resolve(undefined)));
  let stopped = false;
  const spreading = spread(1000, own, helpers, {
    stopped: () => stopped,
    tell: () => (stopped = true),
  });
  await assert.rejects(spreading, { code: "cancelled" });
  stopped = false; // who has asked for the stop forgets it
  join();
  await sleep(20);
  assert.equal(worked.late, undefined);
});

test("a stop or an error ends all, once nobody works any more", async () => {
  for (const broken of [false, true]) {
    const { own, helpers, worked } = seats({ own: 1, slow: 30 });
    let told = 0;
    if (broken) {
      own.work = async () => {
        throw Object.assign(new Error("no device"), { code: "device" });
      };
    }
    const spreading = spread(1000, own, helpers, {
      stopped: () => told >= 4,
      tell: (_, cells) => void (told += cells.length),
    });
    await assert.rejects(spreading, { code: broken ? "device" : "cancelled" });
    const { slow } = worked;
    assert.ok(slow > 0);
    await sleep(60);
    assert.equal(worked.slow, slow, "nobody works after the end");
  }
});
