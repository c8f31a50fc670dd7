// @ts-check
/**
 * One cell in detail: enlarged, its decision value, why it is uncertain, the reference cells that are
 * nearest to it, and the reader's answer.
 *
 * @import { Cell, Study } from "../study.js"
 */
import { percent, t } from "../messages.js";
import { answersByKey, labelOf, valueOf } from "./cell.js";
import { html, refill } from "./dom.js";
import { nearestReferences, neighbourWords } from "./neighbours.js";
import { showSurroundings, showThumbnail } from "./pictures.js";

export class DetailView {
  #body;
  #study;

  /** @param {HTMLElement} section @param {HTMLElement} body @param {Study} study */
  constructor(section, body, study) {
    this.#body = body;
    this.#study = study;
    answersByKey(section, study, () => []);
  }

  update() {
    const cell = this.#study.current;
    const { id, prediction, call, answer } = cell ?? {};
    const state = [t.detail, id, prediction, call, answer, this.#study.selection.size];
    refill(this.#body, state, () =>
      cell
        ? [
            this.#pictures(cell),
            this.#facts(cell),
            this.#answers(cell),
            nearestReferences(this.#study, cell),
          ]
        : [html("p", { class: "hint" }, t.detailEmpty)],
    );
  }

  /** @param {Cell} cell */
  #pictures(cell) {
    const [thumbnail, surroundings] = [0, 1].map(() =>
      html("div", { class: "enlarged", role: "img" }),
    );
    thumbnail.setAttribute("aria-label", t.networkView);
    showThumbnail(thumbnail, cell);
    const figures = [html("figure", {}, thumbnail, html("figcaption", {}, t.networkView))];
    if (showSurroundings(surroundings, cell)) {
      surroundings.setAttribute("aria-label", t.fieldView);
      figures.push(html("figure", {}, surroundings, html("figcaption", {}, t.fieldView)));
    }
    return html("div", { class: "pictures" }, ...figures);
  }

  /** @param {Cell} cell */
  #facts(cell) {
    const { prediction, call, answer, source, box } = cell;
    const key = (/** @type {string} */ kind, /** @type {string} */ words) =>
      html("span", { class: `key ${kind}` }, words);
    /** @type {[string, Node | string][]} */
    const facts = [[t.image, cell.name]];
    if (prediction) {
      facts.push([t.value, html("strong", { class: "number" }, valueOf(cell))]);
      facts.push([t.probability, percent(prediction.probability)]);
    }
    if (call.model) facts.push([t.model, key(call.model, t.label[call.model])]);
    facts.push([
      t.answer,
      answer ? key(answer.label, `${t.label[answer.label]} ${answer.reader}`) : t.notRead,
    ]);
    const list = html("dl");
    for (const [name, value] of facts) list.append(html("dt", {}, name), html("dd", {}, value));
    const words = [];
    const { mitotic, interphase } = source.model?.abstention ?? {};
    if (call.doubt === "margin" && mitotic && interphase) {
      words.push(html("p", { class: "doubt" }, t.abstains(percent(mitotic), percent(interphase))));
    } else if (call.doubt) words.push(html("p", { class: "doubt" }, t.doubt[call.doubt]));
    else if (prediction) words.push(html("p", { class: "hint" }, t.noDoubt));
    words.push(...neighbourWords(this.#study, cell));
    const { width, height } = source.size ?? { width: Infinity, height: Infinity };
    const cut = box.x <= 0 || box.y <= 0 || box.x + box.w >= width || box.y + box.h >= height;
    if (source.size && cut) words.push(html("p", { class: "doubt" }, t.atEdge));
    return html("div", { class: "facts" }, list, ...words);
  }

  /** @param {Cell} cell */
  #answers(cell) {
    // Those selected when a button is pressed, not when it was drawn.
    const chosen = () => (this.#study.selection.size > 0 ? this.#study.selection : [cell]);
    /** @param {string} id @param {string} words @param {() => void} act @param {boolean} [pressed] */
    const button = (id, words, act, pressed) => {
      const element = html("button", { type: "button", id }, words);
      if (pressed !== undefined) element.setAttribute("aria-pressed", String(pressed));
      element.disabled = !cell.prediction;
      element.addEventListener("click", act);
      return element;
    };
    const label = cell.answer ? labelOf(cell) : null;
    const buttons = html(
      "div",
      { class: "answers" },
      button("answer-confirm", t.confirm, () => this.#study.confirm(chosen())),
      button(
        "answer-mitotic",
        t.setMitotic,
        () => this.#study.answer(chosen(), "mitotic"),
        label === "mitotic",
      ),
      button(
        "answer-interphase",
        t.setInterphase,
        () => this.#study.answer(chosen(), "interphase"),
        label === "interphase",
      ),
      button("answer-none", t.setUnread, () => this.#study.answer(chosen(), null)),
    );
    const { size } = this.#study.selection;
    const hint = size > 1 ? [html("p", { class: "hint" }, t.several(size))] : [];
    return html("div", { class: "answer-form" }, buttons, ...hint);
  }
}
