// Starts the given binary in an empty folder for the other scripts. The server stops when the script ends.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

// Cleanups to run when the script ends for any reason, in reverse order.
const cleanUps = [];
process.on("exit", () => {
  for (const cleanUp of cleanUps.reverse()) {
    try {
      cleanUp();
    } catch (error) {
      // Run the remaining cleanups.
      console.error(error.message);
    }
  }
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(1));

/** Calls `cleanUp` when the script ends. It must be synchronous. */
export function atExit(cleanUp) {
  cleanUps.push(cleanUp);
}

/** Creates an empty folder. It is deleted when the script ends. */
export function emptyFolder() {
  const folder = mkdtempSync(join(tmpdir(), "hallpass-"));
  atExit(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

/**
 * Starts `binary` on `port` and waits until it is ready. `prepare` can run its commands first, with text for their standard input. Returns
 * a function that stops the server. It has the properties `run()`, which runs a command, `kill()`, which sends SIGKILL, `mails`, the path of
 * the mail page, and `stderr`, the rest of the log. With the `folder` of an earlier server, the new one uses its data. `parameters` are those
 * of the command line.
 */
export async function start(binary, port, settings = {}, prepare = () => {}, folder = emptyFolder(), parameters = []) {
  // All requests come from one address, which the throttle would limit.
  const env = { THROTTLE: "false", LISTEN: `127.0.0.1:${port}`, ...settings };
  const run = (parameters, input) => execFileSync(resolve(binary), parameters, { cwd: folder, env, input, encoding: "utf8" });
  prepare(run);
  const server = spawn(resolve(binary), parameters, { cwd: folder, env, stdio: ["ignore", "ignore", "pipe"] });
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
