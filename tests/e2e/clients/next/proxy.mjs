// A proxy between the app and Hallpass.

import { once } from "node:events";
import { createServer, request as httpRequest } from "node:http";
import { PORTS } from "./app.mjs";

/** It records operations and tokens. `before` and `after` may hold a request, and change its response. */
export const proxied = { operations: [], tokens: new Set(), isDown: false, before: async () => {}, after: (body) => body };
/** How often an operation was sent. */
export const count = (name) => proxied.operations.filter((operation) => operation === name).length;
const proxy = createServer(async (received, response) => {
  if (proxied.isDown) return received.socket.destroy();
  const text = Buffer.concat(await received.toArray()).toString();
  const [, operation] = /(?:mutation|query) (\w+)/.exec(text);
  proxied.operations.push(operation);
  await proxied.before(operation);
  const forwarded = httpRequest({ port: PORTS.hallpass, host: "127.0.0.1", path: received.url, method: received.method, headers: received.headers });
  forwarded.end(text);
  const [answer] = await once(forwarded, "response");
  const body = Buffer.concat(await answer.toArray()).toString();
  for (const [, token] of body.matchAll(/"(?:access|refresh)Token":"([^"]+)"/g)) proxied.tokens.add(token);
  response.writeHead(answer.statusCode, { "content-type": answer.headers["content-type"] }).end(proxied.after(body, operation));
});
await once(proxy.listen(PORTS.proxy, "127.0.0.1"), "listening");
