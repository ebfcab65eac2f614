// Tests that `hallpass schema --introspection` describes the schema that `hallpass schema` prints.
// node schema.mjs <binary>

import { execFileSync } from "node:child_process";
import { buildClientSchema, buildSchema, lexicographicSortSchema, printSchema } from "graphql";
import { fail, finish, pass } from "./checks.mjs";

const print = (...options) => execFileSync(process.argv[2], ["schema", ...options], { encoding: "utf8" });
const sorted = (schema) => printSchema(lexicographicSortSchema(schema)).split("\n");

const introspected = sorted(buildClientSchema(JSON.parse(print("--introspection"))));
const published = sorted(buildSchema(print(), { assumeValidSDL: true }));
const other = published.findIndex((line, index) => line !== introspected[index]);
if (other < 0 && published.length === introspected.length) pass();
else fail("introspection", `line ${other}: ${introspected[other]} instead of ${published[other]}`);
finish(1);
