// @ts-check
/**
 * The specimens with their images: each row tells how it stands, or what went wrong and what to do.
 *
 * @import { Source, Specimen, Study } from "../study.js"
 */
import { explain, t } from "../messages.js";
import { labelOf } from "./cell.js";
import { html } from "./dom.js";

/** Shows the specimens of `study` in `list`. */
export class SpecimensView {
  #list;
  #study;
  /** @type {Map<string, { words: string, row: HTMLElement }>} rows by the words they show */
  #rows = new Map();

  /** @param {HTMLElement} list @param {Study} study */
  constructor(list, study) {
    this.#list = list;
    this.#study = study;
  }

  /** Brings the list up to date and keeps the focus where it was. */
  update() {
    const focused = this.#list.contains(document.activeElement) ? document.activeElement?.id : null;
    const { specimens } = this.#study;
    const rows = new Map();
    if (specimens.length > 1)
      rows.set(
        "",
        this.#unlessKnown("", t.allSpecimens, () => this.#all()),
      );
    for (const specimen of specimens) {
      const words = [t.specimen, specimen.name, specimen.verdict.preparation];
      words.push(...specimen.sources.map((source) => this.#words(source)));
      const known = this.#unlessKnown(specimen.id, words.join("\n"), () =>
        this.#specimen(specimen),
      );
      rows.set(specimen.id, known);
    }
    const [before, after] = [this.#rows, rows].map((rows) => [...rows.values()]);
    this.#rows = rows;
    const same = before.length === after.length && before.every((known, i) => known === after[i]);
    if (!same) this.#list.replaceChildren(...after.map(({ row }) => row));
    this.#mark();
    if (focused) document.getElementById(focused)?.focus();
  }

  /** @param {string} id @param {string} words @param {() => HTMLElement} make */
  #unlessKnown(id, words, make) {
    const known = this.#rows.get(id);
    return known?.words === words ? known : { words, row: make() };
  }

  /** Marks what is in view. */
  #mark() {
    const { specimen, shown } = this.#study;
    for (const [id, { row }] of this.#rows) {
      const on = id === (specimen?.id ?? "");
      row.toggleAttribute("data-shown", on);
      row.querySelector(".specimen-name")?.setAttribute("aria-pressed", String(on));
    }
    for (const row of this.#list.querySelectorAll(".source[data-shown]")) {
      row.toggleAttribute("data-shown", false);
    }
    const row = shown && document.getElementById(`show-${shown.id}`)?.parentElement;
    row?.toggleAttribute("data-shown", true);
  }

  #all() {
    const name = html(
      "button",
      { type: "button", class: "specimen-name", id: "see-all" },
      t.allSpecimens,
    );
    name.addEventListener("click", () => this.#study.see(null));
    return html("li", { class: "specimen" }, name);
  }

  /** @param {Specimen} specimen */
  #specimen(specimen) {
    const { id, verdict, sources } = specimen;
    const button = { type: "button", class: "specimen-name", id: `see-${id}` };
    const name = html("button", button, specimen.name);
    name.addEventListener("click", () => this.#study.see(id));
    const chip = html(
      "span",
      { class: `chip ${verdict.preparation}` },
      t.short[verdict.preparation],
    );
    const head = html("div", { class: "specimen-head" }, name, chip);
    const images = html("ul", {}, ...sources.map((source) => this.#source(source)));
    return html("li", { class: "specimen" }, head, images);
  }

  /** @param {Source} source */
  #source(source) {
    const button = { type: "button", class: "name", id: `show-${source.id}` };
    const name = source.preview
      ? html("button", button, source.name)
      : html("span", { class: "name" }, source.name);
    if (source.preview) name.addEventListener("click", () => this.#study.show(source));
    return html("li", { class: `source ${source.status}` }, name, ...this.#state(source));
  }

  /** All that the row of a source shows. @param {Source} source */
  #words(source) {
    const { id, name, status, preview, failure, cells } = source;
    return [
      id,
      name,
      status,
      preview !== null,
      failure?.code,
      cells.length,
      this.#counts(source),
    ].join();
  }

  /** @param {Source} source */
  #counts({ cells, classified }) {
    return t.verdict(cells.filter((cell) => labelOf(cell) === "mitotic").length, classified);
  }

  /** @param {Source} source */
  #state(source) {
    const counts = this.#counts(source);
    switch (source.status) {
      case "waiting":
        return [html("span", { class: "state" }, t.waiting)];
      case "working": {
        const found = source.cells.length;
        const state = found ? t.working(source.classified, found) : t.reading;
        return [html("span", { class: "state" }, state)];
      }
      case "done":
        return [html("span", { class: "state" }, counts)];
      case "stopped": {
        const state = source.classified ? t.stopped(counts) : t.notStarted;
        return [html("span", { class: "state" }, state)];
      }
      case "failed": {
        const { what, remedy } = explain(source.failure ?? { code: "internal", message: "" });
        const row = [html("p", { class: "what" }, what)];
        if (remedy) row.push(html("p", { class: "remedy" }, remedy));
        return row;
      }
    }
  }
}
