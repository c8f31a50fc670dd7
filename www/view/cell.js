// @ts-check
/**
 * How one cell is named in every view.
 *
 * @import { Cell } from "../session.js"
 */
import { decisionValue, t } from "../messages.js";

/** @param {Cell} cell @returns {"mitotic" | "interphase" | "unknown"} */
export function labelOf(cell) {
  return cell.prediction?.prediction ?? "unknown";
}

/** The cell's decision value as shown. @param {Cell} cell */
export function valueOf(cell) {
  return cell.prediction ? decisionValue(cell.prediction.decisionValue) : "";
}

/** What a screen reader says of the cell. @param {Cell} cell */
export function cellLabel(cell) {
  const label = t.label[labelOf(cell)];
  return cell.prediction ? t.cellLabel(label, valueOf(cell), cell.name) : label;
}
