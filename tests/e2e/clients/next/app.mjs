// Copies examples/next as its README says, builds the copy and starts it.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { check } from "../checks.mjs";
import { atExit, emptyFolder } from "../server.mjs";

const EXAMPLE = "examples/next";
const repository = fileURLToPath(new URL("../../../..", import.meta.url));

export const PORTS = { hallpass: 8175, proxy: 8176, app: 8177, foreign: 8178 };
export const origin = `http://localhost:${PORTS.app}`;
const folder = emptyFolder();
const app = join(folder, "my-app");
const env = { ...process.env, NEXT_TELEMETRY_DISABLED: "1", HALLPASS_URL: `http://localhost:${PORTS.proxy}/graphql` };
/** The log of the app. It has errors that are expected. */
export const log = [];

export function buildApp() {
  const hallpass = join(folder, "hallpass");
  for (const path of ["clients/typescript", EXAMPLE, "LICENSE-APACHE", "LICENSE-MIT"]) {
    const isSource = (file) => !/[/](node_modules|dist|\.next|\.sessions)$/.test(file);
    cpSync(join(repository, path), join(hallpass, path), { recursive: true, filter: isSource });
  }
  const readme = readFileSync(join(hallpass, EXAMPLE, "README.md"), "utf8");
  const commands = readme.match(/^## Copy it.*?```sh\n(.*?)```/ms)[1];
  const run = (cwd, command) => execFileSync("sh", ["-e", "-c", command], { cwd, env, stdio: ["ignore", "ignore", "inherit"] });
  run(join(hallpass, EXAMPLE), "npm ci --dry-run --silent");
  run(folder, commands.replaceAll("npm ", "npm --silent --no-audit --no-fund "));
  check("the copy compiles with its strict settings", true);
  const code = readdirSync(join(app, ".next/static"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"));
  check("the code for the browser knows nothing of tokens", code.length > 0 && !/accessToken|refreshToken/.test(code.join()));
}

/** Starts the app. Returns a function that stops it. */
export async function startApp() {
  const parameters = ["node_modules/next/dist/bin/next", "start", "--port", String(PORTS.app)];
  const next = spawn("node", parameters, { cwd: app, env, stdio: ["ignore", "pipe", "pipe"] });
  atExit(() => next.kill("SIGKILL"));
  next.stderr.on("data", (data) => log.push(data));
  for await (const data of next.stdout) if (String(data).includes("Ready in")) break;
  next.stdout.resume();
  return async () => {
    next.kill();
    await once(next, "exit");
  };
}

/** The number of sessions that the app has stored. */
export const countSessions = () => readdirSync(join(app, ".sessions")).length;
