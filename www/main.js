// @ts-check
/**
 * The page: brings dropped files to the session and what it finds to the views.
 *
 * @import * as Protocol from "./protocol.js"
 * @import { Cell, Pace, Source } from "./session.js"
 */
import { Client } from "./client.js";
import { dropped, imagesOf } from "./files.js";
import { explain, t } from "./messages.js";
import { Session } from "./session.js";
import { byId } from "./view/dom.js";
import { FieldView } from "./view/field.js";
import { GalleryView } from "./view/gallery.js";
import { SourcesView } from "./view/sources.js";

const filePicker = /** @type {HTMLInputElement} */ (byId("files"));
const folderPicker = /** @type {HTMLInputElement} */ (byId("folder"));
const kind = /** @type {HTMLSelectElement} */ (byId("kind"));
const progress = /** @type {HTMLProgressElement} */ (byId("progress"));
const announce = byId("announce");

for (const element of document.querySelectorAll("[data-text]")) {
  const text = t[/** @type {keyof typeof t} */ (element.getAttribute("data-text"))];
  if (typeof text === "string") element.textContent = text;
}
const opening = open();
takeFiles(async (files) => {
  if (files.length === 0) announce.textContent = t.noFiles;
  else (await opening)?.add(files, /** @type {Protocol.Kind} */ (kind.value));
});

/** Loads the model and wires the views; null when it cannot, with the reason on the page. */
async function open() {
  announce.textContent = t.loading;
  try {
    const client = await Client.start(options());
    showInfo(await client.info());
    announce.textContent = t.ready;
    document.body.dataset.state = "empty";
    return wire(new Session(client));
  } catch (error) {
    const { what, remedy } = explain(/** @type {any} */ (error));
    announce.textContent = "";
    byId("fatal").hidden = false;
    byId("fatal").textContent = `${t.loadFailed} ${what} ${remedy}`;
    document.body.dataset.state = "failed";
    return null;
  }
}

/** What the address asks for, e.g. `?backend=webgpu&software=1`. */
function options() {
  const query = new URLSearchParams(location.search);
  const asked = query.get("backend");
  const backend = asked === "webgpu" || asked === "cpu" ? asked : "auto";
  const forceSoftware = query.get("software") === "1";
  return { backend: /** @type {Protocol.BackendChoice} */ (backend), forceSoftware };
}

/** @param {Protocol.Info} info */
function showInfo({ backend, preset, modelSha256, manifest, version }) {
  const device =
    backend.kind === "cpu" ? t.backendCpu : t.backendGpu(backend.adapter, backend.software);
  byId("backend").textContent = device;
  byId("backend-note").textContent = backend.note;
  const identity = t.identity(version, preset, manifest.version, modelSha256.slice(0, 12));
  byId("identity").textContent = identity;
  byId("identity").title = modelSha256;
}

/** Shows what happens in the session, and hands it what the user does. @param {Session} session */
function wire(session) {
  const on = { choose: select, hover };
  const field = new FieldView(byId("field"), on);
  const gallery = new GalleryView(byId("gallery"), on);
  const sources = new SourcesView(byId("sources"), session, show);
  /** @type {Cell | null} */
  let hovered = null;

  /** @param {Cell} cell */
  function select(cell) {
    if (field.source !== cell.source) show(cell.source);
    field.select(cell);
    gallery.select(cell);
  }

  /** @param {Cell | null} cell */
  function hover(cell) {
    for (const view of [field, gallery]) {
      if (hovered) view.hover(hovered, false);
      if (cell) view.hover(cell, true);
    }
    hovered = cell;
  }

  /** @param {Source | null} source */
  function show(source) {
    field.show(source);
    sources.show(source);
  }

  function verdict() {
    const { mitotic, cells } = session.count();
    const failed = session.sources.filter((source) => source.status === "failed").length;
    byId("verdict").textContent = t.verdict(mitotic, cells);
    const images = session.sources.reduce((sum, source) => sum + source.images, -failed);
    byId("scope").textContent = t.verdictScope(images, failed);
    document.body.dataset.state = session.sources.length ? "files" : "empty";
  }

  listen(session, "source", (/** @type {Source} */ source) => {
    sources.update(source);
    if (source.preview && !field.source) show(source);
    if (source.status === "failed" && source.failure) {
      announce.textContent = `${source.name}: ${explain(source.failure).what}`;
    }
    verdict();
  });
  listen(session, "gone", (/** @type {Source} */ source) => {
    sources.remove(source);
    gallery.remove(source);
    if (field.source === source) show(null);
    verdict();
  });
  listen(session, "cells", (/** @type {Cell[]} */ cells) => {
    gallery.add(cells);
    if (field.source === cells[0]?.source) field.update();
  });
  listen(session, "pace", (/** @type {Pace} */ { image, images, done, cells, secondsLeft }) => {
    const left = secondsLeft === null ? "" : `, ${t.timeLeft(secondsLeft)}`;
    byId("pace").textContent = t.progress(image, images, done, cells) + left;
    progress.max = images;
    progress.value = image - 1 + (cells ? done / cells : 0);
  });
  listen(session, "running", (/** @type {boolean} */ running) => {
    byId("running").hidden = !running;
    byId("clear").hidden = running;
    byId("pace").textContent = "";
    progress.removeAttribute("value");
    document.body.dataset.run = running ? "working" : "finished";
    announce.textContent = running ? "" : t.finished(byId("verdict").textContent ?? "");
  });

  byId("cancel").addEventListener("click", () => {
    session.cancel();
    byId("pace").textContent = t.cancelling;
  });
  byId("clear").addEventListener("click", () => {
    session.clear();
    byId("choose-files").focus();
  });

  return session;
}

/** @param {Session} session @param {string} type @param {(detail: any) => void} react */
function listen(session, type, react) {
  session.addEventListener(type, (event) => react(/** @type {CustomEvent} */ (event).detail));
}

/**
 * Takes files from the pickers and from a drop anywhere on the page.
 *
 * @param {(files: File[]) => void} take
 */
function takeFiles(take) {
  byId("choose-files").addEventListener("click", () => filePicker.click());
  byId("choose-folder").addEventListener("click", () => folderPicker.click());
  filePicker.addEventListener("change", () => {
    take([...(filePicker.files ?? [])]);
    filePicker.value = ""; // so that the same file can be chosen again
  });
  folderPicker.addEventListener("change", () => {
    take(imagesOf(folderPicker.files));
    folderPicker.value = "";
  });
  // On the whole document, so that a file dropped beside the zone never replaces the page.
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    document.body.toggleAttribute("data-dragging", true);
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) document.body.toggleAttribute("data-dragging", false);
  });
  document.addEventListener("drop", async (event) => {
    event.preventDefault();
    document.body.toggleAttribute("data-dragging", false);
    if (event.dataTransfer) take(await dropped(event.dataTransfer));
  });
}
