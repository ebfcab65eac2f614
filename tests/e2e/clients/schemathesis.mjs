// Runs schemathesis, which generates hundreds of valid requests from the GraphQL schema. All errors must be well-formed client errors.
// node schemathesis.mjs <binary> <schemathesis>

import { spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { resolve } from "node:path";
import { start } from "./server.mjs";

const [binary, schemathesis] = process.argv.slice(2);
const port = 8124;
const stop = await start(binary, port, { BCRYPT_COST: "10" });
const environment = { ...process.env, SCHEMATHESIS_HOOKS: "clean_errors", PYTHONPATH: import.meta.dirname };
// Not spawnSync, because this process must keep reading the server's log.
const run = spawn(
  resolve(schemathesis),
  // The built-in check treats every field error as a server error.
  ["run", `http://127.0.0.1:${port}/graphql`, "--checks", "clean_errors", "--max-examples", "200", "--phases", "fuzzing", "--no-color"],
  // schemathesis creates a folder in its working directory.
  { env: environment, cwd: tmpdir(), stdio: "inherit" },
);
const [status] = await once(run, "exit");
await stop();
process.exit(status ?? 1);
