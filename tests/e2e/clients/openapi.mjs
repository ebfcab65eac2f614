// Runs schemathesis, which generates hundreds of valid and invalid requests from /openapi.json. No response may be a server error or
// deviate from the document.
// node openapi.mjs <binary> <schemathesis>

import { spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { resolve } from "node:path";
import { check, finish } from "./checks.mjs";
import { start } from "./server.mjs";

const [binary, schemathesis] = process.argv.slice(2);
const port = 8129;
const home = `http://127.0.0.1:${port}`;
const clients = { OAUTH_CLIENTS: `api:${"4c1f".repeat(8)}` };
const stop = await start(binary, port, { BCRYPT_COST: "10", ...clients });
const ada = { username: "ada", password: "correct horse battery" };
const post = (path, body) => fetch(`${home}${path}`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
await post("/register", ada);
const { access_token: token } = await (await post("/login", ada)).json();
// Otherwise, most requests for `/users` would end with 403.
stop.run(["user", "set-roles", "ada", "admin,user"]);
const checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance,unsupported_method";

// DELETE is excluded for Ada, so that her account exists until the end.
for (const [user, headers] of [["Ada", ["-H", `Authorization: Bearer ${token}`, "--exclude-method", "DELETE"]], ["an anonymous client", []]]) {
  console.log(`as ${user}`);
  const parameters = ["run", `${home}/openapi.json`, "--checks", checks, "--max-examples", "100", "--phases", "examples,coverage,fuzzing", "--no-color", ...headers];
  // Not spawnSync, because this process must keep reading the server's log. schemathesis creates a folder in its working directory.
  const run = spawn(resolve(schemathesis), parameters, { cwd: tmpdir(), stdio: "inherit" });
  const [status] = await once(run, "exit");
  check(`requests as ${user}`, status === 0);
}
await stop();
finish();
