// Runs nginx with the manual's configuration for the other scripts.

import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { spawnNginx } from "./proxies.mjs";

/**
 * Starts nginx on `port` in front of two instances, with the configuration of `page`, except for addresses and certificates. Responses have
 * the header `X-Instance` with the addresses of the instances to which it sent the request.
 */
export async function nginx(page, port, instances) {
  const replace = (text, from, to) => {
    if (!text.includes(from)) throw new Error(`the manual's nginx configuration does not contain \`${from}\``);
    return text.replace(from, to);
  };
  let config = readFileSync(page, "utf8").match(/```nginx\n(.*?)```/s)[1];
  config = replace(config, "listen 443 ssl;", `listen 127.0.0.1:${port};`).replace(/^ *ssl_.*\n/gm, "");
  instances.forEach((instance, index) => (config = replace(config, `10.0.0.${index + 1}:8000`, `127.0.0.1:${instance}`)));
  const { server, log } = spawnNginx(`add_header X-Instance $upstream_addr always;
    ${config}`);
  const isUp = () => fetch(`http://localhost:${port}/health/ready`).then((answer) => answer.ok, () => false);
  for (const until = Date.now() + 10_000; !(await isUp()); await sleep(20)) {
    if (Date.now() > until || server.exitCode !== null) throw new Error(`nginx did not start: ${log()}`);
  }
  return { log, stop: () => server.kill("SIGQUIT") && once(server, "exit") };
}
