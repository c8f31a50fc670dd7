// @ts-check
/**
 * The map of embeddings: the model's reference cells and the cells in view, where like lies by like.
 *
 * Invariant: what is drawn around here is the selection of the study, so every other view shows it too;
 * each way to choose by pointer has one by key.
 *
 * @import { Cell, Study } from "../study.js"
 * @import { Colours, Place } from "./plot.js"
 */
import { t } from "../messages.js";
import { answersByKey, labelOf, pick } from "./cell.js";
import { html, svg, write } from "./dom.js";
import { cleared, drawMarks, fitted, inside, nearest, spokes, squares } from "./plot.js";

/** A pointer that moves less clicks, and a lasso has no finer steps. */
const STEP_PX = 4;
/** So near to a mark a pointer means it. */
const NEAR_PX = 10;
/** Half the side of the frame that keys move, at first and at least. */
const [FRAME_PX, FRAME_LEAST] = [32, 8];

/** Shows the map of `study` in `section`. */
export class MapView {
  #study;
  #hover;
  #gather;
  /** @type {(Place & { label: string, cell: Cell })[]} */ #marks = [];
  /** @type {(Place & { label: string })[]} */ #references = [];
  /** @type {Map<Cell, Place>} */ #places = new Map();
  #room = { width: 0, height: 0 };
  /** @type {Place[]} the outline being drawn */ #outline = [];
  /** @type {(Place & { half: number }) | null} moved by keys */ #frame = null;
  /** @type {Cell | null} */ #hovered = null;
  #due = { marks: false, above: false };
  /** @type {Colours | null} */ #colours = null;
  #below = html("canvas");
  #above = html("canvas");
  #plot = html(
    "div",
    { class: "plot", id: "plot", role: "application", tabindex: "0" },
    this.#below,
    this.#above,
  );
  #legend = html("p", { class: "legend map-legend" });
  #lasso = html("button", { type: "button", class: "lasso", "aria-pressed": "false" });
  #said = html("p", { class: "hint", role: "status", id: "map-said" });
  #words = () => "";
  #hint = html("p", { class: "hint", id: "map-hint" });

  /**
   * @param {HTMLElement} section
   * @param {Study} study
   * @param {(cell: Cell | null) => void} hover
   * @param {(cells: Cell[]) => void} gather shows these cells together in the gallery
   */
  constructor(section, study, hover, gather) {
    this.#study = study;
    this.#hover = hover;
    this.#gather = gather;
    this.#plot.setAttribute("aria-describedby", "map-hint");
    section.append(this.#plot, this.#legend, this.#lasso, this.#said, this.#hint);
    const plot = this.#plot;
    new ResizeObserver(([{ contentRect }]) => {
      this.#room = { width: contentRect.width, height: contentRect.height };
      this.update();
    }).observe(plot);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      this.#colours = null;
      this.update();
    });
    plot.addEventListener("pointerdown", (event) => this.#down(event));
    plot.addEventListener("pointermove", (event) => this.#move(event));
    plot.addEventListener("pointerup", (event) => this.#up(event));
    plot.addEventListener("pointercancel", () => this.#outlined([]));
    plot.addEventListener("pointerleave", () => this.#hover(null));
    plot.addEventListener("keydown", (event) => this.#key(event));
    answersByKey(plot, study, () => this.#marks.map(({ cell }) => cell));
    this.#lasso.addEventListener("click", () => {
      const on = plot.toggleAttribute("data-lasso");
      this.#lasso.setAttribute("aria-pressed", String(on));
    });
  }

  /** Says everything again, in the language in use. */
  translate() {
    const key = (/** @type {string} */ kind, /** @type {SVGElement} */ mark, words = "") =>
      html("span", { class: `map-key ${kind}` }, icon(mark), words);
    const triangle = (/** @type {string} */ kind) =>
      svg("path", { class: kind, d: "M 0 -4.5 L 4.5 3.6 L -4.5 3.6 z" });
    const square = (/** @type {string} */ kind, /** @type {number} */ half) => {
      const [at, side] = [`${-half}`, `${2 * half}`];
      return svg("rect", { class: kind, x: at, y: at, width: side, height: side });
    };
    this.#legend.replaceChildren(
      key("mitotic", triangle("solid"), t.label.mitotic),
      key("interphase", square("line", 3.5), t.label.interphase),
      key("mitotic", triangle("line faint"), `${t.mapReference}: ${t.label.mitotic}`),
      key("interphase", square("solid faint", 1.5), `${t.mapReference}: ${t.label.interphase}`),
    );
    write(this.#lasso, t.mapLasso);
    write(this.#hint, t.mapHint);
    write(this.#said, this.#words());
  }

  /** Places and draws the cells in view soon, in a task of its own: many marks may be due. */
  update() {
    if (this.#due.marks) return;
    this.#due.marks = true;
    setTimeout(() => {
      this.#due.marks = false;
      this.#place();
    });
  }

  #place() {
    const study = this.#study;
    const known = study.references;
    const apart = (known?.cells ?? []).map(({ label }, i) => {
      const [x, y] = known?.points[i] ?? [0, 0];
      return { x, y, label };
    });
    const cells = study.cells.flatMap((cell) => {
      const point = study.isOfModel(cell.source) ? cell.prediction?.point : null;
      return point ? [{ x: point[0], y: point[1], label: labelOf(cell), cell }] : [];
    });
    const all = [...apart, ...cells];
    for (const part of [this.#plot, this.#legend, this.#lasso, this.#said]) {
      part.hidden = all.length === 0;
    }
    write(this.#hint, all.length > 0 ? t.mapHint : t.mapNone);
    const place = fitted(all, this.#room);
    this.#references = apart.map((mark) => ({ ...mark, ...place(mark) }));
    this.#marks = cells.map((mark) => ({ ...mark, ...place(mark) }));
    this.#places = new Map(this.#marks.map((mark) => [mark.cell, mark]));
    const mitotic = cells.filter(({ label }) => label === "mitotic").length;
    const words = t.mapLabel(t.verdict(mitotic, cells.length), apart.length);
    this.#plot.setAttribute("aria-label", words);
    if (all.length === 0) return;
    const context = cleared(this.#below, this.#room);
    drawMarks(context, this.#coloured(), this.#marks, this.#references);
    this.#redraw();
  }

  /** Marks the selected cells. */
  select() {
    this.#redraw();
  }

  /** Marks the cell that is pointed at. @param {Cell} cell @param {boolean} on */
  hover(cell, on) {
    this.#hovered = on ? cell : null;
    this.#redraw();
  }

  /** Once a frame, however often it is asked for. */
  #redraw() {
    if (this.#due.above) return;
    this.#due.above = true;
    requestAnimationFrame(() => {
      this.#due.above = false;
      this.#drawAbove();
    });
  }

  /** Selection, pointer, lasso and frame. */
  #drawAbove() {
    const context = cleared(this.#above, this.#room);
    const { ink, accent } = this.#coloured();
    const { selection, current } = this.#study;
    const placed = (/** @type {Iterable<Cell>} */ cells) =>
      [...cells].flatMap((cell) => this.#places.get(cell) ?? []);
    context.strokeStyle = accent;
    context.lineWidth = 1.5;
    squares(context, placed(selection), 7);
    context.strokeStyle = ink;
    if (this.#hovered) squares(context, placed([this.#hovered]), 8);
    context.lineWidth = 2.5;
    if (current) {
      squares(context, placed([current]), 8);
      const near = this.#study.neighboursOf(current).map(({ index }) => this.#references[index]);
      context.lineWidth = 1;
      spokes(context, placed([current])[0], near);
    }
    context.lineWidth = 1.5;
    context.setLineDash([5, 4]);
    context.fillStyle = accent;
    const shape = this.#frame ? corners(this.#frame) : this.#outline;
    if (shape.length < 2) return;
    context.beginPath();
    for (const { x, y } of shape) context.lineTo(x, y);
    context.closePath();
    context.stroke();
    context.globalAlpha = 0.12;
    context.fill();
  }

  /** The colours of the scheme in use: a canvas does not know the page's own names. */
  #coloured() {
    if (this.#colours) return this.#colours;
    const colour = (/** @type {string} */ kind) =>
      getComputedStyle(/** @type {Element} */ (this.#legend.querySelector(kind))).color;
    const { color: ink, outlineColor: accent } = getComputedStyle(this.#plot);
    this.#colours = { mitotic: colour(".mitotic"), interphase: colour(".interphase"), ink, accent };
    return this.#colours;
  }

  /** @param {PointerEvent} event */
  #at(event) {
    const { left, top } = this.#plot.getBoundingClientRect();
    return { x: event.clientX - left - 1, y: event.clientY - top - 1 };
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (event.button !== 0 || !event.isPrimary) return;
    this.#frame = null;
    this.#outline = [this.#at(event)];
    // A finger scrolls the page unless it is told to draw.
    const draws = event.pointerType === "mouse" || this.#plot.hasAttribute("data-lasso");
    if (draws) this.#plot.setPointerCapture(event.pointerId);
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const at = this.#at(event);
    const last = this.#outline.at(-1);
    if (!last) return this.#hover(nearest(this.#marks, at, NEAR_PX)?.cell ?? null);
    if (Math.hypot(at.x - last.x, at.y - last.y) < STEP_PX) return;
    this.#outline.push(at);
    this.#redraw();
  }

  /** @param {PointerEvent} event */
  #up(event) {
    const outline = this.#outline;
    if (outline.length === 0) return;
    const add = event.shiftKey || event.ctrlKey || event.metaKey;
    if (outline.length > 2) return this.#outlined(outline, add);
    this.#outlined([]);
    const mark = nearest(this.#marks, outline[0], NEAR_PX);
    if (mark) pick(this.#study, mark.cell, event, [mark.cell]);
  }

  /** Selects what lies inside the outline, which is then done with. @param {Place[]} outline @param {boolean} [add] to what is selected */
  #outlined(outline, add = false) {
    this.#outline = [];
    this.#redraw();
    if (outline.length === 0) return;
    const within = inside(this.#marks, outline).map(({ cell }) => cell);
    const cells = [...new Set(add ? [...this.#study.selection, ...within] : within)];
    const value = (/** @type {Cell} */ cell) => cell.prediction?.decisionValue ?? 0;
    cells.sort((a, b) => value(b) - value(a));
    this.#study.select(cells, cells[0] ?? null);
    this.#say(cells, "mapChosen");
    setTimeout(() => this.#gather(cells)); // its own task, as in `update`
  }

  /** @param {Cell[]} cells @param {"mapChosen" | "mapFramed"} key of the words */
  #say(cells, key) {
    const mitotic = cells.filter((cell) => labelOf(cell) === "mitotic").length;
    this.#words = () => t[key](t.verdict(mitotic, cells.length));
    write(this.#said, this.#words());
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const { current } = this.#study;
    const home = (current && this.#places.get(current)) ?? {
      x: this.#room.width / 2,
      y: this.#room.height / 2,
    };
    const frame = this.#frame ?? { x: home.x, y: home.y, half: FRAME_PX };
    const step = frame.half / 2;
    /** @type {Record<string, () => void>} */
    const moves = {
      ArrowLeft: () => (frame.x -= step),
      ArrowRight: () => (frame.x += step),
      ArrowUp: () => (frame.y -= step),
      ArrowDown: () => (frame.y += step),
      Home: () => Object.assign(frame, { x: home.x, y: home.y }),
      "+": () => (frame.half *= 1.25),
      "-": () => (frame.half = Math.max(FRAME_LEAST, frame.half / 1.25)),
    };
    if (moves[event.key]) {
      moves[event.key]();
      const { width, height } = this.#room;
      frame.half = Math.min(frame.half, Math.max(width, height));
      frame.x = Math.max(0, Math.min(width, frame.x));
      frame.y = Math.max(0, Math.min(height, frame.y));
      this.#frame = frame;
      const within = inside(this.#marks, corners(frame));
      this.#say(
        within.map(({ cell }) => cell),
        "mapFramed",
      );
      this.#redraw();
    } else if (event.key === "Enter" || event.key === " ") {
      this.#frame = frame;
      this.#outlined(corners(frame), event.shiftKey);
    } else if (event.key === "Escape") {
      this.#frame = null;
      this.#outlined([]);
    } else return;
    event.preventDefault();
  }
}

/** @param {Place & { half: number }} frame @returns {Place[]} */
function corners({ x, y, half }) {
  return [
    { x: x - half, y: y - half },
    { x: x + half, y: y - half },
    { x: x + half, y: y + half },
    { x: x - half, y: y + half },
  ];
}

/** A mark for the legend. @param {SVGElement} mark */
function icon(mark) {
  return svg("svg", { viewBox: "-6 -6 12 12", "aria-hidden": "true" }, mark);
}
