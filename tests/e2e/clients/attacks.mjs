// Sends expensive documents within the body limit. The server must reject each one with a GraphQL error, using less than 50 ms of CPU.
// node attacks.mjs <binary>

import { readdirSync, readFileSync } from "node:fs";
import { check, finish } from "./checks.mjs";
import { start } from "./server.mjs";

const port = 8125;
const stop = await start(process.argv[2], port);
const many = (count, part) => Array.from({ length: count }, (_, index) => part(index)).join(" ");
const nested = (count, open, inside, close) => open.repeat(count) + inside + close.repeat(count);
const bomb = (levels, last = "__typename") => `{...f0} ${many(levels, (n) => `fragment f${n} on Query{...f${n + 1} ...f${n + 1}}`)} fragment f${levels} on Query{${last}}`;

const attacks = {
  "a bomb of 16 fragments": bomb(16),
  "a bomb of 40 fragments": bomb(40),
  "an unused bomb": `{__typename} ${bomb(40).slice("{...f0}".length)}`,
  "a bomb without a field": bomb(33, "...missing"),
  "a long name in many errors": `{${nested(30, "...{", `me(${"x".repeat(60000)}:1) ${"me ".repeat(400)}`, "}")}}`,
  "5,000 aliases": `{${many(5000, (n) => `a${n}:me{id}`)}}`,
  "500 nested fragments": `{...f0} ${many(500, (n) => `fragment f${n} on Query{...f${n + 1}}`)} fragment f500 on Query{__typename}`,
  "a cycle of fragments": "{...a} fragment a on Query{...b ...b} fragment b on Query{...a ...a}",
  "5,000 directives": `{__typename ${"@skip(if:false) ".repeat(5000)}}`,
  "50,000 nested lists": `{me(x:${nested(50000, "[", "", "]")}){id}}`,
  "25,000 nested objects": `{me(x:${nested(25000, "{a:", "1", "}")}){id}}`,
  "30,000 nested selections": nested(30000, "{me", "", "}"),
  "an unterminated list": `{me(x:${"[".repeat(100000)}`,
  "a hundred thousand zeros": `{me(x:[${"0".repeat(100000)}]){id}}`,
  "a long string": `{me(x:"${"a".repeat(100000)}"){id}}`,
  "a long comment": `#${"x".repeat(100000)}\n{__typename}`,
  "5,000 operations": many(5000, (n) => `query q${n}{__typename}`),
  "15,000 unknown fields": `{${many(15000, (n) => `x${n}`)}}`,
  "120 operations that spread 48 fields each": `${many(120, (n) => `query q${n}{...f}`)} fragment f on Query{${many(48, () => "__typename")}}`,
  "25,000 descriptions": `${'"" '.repeat(25000)}query{__typename}`,
  "140 descriptions": many(140, (n) => `"" query q${n}{x}`),
  "10,000 escapes": `{me(x:"${"\\ud83d\\ude00".repeat(5000)}"){id}}`,
  "490 directives on a variable": `query($a:Int=1 ${"@a ".repeat(490)}){__typename}`,
  "100 uses of a variable of the wrong type": `query($a:Int){__typename ${many(100, () => "@skip(if:$a)")}}`,
  "nested introspection": `{__schema{types${nested(6, "{fields{type", "{name}", "}}")}}}`,
};

/** The CPU time of the server's threads in milliseconds. */
function cpu() {
  const folder = `/proc/${stop.pid}/task`;
  const nanos = readdirSync(folder).map((task) => Number(readFileSync(`${folder}/${task}/schedstat`, "utf8").split(" ")[0]));
  return nanos.reduce((sum, each) => sum + each, 0) / 1e6;
}

async function post(query) {
  const response = await fetch(`http://127.0.0.1:${port}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query }),
  });
  return response.json();
}

await post("{__typename}");
for (const [name, query] of Object.entries(attacks)) {
  const before = cpu();
  const answer = await post(query);
  const millis = cpu() - before;
  const isRefused = !("data" in answer) && answer.errors[0].extensions.code === "GRAPHQL_VALIDATION_FAILED";
  check(name, isRefused && millis < 50, `${millis.toFixed(1)} ms`, JSON.stringify(answer).slice(0, 300));
}
check("the server still responds", (await post("{__typename}")).data?.__typename === "Query");
await stop();
finish();
