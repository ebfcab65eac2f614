// Runs the examples of documentation pages. Each `sh` block must print the `json` block after it, where "…" matches any text. The
// blocks of a section share a shell script and a server.
// node examples.mjs <binary> (<page> <heading of the section>)…

import { spawnSync } from "node:child_process";
import { fail, finish, pass } from "./checks.mjs";
import * as markdown from "./markdown.mjs";
import { start } from "./server.mjs";

const [binary, ...sections] = process.argv.slice(2);

/** The path of the first difference between `actual` and `expected`, or undefined. */
function difference(actual, expected, path = "$") {
  if (typeof expected === "string" && expected.includes("…")) {
    const pattern = expected.split("…").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("[^]+");
    return typeof actual === "string" && new RegExp(`^${pattern}$`).test(actual) ? undefined : path;
  }
  if (expected === null || typeof expected !== "object") return actual === expected ? undefined : path;
  if (actual === null || typeof actual !== "object" || Array.isArray(actual) !== Array.isArray(expected)) return path;
  for (const key of new Set([...Object.keys(actual), ...Object.keys(expected)])) {
    const found = difference(actual[key], expected[key], `${path}.${key}`);
    if (found) return found;
  }
}

async function run(page, heading) {
  const blocks = markdown.blocks(markdown.section(page, heading));
  const stop = await start(binary, 8000);
  let script = "set -eu\n";
  for (const [index, { language, text }] of blocks.entries()) {
    if (language !== "sh") continue;
    const next = blocks[index + 1];
    if (next?.language !== "json") {
      // This block prints nothing, but later commands use its variables.
      script += text;
      continue;
    }
    const { stdout, stderr } = spawnSync("bash", ["-c", script + text], { encoding: "utf8" });
    let found;
    try {
      found = difference(JSON.parse(stdout), JSON.parse(next.text));
    } catch (error) {
      found = String(error);
    }
    if (found) {
      fail(`${page} differs at ${found}:\n${text}printed:\n${stdout}${stderr}\ninstead of:\n${next.text}`);
    } else {
      pass();
    }
  }
  await stop();
}

for (let index = 0; index < sections.length; index += 2) await run(sections[index], sections[index + 1]);
finish(6);
