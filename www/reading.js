// @ts-check
/**
 * Which picture of a file is read: its page and channel.
 *
 * Invariant: cells of two readings of one file never share an id, so answers stay with their own cells.
 *
 * @import * as Protocol from "./protocol.js"
 */

/** How a file is read unless one chooses otherwise. @type {Protocol.Reading} */
export const FIRST_READING = { page: 0, channel: "brightest" };

/** Whether a source is read otherwise than by default. @param {Protocol.Reading} source */
export function isChosen({ page, channel }) {
  return page !== FIRST_READING.page || channel !== FIRST_READING.channel;
}

/** Part of the ids of its cells, so that answers to other readings are not mistaken for theirs. @param {Protocol.Reading} source */
export function readingId(source) {
  return isChosen(source) ? `p${source.page + 1}${source.channel}` : "";
}
