// @ts-check
/**
 * The specimens with their images: each row tells how it stands, or what went wrong and what to do.
 *
 * @import { Channel, Reading } from "../protocol.js"
 * @import { Source, Specimen, Study } from "../study.js"
 */
import { explain, t } from "../messages.js";
import { labelOf, sourceName } from "./cell.js";
import { html } from "./dom.js";

/** Shows the specimens of `study` in `list`. */
export class SpecimensView {
  #list;
  #study;
  #reread;
  /** @type {Map<string, { words: string, row: HTMLElement }>} rows by the words they show */
  #rows = new Map();

  /** @param {HTMLElement} list @param {Study} study @param {(source: Source, reading: Reading) => void} reread */
  constructor(list, study, reread) {
    this.#list = list;
    this.#study = study;
    this.#reread = reread;
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
      // Rows of other work hold other sources, however alike they read.
      const words = [`${this.#study.generation}`, t.specimen, specimen.name];
      words.push(specimen.verdict.preparation);
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
      ? html("button", button, sourceName(source))
      : html("span", { class: "name" }, sourceName(source));
    if (source.preview) name.addEventListener("click", () => this.#study.show(source));
    return html(
      "li",
      { class: `source ${source.status}` },
      name,
      ...this.#state(source),
      this.#choice(source),
    );
  }

  /** Page and channel, where the file offers several and is at hand. @param {Source} source */
  #choice(source) {
    const { id, file, page, pages, channel, coloured } = source;
    const choice = html("div", { class: "choice" });
    if (file && pages > 1) {
      const limits = { type: "number", min: "1", max: `${pages}`, value: `${page + 1}` };
      const input = html("input", { id: `page-${id}`, ...limits });
      input.addEventListener("change", () => {
        const wanted = Math.max(1, Math.min(pages, Math.round(Number(input.value) || 1))) - 1;
        input.value = `${wanted + 1}`;
        if (wanted !== page) this.#reread(source, { page: wanted, channel });
      });
      choice.append(html("label", {}, t.page, input, t.ofPages(pages)));
    }
    if (file && coloured) {
      const options = Object.entries(t.channels).map(([value, words]) =>
        html("option", { value }, words),
      );
      const select = html("select", { id: `channel-${id}` }, ...options);
      select.value = channel;
      select.addEventListener("change", () =>
        this.#reread(source, { page, channel: /** @type {Channel} */ (select.value) }),
      );
      choice.append(html("label", {}, t.channel, select));
    }
    return choice;
  }

  /** All that the row of a source shows. @param {Source} source */
  #words(source) {
    const { id, status, preview, failure, cells } = source;
    return [
      ...[id, sourceName(source), status, preview !== null, failure?.code, cells.length],
      ...[source.page, source.pages, source.channel, source.coloured, source.file !== null],
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
        const state = found ? t.working(source.embedded, found) : t.reading;
        return [html("span", { class: "state" }, state)];
      }
      case "done":
        return [html("span", { class: "state" }, counts)];
      case "stopped": {
        const state = source.classified ? t.stopped(counts) : t.notStarted;
        return [html("span", { class: "state" }, state)];
      }
      case "failed": {
        const failure = source.failure ?? { code: "internal", message: "" };
        const { what, detail, remedy } = explain(failure);
        const row = [html("p", { class: "what" }, what)];
        if (detail) row.push(html("p", { class: "remedy", lang: "en" }, detail));
        if (remedy) row.push(html("p", { class: "remedy" }, remedy));
        return row;
      }
    }
  }
}
