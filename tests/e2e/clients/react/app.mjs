// Copies examples/apollo-react as its README says, builds the copy and serves it.

import { execFileSync, spawn } from "node:child_process";
import { appendFileSync, cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { check } from "../checks.mjs";
import { atExit, emptyFolder } from "../server.mjs";

const EXAMPLE = "examples/apollo-react";
const repository = fileURLToPath(new URL("../../../..", import.meta.url));

/** Builds the app for the server at `home`, which must be running, and serves it at `port`. Returns a function that stops it. */
export async function serveApp(home, port) {
  const folder = emptyFolder();
  const hallpass = join(folder, "hallpass");
  for (const path of ["clients/typescript", EXAMPLE, "LICENSE-APACHE", "LICENSE-MIT"]) {
    const isSource = (file) => !/[/](node_modules|dist)$/.test(file);
    cpSync(join(repository, path), join(hallpass, path), { recursive: true, filter: isSource });
  }
  const readme = readFileSync(join(hallpass, EXAMPLE, "README.md"), "utf8");
  const commands = readme.match(/^## Copy it.*?```sh\n(.*?)npm run dev\n```/ms)[1];
  const run = (cwd, command, env = {}) =>
    execFileSync("sh", ["-e", "-c", command], { cwd, env: { ...process.env, ...env }, stdio: ["ignore", "ignore", "inherit"] });
  run(join(hallpass, EXAMPLE), "npm ci --dry-run --silent");
  run(folder, commands.replaceAll("npm ", "npm --silent --no-audit --no-fund "));
  const app = join(folder, "my-app");
  const codegen = join(app, "codegen.ts");
  writeFileSync(codegen, readFileSync(codegen, "utf8").replace("../../schema.graphql", `${home}/schema.graphql`));
  run(app, "npm run --silent codegen -- --check");
  check("the generated types fit the server's schema", true);
  // Gives the tests what scripts of the app have.
  appendFileSync(join(app, "src/main.tsx"), 'import { gql } from "@apollo/client";\nObject.assign(window, { apollo, gql, hallpass });\n');
  run(app, "npm run --silent build", { VITE_HALLPASS_URL: `${home}/graphql` });
  check("the copy compiles", true);

  const vite = spawn("node", ["node_modules/vite/bin/vite.js", "preview", "--port", String(port)], { cwd: app, stdio: ["ignore", "pipe", "inherit"] });
  atExit(() => vite.kill("SIGKILL"));
  for await (const data of vite.stdout) if (String(data).includes(String(port))) break;
  vite.stdout.resume();
  return () => vite.kill();
}
