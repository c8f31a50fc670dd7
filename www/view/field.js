// @ts-check
/**
 * One field as a picture with a box around every cell; it can be moved, enlarged and brightened.
 *
 * Invariant: classes differ in line and marker, not only in colour; contrast changes what is seen,
 * never what is classified.
 *
 * @import { Cell, Source, Study } from "../study.js"
 */
import { t } from "../messages.js";
import { answersByKey, cellLabel, labelOf, pick, sourceName, stateOf } from "./cell.js";
import { html, refill, svg, walkable } from "./dom.js";
import { PanZoom } from "./panzoom.js";
import { addressOf } from "./pictures.js";

/** Shows the field of `study` that is in view in `figure`. */
export class FieldView {
  #figure;
  #study;
  #hover;
  /** @type {Source | null} */ #source = null;
  #shape = "";
  #cellsShown = 0;
  /** @type {Map<Cell, SVGGElement>} */ #boxes = new Map();
  /** @type {Cell | null} */ #seen = null;
  #picture = html("img", { alt: "", draggable: "false" });
  #overlay = svg("svg", { role: "none" });
  #stage = html("div", { class: "stage", role: "none" }, this.#picture, this.#overlay);
  #list = html(
    "div",
    { class: "field", role: "listbox", "aria-multiselectable": "true", tabindex: "0" },
    this.#stage,
  );
  #caption = html("figcaption");
  #tone = { brightness: 1, contrast: 1 };
  /** @type {PanZoom} */ #view;

  /** @param {HTMLElement} figure @param {Study} study @param {(cell: Cell | null) => void} hover */
  constructor(figure, study, hover) {
    this.#figure = figure;
    this.#study = study;
    this.#hover = hover;
    const cells = () => this.#source?.cells ?? [];
    walkable(this.#list, {
      count: () => cells().length,
      current: () => (study.current ? cells().indexOf(study.current) : -1),
      columns: () => 1,
      choose: (index, extend) => {
        const cell = cells()[index];
        study.select(extend ? [...study.selection, cell] : [cell], cell);
      },
    });
    answersByKey(this.#list, study, cells);
    figure.append(this.#list, this.#caption);
    this.#view = new PanZoom(this.#list, this.#stage);
    this.translate();
  }

  /** Says everything again, in the language in use. */
  translate() {
    const { brightness, contrast } = this.#tone;
    const button = (
      /** @type {string} */ sign,
      /** @type {string} */ name,
      /** @type {() => void} */ act,
    ) => {
      const element = html("button", { type: "button", "aria-label": name, title: name }, sign);
      element.addEventListener("click", act);
      return element;
    };
    const tone = (/** @type {"brightness" | "contrast"} */ kind, /** @type {number} */ value) => {
      const range = { type: "range", min: "0.25", max: "4", step: "0.05", value: `${value}` };
      const input = html("input", { ...range, class: kind });
      input.addEventListener("input", () => this.#setTone({ [kind]: Number(input.value) }));
      return html("label", {}, t[kind], input);
    };
    const colour = html(
      "select",
      { class: "colour" },
      html("option", { value: "class" }, t.colourClass),
      html("option", { value: "doubt" }, t.colourDoubt),
    );
    colour.value = this.#figure.dataset.colour ?? "class";
    colour.addEventListener("change", () => {
      this.#figure.dataset.colour = colour.value;
      this.#legend();
    });
    const belongs = html("select", { class: "belongs" });
    belongs.addEventListener("change", () => this.#move(belongs.value));
    this.#caption.replaceChildren(
      html("strong", { class: "title" }),
      html("span", { class: "legend" }),
      html(
        "span",
        { class: "tools" },
        button("+", t.zoomIn, () => this.#view.zoom(1.5)),
        button("−", t.zoomOut, () => this.#view.zoom(1 / 1.5)),
        button("⤢", t.zoomFit, () => this.#view.fit()),
        tone("brightness", brightness),
        tone("contrast", contrast),
        button("↺", t.reset, () => {
          this.#setTone({ brightness: 1, contrast: 1 });
          for (const input of this.#caption.querySelectorAll("input")) input.value = "1";
        }),
        html("label", {}, t.colourBy, colour),
        html("label", {}, t.moveTo, belongs),
      ),
    );
    this.#legend();
  }

  /** Brings picture, boxes and caption up to date. */
  update() {
    const source = this.#study.shown;
    if (source !== this.#source || source?.cells.length !== this.#cellsShown) this.#show(source);
    if (!source) return;
    for (const [cell, box] of this.#boxes) {
      box.setAttribute("class", `box ${stateOf(cell)}`);
      box.setAttribute("aria-label", cellLabel(cell));
    }
    const { cells } = source;
    const name = sourceName(source);
    const mitotic = cells.filter((cell) => labelOf(cell) === "mitotic").length;
    this.#list.setAttribute(
      "aria-label",
      t.fieldLabel(name, t.verdict(mitotic, source.classified)),
    );
    this.#caption.querySelector(".title")?.replaceChildren(name);
    this.#fillBelongs();
    this.select();
  }

  /** Marks the selected cells, and brings the current one into view when it has changed. */
  select() {
    const { selection, current } = this.#study;
    for (const [cell, box] of this.#boxes) {
      box.setAttribute("aria-selected", String(selection.has(cell)));
      box.toggleAttribute("data-current", cell === current);
    }
    const box = current && this.#boxes.get(current);
    if (!box || !current) this.#list.removeAttribute("aria-activedescendant");
    else {
      this.#list.setAttribute("aria-activedescendant", box.id);
      if (current !== this.#seen) {
        box.parentNode?.append(box); // drawn last, so on top
        const { x, y, w, h } = current.box;
        const { width, height } = this.#source?.size ?? { width: 1, height: 1 };
        this.#view.reveal((x + w / 2) / width, (y + h / 2) / height);
      }
    }
    this.#seen = current;
  }

  /** Marks the cell that is pointed at. @param {Cell} cell @param {boolean} on */
  hover(cell, on) {
    this.#boxes.get(cell)?.toggleAttribute("data-hover", on);
  }

  /** @param {Source | null} source */
  #show(source) {
    const same = source === this.#source;
    this.#source = source;
    this.#cellsShown = source?.cells.length ?? 0;
    this.#boxes.clear();
    this.#seen = null;
    this.#figure.hidden = !source?.size || !source.preview;
    this.#overlay.replaceChildren();
    if (!source?.size || !source.preview) return this.#picture.removeAttribute("src");
    const { width, height } = source.size;
    const unit = Math.max(width, height) / 100;
    for (const cell of source.cells) this.#boxes.set(cell, this.#box(cell, unit));
    this.#overlay.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.#overlay.append(...this.#boxes.values());
    this.#picture.src = addressOf(source.preview);
    const shape = `${width} ${height}`; // pages of one file may differ
    if (!same || shape !== this.#shape) this.#view.show(width, height);
    this.#shape = shape;
  }

  #legend() {
    const keys =
      this.#figure.dataset.colour === "doubt"
        ? [
            html("span", { class: "key doubtful" }, t.uncertain),
            html("span", { class: "key sure" }, t.certain),
          ]
        : [
            html("span", { class: "key mitotic" }, t.label.mitotic),
            html("span", { class: "key interphase" }, t.label.interphase),
          ];
    this.#caption.querySelector(".legend")?.replaceChildren(...keys);
  }

  #fillBelongs() {
    const belongs = /** @type {HTMLSelectElement | null} */ (
      this.#caption.querySelector(".belongs")
    );
    if (!belongs || !this.#source) return;
    const names = this.#study.specimens.map(({ id, name }) => [id, name]);
    refill(belongs, [t.newSpecimen, names], () =>
      [...names, ["new", t.newSpecimen]].map(([id, name]) => html("option", { value: id }, name)),
    );
    belongs.value = this.#study.specimenOf(this.#source)?.id ?? "new";
  }

  /** @param {string} to id of a specimen, or `new` */
  #move(to) {
    const source = this.#source;
    if (!source) return;
    const specimen = this.#study.specimens.find(({ id }) => id === to);
    this.#study.move(source, specimen ?? source.name.replace(/\.[^.]+$/, ""));
  }

  /** @param {Partial<{ brightness: number, contrast: number }>} tone */
  #setTone(tone) {
    Object.assign(this.#tone, tone);
    const { brightness, contrast } = this.#tone;
    this.#picture.style.filter = `brightness(${brightness}) contrast(${contrast})`;
  }

  /** @param {Cell} cell @param {number} unit about a hundredth of the field's longer side */
  #box(cell, unit) {
    const { x, y, w, h } = cell.box;
    const frame = { x: `${x}`, y: `${y}`, width: `${w}`, height: `${h}`, rx: `${unit / 2}` };
    const tip = `M ${x} ${y} h ${2.4 * unit} l ${-2.4 * unit} ${2.4 * unit} z`;
    const tick = `M ${x + w - 2.2 * unit} ${y + h - 1.3 * unit} l ${0.7 * unit} ${0.7 * unit} l ${1.1 * unit} ${-1.6 * unit}`;
    const box = svg("g", { id: `box-${cell.id}`, role: "option" });
    box.append(
      svg("rect", { ...frame, class: "halo" }),
      svg("rect", { ...frame, class: "line" }),
      svg("path", { d: tip, class: "marker" }),
      svg("path", { d: tick, class: "tick" }),
    );
    box.addEventListener("click", (event) => {
      if (!this.#view.moved) pick(this.#study, cell, event, this.#source?.cells ?? []);
    });
    box.addEventListener("pointerenter", () => this.#hover(cell));
    box.addEventListener("pointerleave", () => this.#hover(null));
    return box;
  }
}
