// @ts-check
/**
 * All classified cells as cards, highest decision value first.
 *
 * @import { Cell, Source } from "../session.js"
 */
import { t } from "../messages.js";
import { labelOf, valueOf } from "./cell.js";
import { canvas, html, walkable } from "./dom.js";

/** Shows cells in `list`; calls `choose` and `hover` when one is picked or pointed at. */
export class GalleryView {
  #list;
  #on;
  /** @type {Cell[]} in the order shown */ #cells = [];
  /** @type {Map<Cell, HTMLElement>} */ #cards = new Map();
  /** @type {Cell | null} */ #selected = null;

  /**
   * @param {HTMLElement} list
   * @param {{ choose: (cell: Cell) => void, hover: (cell: Cell | null) => void }} on
   */
  constructor(list, on) {
    this.#list = list;
    this.#on = on;
    list.setAttribute("aria-label", t.gallery);
    walkable(list, {
      count: () => this.#cells.length,
      current: () => (this.#selected ? this.#cells.indexOf(this.#selected) : -1),
      columns: () => this.#columns(),
      choose: (index) => on.choose(this.#cells[index]),
    });
  }

  /** Adds cells that now have a prediction, each at its rank. @param {Cell[]} cells */
  add(cells) {
    for (const cell of cells) {
      const rank = this.#rank(cell);
      const next = this.#cells[rank];
      this.#cells.splice(rank, 0, cell);
      const card = this.#card(cell);
      this.#cards.set(cell, card);
      this.#list.insertBefore(card, next ? (this.#cards.get(next) ?? null) : null);
    }
  }

  /** Takes out the cells of one source. @param {Source} source */
  remove(source) {
    for (const cell of source.cells) {
      this.#cards.get(cell)?.remove();
      this.#cards.delete(cell);
      if (cell === this.#selected) this.#selected = null;
    }
    this.#cells = this.#cells.filter((cell) => cell.source !== source);
  }

  /** Marks the cell that is selected and scrolls the list to it. @param {Cell | null} cell */
  select(cell) {
    if (this.#selected) this.#cards.get(this.#selected)?.setAttribute("aria-selected", "false");
    this.#selected = cell;
    const card = cell && this.#cards.get(cell);
    if (!card) return;
    card.setAttribute("aria-selected", "true");
    this.#list.setAttribute("aria-activedescendant", card.id);
    // Only the list scrolls: scrollIntoView would move the whole page on a small screen.
    const { scrollTop, clientHeight } = this.#list;
    const { offsetTop, offsetHeight } = card;
    const inView = offsetTop >= scrollTop && offsetTop + offsetHeight <= scrollTop + clientHeight;
    if (!inView) this.#list.scrollTop = offsetTop - (clientHeight - offsetHeight) / 2;
  }

  /** Marks the cell that is pointed at. @param {Cell} cell @param {boolean} on */
  hover(cell, on) {
    this.#cards.get(cell)?.toggleAttribute("data-hover", on);
  }

  /** @param {Cell} cell where it belongs, after all of an equal or higher value */
  #rank(cell) {
    const value = cell.prediction?.decisionValue ?? 0;
    let low = 0;
    let high = this.#cells.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#cells[middle].prediction?.decisionValue ?? 0) >= value) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #columns() {
    const tops = this.#cells.map((cell) => this.#cards.get(cell)?.offsetTop);
    const second = tops.findIndex((top) => top !== tops[0]);
    return second < 0 ? 1 : second;
  }

  /** @param {Cell} cell */
  #card(cell) {
    const label = labelOf(cell);
    const card = html("li", { id: `card-${cell.id}`, role: "option", "aria-selected": "false" });
    card.className = `card ${label}`;
    card.append(
      canvas(cell.thumbnail),
      html("span", { class: "key " + label }, t.label[label]),
      html("span", { class: "value" }, valueOf(cell)),
      html("span", { class: "name", title: cell.name }, cell.name),
    );
    card.addEventListener("click", () => this.#on.choose(cell));
    card.addEventListener("pointerenter", () => this.#on.hover(cell));
    card.addEventListener("pointerleave", () => this.#on.hover(null));
    return card;
  }
}
