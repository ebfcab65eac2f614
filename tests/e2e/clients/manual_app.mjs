// The app that the manual builds: "Add sign-in to a React app" in docs/front-ends.md, and the other files of the pages that extend it.

import { execFileSync, spawn } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { blocks } from "./markdown.mjs";
import { atExit, emptyFolder } from "./server.mjs";

const PAGES = ["docs/front-ends.md", "docs/second-factor.md", "docs/passkeys.md"];
const repository = fileURLToPath(new URL("../../..", import.meta.url));

/**
 * Runs the commands of the manual in an empty folder, and writes its files there. `host` is that of the server. Returns functions that
 * read and replace a file, build the app, and serve it at a port. The last one returns a function that stops it.
 */
export function createManualApp(host) {
  const pages = PAGES.map((page) => readFileSync(join(repository, page), "utf8"));
  const manual = pages.join("\n").replaceAll("localhost:8000", host);
  const folder = emptyFolder();
  for (const path of ["clients/typescript", "LICENSE-APACHE", "LICENSE-MIT"]) {
    const isSource = (file) => !/[/](node_modules|dist)$/.test(file);
    cpSync(join(repository, path), join(folder, "hallpass", path), { recursive: true, filter: isSource });
  }
  const commands = blocks(manual).find(({ language }) => language === "sh").text;
  execFileSync("sh", ["-e", "-c", commands], { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
  const app = join(folder, "my-app");
  const npm = (...parameters) => execFileSync("npm", [...parameters, "--silent"], { cwd: app, stdio: ["ignore", "ignore", "inherit"] });
  for (const [, packages] of manual.matchAll(/\(`npm install (.*)`\)/g)) npm("install", ...packages.split(" "));
  const write = (path, text) => {
    mkdirSync(dirname(join(app, path)), { recursive: true });
    writeFileSync(join(app, path), text);
  };
  for (const { path, text } of blocks(manual)) if (path) write(path, text);
  const read = (path) => readFileSync(join(app, path), "utf8");
  function build() {
    // The compiler reports errors on standard output.
    execFileSync("npm", ["run", "build", "--silent", "--", "--logLevel", "warn"], { cwd: app, stdio: ["ignore", process.stderr, "inherit"] });
  }
  async function serve(port) {
    const command = ["node_modules/vite/bin/vite.js", "--port", String(port), "--strictPort"];
    const vite = spawn("node", command, { cwd: app, stdio: ["ignore", "pipe", "inherit"] });
    atExit(() => vite.kill("SIGKILL"));
    // It writes more when a file changes.
    for await (const data of vite.stdout.iterator({ destroyOnReturn: false })) if (String(data).includes("ready in")) break;
    vite.stdout.resume();
    return () => vite.kill();
  }
  return { read, write, build, serve };
}
