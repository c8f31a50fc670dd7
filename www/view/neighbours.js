// @ts-check
/**
 * The reference cells nearest to a cell: what the model's call rests on, as pictures of known label.
 *
 * @import { Cell, Study } from "../study.js"
 */
import { kindInWords, number, t } from "../messages.js";
import { html } from "./dom.js";
import { showOnSheet } from "./pictures.js";

/** The nearest reference cells, or why there are none; nothing before it is classified. @param {Study} study @param {Cell} cell */
export function nearestReferences(study, cell) {
  if (!cell.prediction) return html("div");
  const { references } = study;
  const near = study.neighboursOf(cell);
  const title = html("h3", {}, t.neighbours);
  if (near.length === 0 || !references) {
    const why = study.isOfModel(cell.source) ? t.noReferences : t.otherModel;
    return html("div", { class: "neighbours" }, title, html("p", { class: "hint" }, why));
  }
  const items = near.map(({ label, kind, index, distance }) => {
    const picture = html("span", { class: "thumbnail" });
    showOnSheet(picture, references.thumbnails, references.cells.length, index);
    const named = html("span", { class: `key ${label}` }, t.label[label]);
    const words = html("span", { class: "number" }, t.distance(number(distance, 2)));
    return html(
      "li",
      {},
      picture,
      named,
      html("span", { class: "kind-of" }, kindInWords(kind)),
      words,
    );
  });
  return html("div", { class: "neighbours" }, title, html("ol", {}, ...items));
}

/** What the nearest reference cells say about the model's call. @param {Study} study @param {Cell} cell */
export function neighbourWords(study, cell) {
  const near = study.neighboursOf(cell);
  if (near.length === 0) return [];
  const mitotic = near.filter(({ label }) => label === "mitotic").length;
  const most = 2 * mitotic > near.length ? "mitotic" : "interphase";
  const against = cell.call.model !== null && cell.call.model !== most;
  const words = [html("p", { class: "hint" }, t.neighbourCounts(mitotic, near.length))];
  if (against) words.push(html("p", { class: "doubt" }, t.neighboursAgainst(t.label[most])));
  return words;
}
