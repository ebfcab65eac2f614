// The server that the scripts beside this file talk to: the given binary, in an empty folder, until the script ends.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

/** Starts `binary` on `port` and waits until it is ready; `prepare` may run commands of it before. Returns what stops it. */
export async function start(binary, port, settings = {}, prepare = () => {}) {
  const folder = mkdtempSync(join(tmpdir(), "hallpass-"));
  const env = { LISTEN: `127.0.0.1:${port}`, ...settings };
  const run = (parameters) => execFileSync(resolve(binary), parameters, { cwd: folder, env, encoding: "utf8" });
  prepare(run);
  const server = spawn(resolve(binary), { cwd: folder, env, stdio: ["ignore", "ignore", "pipe"] });
  process.on("exit", () => {
    server.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });
  for await (const line of createInterface({ input: server.stderr })) {
    if (line.includes("ready at")) {
      server.stderr.resume();
      const stop = async () => {
        server.kill("SIGTERM");
        const [code] = await once(server, "exit");
        if (code !== 0) throw new Error(`the server stopped with exit code ${code}`);
      };
      return Object.assign(stop, { pid: server.pid, folder, run });
    }
    console.error(line);
  }
  throw new Error("the server did not start");
}
