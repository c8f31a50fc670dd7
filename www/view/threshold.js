// @ts-check
/**
 * The histogram of decision values over the slider that divides them, and the operating points.
 *
 * Invariant: histogram and slider share one axis, which always holds the margin and every cell.
 *
 * @import { Study } from "../study.js"
 */
import { decisionValue, t } from "../messages.js";
import { byId, html, on, refill, svg, write } from "./dom.js";

const BINS = 48;
/** Units of the drawing; its width on the page follows the slider's. */
const [WIDTH, HEIGHT] = [480, 72];
/** The axis never shrinks below the margin and some room beside it. */
const LEAST = 1.5;

export class ThresholdView {
  #study;
  /** @type {number | null} the threshold before a drag */ #before = null;

  /** @param {Study} study */
  constructor(study) {
    this.#study = study;
    on("threshold", "input", ({ target }) => {
      this.#before ??= study.threshold;
      study.ledger.note("threshold", snapped(study, Number(target.value)));
    });
    on("threshold", "change", ({ target }) => {
      // The whole drag is one step.
      if (this.#before !== null) study.ledger.note("threshold", this.#before);
      this.#before = null;
      study.ledger.set([["threshold", snapped(study, Number(target.value))]]);
    });
  }

  update() {
    const { threshold, points, margin } = this.#study;
    const values = this.#study.cells.flatMap(({ prediction }) => prediction?.decisionValue ?? []);
    const axis = axisOf([...values, threshold, ...margin, ...points.map((point) => point.threshold)]);
    const slider = byId("threshold");
    slider.min = `${axis.least}`;
    slider.max = `${axis.most}`;
    if (Number(slider.value) !== threshold) slider.value = `${threshold}`;
    const { value, name } = thresholdInWords(this.#study);
    slider.setAttribute("aria-valuetext", `${value}, ${name}`);
    write(byId("threshold-words"), t.thresholdWords(value, name));
    this.#points();
    this.#histogram(values, axis);
  }

  #points() {
    const { threshold, points } = this.#study;
    const values = [...new Set(points.map((point) => point.threshold))].sort((a, b) => a - b);
    const words = values.map((value) => `${namesOf(points, value)} ${decisionValue(value)}`);
    refill(byId("points"), [words, threshold], () =>
      values.map((value, i) => {
        const pressed = String(value === threshold);
        const state = { type: "button", id: `point-${i}`, "aria-pressed": pressed };
        const button = html("button", state, words[i]);
        button.addEventListener("click", () => this.#study.ledger.set([["threshold", value]]));
        return button;
      }),
    );
  }

  /** @param {number[]} values @param {{ least: number, most: number }} axis */
  #histogram(values, { least, most }) {
    const { threshold, margin } = this.#study;
    const scale = (/** @type {number} */ value) => ((value - least) / (most - least)) * WIDTH;
    const counts = { above: new Array(BINS).fill(0), below: new Array(BINS).fill(0) };
    for (const value of values) {
      const bin = Math.min(BINS - 1, Math.floor((scale(value) / WIDTH) * BINS));
      counts[value > threshold ? "above" : "below"][bin] += 1;
    }
    const highest = Math.max(1, ...counts.above.map((count, i) => count + counts.below[i]));
    const [low, high] = margin.map(scale);
    const shade = { x: `${low}`, width: `${high - low}` };
    const bars = counts.above.flatMap((above, bin) => {
      const below = counts.below[bin];
      // Square roots, so that the few mitotic cells stay visible beside the many others.
      const tall = (/** @type {number} */ count) => HEIGHT * Math.sqrt(count / highest);
      return [
        bar("interphase", bin, tall(above + below)),
        bar("mitotic", bin, above > 0 ? tall(above) : 0),
      ];
    });
    const x = `${scale(threshold)}`;
    const above = values.filter((value) => value > threshold).length;
    const words = t.histogram(above, values.length - above, decisionValue(threshold));
    const picture = svg(
      "svg",
      {
        viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
        preserveAspectRatio: "none",
        role: "img",
        "aria-label": words,
      },
      svg("rect", { class: "margin", y: "0", height: `${HEIGHT}`, ...shade }),
      ...bars,
      svg("line", {
        class: "zero",
        x1: `${scale(0)}`,
        x2: `${scale(0)}`,
        y1: "0",
        y2: `${HEIGHT}`,
      }),
      svg("line", { class: "cut", x1: x, x2: x, y1: "0", y2: `${HEIGHT}` }),
    );
    byId("histogram").replaceChildren(picture);
  }
}

/** @param {string} kind @param {number} bin @param {number} height */
function bar(kind, bin, height) {
  const width = WIDTH / BINS;
  const y = HEIGHT - height;
  const frame = {
    x: `${bin * width + 0.75}`,
    y: `${y}`,
    width: `${width - 1.5}`,
    height: `${height}`,
  };
  return svg("rect", { class: `bar ${kind}`, ...frame });
}

/** From tenth to tenth, symmetric enough to keep zero off the edge. @param {number[]} values */
function axisOf(values) {
  let [least, most] = [-LEAST, LEAST];
  for (const value of values) {
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  return { least: Math.floor(10 * least) / 10, most: Math.ceil(10 * most) / 10 };
}

/** An operating point when no step of the slider is nearer to it. @param {Study} study @param {number} value */
function snapped(study, value) {
  const step = Number(byId("threshold").step);
  const near = study.points.find(({ threshold }) => Math.abs(threshold - value) < step / 2);
  return near ? near.threshold : Math.round(100 * value) / 100;
}

/** The threshold in use, in words. @param {Study} study */
export function thresholdInWords({ points, threshold }) {
  return { value: decisionValue(threshold), name: namesOf(points, threshold) || t.custom };
}

/** The names of the operating points at this threshold. @param {Study["points"]} points @param {number} threshold */
function namesOf(points, threshold) {
  const here = points.filter((point) => point.threshold === threshold);
  return here.map(({ name }) => t.point[name] ?? name).join(" = ");
}
