// @ts-check
/** The command-line program, with the site's model and on the CPU. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { DIST } from "./site.mjs";

const MODEL = join(DIST, "www/model/model.safetensors");

/** What it prints. @param {"classify" | "detect"} command @param {string[]} options */
export async function native(command, options) {
  const program = process.env.MITOSCOPE_BIN;
  assert.ok(program, "MITOSCOPE_BIN must name the native program (cargo xtask test sets it)");
  const always = ["--device", "cpu", "--model", MODEL];
  return (await promisify(execFile)(program, [command, ...always, ...options])).stdout;
}
