// The server that the scripts beside this file talk to: the given binary, in an empty folder, until the script ends.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

// However the script ends, what it started ends with it, the latest first.
const leftovers = [];
process.on("exit", () => {
  for (const cleanUp of leftovers.reverse()) {
    try {
      cleanUp();
    } catch (error) {
      // The rest has to go all the same.
      console.error(error.message);
    }
  }
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(1));

/** Calls `cleanUp` when the script ends. It can't wait for anything. */
export function atExit(cleanUp) {
  leftovers.push(cleanUp);
}

/** An empty folder, gone when the script ends. */
export function emptyFolder() {
  const folder = mkdtempSync(join(tmpdir(), "hallpass-"));
  atExit(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

/**
 * Starts `binary` on `port` and waits until it is ready; `prepare` may run commands of it before. Returns what stops it, which has
 * `kill()` for the hard way, the path of its `mails` and its further log as `stderr`. In the `folder` of a server before it, it finds that one's data.
 */
export async function start(binary, port, settings = {}, prepare = () => {}, folder = emptyFolder()) {
  // All that the scripts do comes from one address.
  const env = { THROTTLE: "false", LISTEN: `127.0.0.1:${port}`, ...settings };
  const run = (parameters) => execFileSync(resolve(binary), parameters, { cwd: folder, env, encoding: "utf8" });
  prepare(run);
  const server = spawn(resolve(binary), { cwd: folder, env, stdio: ["ignore", "ignore", "pipe"] });
  const exited = once(server, "exit");
  atExit(() => server.kill("SIGKILL"));
  const lines = [];
  for await (const line of createInterface({ input: server.stderr })) {
    lines.push(line);
    if (line.includes("ready at")) {
      const mails = line.match(/\/dev\/mail\?key=[\w-]+/)?.[0];
      server.stderr.resume();
      const stop = async () => {
        server.kill("SIGTERM");
        const [code] = await exited;
        if (code !== 0) throw new Error(`the server stopped with exit code ${code}`);
      };
      const kill = async () => {
        server.kill("SIGKILL");
        await exited;
      };
      return Object.assign(stop, { pid: server.pid, folder, run, kill, mails, stderr: server.stderr });
    }
    console.error(line);
  }
  throw new Error(`the server did not start: ${lines.slice(-3).join("\n")}`);
}
