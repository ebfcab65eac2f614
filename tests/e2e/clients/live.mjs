// Live events with graphql-sse, Apollo Client (multipart, which it asks for by itself), urql, and graphql-ws over WebSocket: events, a session
// that is revoked through another instance or on the command line, a token that expires, a server that stops, nginx by the manual, and the
// memory of 2,000 streams.
// node live.mjs <binary> <postgres url> <mysql url> <page with the nginx configuration>

import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ApolloClient, gql, HttpLink, InMemoryCache } from "@apollo/client";
import { Client, fetchExchange } from "@urql/core";
import { createClient } from "graphql-sse";
import { createClient as createSocketClient } from "graphql-ws";
import WebSocket from "ws";
import { accounts } from "./accounts.mjs";
import { check, finish } from "./checks.mjs";
import { nginx } from "./nginx.mjs";
import { database } from "./own_database.mjs";
import { start } from "./server.mjs";

const [binary, postgresUrl, mysqlUrl, manual] = process.argv.slice(2);
const PORTS = { sqlite: 8242, postgres: [8243, 8244], mysql: [8245, 8246], nginx: 8247, memory: 8248 };
const QUERY = "subscription Account { accountEvents { endsSession event { action } user { firstName } } }";
const RENAME = "mutation($name: String) { updateProfile(input: { firstName: $name }) { user { firstName } } }";
const MAX_DELAY = 1500;
const MAX_STREAMS_MIB = 40;
const STREAMS = 2000;
const STREAMS_OF_USER = 20;
const SOCKETS = 500;
const SOCKETS_OF_USER = 10;
const BURST = 10_000;
const SECRET_KEY = "4be1c6a8d2f0937ab5e8c1d7f3a96024";

/** Subscribes with each client. `receive` gets `{ data, errors }`, and `ended` is called at the end. They return a function that stops it. */
const CLIENTS = {
  "graphql-sse": (url, token, receive, ended) => {
    const client = createClient({ url, headers: () => ({ authorization: `Bearer ${token()}` }), retryAttempts: 0 });
    return client.subscribe({ query: QUERY }, { next: receive, error: (error) => receive({ errors: [error] }), complete: ended });
  },
  "Apollo Client": (url, token, receive, ended) => {
    const link = new HttpLink({ uri: url, fetch: (address, options) => fetch(address, { ...options, headers: { ...options.headers, authorization: `Bearer ${token()}` } }) });
    const client = new ApolloClient({ link, cache: new InMemoryCache() });
    const next = ({ data, error }) => receive({ data, errors: error && (error.errors ?? [error]) });
    const subscription = client.subscribe({ query: gql(QUERY) }).subscribe({ next, error: (error) => receive({ errors: [error] }), complete: ended });
    return () => subscription.unsubscribe();
  },
  urql: (url, token, receive, ended) => {
    const fetchOptions = () => ({ headers: { authorization: `Bearer ${token()}` } });
    const client = new Client({ url, exchanges: [fetchExchange], fetchSubscriptions: true, preferGetMethod: false, fetchOptions });
    const { unsubscribe } = client.subscription(QUERY, {}).subscribe(({ data, error }) => {
      receive({ data, errors: error && (error.graphQLErrors.length > 0 ? error.graphQLErrors : [error]) });
      if (error) ended();
    });
    return unsubscribe;
  },
  "graphql-ws": (url, token, receive, ended) => {
    const client = socketClient(url, () => ({ authorization: `Bearer ${token()}` }), { retryAttempts: 0 });
    // The reason of the close event is that of the error. Only its code says that the server stops.
    const closed = ({ code, reason }) => ({ extensions: { code: code === 1012 ? "SERVICE_UNAVAILABLE" : code, reason } });
    const error = (failure) => (receive({ errors: Array.isArray(failure) ? failure : [closed(failure)] }), ended());
    return client.subscribe({ query: QUERY }, { next: receive, error, complete: ended });
  },
};

/** A client of graphql-ws for the server with this GraphQL address. */
function socketClient(url, connectionParams, options) {
  return createSocketClient({ url: `${url.replace("http", "ws")}/ws`, webSocketImpl: WebSocket, connectionParams, ...options });
}

/** A subscription, with what it has received. */
function subscribe(name, url, token) {
  const received = [];
  let wake = () => {};
  const state = { received, isEnded: false };
  const changed = () => wake();
  const receive = (message) => received.push({ ...message, at: performance.now() }) && changed();
  state.stop = CLIENTS[name](url, token, receive, () => ((state.isEnded = true), changed()));
  /** Waits for a message. Returns undefined if there is none within `limit` milliseconds. */
  state.until = async (isWanted, limit = 10_000) => {
    for (const until = performance.now() + limit; ; ) {
      const found = received.find(isWanted);
      const left = until - performance.now();
      if (found || left < 0) return found;
      await Promise.race([new Promise((resolve) => (wake = resolve)), sleep(Math.min(left + 1, 200))]);
    }
  };
  return state;
}

const isAction = (action) => (message) => message.data?.accountEvents?.event.action === action;
const isReason = (reason) => (message) => message.errors?.some((error) => error.extensions?.reason === reason);
const isCode = (code) => (message) => message.errors?.some((error) => error.extensions?.code === code);

/** Sends an operation, and returns its data. */
async function send(origin, token, query, variables) {
  const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
  const answer = await fetch(`${origin}/graphql`, { method: "POST", headers, body: JSON.stringify({ query, variables }) });
  const { data, errors } = await answer.json();
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}

const originOf = (port) => `http://127.0.0.1:${port}`;

/** Registers a user with each client's name, and signs in once more. */
async function users(origin) {
  const client = accounts(origin);
  const all = {};
  for (const name of Object.keys(CLIENTS)) {
    const username = name.replaceAll(/\W/g, "").toLowerCase();
    const first = (await client.register(username)).data.register;
    const second = (await client.login(username)).data.login;
    all[name] = { username, first, second };
  }
  return all;
}

/** Subscribes at `url` with each client, and waits until all of them receive events. */
async function subscribeAll(url, origin, all) {
  const streams = {};
  for (const [name, { second }] of Object.entries(all)) streams[name] = subscribe(name, url, () => second.accessToken);
  for (const [name, { first }] of Object.entries(all)) {
    // The response to a subscription may come after that to a later request.
    for (let round = 0; round < 20 && streams[name].received.length === 0; round += 1) {
      await send(origin, first.accessToken, RENAME, { name: `Name ${round}` });
      await streams[name].until(isAction("PROFILE_UPDATED"), 500);
    }
  }
  return streams;
}

/** Revokes the sessions of all streams with `revoke`, and checks when they learn it. */
async function expectEnd(where, all, streams, revoke) {
  for (const [name, user] of Object.entries(all)) {
    const stream = streams[name];
    const before = performance.now();
    await revoke(user);
    const revoked = performance.now();
    const end = await stream.until(isReason("SESSION_REVOKED"));
    const event = stream.received.find((message) => message.data?.accountEvents?.endsSession);
    // The session ended while `revoke` ran.
    const delay = Math.round((end?.at ?? Infinity) - revoked);
    check(`${where}, ${name}: the stream ends when the session is revoked (${delay} ms after)`, event && end && delay < MAX_DELAY, { event, end, took: revoked - before });
    await stream.until(() => stream.isEnded, 2000);
    check(`${where}, ${name}: the client has ended`, stream.isEnded);
  }
}

const revokeThrough = (origin) => (user) => send(origin, user.first.accessToken, "mutation { revokeOtherSessions { revokedSessions } }");

/** Two instances on one database: streams at the second, requests to the first. */
async function twoInstances(kind, url, ports) {
  const settings = { DATABASE_URL: database(url, "live").url, SECRET_KEY, BCRYPT_COST: "10", RUST_LOG: "warn,hallpass::cli=info" };
  const instances = [];
  for (const port of ports) instances.push(await start(binary, port, { ...settings, PUBLIC_URL: originOf(ports[0]) }));
  const origin = originOf(ports[0]);
  const all = await users(origin);
  const streams = await subscribeAll(`${originOf(ports[1])}/graphql`, origin, all);
  for (const name of Object.keys(all)) check(`${kind}, ${name}: an event of another instance arrives`, streams[name].received.length > 0);
  await expectEnd(kind, all, streams, revokeThrough(origin));
  return instances;
}

/** nginx in front of both instances, with the manual's configuration. */
async function behindNginx(ports) {
  await nginx(manual, PORTS.nginx, ports);
  const origin = originOf(PORTS.nginx);
  const client = accounts(origin);
  const stream = {};
  const tokens = {};
  for (const name of Object.keys(CLIENTS)) {
    tokens[name] = (await client.register(`nginx_${name.replaceAll(/\W/g, "")}`)).data.register.accessToken;
    stream[name] = subscribe(name, `${origin}/graphql`, () => tokens[name]);
  }
  // Longer than nginx waits for data.
  await sleep(33_000);
  for (const name of Object.keys(CLIENTS)) {
    const sent = performance.now();
    await send(origin, tokens[name], RENAME, { name: "Ada" });
    const event = await stream[name].until(isAction("PROFILE_UPDATED"), 3000);
    check(`nginx, ${name}: an event arrives after half a minute without any (${Math.round(event?.at - sent)} ms)`, event && event.at - sent < MAX_DELAY, stream[name].received);
  }
  return stream;
}

/** A token that expires ends the stream, and the client goes on with a new one. */
async function expiry(origin) {
  const client = accounts(origin);
  const all = {};
  for (const name of Object.keys(CLIENTS)) all[name] = (await client.register(`expiry_${name.replaceAll(/\W/g, "")}`)).data.register;
  const waiting = Object.entries(all).map(async ([name, pair]) => {
    let tokens = pair;
    const begin = performance.now();
    const first = subscribe(name, `${origin}/graphql`, () => tokens.accessToken);
    const end = await first.until(isReason("TOKEN_EXPIRED"), 70_000);
    const seconds = Math.round((end?.at - begin) / 1000);
    check(`${name}: the stream ends with TOKEN_EXPIRED (after ${seconds} s)`, end && seconds >= 55 && seconds <= 62, first.received);
    tokens = (await client.refresh(tokens.refreshToken)).data.refreshToken;
    const second = subscribe(name, `${origin}/graphql`, () => tokens.accessToken);
    let event;
    for (let round = 0; round < 20 && !event; round += 1) {
      await send(origin, tokens.accessToken, RENAME, { name: `Name ${round}` });
      event = await second.until(isAction("PROFILE_UPDATED"), 500);
    }
    check(`${name}: a new stream opens with a new token`, event !== undefined, second.received);
    second.stop();
  });
  await Promise.all(waiting);
}

/** When the token has expired, graphql-ws connects again by itself, with a new one. */
async function comesBack(origin) {
  const client = accounts(origin);
  let tokens;
  const refresh = async () => (tokens = tokens ? (await client.refresh(tokens.refreshToken)).data.refreshToken : (await client.register("returning")).data.register);
  const connectionParams = async () => ({ authorization: `Bearer ${(await refresh()).accessToken}` });
  const received = [];
  const closed = [];
  let connections = 0;
  const on = { connected: () => (connections += 1), closed: ({ code }) => closed.push(code) };
  const sockets = socketClient(`${origin}/graphql`, connectionParams, { retryWait: () => sleep(100), on });
  const stop = sockets.subscribe({ query: QUERY }, { next: (event) => received.push(event), error: (error) => received.push({ error }), complete: () => {} });
  for (const until = performance.now() + 70_000; connections < 2 && performance.now() < until; ) await sleep(100);
  for (let round = 0; round < 100 && received.length === 0; round += 1) {
    await sleep(100);
    await send(origin, tokens.accessToken, RENAME, { name: `Name ${round}` });
  }
  check("graphql-ws: comes back by itself with a new token", closed.join() === "4403" && received[0]?.data?.accountEvents.event.action, { closed, received });
  stop();
}

/** The resident memory of a process, in MiB. */
const residentMib = (pid) => Number(readFileSync(`/proc/${pid}/status`, "utf8").match(/VmRSS:\s+(\d+)/)[1]) / 1024;

/** The processor time of a process, in milliseconds. */
const cpuMs = (pid) => {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
};

/** A stream of large events whose client does not read. Returns its socket. */
async function unread(token) {
  const aliases = Array.from({ length: 20 }, (_, index) => `${"x".repeat(100)}${index}: action`);
  const body = JSON.stringify({ query: `subscription { auditEvents { ${aliases.join(" ")} } }` });
  const socket = connect(PORTS.memory, "127.0.0.1");
  const head = ["POST /graphql HTTP/1.1", "host: localhost", "accept: text/event-stream", "content-type: application/json", `authorization: Bearer ${token}`, `content-length: ${body.length}`];
  socket.write(`${head.join("\r\n")}\r\n\r\n${body}`);
  const [first] = await once(socket, "data");
  if (!String(first).includes("text/event-stream")) throw new Error(String(first));
  return socket.pause();
}

/** An import writes many events at once, while an administrator follows the audit log and there are many other streams. */
async function burst(stop, client, others) {
  await client.register("chief");
  stop.run(["user", "set-roles", "chief", "admin"]);
  const { accessToken } = (await client.login("chief")).data.login;
  const hash = "$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy";
  const lines = Array.from({ length: BURST }, (_, index) => JSON.stringify({ username: `imported${index}`, hashed_password: hash }));
  const origin = originOf(PORTS.memory);
  const controller = new AbortController();
  const headers = { "content-type": "application/json", accept: "text/event-stream", authorization: `Bearer ${accessToken}` };
  const query = "subscription { auditEvents(filter: { actions: [USER_CREATED] }) { action user { username } } }";
  const answer = await fetch(`${origin}/graphql`, { method: "POST", headers, body: JSON.stringify({ query }), signal: controller.signal });
  let received = 0;
  let first;
  let last;
  const reading = (async () => {
    const decoder = new TextDecoder();
    for await (const bytes of answer.body) {
      const count = decoder.decode(bytes).split("event: next").length - 1;
      received += count;
      if (count > 0) [first, last] = [first ?? performance.now(), performance.now()];
    }
  })().catch(() => {});
  const slow = await unread(accessToken);
  const used = residentMib(stop.pid);
  const cpu = cpuMs(stop.pid);
  const file = join(stop.folder, "users.jsonl");
  writeFileSync(file, lines.join("\n"));
  const begin = performance.now();
  stop.run(["user", "import", file]);
  const imported = performance.now();
  for (let round = 0; round < 3000 && received < BURST; round += 1) await sleep(20);
  const [took, lag] = [imported - begin, (last ?? Infinity) - imported].map(Math.round);
  check(`${BURST} events of an import of ${took} ms reach a stream among ${others} (the last ${lag} ms after it, ${cpuMs(stop.pid) - cpu} ms of processor time)`, received === BURST, { received, first, last });
  // The server writes nothing more when the buffers of the connection are full, and ends it ten seconds later.
  let unreadBytes = 0;
  await sleep(11_000);
  const closed = once(slow, "close");
  slow.on("error", () => {}).on("data", (data) => (unreadBytes += data.length)).resume();
  const isClosed = await Promise.race([closed.then(() => true), sleep(2000, false)]);
  const grown = residentMib(stop.pid) - used;
  const [expected, mib] = [BURST * 2000, (unreadBytes / 1024 / 1024).toFixed(1)];
  check(`a client that does not read is disconnected (it got ${mib} MiB, and the server grew by ${grown.toFixed(1)} MiB)`, isClosed && unreadBytes < expected && grown < MAX_STREAMS_MIB, { isClosed, unreadBytes });
  controller.abort();
  await reading;
}

/** Opens many WebSocket connections, each with an operation, and measures them. */
async function socketMemory() {
  const stop = await start(binary, PORTS.memory, { BCRYPT_COST: "10", RUST_LOG: "warn,hallpass::cli=info" });
  const client = accounts(originOf(PORTS.memory));
  const all = [];
  for (let user = 0; all.length < SOCKETS; user += 1) {
    all.push(...Array(SOCKETS_OF_USER).fill((await client.register(`user${user}`)).data.register.accessToken));
  }
  const before = residentMib(stop.pid);
  const open = (token) =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(`ws://127.0.0.1:${PORTS.memory}/graphql/ws`, "graphql-transport-ws");
      socket.on("open", () => socket.send(JSON.stringify({ type: "connection_init", payload: { authorization: `Bearer ${token}` } })));
      socket.on("message", (data) => {
        if (String(data) !== '{"type":"connection_ack"}') reject(new Error(String(data)));
        socket.send(JSON.stringify({ type: "subscribe", id: "1", payload: { query: QUERY } }), () => resolve(socket));
      });
      socket.on("close", (code) => reject(new Error(`closed with ${code}`)));
    });
  const sockets = [];
  for (let count = 0; count < all.length; count += 50) sockets.push(...(await Promise.all(all.slice(count, count + 50).map(open))));
  await sleep(1000);
  const used = residentMib(stop.pid) - before;
  const limit = (MAX_STREAMS_MIB * SOCKETS) / STREAMS;
  check(`${SOCKETS} idle WebSocket connections need less than ${limit} MiB: ${used.toFixed(1)} MiB`, used < limit);
  const codes = sockets.map((socket) => new Promise((resolve) => socket.removeAllListeners("close").on("close", resolve)));
  await stop();
  check("a server that stops closes all connections with 1012", (await Promise.all(codes)).every((code) => code === 1012));
}

/** Opens many streams, and measures them. */
async function memory() {
  const stop = await start(binary, PORTS.memory, { BCRYPT_COST: "10", RUST_LOG: "warn,hallpass::cli=info" });
  const origin = originOf(PORTS.memory);
  const client = accounts(origin);
  const tokens = [];
  for (let user = 0; user < STREAMS / STREAMS_OF_USER; user += 1) tokens.push((await client.register(`user${user}`)).data.register.accessToken);
  const before = residentMib(stop.pid);
  const body = JSON.stringify({ query: QUERY });
  const open = (token) =>
    new Promise((resolve, reject) => {
      const socket = connect(PORTS.memory, "127.0.0.1");
      const head = ["POST /graphql HTTP/1.1", "host: localhost", "accept: text/event-stream", "content-type: application/json", `authorization: Bearer ${token}`, `content-length: ${body.length}`];
      socket.write(`${head.join("\r\n")}\r\n\r\n${body}`);
      socket.once("data", (data) => (data.includes("text/event-stream") && !data.includes("errors") ? resolve(socket) : reject(new Error(String(data)))));
      socket.once("error", reject);
    });
  const sockets = [];
  for (let count = 0; count < STREAMS; count += 50) {
    const batch = Array.from({ length: 50 }, (_, index) => open(tokens[(count + index) % tokens.length]));
    sockets.push(...(await Promise.all(batch)));
  }
  await sleep(1000);
  const used = residentMib(stop.pid) - before;
  check(`${STREAMS} idle streams need less than ${MAX_STREAMS_MIB} MiB: ${used.toFixed(1)} MiB`, used < MAX_STREAMS_MIB);
  // One event for each stream of a user.
  let last = 0;
  let arrived = 0;
  for (const socket of sockets) {
    socket.on("data", (data) => data.includes("PROFILE_UPDATED") && ((arrived += 1), (last = performance.now())));
  }
  const begin = performance.now();
  await send(origin, tokens[0], RENAME, { name: "Ada" });
  for (let round = 0; round < 100 && arrived < STREAMS_OF_USER; round += 1) await sleep(20);
  check(`all streams of one user receive an event among ${STREAMS} (${Math.round(last - begin)} ms)`, arrived === STREAMS_OF_USER, arrived);
  await burst(stop, client, sockets.length);
  const stopping = performance.now();
  await stop();
  const took = Math.round(performance.now() - stopping);
  check(`a server with ${STREAMS} streams stops at once (${took} ms)`, took < 5000);
  sockets.forEach((socket) => socket.destroy());
}

const sqlite = await start(binary, PORTS.sqlite, { ACCESS_TOKEN_EXPIRE_MINUTES: "1", BCRYPT_COST: "10", RUST_LOG: "warn,hallpass::cli=info" });
const origin = originOf(PORTS.sqlite);
const expired = Promise.all([expiry(origin), comesBack(origin)]);

const onSqlite = await users(origin);
const streams = await subscribeAll(`${origin}/graphql`, origin, onSqlite);
for (const name of Object.keys(onSqlite)) check(`SQLite, ${name}: an event arrives`, streams[name].received.length > 0);
await expectEnd("SQLite, command line", onSqlite, streams, ({ username }) => sqlite.run(["user", "revoke-sessions", username]));

await memory();
await socketMemory();
await twoInstances("MariaDB", mysqlUrl, PORTS.mysql);
const instances = await twoInstances("PostgreSQL", postgresUrl, PORTS.postgres);
const [behind] = await Promise.all([behindNginx(PORTS.postgres), expired]);

await Promise.all(instances.map((stop) => stop()));
for (const [name, stream] of Object.entries(behind)) {
  const end = await stream.until(isCode("SERVICE_UNAVAILABLE"), 3000);
  check(`${name}: a server that stops ends the stream with SERVICE_UNAVAILABLE`, end !== undefined, stream.received);
}
await sqlite();
finish(60);
