// The audits of graphql-http, which go through the GraphQL over HTTP specification point by point:
// node audits.mjs <binary>

import { auditServer } from "graphql-http";
import { start } from "./server.mjs";

const port = 8123;
const stop = await start(process.argv[2], port);
const results = await auditServer({ url: `http://127.0.0.1:${port}/graphql` });
for (const result of results.filter(({ status }) => status !== "ok")) {
  console.log(`${result.status}: ${result.id} ${result.name}: ${result.reason}`);
}
const failed = results.filter(({ status }) => status !== "ok").length;
console.log(`${results.length - failed} passed, ${failed} failed`);
await stop();
process.exit(failed === 0 && results.length >= 61 ? 0 : 1);
