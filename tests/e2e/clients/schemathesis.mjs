// Hundreds of requests that the schema allows, made up by schemathesis, with nothing but clean errors:
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
// Not spawnSync: what the server logs must be read meanwhile.
const run = spawn(
  resolve(schemathesis),
  // Its own check takes every error of a field for the server's.
  ["run", `http://127.0.0.1:${port}/graphql`, "--checks", "clean_errors", "--max-examples", "200", "--phases", "fuzzing", "--no-color"],
  // It leaves a folder of notes where it runs.
  { env: environment, cwd: tmpdir(), stdio: "inherit" },
);
const [status] = await once(run, "exit");
await stop();
process.exit(status ?? 1);
