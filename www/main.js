// @ts-check
/**
 * The page: brings dropped files to the session, and what the study holds to the views.
 *
 * @import { Given } from "./files.js"
 * @import * as Protocol from "./protocol.js"
 * @import { Pace } from "./session.js"
 * @import { Cell, Part } from "./study.js"
 */
import { Client } from "./client.js";
import { dropped, imagesOf, picked } from "./files.js";
import { inWords, language, preferred, speak, t } from "./messages.js";
import { keepProgram } from "./offline.js";
import { PROJECT_NAME } from "./project.js";
import { loadSamples } from "./samples.js";
import { Session } from "./session.js";
import { Store } from "./store.js";
import { Study, soon } from "./study.js";
import { Actions } from "./view/actions.js";
import { sourceName } from "./view/cell.js";
import { DetailView } from "./view/detail.js";
import { byId, html, on, write } from "./view/dom.js";
import { FieldView } from "./view/field.js";
import { GalleryView } from "./view/gallery.js";
import { MapView } from "./view/map.js";
import { keepOnly } from "./view/pictures.js";
import { SpecimensView } from "./view/specimens.js";
import { SummaryView } from "./view/summary.js";

/** @type {Map<Element, () => string>} what is said, to be said again in another language */
const said = new Map();
const tell = (/** @type {() => string} */ words) => say(byId("announce"), words);
const study = new Study();
const store = new Store();
/** @type {Session | null} while the model loads, or when it cannot */
let session = null;
/** @type {Protocol.Info | null} */
let info = null;

speak(preferred());
const field = new FieldView(byId("field"), study, hover);
const gallery = new GalleryView(byId("gallery"), study, hover);
const map = new MapView(byId("map"), study, hover, (cells) => gallery.gather(cells));
const specimens = new SpecimensView(byId("specimens"), study, (source, reading) =>
  session?.reread(source, reading),
);
const summary = new SummaryView(study, () => gallery.review());
const detail = new DetailView(byId("detail"), byId("detail-body"), study);
const actions = new Actions(study, store, {
  ready: () => opening,
  busy: () => session?.running ?? false,
  stop: () => session?.cancel(),
  tell,
});
/** @type {Set<Part> | null} what has changed and waits to be shown */
let due = null;
study.addEventListener("change", (event) => {
  if (!due) {
    const parts = (due = new Set());
    const cells = study.cells.length;
    soon(cells, () => {
      due = null;
      showSums(parts);
    });
    soon(cells, () => showCells(parts));
  }
  for (const part of /** @type {CustomEvent<Set<Part>>} */ (event).detail) due.add(part);
});

guide();
const samples = loadSamples();
const opening = open();
on("samples", "click", async () => {
  await opening;
  session?.add(await samples, "field");
});
takeFiles(async (files) => {
  const project = files.find(({ file }) => PROJECT_NAME.test(file.name));
  if (project) await actions.open(project.file);
  else if (files.length === 0) tell(() => t.noFiles);
  else {
    await opening;
    session?.add(files, byId("kind").value);
  }
});

/** Loads the model; says why when it cannot. */
async function open() {
  tell(() => t.loading);
  try {
    const [client] = await Promise.all([Client.start({ ...options(), onMoved }), samples]);
    info = await client.info();
    const { preset, manifest, modelSha256, version } = info;
    study.model = {
      sha256: modelSha256,
      name: `${preset} ${manifest.version}`,
      mitoscope: version,
      operatingPoints: manifest.operating_points,
      abstention: manifest.limits?.abstention ?? null,
    };
    study.references = await client.references();
    session = new Session(client, study);
    follow(session);
    tell(() => t.ready);
    await actions.resume();
    const resumed = study.sources.length > 0;
    document.body.dataset.state = resumed ? "files" : "empty";
    if (resumed) showGuide(false);
    translate();
    keepProgram((keeping) => say(byId("offline"), () => t.offline[keeping]));
  } catch (error) {
    tell(() => "");
    byId("fatal").hidden = false;
    say(byId("fatal"), () => `${t.loadFailed} ${inWords(/** @type {any} */ (error))}`);
    document.body.dataset.state = "failed";
  }
}

/** @param {Element} element @param {() => string} words */
function say(element, words) {
  said.set(element, words);
  write(element, words());
}

/** What the address asks for, e.g. `?backend=webgpu&software=1`. */
function options() {
  const query = new URLSearchParams(location.search);
  const asked = query.get("backend");
  const backend = asked === "webgpu" || asked === "cpu" ? asked : "auto";
  const forceSoftware = query.get("software") === "1";
  return { backend: /** @type {Protocol.BackendChoice} */ (backend), forceSoftware };
}

/** Whether one of these has changed. @param {Set<Part>} parts @param {Part[]} some */
function any(parts, ...some) {
  return some.some((part) => parts.has(part));
}

/** Shows what is told of the cells that have changed, and the field. @param {Set<Part>} parts */
function showSums(parts) {
  if (document.body.dataset.state !== "loading" && document.body.dataset.state !== "failed") {
    document.body.dataset.state = study.sources.length > 0 ? "files" : "empty";
  }
  if (any(parts, "sources")) keepOnly(study);
  if (any(parts, "sources", "specimens", "cells", "view")) {
    specimens.update();
    summary.update();
  }
  if (any(parts, "cells", "specimens", "view")) field.update();
}

/** Shows the cells that have changed. @param {Set<Part>} parts */
function showCells(parts) {
  if (any(parts, "cells", "specimens")) {
    gallery.update();
    map.update();
  }
  if (any(parts, "selection")) {
    field.select();
    gallery.select();
    map.select();
  }
  if (any(parts, "selection", "cells", "specimens")) detail.update();
  actions.update();
}

/** When all that the study has to tell is told and shown. @param {() => void} react */
function afterShown(react) {
  queueMicrotask(() => setTimeout(() => setTimeout(react)));
}

/** @type {Cell | null} */
let hovered = null;
/** @param {Cell | null} cell */
function hover(cell) {
  for (const view of [field, gallery, map]) {
    if (hovered) view.hover(hovered, false);
    if (cell) view.hover(cell, true);
  }
  hovered = cell;
}

/** Shows how the session goes. @param {Session} session */
function follow(session) {
  const progress = byId("progress");
  /** @param {string} type @param {(detail: any) => void} react */
  const when = (type, react) =>
    session.addEventListener(type, (event) => react(/** @type {CustomEvent} */ (event).detail));
  when("pace", (/** @type {Pace} */ { image, images, done, cells, secondsLeft }) => {
    const left = secondsLeft === null ? "" : `, ${t.timeLeft(secondsLeft)}`;
    write(byId("pace"), t.progress(image, images, done, cells) + left);
    progress.max = images;
    progress.value = image - 1 + (cells ? done / cells : 0);
  });
  when("running", (/** @type {boolean} */ running) => {
    const focused = byId("running").contains(document.activeElement);
    if (focused && !running) byId("choose-files").focus(); // it goes, and the focus with it
    byId("running").hidden = !running;
    byId("clear").hidden = running;
    byId("result").ariaBusy = String(running); // what changes by the second is not read out
    byId("pace").textContent = "";
    progress.removeAttribute("value");
    afterShown(() => {
      const failed = study.sources.findLast(({ status }) => status === "failed");
      const why = () =>
        failed?.failure ? ` ${sourceName(failed)}: ${inWords(failed.failure)}` : "";
      tell(() => (running ? "" : t.finished(byId("verdict").textContent ?? "") + why()));
      document.body.dataset.run = running ? "working" : "finished";
      actions.update();
    });
  });
  on("cancel", "click", () => session.cancel());
}

/** Work goes on, perhaps on another device. @param {Protocol.Info} now */
function onMoved(now) {
  info = now;
  showDevice(now.backend);
}

/** @param {Protocol.Backend} backend */
function showDevice(backend) {
  const gpu = () => t.backendGpu(backend.adapter, backend.software);
  write(byId("backend"), backend.kind === "cpu" ? t.backendCpu : gpu());
  write(byId("backend-note"), t.backendReason(backend));
}

/** The words of the page in the language in use. */
function translate() {
  speak(language);
  byId("language").value = language;
  byId("guide-steps").replaceChildren(...t.guideSteps.map((step) => html("li", {}, step)));
  if (info) {
    const { backend, modelSha256, version } = info;
    showDevice(backend);
    write(byId("identity"), t.identity(version, study.model?.name ?? "", modelSha256.slice(0, 12)));
    byId("identity").title = modelSha256;
  }
  field.translate();
  map.translate();
  const parts = new Set(/** @type {const} */ (["sources", "specimens", "cells", "selection"]));
  showSums(parts);
  showCells(parts);
  for (const [element, words] of said) write(element, words());
}

/** The guided first run: shown until it is dismissed, and again on demand. */
function guide() {
  translate();
  on("language", "change", ({ target }) => {
    speak(target.value);
    translate();
    // The choice outlives a reload without anything being stored.
    const address = new URL(location.href);
    address.searchParams.set("lang", language);
    history.replaceState(null, "", address);
  });
  byId("help").setAttribute("aria-controls", "guide");
  showGuide(true);
  on("help", "click", () => showGuide(byId("guide").hidden));
  on("guide-close", "click", () => {
    showGuide(false);
    byId("help").focus();
  });
}

/** @param {boolean} open */
function showGuide(open) {
  byId("guide").hidden = !open;
  byId("help").setAttribute("aria-expanded", String(open));
}

/**
 * Takes files from the pickers and from a drop anywhere on the page.
 *
 * @param {(files: Given[]) => void} take
 */
function takeFiles(take) {
  on("choose-files", "click", () => byId("files").click());
  on("choose-folder", "click", () => byId("folder").click());
  on("files", "change", ({ target }) => {
    take(picked(target.files));
    target.value = ""; // so that the same file can be chosen again
  });
  on("folder", "change", ({ target }) => {
    take(imagesOf(target.files));
    target.value = "";
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
