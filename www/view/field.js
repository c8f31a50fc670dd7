// @ts-check
/**
 * One field as a picture with a box around every cell.
 *
 * Invariant: classes differ in line and marker, not only in colour.
 *
 * @import { Cell, Source } from "../session.js"
 */
import { t } from "../messages.js";
import { cellLabel, labelOf } from "./cell.js";
import { canvas, html, svg, walkable } from "./dom.js";

/** Shows a field in `figure`; calls `choose` and `hover` when a cell is picked or pointed at. */
export class FieldView {
  #figure;
  #on;
  /** @type {Source | null} */ #source = null;
  /** @type {Map<Cell, SVGGElement>} */ #boxes = new Map();
  /** @type {Cell | null} */ #selected = null;
  /** @type {HTMLElement} */ #list = html("div");
  #caption = html("figcaption");

  /**
   * @param {HTMLElement} figure
   * @param {{ choose: (cell: Cell) => void, hover: (cell: Cell | null) => void }} on
   */
  constructor(figure, on) {
    this.#figure = figure;
    this.#on = on;
  }

  /** The field in view. */
  get source() {
    return this.#source;
  }

  /** Shows this field, or nothing. @param {Source | null} source */
  show(source) {
    this.#source = source;
    this.#boxes.clear();
    this.#selected = null;
    this.#figure.hidden = !source?.size || !source.preview;
    this.#figure.replaceChildren();
    if (!source?.size || !source.preview) return;
    const { width, height } = source.size;
    const unit = Math.max(width, height) / 100;
    for (const cell of source.cells) this.#boxes.set(cell, this.#box(cell, unit));
    const overlay = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "none" });
    overlay.append(...this.#boxes.values());
    this.#list = html("div", { class: "field", role: "listbox", tabindex: "0" });
    this.#list.append(canvas(source.preview), overlay);
    walkable(this.#list, {
      count: () => source.cells.length,
      current: () => (this.#selected ? source.cells.indexOf(this.#selected) : -1),
      columns: () => 1,
      choose: (index) => this.#on.choose(source.cells[index]),
    });
    this.#figure.append(this.#list, this.#caption);
    this.update();
  }

  /** Brings boxes and caption up to date with the predictions. */
  update() {
    if (!this.#source) return;
    for (const [cell, box] of this.#boxes) {
      box.setAttribute("class", `box ${labelOf(cell)}`);
      box.setAttribute("aria-label", cellLabel(cell));
    }
    const { name, cells } = this.#source;
    const mitotic = cells.filter((cell) => labelOf(cell) === "mitotic").length;
    const counts = t.verdict(mitotic, this.#source.classified);
    this.#list.setAttribute("aria-label", t.fieldLabel(name, counts));
    this.#caption.replaceChildren(
      html("strong", {}, name),
      html("span", { class: "key mitotic" }, t.legendMitotic),
      html("span", { class: "key interphase" }, t.legendInterphase),
    );
  }

  /** Marks the cell that is selected here and in the gallery. @param {Cell | null} cell */
  select(cell) {
    this.#mark(this.#selected, "aria-selected", false);
    this.#selected = cell;
    this.#mark(cell, "aria-selected", true);
    if (cell && this.#boxes.has(cell)) {
      this.#list.setAttribute("aria-activedescendant", `box-${cell.id}`);
      const box = this.#boxes.get(cell);
      if (box) box.parentNode?.append(box); // drawn last, so on top
    }
  }

  /** Marks the cell that is pointed at. @param {Cell} cell @param {boolean} on */
  hover(cell, on) {
    this.#boxes.get(cell)?.toggleAttribute("data-hover", on);
  }

  /** @param {Cell | null} cell @param {string} attribute @param {boolean} on */
  #mark(cell, attribute, on) {
    if (cell) this.#boxes.get(cell)?.setAttribute(attribute, String(on));
  }

  /** @param {Cell} cell @param {number} unit about a hundredth of the field's longer side */
  #box(cell, unit) {
    const { x, y, w, h } = cell.box;
    const frame = { x: `${x}`, y: `${y}`, width: `${w}`, height: `${h}`, rx: `${unit / 2}` };
    const tip = `M ${x} ${y} h ${2.4 * unit} l ${-2.4 * unit} ${2.4 * unit} z`;
    const box = svg("g", { id: `box-${cell.id}`, role: "option", "aria-selected": "false" });
    box.append(
      svg("rect", { ...frame, class: "halo" }),
      svg("rect", { ...frame, class: "line" }),
      svg("path", { d: tip, class: "marker" }),
    );
    box.addEventListener("click", () => this.#on.choose(cell));
    box.addEventListener("pointerenter", () => this.#on.hover(cell));
    box.addEventListener("pointerleave", () => this.#on.hover(null));
    return box;
  }
}
