// @ts-check
/**
 * How one cell is named in every view, and how its keys answer.
 *
 * @import { Cell, Source, Study } from "../study.js"
 */
import { decisionValue, t } from "../messages.js";
import { isChosen } from "../reading.js";

/** A source's name, with page and channel where one has chosen them; how many images, of several. @param {Source} source */
export function sourceName(source) {
  const { name, images, page, channel } = source;
  if (images > 1) return t.singleCells(images);
  return isChosen(source) ? t.readingName(name, page + 1, t.channels[channel]) : name;
}

/** @param {Cell} cell @returns {"mitotic" | "interphase" | "unknown"} */
export function labelOf(cell) {
  return cell.call.label ?? "unknown";
}

/** The cell's decision value as shown. @param {Cell} cell */
export function valueOf(cell) {
  return cell.prediction ? decisionValue(cell.prediction.decisionValue) : "";
}

/** What a screen reader says of the cell. @param {Cell} cell */
export function cellLabel(cell) {
  const words = [t.label[labelOf(cell)]];
  if (cell.prediction) words.push(t.valueLabel(valueOf(cell)));
  if (cell.call.doubt) words.push(t.uncertain);
  if (cell.answer) words.push(t.answered(cell.answer.reader));
  words.push(cell.name);
  return t.cellLabel(words);
}

/** The classes that draw a cell's state. @param {Cell} cell */
export function stateOf(cell) {
  return [
    labelOf(cell),
    cell.call.doubt ? "doubtful" : "",
    cell.answer ? "read" : "",
    cell.answer && cell.answer.label !== cell.call.model ? "disagreement" : "",
  ].join(" ");
}

/** Chooses a cell as a pointer does. @param {Study} study @param {Cell} cell @param {MouseEvent} event @param {Cell[]} order */
export function pick(study, cell, event, order) {
  if (event.shiftKey && study.current) {
    const ends = [order.indexOf(study.current), order.indexOf(cell)].sort((a, b) => a - b);
    study.select(order.slice(ends[0] < 0 ? ends[1] : ends[0], ends[1] + 1), cell);
  } else if (event.ctrlKey || event.metaKey) {
    const selection = new Set(study.selection);
    const left = selection.delete(cell);
    if (!left) selection.add(cell);
    study.select(selection, left ? ([...selection].at(-1) ?? null) : cell);
  } else {
    study.select([cell], cell);
  }
}

/**
 * Makes one key answer for the selected cells while `element` has the focus.
 *
 * @param {HTMLElement} element
 * @param {Study} study
 * @param {() => Cell[]} order in which to go on after a single cell
 */
export function answersByKey(element, study, order) {
  element.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || study.selection.size === 0) return;
    /** @type {Record<string, () => void>} */
    const answers = {
      m: () => study.answer(study.selection, "mitotic"),
      i: () => study.answer(study.selection, "interphase"),
      c: () => study.confirm(study.selection),
      u: () => study.answer(study.selection, null),
    };
    const answer = answers[event.key.toLowerCase()];
    if (!answer) return;
    event.preventDefault();
    const cells = order();
    const next = study.current ? cells[cells.indexOf(study.current) + 1] : null;
    answer();
    if (study.selection.size === 1 && next) study.select([next], next);
  });
}
