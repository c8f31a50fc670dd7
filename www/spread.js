// @ts-check
/**
 * Spreads the cells of one request over several seats, each of which works on one batch at a time.
 *
 * Invariants: batches are told in the order of the cells; when it returns, in whatever way, no seat
 * works for it any more.
 */

/** A cancel must take effect within 300 ms, so a batch aims below that. */
const BATCH_MS = 200;

/**
 * @template T
 * @typedef {object} Seat
 * @property {(from: number, count: number) => Promise<T>} work on one batch
 * @property {number} most cells of a batch
 *
 * @template T
 * @typedef {Seat<T> & { ready: Promise<unknown> }} Helper joins when it is ready
 */

/**
 * @template T
 * @param {number} length number of cells
 * @param {Seat<T>} own
 * @param {Helper<T>[]} helpers
 * @param {{ stopped: () => boolean, tell: (from: number, result: T) => void }} options
 *   `stopped`: asked before every batch
 */
export async function spread(length, own, helpers, { stopped, tell }) {
  let next = 0;
  let told = 0;
  /** @type {Map<number, { count: number, result: T }>} done, but not yet told */
  const waiting = new Map();
  /** @param {Seat<T>} seat */
  const occupy = async ({ work, most }) => {
    let size = 1;
    while (next < length && !stopped()) {
      const from = next;
      const count = Math.min(size, length - from);
      next += count;
      const started = performance.now();
      waiting.set(from, { count, result: await work(from, count) });
      for (let done = waiting.get(told); done; done = waiting.get(told)) {
        waiting.delete(told);
        tell(told, done.result);
        told += done.count;
      }
      const fitting = Math.floor((BATCH_MS * count) / (performance.now() - started));
      size = Math.max(1, Math.min(most, fitting));
    }
  };
  /** @type {unknown[]} */
  const errors = [];
  /** @param {Seat<T>} seat */
  const attempt = (seat) =>
    occupy(seat).catch((error) => {
      errors.push(error);
      next = length;
    });
  /** @type {Promise<void>[]} */
  const joined = [];
  for (const helper of helpers) void helper.ready.then(() => joined.push(attempt(helper)));
  await attempt(own);
  next = length; // whoever joins from now on finds nothing left to do, also after a stop
  await Promise.all(joined);
  if (errors.length > 0) throw errors[0];
  if (told < length) throw Object.assign(new Error("cancelled"), { code: "cancelled" });
}
