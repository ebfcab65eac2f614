// Reads a Dockerfile for the other scripts. Fails on everything that this one does not use, so that no instruction is ignored.

import { readFileSync } from "node:fs";

/** The instructions of each stage may have these flags. */
const FLAGS = { FROM: [], ARG: [], COPY: ["from"], CMD: [], ENTRYPOINT: [], ENV: [], EXPOSE: [], HEALTHCHECK: ["interval", "timeout", "start-period", "retries"], RUN: ["mount"], STOPSIGNAL: [], USER: [], WORKDIR: [] };

/** The instructions of a Dockerfile: `name`, `flags` as pairs, and `rest`, the text after them. */
function instructions(path) {
  // A comment may stand between continued lines. A backslash at the end of a line continues it.
  const lines = readFileSync(path, "utf8").split("\n").filter((line) => !/^\s*(#|$)/.test(line)).join("\n").replace(/\\\n\s*/g, "").split("\n");
  return lines.map((line) => {
    const [, name, text] = line.match(/^([A-Z]+)\s+(.*)$/) ?? [];
    if (!FLAGS[name]) throw new Error(`Dockerfile: this instruction is not supported: ${line}`);
    const flags = [];
    let rest = text;
    for (let match; (match = rest.match(/^--([a-z-]+)=(\S+)\s+/)); rest = rest.slice(match[0].length)) flags.push([match[1], match[2]]);
    const unknown = flags.find(([flag]) => !FLAGS[name].includes(flag));
    if (unknown || rest.startsWith("--")) throw new Error(`Dockerfile: this flag is not supported: ${line}`);
    return { name, flags, rest };
  });
}

/** The stages of a Dockerfile: `base`, `alias`, and `instructions`. */
export function stages(path) {
  const found = [];
  for (const instruction of instructions(path)) {
    if (instruction.name === "FROM") {
      const [, base, , alias] = instruction.rest.match(/^(\S+)( AS (\S+))?$/) ?? [];
      if (!base) throw new Error(`Dockerfile: this is not supported: FROM ${instruction.rest}`);
      found.push({ base, alias, instructions: [] });
    } else if (found.length === 0) {
      throw new Error(`Dockerfile: ${instruction.name} before FROM is not supported`);
    } else {
      found.at(-1).instructions.push(instruction);
    }
  }
  return found;
}

/** The words of an instruction in the form of a JSON array. The form with a shell is not supported. */
export function words({ name, rest }) {
  try {
    return JSON.parse(rest);
  } catch {
    throw new Error(`Dockerfile: ${name} must be a JSON array: ${rest}`);
  }
}

/** The pairs of names and values of `ENV`, without quotes. Other values may be inserted by `$NAME`. */
export function variables({ rest }, known = {}) {
  if (/["'\\]/.test(rest)) throw new Error(`Dockerfile: quotes are not supported: ENV ${rest}`);
  const expand = (text) =>
    text.replace(/\$(\w+)/g, (_, name) => {
      if (known[name] === undefined) throw new Error(`Dockerfile: $${name} has no value`);
      return known[name];
    });
  return Object.fromEntries(
    rest.split(/\s+/).map((pair) => {
      const [, name, value] = pair.match(/^(\w+)=(.*)$/) ?? [];
      if (!name) throw new Error(`Dockerfile: expected NAME=value, got ${pair}`);
      return [name, expand(value)];
    }),
  );
}
