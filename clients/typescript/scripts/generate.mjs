// Writes src/schema.ts: the types of schema.graphql. With --check, fails if the file differs.

import { readFileSync, writeFileSync } from "node:fs";
import { codegen } from "@graphql-codegen/core";
import * as typescript from "@graphql-codegen/typescript";
import { parse } from "graphql";

const target = new URL("../src/schema.ts", import.meta.url);
const schema = parse(readFileSync(new URL("../../../schema.graphql", import.meta.url), "utf8"));
const config = {
  enumsAsTypes: true,
  skipTypename: true,
  useTypeImports: true,
  immutableTypes: true,
  avoidOptionals: { field: true, inputValue: false, object: false },
  scalars: { DateTime: "string", ID: "string" },
};
const types = await codegen({
  schema,
  config,
  documents: [],
  filename: target.pathname,
  plugins: [{ typescript: {} }],
  pluginMap: { typescript },
});
const text = `// Generated from schema.graphql by \`npm run generate\`.\n\n${types.trim()}\n`;
if (!process.argv.includes("--check")) {
  writeFileSync(target, text);
} else if (readFileSync(target, "utf8") !== text) {
  console.error("src/schema.ts differs from schema.graphql: run `npm run generate`");
  process.exit(1);
}
