// A real server, and browsers' parts that Node.js lacks: a cookie jar for each browser, and faults of the network.

import { randomUUID } from "node:crypto";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { createHallpass } from "../dist/index.js";
import { start } from "../../../tests/e2e/clients/server.mjs";

const binary = process.env.HALLPASS_BINARY ?? fileURLToPath(new URL("../../../target/release/hallpass", import.meta.url));

/** Starts a server. Returns its GraphQL endpoint, and a function that stops it. */
export async function startServer(settings = {}, folder = undefined, port = undefined) {
  port ??= await freePort();
  const stop = await start(binary, port, { BCRYPT_COST: "10", ...settings }, undefined, folder);
  return { url: `http://localhost:${port}/graphql`, origin: `http://localhost:${port}`, port, stop, folder: stop.folder };
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export const PASSWORD = "correct horse battery";

/** A username that no other test has. */
export const newName = () => `u${randomUUID().slice(0, 12)}`;

/** Web Locks, which Node 20 does not have. Each lock is held by one at a time, first come, first served. */
const held = new Map();
const locks = {
  async request(name, { signal }, run) {
    const previous = held.get(name);
    const { promise, resolve: release } = deferred();
    held.set(name, promise);
    const aborted = new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    try {
      await Promise.race([previous, aborted]);
    } catch (error) {
      previous.then(release);
      throw error;
    }
    try {
      return await run();
    } finally {
      release();
    }
  },
};
globalThis.navigator ??= { onLine: true };
navigator.locks ??= locks;

function deferred() {
  let resolve;
  return { promise: new Promise((fulfil) => (resolve = fulfil)), resolve };
}

/** A browser: its tabs share cookies. `sent` has the requests, `faults` decide what happens to them. */
export function browser(url) {
  const cookies = new Map();
  const sent = [];
  const faults = { before: async () => {}, after: async (response) => response, keepsCookies: true };

  async function send(input, init) {
    const request = new Request(input, init);
    const text = await request.clone().text();
    const operation = /(?:mutation|query) (\w+)/.exec(text)?.[1] ?? new URL(request.url).pathname;
    const record = { operation, authorization: request.headers.get("authorization") };
    sent.push(record);
    await faults.before(record, request);
    if (cookies.size > 0 && request.credentials === "include") {
      request.headers.set("cookie", [...cookies].map((pair) => pair.join("=")).join("; "));
    }
    // Browsers repeat a request if a connection that they use again turns out to be closed. Node.js fails instead.
    request.headers.set("connection", "close");
    const response = await fetch(request);
    for (const header of faults.keepsCookies ? response.headers.getSetCookie() : []) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(header);
      if (value === "" || /max-age=0/i.test(header)) cookies.delete(name);
      else cookies.set(name, value);
    }
    return faults.after(response, record);
  }

  const tabs = [];
  return {
    cookies,
    sent,
    faults,
    fetch: send,
    /** The operations that were sent, of one name. */
    count: (name) => sent.filter(({ operation }) => operation === name).length,
    /** Opens a page with the client. */
    open(options = {}) {
      const hallpass = createHallpass({ url, fetch: send, ...options });
      hallpass.start();
      tabs.push(hallpass);
      return hallpass;
    },
    close() {
      for (const tab of tabs) tab.stop();
    },
  };
}

/** Waits until the state of a client satisfies a condition. Fails after five seconds. */
export function until(hallpass, isTrue) {
  return new Promise((resolve, reject) => {
    const check = () => {
      if (!isTrue(hallpass.getState())) return;
      clearTimeout(timer);
      unsubscribe();
      resolve(hallpass.getState());
    };
    const unsubscribe = hallpass.subscribe(check);
    const timer = setTimeout(() => {
      unsubscribe();
      reject(new Error(`the state is still ${JSON.stringify(hallpass.getState())}`));
    }, 5_000);
    check();
  });
}

export const settled = (hallpass) => until(hallpass, ({ status }) => status !== "loading");

/** Makes the server reject the access token of the next `count` requests that have one. */
export function rejectTokens(browser, count) {
  let left = count;
  browser.faults.before = async (_, request) => {
    if (left > 0 && request.headers.has("authorization")) {
      left -= 1;
      request.headers.set("authorization", "Bearer expired");
    }
  };
}

export const NETWORK_FAILURE = async () => {
  throw new TypeError("fetch failed");
};
