// Runs the examples of documentation pages. Each `sh` or `graphql` block must print the `json` or `text` block after it, where "…" matches
// any text. The examples of a section, or of all sections of a page, share a folder and a server, and run in their order.
//
// - `sh` blocks find the command `hallpass`. Passwords are read from standard input. If a block has no result and sets a variable, later
//   blocks can use it.
// - `graphql` blocks are sent as the explorer does it: with the access token of the latest response that has one. The variable `userId` is
//   the id of the user in the latest response.
// - The commands `hallpass …` in tables must succeed.
//
// node examples.mjs <binary> (<page> <heading of the section>|all)…

import { spawnSync } from "node:child_process";
import { symlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import { fail, finish, pass } from "./checks.mjs";
import * as markdown from "./markdown.mjs";
import { emptyFolder, start } from "./server.mjs";

const [binary, ...sections] = process.argv.slice(2);
const PASSWORD = "correct horse battery";
const commands = emptyFolder();
symlinkSync(resolve(binary), join(commands, "hallpass"));

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

/** The blocks with code of a text, and its tables' commands, in their order. */
function examples(text) {
  // Replaces each row of a table by a block for each of its commands.
  const toBlocks = (row) => [...row.matchAll(/`(hallpass [^`]+)`/g)].map(([, command]) => `\`\`\`command\n${command}\n\`\`\``).join("\n");
  return markdown.blocks(text.replace(/^\|.*\|$/gm, toBlocks));
}

/** Calls `act` with each object in a value. */
function visit(value, act) {
  if (value === null || typeof value !== "object") return;
  act(value);
  for (const inner of Object.values(value)) visit(inner, act);
}

async function run(page, heading) {
  const blocks = examples(heading === "all" ? markdown.page(page) : markdown.section(page, heading));
  const stop = await start(binary, 8000);
  const env = { ...process.env, PATH: `${commands}:${process.env.PATH}`, THROTTLE: "false" };
  let variables = "set -eu\n";
  const shell = (text) => spawnSync("bash", ["-c", variables + text], { cwd: stop.folder, env, input: `${PASSWORD}\n`, encoding: "utf8" });
  let token;
  let userId;
  async function graphql(query) {
    const headers = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) };
    const body = JSON.stringify({ query, variables: query.includes("$userId") ? { userId } : {} });
    const answer = await (await fetch("http://localhost:8000/graphql", { method: "POST", headers, body })).json();
    visit(answer.data, ({ accessToken, user }) => {
      token = accessToken ?? token;
      userId = user?.id ?? userId;
    });
    return answer;
  }
  for (const [index, { language, text }] of blocks.entries()) {
    if (!["sh", "command", "graphql"].includes(language)) continue;
    const expected = blocks[index + 1];
    const hasResult = ["json", "text"].includes(expected?.language);
    if (language === "sh" && !hasResult && /^[A-Z_]+=/.test(text)) {
      variables += text;
      continue;
    }
    const wanted = hasResult ? expected.text : "";
    const compare = (text) => (expected.language === "json" ? difference(JSON.parse(text), JSON.parse(wanted)) : difference(text, wanted));
    let found;
    let printed;
    if (language === "graphql") {
      const answer = await graphql(text);
      printed = JSON.stringify(answer, null, 2);
      found = hasResult ? compare(printed) : answer.errors && "$.errors";
    } else {
      // The confirmation needs a terminal.
      const { status, stdout, stderr } = shell(text.replace(/^hallpass user delete .*/m, "$& --yes"));
      printed = stdout + stderr;
      try {
        found = hasResult && compare(stdout);
        if (status !== 0) found = `the exit code ${status}`;
      } catch (error) {
        found = String(error);
      }
    }
    if (found) {
      fail(`${page} differs at ${found}:\n${text}printed:\n${printed}\ninstead of:\n${wanted}`);
    } else {
      pass();
    }
  }
  await stop();
}

for (let index = 0; index < sections.length; index += 2) await run(sections[index], sections[index + 1]);
finish(20);
