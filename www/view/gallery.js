// @ts-check
/**
 * The cells in view as cards, filtered and in order; only those near the window are in the page.
 *
 * @import { Cell, Study } from "../study.js"
 */
import { t } from "../messages.js";
import { answersByKey, cellLabel, labelOf, pick, stateOf, valueOf } from "./cell.js";
import { byId, html, on, walkable, write } from "./dom.js";
import { showThumbnail } from "./pictures.js";

/** Cards in the page at once, so many that a common specimen is there whole. */
const CARDS = 120;
/** The cards in the page change in steps of so many. */
const STEP = 24;
/** Of a card, in rem. */
const [CARD_WIDTH, TEXT_HEIGHT, GAP] = [7, 3.2, 0.55];

/** @type {Record<string, (cell: Cell) => boolean>} */
const STATES = {
  all: () => true,
  review: (cell) => !cell.answer && (cell.call.doubt !== null || cell.call.model === "mitotic"),
  uncertain: (cell) => cell.call.doubt !== null,
  certain: (cell) => cell.call.doubt === null,
  answered: (cell) => cell.answer !== null,
  disagreement: (cell) => cell.answer !== null && cell.answer.label !== cell.call.model,
};

/** Shows the cells of `study` in `list`. */
export class GalleryView {
  #list;
  #study;
  #hover;
  /** @type {Cell[]} in the order shown */ #cells = [];
  /** @type {Map<Cell, HTMLElement>} */ #cards = new Map();
  /** Measured when it changes: to ask for it in between would lay out the page each time. */
  #window = { top: 0, width: 0, height: 0 };
  #grid = { columns: 1, width: 100, height: 150, gap: 8 };
  #spacer = html("li", { role: "presentation", class: "spacer" });
  /** @type {Cell | null} */ #seen = null;
  /** @type {Set<Cell>} chosen elsewhere to be shown together */ #gathered = new Set();
  #filled = 0;
  #rem = parseFloat(getComputedStyle(document.documentElement).fontSize);

  /** @param {HTMLElement} list @param {Study} study @param {(cell: Cell | null) => void} hover */
  constructor(list, study, hover) {
    this.#list = list;
    this.#study = study;
    this.#hover = hover;
    walkable(list, {
      count: () => this.#cells.length,
      current: () => (study.current ? this.#cells.indexOf(study.current) : -1),
      columns: () => this.#grid.columns,
      choose: (index, extend) => {
        const cell = this.#cells[index];
        study.select(extend ? [...study.selection, cell] : [cell], cell);
      },
    });
    answersByKey(list, study, () => this.#cells);
    list.addEventListener("keydown", (event) => {
      if (event.key !== "a" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      study.select(this.#cells, study.current ?? this.#cells[0] ?? null);
    });
    list.addEventListener("scroll", () => {
      this.#window.top = list.scrollTop;
      if (this.#first() !== this.#filled) this.#fill();
    });
    new ResizeObserver(([{ contentRect }]) => {
      this.#window.width = contentRect.width;
      this.#window.height = contentRect.height;
      setTimeout(() => this.#layOut()); // its own task: many cards may be due
    }).observe(list);
    for (const id of ["filter-class", "filter-state"]) {
      on(id, "change", () => {
        this.update();
        study.narrow(this.#cells);
      });
    }
    on("sort", "change", () => this.update());
  }

  /** Filters, sorts and shows the cells as they are now. */
  update() {
    const kind = byId("filter-class").value;
    const gathered = (/** @type {Cell} */ cell) => this.#gathered.has(cell);
    const state = STATES[byId("filter-state").value] ?? gathered;
    const all = this.#study.cells.filter(({ prediction }) => prediction);
    this.#cells = all.filter((cell) => (kind === "all" || labelOf(cell) === kind) && state(cell));
    const { threshold } = this.#study;
    const value = (/** @type {Cell} */ cell) => cell.prediction?.decisionValue ?? 0;
    if (byId("sort").value === "value") this.#cells.sort((a, b) => value(b) - value(a));
    else {
      const distance = (/** @type {Cell} */ cell) => Math.abs(value(cell) - threshold);
      const settled = (/** @type {Cell} */ cell) => (cell.call.doubt && !cell.answer ? 0 : 1);
      this.#cells.sort((a, b) => settled(a) - settled(b) || distance(a) - distance(b));
    }
    this.#layOut();
    write(
      byId("gallery-hint"),
      t.galleryHint(this.#cells.length, all.length, this.#study.selection.size),
    );
  }

  /** Shows only these cells; all, when there are none. @param {Cell[]} cells */
  gather(cells) {
    this.#gathered = new Set(cells);
    byId("filter-class").value = "all";
    byId("filter-state").value = cells.length > 0 ? "gathered" : "all";
    this.#list.scrollTop = 0;
    this.update();
  }

  /** Shows only the cells to review, the uncertain ones first. */
  review() {
    byId("filter-class").value = "all";
    byId("filter-state").value = "review";
    byId("sort").value = "doubt";
    this.update();
    if (this.#cells[0]) this.#study.select([this.#cells[0]], this.#cells[0]);
    this.#list.focus();
  }

  /** Marks the selected cells, and scrolls to the current one when it has changed. */
  select() {
    const { current, selection } = this.#study;
    this.#list.setAttribute("aria-label", t.gallery);
    if (current && current !== this.#seen) this.#scrollTo(this.#cells.indexOf(current));
    this.#seen = current;
    for (const [cell, card] of this.#cards) {
      card.setAttribute("aria-selected", String(selection.has(cell)));
      card.toggleAttribute("data-current", cell === current);
    }
    const card = current && this.#cards.get(current);
    if (card) this.#list.setAttribute("aria-activedescendant", card.id);
    else this.#list.removeAttribute("aria-activedescendant");
    const classified = this.#study.cells.filter(({ prediction }) => prediction).length;
    write(byId("gallery-hint"), t.galleryHint(this.#cells.length, classified, selection.size));
  }

  /** Marks the cell that is pointed at. @param {Cell} cell @param {boolean} on */
  hover(cell, on) {
    this.#cards.get(cell)?.toggleAttribute("data-hover", on);
  }

  #layOut() {
    const rem = this.#rem;
    const gap = GAP * rem;
    const room = this.#window.width;
    const columns = Math.max(1, Math.floor((room + gap) / (CARD_WIDTH * rem + gap)));
    const width = Math.max(1, (room - gap * (columns - 1)) / columns);
    this.#grid = { columns, width, height: width + TEXT_HEIGHT * rem, gap };
    const rows = Math.ceil(this.#cells.length / columns);
    this.#spacer.style.height = `${Math.max(0, rows * (this.#grid.height + gap) - gap)}px`;
    this.#fill();
  }

  /** Index of the first cell whose card belongs into the page. */
  #first() {
    const { columns, height, gap } = this.#grid;
    const { top, height: room } = this.#window;
    const middle = ((top + room / 2) / (height + gap)) * columns;
    const most = Math.max(0, this.#cells.length - CARDS);
    return Math.floor(Math.max(0, Math.min(most, middle - CARDS / 2)) / STEP) * STEP;
  }

  /** Brings the cards near the window into the page, in order, and the others out of it. */
  #fill() {
    const { columns, height, gap, width } = this.#grid;
    const first = this.#first();
    this.#filled = first;
    const shown = this.#cells.slice(first, first + CARDS + STEP);
    const cards = new Map(shown.map((cell) => [cell, this.#cards.get(cell) ?? this.#card(cell)]));
    const known = [...this.#cards.keys()];
    const same = shown.length === known.length && shown.every((cell, i) => cell === known[i]);
    this.#cards = cards;
    let place = first;
    for (const [cell, card] of cards) {
      const [column, row] = [place % columns, Math.floor(place / columns)];
      card.style.width = `${width}px`;
      card.style.height = `${height}px`;
      card.style.transform = `translate(${column * (width + gap)}px, ${row * (height + gap)}px)`;
      card.setAttribute("aria-posinset", `${++place}`);
      card.setAttribute("aria-setsize", `${this.#cells.length}`);
      this.#refresh(cell, card);
    }
    if (!same || !this.#spacer.isConnected)
      this.#list.replaceChildren(this.#spacer, ...cards.values());
  }

  /** @param {number} index */
  #scrollTo(index) {
    if (index < 0) return;
    const { columns, height, gap } = this.#grid;
    const top = Math.floor(index / columns) * (height + gap);
    const { top: from, height: room } = this.#window;
    // Only the list scrolls: scrollIntoView would move the whole page on a small screen.
    if (top < from || top + height > from + room) {
      this.#list.scrollTop = top - (room - height) / 2;
      this.#window.top = this.#list.scrollTop;
    }
    this.#fill();
  }

  /** @param {Cell} cell @param {HTMLElement} card */
  #refresh(cell, card) {
    const { selection, current } = this.#study;
    card.className = `card ${stateOf(cell)}`;
    card.setAttribute("aria-selected", String(selection.has(cell)));
    card.toggleAttribute("data-current", cell === current);
    const [words, , key, value] = card.children;
    write(words, cellLabel(cell));
    key.className = `key ${labelOf(cell)}`;
    write(key, t.label[labelOf(cell)]);
    write(value, valueOf(cell));
  }

  /** @param {Cell} cell */
  #card(cell) {
    const thumbnail = html("span", { class: "thumbnail" });
    showThumbnail(thumbnail, cell);
    const card = html("li", { id: `card-${cell.id}`, role: "option" });
    const [key, value] = ["key", "value"].map((kind) =>
      html("span", { class: kind, "aria-hidden": "true" }),
    );
    const name = html(
      "span",
      { class: "name", title: cell.name, "aria-hidden": "true" },
      cell.name,
    );
    card.append(html("span", { class: "spoken" }), thumbnail, key, value, name);
    card.addEventListener("click", (event) => pick(this.#study, cell, event, this.#cells));
    card.addEventListener("pointerenter", () => this.#hover(cell));
    card.addEventListener("pointerleave", () => this.#hover(null));
    return card;
  }
}
