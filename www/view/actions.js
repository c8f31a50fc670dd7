// @ts-check
/**
 * What the bar offers: undo and redo, exports, the report, keeping and erasing, clearing.
 *
 * Invariant: nothing is replaced or forgotten without a question while there is work on the page.
 *
 * @import { Store } from "../store.js"
 * @import { Study } from "../study.js"
 */
import { csv, json } from "../export.js";
import { inWords, t } from "../messages.js";
import { projectFile, readProject } from "../project.js";
import { byId, on, write } from "./dom.js";
import { fillReport } from "./report.js";

/** While images are worked on, what is kept is brought up to date so often. */
const KEEP_MS = 2000;

export class Actions {
  #study;
  #store;
  #ready;
  #busy;
  #stop;
  #tell;
  /** Whether the report is filled already for the printing that begins. */
  #filled = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #later;

  /**
   * @param {Study} study
   * @param {Store} store
   * @param {object} page
   * @param {() => Promise<unknown>} page.ready settles when what an earlier visit has kept is back
   * @param {() => boolean} page.busy whether images are being worked on
   * @param {() => void} page.stop stops working on images
   * @param {(words: () => string) => void} page.tell says something to everyone, in any language
   */
  constructor(study, store, { ready, busy, stop, tell }) {
    this.#study = study;
    this.#store = store;
    this.#ready = ready;
    this.#busy = busy;
    this.#stop = stop;
    this.#tell = tell;
    on("undo", "click", () => study.step("undo"));
    on("redo", "click", () => study.step("redo"));
    document.addEventListener("keydown", (event) => this.#key(event));
    on("reader", "change", ({ target }) => study.ledger.note("reader", target.value.trim()));
    on("export-csv", "click", () => this.#save("csv", "text/csv", csv(study)));
    on("export-json", "click", () => this.#save("json", "application/json", json(study)));
    on("export-project", "click", () =>
      this.#attempt("internal", async () => this.#save("mitoscope", "", await projectFile(study))),
    );
    on("print", "click", () =>
      this.#attempt("internal", async () => {
        await this.printable();
        this.#filled = true;
        print();
        this.#filled = false;
      }),
    );
    // The browser's own command to print waits for nothing: at least the words are there at once.
    addEventListener("beforeprint", () => {
      if (!this.#filled) void this.#attempt("internal", () => this.printable());
    });
    const menu = byId("export");
    on("export", "click", ({ target }) => target.closest("button") && (menu.open = false));
    on("export", "keydown", (event) => {
      if (event.key !== "Escape") return;
      menu.open = false;
      menu.querySelector("summary").focus();
    });
    document.addEventListener("click", ({ target }) => {
      if (!menu.contains(target)) menu.open = false;
    });
    on("open-project", "click", () => byId("project").click());
    on("project", "change", ({ target }) => {
      if (target.files[0]) void this.open(target.files[0]);
      target.value = "";
    });
    on("clear", "click", () => this.#clear());
    on("keep", "change", ({ target }) => this.#keep(target.checked));
    on("erase", "click", () => {
      byId("keep").focus(); // this button goes
      void this.#keep(false);
    });
    addEventListener("beforeunload", (event) => {
      if (!store.on && (study.ledger.canUndo || busy())) event.preventDefault();
    });
    store.addEventListener("lost", (event) => {
      const { detail } = /** @type {CustomEvent<keyof typeof t.lost>} */ (event);
      this.#tell(() => t.lost[detail]);
      this.update();
    });
  }

  /** Brings back what an earlier visit has kept. */
  resume() {
    return this.#attempt("storage", async () => {
      const saved = await this.#store.resume();
      if (saved) {
        this.#study.restore(saved.sources, saved.ledger);
        this.#store.adopt(this.#study);
        if (saved.sources.length > 0) this.#tell(() => t.resumed);
      }
    });
  }

  /** Opens a project file in place of what is on the page; who reads stays. @param {File} file */
  open(file) {
    return this.#attempt("project", async () => {
      await this.#ready();
      const saved = await readProject(file);
      const asked = this.#study.sources.length > 0;
      if (asked && !(await question(t.replaceAsk, t.replaceYes))) return;
      this.#stop();
      const { ledger, reader } = this.#study;
      this.#study.restore(saved.sources, saved.ledger);
      if (reader) ledger.note("reader", reader);
      this.#tell(() => t.opened);
    });
  }

  /** Fills the report, as printing will show it. */
  printable() {
    return fillReport(byId("report"), this.#study);
  }

  /** Brings the bar up to date, and what is kept. */
  update() {
    const { ledger, reader } = this.#study;
    const focused = document.activeElement;
    const [undo, redo] = [byId("undo"), byId("redo")];
    undo.disabled = !ledger.canUndo;
    redo.disabled = !ledger.canRedo;
    // A button that is disabled loses the focus.
    if (focused === undo && undo.disabled) redo.focus();
    if (focused === redo && redo.disabled) undo.focus();
    if (document.activeElement !== byId("reader")) byId("reader").value = reader;
    byId("keep").checked = this.#store.on;
    byId("erase").hidden = !this.#store.on;
    if (!this.#store.on) return;
    // A reader's answer is written at once; predictions, which come by the second, now and then.
    if (!this.#busy()) this.#write();
    else this.#later ??= setTimeout(() => this.#write(), KEEP_MS);
  }

  #write() {
    clearTimeout(this.#later);
    this.#later = undefined;
    void this.#attempt("storage", () => this.#store.keep(this.#study));
  }

  /** @param {boolean} wanted */
  async #keep(wanted) {
    await this.#attempt("storage", async () => {
      if (!wanted) await this.#store.erase();
      else if (!(await this.#store.begin())) {
        // Work of another tab is there.
        if (!(await question(t.keepAsk, t.keepYes))) return;
        await this.#store.begin(true);
      }
      this.#tell(() => (wanted ? t.kept : t.erased));
    });
    this.update(); // also when it has failed: the box tells what is
  }

  async #clear() {
    const asked = this.#study.sources.length > 0;
    if (asked && !(await question(t.clearAsk, t.clearYes))) return;
    this.#stop(); // files may have been dropped while it was asked
    this.#study.clear();
    this.#tell(() => "");
    byId("choose-files").focus();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const typing = /** @type {Element} */ (event.target).matches(
      "input:not([type=range]), textarea",
    );
    if (!(event.ctrlKey || event.metaKey) || event.altKey || typing) return;
    const key = event.key.toLowerCase();
    const way = key === "y" || (key === "z" && event.shiftKey) ? "redo" : "undo";
    if (key !== "z" && key !== "y") return;
    event.preventDefault();
    this.#study.step(way);
  }

  /** @param {string} ending @param {string} type @param {string | Blob} content */
  #save(ending, type, content) {
    const blob = content instanceof Blob ? content : new Blob([content], { type });
    const link = document.createElement("a");
    // All specimens are in it, whichever is in view.
    const { specimens } = this.#study;
    const name = specimens.length === 1 ? specimens[0].name : "specimens";
    link.download = `${name.replace(/[^\p{L}\p{N}_.-]+/gu, "-")}.${ending}`;
    link.href = URL.createObjectURL(blob);
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  }

  /** Does something and tells when it fails. @param {string} code for an error without one @param {() => Promise<void>} work */
  async #attempt(code, work) {
    try {
      await work();
    } catch (error) {
      // A DOMException has a number for a code.
      const { message, code: own } = /** @type {any} */ (error);
      const failure = { code: typeof own === "string" ? own : code, message };
      this.#tell(() => inWords(failure));
    }
  }
}

/** Asks in a dialog. @param {string} words @param {string} yes @returns {Promise<boolean>} */
function question(words, yes) {
  const dialog = byId("question");
  write(byId("question-text"), words);
  write(byId("question-yes"), yes);
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) =>
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true }),
  );
}
