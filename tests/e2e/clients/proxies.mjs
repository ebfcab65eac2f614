// Runs nginx and Caddy for the other scripts.

import { spawn } from "node:child_process";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { atExit, emptyFolder } from "./server.mjs";

/** Starts nginx with this content of the block `http`. Returns the process, and a function that reads its error log. */
export function spawnNginx(http) {
  const folder = emptyFolder();
  // If root starts nginx, its workers run as another user.
  chmodSync(folder, 0o755);
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${join(folder, name)};`);
  const [path, log] = [join(folder, "nginx.conf"), join(folder, "error.log")];
  writeFileSync(path, `daemon off; worker_processes 2; pid ${join(folder, "pid")};
    events {}
    http { access_log off; ${temporary.join(" ")}
      ${http} }`);
  const server = spawn("nginx", ["-e", log, "-c", path, "-p", folder], { stdio: "inherit", env: { PATH: `${process.env.PATH}:/usr/sbin` } });
  // Not SIGKILL, which would orphan the workers.
  atExit(() => server.kill("SIGTERM"));
  return { server, log: () => readFileSync(log, "utf8") };
}

/** Starts Caddy with these sites. They have certificates of their own. */
export function spawnCaddy(sites) {
  const folder = emptyFolder();
  const path = join(folder, "Caddyfile");
  writeFileSync(path, `{\n    admin off\n    auto_https off\n}\n${sites}`);
  const caddy = spawn("caddy", ["run", "--adapter", "caddyfile", "--config", path], { stdio: "ignore", env: { PATH: process.env.PATH, HOME: folder } });
  atExit(() => caddy.kill("SIGKILL"));
}
