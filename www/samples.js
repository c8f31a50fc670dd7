// @ts-check
/**
 * The sample images: simulated fields of one specimen.
 *
 * Invariant: they are loaded with the page, so that using them later asks for nothing.
 *
 * @import { Given } from "./files.js"
 */
import { ClientError } from "./client.js";

const NAMES = ["simulated-1.png", "simulated-2.png", "simulated-3.png"];

/** @returns {Promise<Given[]>} */
export function loadSamples() {
  return Promise.all(
    NAMES.map(async (name) => {
      const url = new URL(`samples/${name}`, import.meta.url);
      const response = await fetch(url).catch(() => null);
      if (!response?.ok) throw new ClientError("load", `${url.pathname} could not be loaded`);
      return { file: new File([await response.blob()], name), folder: "" };
    }),
  );
}
