// @ts-check
/**
 * Times embedding in Chromium on the CPU path and reads the renderer's peak memory; prints one line
 * of JSON. `cargo xtask bench` runs it.
 */
import { png, simulatedField } from "./helpers/images.mjs";
import { peakMib } from "./helpers/measure.mjs";
import { launch, open, serve } from "./helpers/site.mjs";

/** Measured rounds, after one that is not. */
const ROUNDS = 3;

const field = simulatedField();
const site = await serve({ files: { "field.png": png(field) } });
const browser = await launch();
try {
  const page = await open(browser, `${site.url}?backend=cpu`);
  const rates = await page.evaluate(measure, { boxes: field.boxes, rounds: ROUNDS });
  rates.sort((a, b) => a - b);
  const row = {
    engine: "mitoscope, Chromium CPU",
    work: "embed",
    batch: 1,
    threads: 1,
    images_per_s: Math.round(100 * rates[Math.floor(ROUNDS / 2)]) / 100,
    peak_mib: await peakMib(browser),
  };
  console.log(JSON.stringify(row));
} finally {
  await browser.close();
  site.close();
}

/** @param {{ boxes: object[], rounds: number }} options cells a second of each round */
async function measure({ boxes, rounds }) {
  const { Client } = await import(new URL("www/client.js", location.href).href);
  const bytes = new Uint8Array(await (await fetch("field.png")).arrayBuffer());
  const client = await Client.start({ backend: "cpu", threads: 1 });
  const rates = [];
  for (let round = 0; round <= rounds; round++) {
    const start = performance.now();
    await client.image(bytes.slice(), { as: "field", boxes });
    if (round > 0) rates.push((1000 * boxes.length) / (performance.now() - start));
  }
  client.stop();
  return rates;
}
