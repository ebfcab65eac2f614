// Runs nginx with the manual's configuration for the other scripts.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { atExit, emptyFolder } from "./server.mjs";

/**
 * Starts nginx on `port` in front of two instances, with the configuration of `page`, except for addresses and certificates. Responses have
 * the header `X-Instance` with the addresses of the instances to which it sent the request.
 */
export async function nginx(page, port, instances) {
  const folder = emptyFolder();
  // If root starts nginx, its workers run as another user.
  chmodSync(folder, 0o755);
  const replace = (text, from, to) => {
    if (!text.includes(from)) throw new Error(`the manual's nginx configuration does not contain \`${from}\``);
    return text.replace(from, to);
  };
  let config = readFileSync(page, "utf8").match(/```nginx\n(.*?)```/s)[1];
  config = replace(config, "listen 443 ssl;", `listen 127.0.0.1:${port};`).replace(/^ *ssl_.*\n/gm, "");
  instances.forEach((instance, index) => (config = replace(config, `10.0.0.${index + 1}:8000`, `127.0.0.1:${instance}`)));
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${join(folder, name)};`);
  const path = join(folder, "nginx.conf");
  writeFileSync(path, `daemon off; worker_processes 2; pid ${join(folder, "pid")};
    events {}
    http { access_log off; add_header X-Instance $upstream_addr always; ${temporary.join(" ")}
    ${config} }`);
  const log = join(folder, "error.log");
  const server = spawn("nginx", ["-e", log, "-c", path, "-p", folder], { stdio: "inherit", env: { PATH: `${process.env.PATH}:/usr/sbin` } });
  // Not SIGKILL, which would orphan the workers.
  atExit(() => server.kill("SIGTERM"));
  const isUp = () => fetch(`http://localhost:${port}/health/ready`).then((answer) => answer.ok, () => false);
  for (const until = Date.now() + 10_000; !(await isUp()); await sleep(20)) {
    if (Date.now() > until || server.exitCode !== null) throw new Error(`nginx did not start: ${readFileSync(log, "utf8")}`);
  }
  return { log: () => readFileSync(log, "utf8"), stop: () => server.kill("SIGQUIT") && once(server, "exit") };
}
