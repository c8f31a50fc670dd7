// @ts-check
/**
 * The list of what was dropped: each row tells how it stands, or what went wrong and what to do.
 *
 * @import { Session, Source } from "../session.js"
 */
import { explain, t } from "../messages.js";
import { html } from "./dom.js";

/** Shows the sources of `session` in `list`; calls `choose` when a field is picked. */
export class SourcesView {
  #list;
  #session;
  #choose;
  /** @type {Map<Source, HTMLElement>} */ #rows = new Map();

  /** @param {HTMLElement} list @param {Session} session @param {(source: Source) => void} choose */
  constructor(list, session, choose) {
    this.#list = list;
    this.#session = session;
    this.#choose = choose;
  }

  /** Adds the row of a source or brings it up to date. @param {Source} source */
  update(source) {
    let row = this.#rows.get(source);
    if (!row) {
      row = html("li");
      this.#rows.set(source, row);
      this.#list.append(row);
    }
    row.className = `source ${source.status}`;
    const focused = row.contains(document.activeElement);
    const name = source.preview
      ? html("button", { type: "button", class: "name" }, source.name)
      : html("span", { class: "name" }, source.name);
    if (source.preview) name.addEventListener("click", () => this.#choose(source));
    row.replaceChildren(name, ...this.#state(source));
    if (focused) name.focus();
  }

  /** @param {Source} source */
  remove(source) {
    this.#rows.get(source)?.remove();
    this.#rows.delete(source);
  }

  /** Marks the field in view. @param {Source | null} source */
  show(source) {
    for (const [other, row] of this.#rows) row.toggleAttribute("data-shown", other === source);
  }

  /** @param {Source} source */
  #state(source) {
    const { mitotic, cells } = this.#session.count([source]);
    const counts = t.verdict(mitotic, cells);
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
      case "stopped":
        return [html("span", { class: "state" }, cells ? t.stopped(counts) : t.notStarted)];
      case "failed": {
        const { what, remedy } = explain(source.failure ?? { code: "internal", message: "" });
        const row = [html("p", { class: "what" }, what)];
        if (remedy) row.push(html("p", { class: "remedy" }, remedy));
        return row;
      }
    }
  }
}
