// Runs the audits of graphql-http, which test the GraphQL over HTTP specification.
// node audits.mjs <binary>

import { auditServer } from "graphql-http";
import { check, finish } from "./checks.mjs";
import { start } from "./server.mjs";

const port = 8123;
const stop = await start(process.argv[2], port);
const results = await auditServer({ url: `http://127.0.0.1:${port}/graphql` });
for (const { status, id, name, reason } of results) check(`${id} ${name}`, status === "ok", status, reason);
await stop();
finish(61);
