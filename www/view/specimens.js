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

  /** @param {HTMLElement} list @param {Study} study */
  constructor(list, study) {
    this.#list = list;
    this.#study = study;
  }

  /** Brings the list up to date and keeps the focus where it was. */
  update() {
    const focused = this.#list.contains(document.activeElement) ? document.activeElement?.id : null;
    const { specimens } = this.#study;
    const rows = specimens.map((specimen) => this.#specimen(specimen));
    if (specimens.length > 1) rows.unshift(this.#all());
    this.#list.replaceChildren(...rows);
    if (focused) document.getElementById(focused)?.focus();
  }

  #all() {
    const name = html(
      "button",
      { type: "button", class: "specimen-name", id: "see-all" },
      t.allSpecimens,
    );
    name.addEventListener("click", () => this.#study.see(null));
    const row = html("li", { class: "specimen" }, name);
    this.#mark(row, name, !this.#study.specimen);
    return row;
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
    const row = html("li", { class: "specimen" }, head, images);
    this.#mark(row, name, this.#study.specimen?.id === id);
    return row;
  }

  /** @param {Element} row @param {Element} name @param {boolean} on */
  #mark(row, name, on) {
    row.toggleAttribute("data-shown", on);
    name.setAttribute("aria-pressed", String(on));
  }

  /** @param {Source} source */
  #source(source) {
    const button = { type: "button", class: "name", id: `show-${source.id}` };
    const name = source.preview
      ? html("button", button, source.name)
      : html("span", { class: "name" }, source.name);
    if (source.preview) name.addEventListener("click", () => this.#study.show(source));
    const row = html("li", { class: `source ${source.status}` }, name, ...this.#state(source));
    row.toggleAttribute("data-shown", this.#study.shown === source);
    return row;
  }

  /** @param {Source} source */
  #state(source) {
    const mitotic = source.cells.filter((cell) => labelOf(cell) === "mitotic").length;
    const counts = t.verdict(mitotic, source.classified);
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
