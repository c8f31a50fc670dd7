// @ts-check
/**
 * The specimen verdict: what its cells and the reader's answers amount to.
 *
 * Invariant: pure; a reader's answer always outweighs the model, and only answered cells confirm. The
 * native program has the same rule (src/specimen.rs); tests/fixtures/verdicts.json holds both to it.
 *
 * @import { Label } from "./protocol.js"
 */

/** The decision value's zero: where the support vector machine itself divides the classes. */
export const BOUNDARY = 0;

/** Support vectors lie at a decision value of ±1 by definition: nearer cells are in the margin. */
export const MARGIN = /** @type {[number, number]} */ ([-1, 1]);

/** Confirmed mitotic cells that show a good preparation, by the clinical rule "one or two". */
export const NEEDED = 2;

/**
 * @typedef {import("./protocol.js").Doubt | "margin" | "points"} Doubt why a cell is uncertain: a limit
 *   of the model; its decision value lies where the model abstains, or in the margin of the support
 *   vector machine; or boundary, threshold and operating points do not all call it the same
 *
 * @typedef {object} Evidence of one cell
 * @property {number | null} decisionValue null while it is not classified
 * @property {Doubt | null} doubt which of the model's limits it is beyond
 * @property {Label | null} answer the reader's
 *
 * @typedef {object} Rule
 * @property {number} threshold decision values above it are mitotic
 * @property {number[]} points the operating points of a model that does not say where it abstains: a cell
 *   whose decision value lies between the lowest and the highest of these, boundary and threshold is
 *   uncertain
 * @property {[number, number]} margin decision values between which a cell is uncertain: where the model
 *   abstains, else `MARGIN`
 * @property {number} needed confirmed mitotic cells
 * @property {boolean} gradable false when the reader says that the specimen cannot be judged
 *
 * @typedef {"passed" | "open" | "few" | "none" | "ungradable"} Preparation
 *
 * @typedef {object} Call what one cell is taken for
 * @property {Label | null} model by the threshold
 * @property {Label | null} label the reader's answer, else the model's
 * @property {Doubt | null} doubt
 *
 * @typedef {object} Verdict
 * @property {number} cells that are classified
 * @property {number} mitotic
 * @property {number | null} fraction of mitotic ones; null without cells
 * @property {number} confirmed mitotic by the reader's answer
 * @property {number} candidates mitotic by the model, not yet answered
 * @property {number} doubtful uncertain, not yet answered
 * @property {number} answered
 * @property {Preparation} preparation
 * @property {number} needed
 */

/**
 * Calls every cell and sums up.
 *
 * @param {Evidence[]} cells of one specimen
 * @param {Rule} rule
 * @returns {{ calls: Call[], verdict: Verdict }}
 */
export function judge(cells, { threshold, points, margin, needed, gradable }) {
  const all = [BOUNDARY, threshold, ...points];
  const [lowest, highest] = [Math.min(...all), Math.max(...all)];
  const sums = { cells: 0, mitotic: 0, confirmed: 0, candidates: 0, doubtful: 0, answered: 0 };
  const calls = cells.map(({ decisionValue, doubt: limit, answer }) => {
    if (decisionValue === null) return { model: null, label: answer, doubt: null };
    const model = decisionValue > threshold ? "mitotic" : "interphase";
    const label = answer ?? model;
    const between = decisionValue > lowest && decisionValue <= highest;
    const inside = decisionValue > margin[0] && decisionValue < margin[1];
    const doubt = limit ?? (between ? "points" : inside ? "margin" : null);
    sums.cells += 1;
    if (label === "mitotic") sums.mitotic += 1;
    if (answer) sums.answered += 1;
    if (answer === "mitotic") sums.confirmed += 1;
    if (!answer && model === "mitotic") sums.candidates += 1;
    if (!answer && doubt) sums.doubtful += 1;
    return /** @type {Call} */ ({ model, label, doubt });
  });
  const fraction = sums.cells > 0 ? sums.mitotic / sums.cells : null;
  /** @type {Preparation} */
  let preparation = "none";
  if (!gradable || sums.cells === 0) preparation = "ungradable";
  else if (sums.confirmed >= needed) preparation = "passed";
  else if (sums.candidates + sums.doubtful > 0) preparation = "open";
  else if (sums.confirmed > 0) preparation = "few";
  return { calls, verdict: { ...sums, fraction, preparation, needed } };
}
