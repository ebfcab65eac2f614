// Follows the README's first five minutes word by word: each `sh` block is run in one shell, and what it prints must be
// what the `json` block after it shows, where "…" stands for any text.
// node readme.mjs <binary> <README.md>

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { start } from "./server.mjs";

const [binary, readme] = process.argv.slice(2);
const section = readFileSync(readme, "utf8").split("## The first five minutes")[1].split("\n## ")[0];
const blocks = [...section.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language, text]) => ({ language, text }));

/** Where `actual` differs from `expected`, or nothing. */
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

const stop = await start(binary, 8000);
let passed = 0;
let failed = 0;
let script = "set -eu\n";
for (const [index, { language, text }] of blocks.entries()) {
  if (language !== "sh") continue;
  const next = blocks[index + 1];
  if (next?.language !== "json") {
    // It prints nothing, but the commands after it may need what it keeps.
    script += text;
    continue;
  }
  const run = spawnSync("bash", ["-c", script + text], { encoding: "utf8" });
  let found;
  try {
    found = difference(JSON.parse(run.stdout), JSON.parse(next.text));
  } catch (error) {
    found = String(error);
  }
  if (found) {
    failed += 1;
    console.log(`differs at ${found}:\n${text}printed:\n${run.stdout}${run.stderr}\ninstead of:\n${next.text}`);
  } else {
    passed += 1;
  }
}
await stop();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed >= 5 ? 0 : 1);
