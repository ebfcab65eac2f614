// Traces: what a collector receives by OTLP, decoded by the classes of OpenTelemetry's Python package, and that a collector that does not
// answer changes nothing for requests.
// node traces.mjs <binary with the feature `otlp`> <binary without it> <python with opentelemetry-proto>

import { execFileSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer, request as httpRequest } from "node:http";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { check, fail, finish } from "./checks.mjs";
import { start } from "./server.mjs";

const [binary, plainBinary, python] = process.argv.slice(2);
const port = 8260;
const collectorPort = 8261;
const PASSWORD = "correct horse battery";
const USERNAME = "client_ada";
const EMAIL = "client_ada@example.org";
const API_KEY = "key of the collector";
const TRACED = "a".repeat(32);
const UNTRUSTED = "b".repeat(32);
const NOT_SAMPLED = "c".repeat(32);
const PARENT = "00f067aa0ba902b7";

const DECODE = `
import json, sys
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

def attributes(of):
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in of.attributes}

spans = []
for line in sys.stdin:
    for resource in ExportTraceServiceRequest.FromString(bytes.fromhex(line)).resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                spans.append({
                    "trace": span.trace_id.hex(), "id": span.span_id.hex(), "parent": span.parent_span_id.hex(),
                    "name": span.name, "kind": span.kind, "status": span.status.code, "message": span.status.message,
                    "start": span.start_time_unix_nano, "end": span.end_time_unix_nano, "state": span.trace_state,
                    "attributes": attributes(span), "resource": attributes(resource.resource), "events": len(span.events),
                })
print(json.dumps(spans))
`;

/** Starts a collector. `respond` answers its requests. */
async function startCollector(respond) {
  const received = [];
  const server = createServer((request, response) => {
    const parts = [];
    request.on("data", (part) => parts.push(part));
    request.on("end", () => {
      received.push({ url: request.url, headers: request.headers, body: Buffer.concat(parts) });
      respond(response);
    });
  });
  server.listen(collectorPort, "127.0.0.1");
  await once(server, "listening");
  const stop = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  const spans = () => {
    const input = received.map(({ body }) => body.toString("hex")).join("\n");
    return JSON.parse(execFileSync(python, ["-c", DECODE], { input, encoding: "utf8", maxBuffer: 1e9 }));
  };
  return { received, spans, stop };
}

/** Sends a request from an address of this machine. Only 127.0.0.1 is a trusted proxy. */
async function send(path, { body, headers = {}, method = body ? "POST" : "GET", from = "127.0.0.1" } = {}) {
  const type = typeof body === "string" ? "application/x-www-form-urlencoded" : "application/json";
  const text = typeof body === "string" ? body : body && JSON.stringify(body);
  const options = { port, path, method, localAddress: from, headers: { ...(body && { "content-type": type }), ...headers } };
  const request = httpRequest({ host: "127.0.0.1", ...options });
  request.end(text);
  const [response] = await once(request, "response");
  let received = "";
  for await (const part of response) received += part;
  return { status: response.statusCode, text: received, json: () => JSON.parse(received) };
}

const graphql = (query, input, options = {}) =>
  send("/graphql", { body: { query, variables: input && { input }, ...options.more }, ...options });

const traceparent = (trace, flags = "01") => ({ traceparent: `00-${trace}-${PARENT}-${flags}` });

const PAIR = "accessToken refreshToken user { id }";
const REGISTER = `mutation NameOfTheClient($input: RegisterInput!) { aliasOfTheClient: register(input: $input) { ${PAIR} } }`;
const LOGIN = `mutation NameOfTheClient($input: LoginInput!) { aliasOfTheClient: login(input: $input) { ${PAIR} } }`;
const REFRESH = `mutation($input: RefreshTokenInput!) { refreshToken(input: $input) { ${PAIR} } }`;
const RESET = "mutation($input: RequestPasswordResetInput!) { requestPasswordReset(input: $input) { __typename } }";
const ME = "{ aliasOfMe: me { username email sessions { id } } serverInfo { __typename } }";

/** Sends requests with secrets and input of a client. Returns the texts that must not be exported. */
async function useTheApi() {
  const register = await graphql(REGISTER, { username: USERNAME, password: PASSWORD, email: EMAIL, tokenDelivery: "BODY" });
  const login = await graphql(LOGIN, { username: USERNAME, password: PASSWORD, tokenDelivery: "BODY" }, { headers: traceparent(TRACED) });
  const wrong = await graphql(LOGIN, { username: USERNAME, password: "an incorrect password" });
  const pair = login.json().data.aliasOfTheClient;
  const refreshed = await graphql(REFRESH, { refreshToken: pair.refreshToken });
  const next = refreshed.json().data.refreshToken;
  const headers = { authorization: `Bearer ${next.accessToken}`, "user-agent": "AgentOfTheClient" };
  const me = await graphql(ME, undefined, { headers });
  await graphql(ME, undefined, { headers: { ...headers, ...traceparent(NOT_SAMPLED, "00") } });
  await graphql(ME, undefined, { headers: { ...headers, ...traceparent(UNTRUSTED) }, from: "127.0.0.2" });
  await graphql(RESET, { email: EMAIL });
  await graphql("{ fieldOfTheClient }");
  await send("/users/me?parameter=ValueOfTheClient", { headers });
  const form = new URLSearchParams({ username: USERNAME, password: PASSWORD });
  const token = await send("/token", { body: form.toString() });
  await send("/token", { body: new URLSearchParams({ username: EMAIL, password: "an incorrect password" }).toString() });
  await send("/PathOfTheClient?parameter=ValueOfTheClient", { method: "INVENTED" });
  await send("/health/live");
  const statuses = [register, login, wrong, refreshed, me, token].map(({ status }) => status);
  check("the API works", statuses.every((status) => status === 200) && me.json().data.aliasOfMe.username === USERNAME, statuses);
  const pairs = [register.json().data.aliasOfTheClient, pair, next];
  const { access_token, refresh_token } = token.json();
  return [
    PASSWORD, USERNAME, EMAIL, "incorrect password", "OfTheClient", "fieldOfTheClient", "aliasOfMe", "INVENTED", "127.0.0.2", API_KEY,
    access_token, refresh_token, ...pairs.flatMap(({ accessToken, refreshToken, user }) => [accessToken, refreshToken, user.id]),
  ];
}

/** The settings of a server that exports traces. */
const settings = {
  BCRYPT_COST: "10", LOG_FORMAT: "json", PROXY_HEADER: "x-forwarded-for", TRUSTED_PROXIES: "127.0.0.1",
  OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collectorPort}`,
};

/** Collects the lines of the log as JSON. */
function readLog(server) {
  const lines = [];
  createInterface({ input: server.stderr }).on("line", (line) => lines.push(JSON.parse(line)));
  return lines;
}

async function testSpans() {
  const collector = await startCollector((response) => response.end());
  const others = {
    OTEL_EXPORTER_OTLP_HEADERS: `x-api-key=${encodeURIComponent(API_KEY)}`, OTEL_SERVICE_NAME: "accounts",
    OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=test",
  };
  const stop = await start(binary, port, { ...settings, ...others });
  const log = readLog(stop);
  const secrets = await useTheApi();
  await stop();
  await collector.stop();

  const spans = collector.spans();
  const { url, headers } = collector.received[0];
  check("spans are sent as protobuf to /v1/traces", url === "/v1/traces" && headers["content-type"] === "application/x-protobuf", url, headers);
  check("headers of the settings are sent", headers["x-api-key"] === API_KEY, headers);
  const resource = spans[0].resource;
  const isNamed = resource["service.name"] === "accounts" && resource["deployment.environment.name"] === "test";
  check("the service is named by the settings", isNamed && resource["service.version"] && resource["service.instance.id"], resource);

  const byId = new Map(spans.map((span) => [span.id, span]));
  const requests = spans.filter(({ kind }) => kind === 2);
  const statements = spans.filter(({ kind }) => kind === 3);
  const useCases = spans.filter(({ kind }) => kind === 1);
  const named = (name, list = spans) => list.filter((span) => span.name === name);
  const parentOf = (span) => byId.get(span.parent);
  const below = (span, list) => list.filter(({ parent }) => span && parent === span.id);

  // Of 14 requests, the one that is not sampled and the health check have no span.
  check("each sampled request has one span", requests.length === 12, requests.map(({ name }) => name));
  const login = requests.find(({ trace }) => trace === TRACED);
  check("a trusted traceparent is the parent", login?.parent === PARENT && login.name === "POST /graphql", login);
  const { attributes } = login;
  const isConventional = attributes["http.request.method"] === "POST" && attributes["http.route"] === "/graphql"
    && attributes["http.response.status_code"] === 200 && attributes["error.type"] === undefined;
  check("a request has the attributes of the conventions", isConventional, attributes);
  const [useCase, ...more] = below(login, useCases);
  check("a root field is a span below its request", useCase?.name === "mutation login" && more.length === 0, below(login, useCases));
  const names = below(useCase, statements).map(({ name }) => name);
  const expected = ["SELECT users", "BEGIN", "INSERT sessions", "COMMIT"];
  check("statements are spans below their use case", expected.every((name) => names.includes(name)), names);
  const insert = below(useCase, statements).find(({ name }) => name === "INSERT sessions")?.attributes ?? {};
  const isStatement = insert["db.system.name"] === "sqlite" && insert["db.operation.name"] === "INSERT"
    && insert["db.collection.name"] === "sessions" && insert["db.query.summary"] === "INSERT sessions"
    && /^INSERT INTO "sessions" .*\?/.test(insert["db.query.text"]);
  check("a statement has the attributes of the conventions", isStatement, insert);
  check("all spans of a request have its trace", spans.filter(({ trace }) => trace === TRACED).length >= 6);
  const isInside = (span) => {
    const parent = parentOf(span);
    return parent === undefined || (span.start >= parent.start && span.end <= parent.end);
  };
  // The confirmation of a refresh goes on after its response.
  const outside = spans.filter((span) => !isInside(span)).filter(({ name }) => !["BEGIN", "UPDATE sessions", "COMMIT"].includes(name));
  check("spans lie within their parents", outside.length === 0, outside);
  check("no statement is without a request", statements.every((span) => parentOf(span) !== undefined));

  const failed = useCases.filter(({ attributes }) => attributes["error.type"] === "INVALID_CREDENTIALS").map(({ name }) => name);
  check("errors of use cases have their code", failed.includes("mutation login") && failed.includes("sign_in::one_request::login"), failed);
  check("errors of clients are no failures", spans.every(({ status }) => status !== 2), spans.filter(({ status }) => status === 2));
  const fields = useCases.filter(({ name }) => name === "query me" || name === "query serverInfo");
  check("each root field has a span", fields.length === 4, fields.map(({ name }) => name));
  const rest = named("GET /users/me", requests)[0];
  check("REST use cases are named by their function", below(rest, useCases)[0]?.name === "principal::active_principal", below(rest, useCases));
  const lookup = useCases.filter(({ name }) => name === "query me").flatMap((span) => below(span, statements)).map(({ name }) => name);
  check("lookups on this thread are spans", lookup.includes("SELECT sessions"), lookup);
  const unknown = requests.find(({ attributes }) => attributes["http.response.status_code"] === 404);
  check("a request without a route and with an unknown method has a fixed name", unknown?.name === "HTTP" && unknown.attributes["http.request.method"] === "_OTHER", unknown);

  check("an untrusted traceparent is ignored", spans.every(({ trace }) => trace !== UNTRUSTED));
  check("a request that is not sampled is not exported", spans.every(({ trace }) => trace !== NOT_SAMPLED));
  check("health checks are not exported", named("GET /health/live").length === 0);
  const raw = Buffer.concat(collector.received.map(({ body }) => body)).toString("latin1");
  const found = secrets.filter((secret) => typeof secret !== "string" || secret.length < 5 || raw.includes(secret));
  check("no secret and no input of a client is exported", found.length === 0, found);
  const isBare = spans.every(({ events, message, state }) => events === 0 && message === "" && state === "");
  check("spans have no events and no texts", isBare);
  const keys = [...new Set(spans.flatMap(({ attributes }) => Object.keys(attributes)))].sort();
  const allowed = [
    "db.collection.name", "db.operation.name", "db.query.summary", "db.query.text", "db.system.name", "error.type",
    "graphql.operation.type", "http.request.method", "http.response.status_code", "http.route",
  ];
  check("spans have the documented attributes only", keys.join() === allowed.join(), keys);

  const lines = log.filter((line) => line.path === "/graphql");
  const traces = new Set(requests.map(({ trace }) => trace).concat(NOT_SAMPLED));
  check("log lines have the id of the trace", lines.length > 5 && lines.every(({ span }) => traces.has(span?.trace_id)), lines[0]);
}

/** Sends requests, and returns their longest time in milliseconds. */
async function longest(count) {
  let longest = 0;
  for (let sent = 0; sent < count; sent += 1) {
    const begin = performance.now();
    const { status } = await graphql(ME);
    if (status !== 200) fail("a request failed", status);
    longest = Math.max(longest, performance.now() - begin);
  }
  return longest;
}

/** Stops a server, and returns the time in milliseconds. */
async function stopTime(stop) {
  const begin = performance.now();
  await stop();
  return performance.now() - begin;
}

async function testFailures() {
  const silent = await startCollector(() => {});
  let stop = await start(binary, port, settings);
  // More than fit into the queue.
  const slow = await longest(1000);
  check("a collector that does not answer slows no request", slow < 1000, slow);
  const time = await stopTime(stop);
  check("a collector that does not answer delays the end by at most three seconds", time > 2500 && time < 6000, time);
  check("the collector received spans", silent.received.length > 0);
  await silent.stop();

  const refusing = await startCollector((response) => response.writeHead(400).end());
  stop = await start(binary, port, settings);
  let log = readLog(stop);
  await longest(600);
  await stop();
  const warnings = log.filter(({ level }) => level === "WARN");
  check("several batches were refused", refusing.received.length > 2, refusing.received.length);
  check("a failure is logged once, with its cause", warnings.length === 1 && warnings[0].cause.includes("status 400"), warnings);
  await refusing.stop();

  stop = await start(binary, port, settings);
  const down = await longest(20);
  check("a collector that is down slows no request", down < 1000, down);
  check("a collector that is down delays the end by at most three seconds", (await stopTime(stop)) < 6000);

  const unused = await startCollector((response) => response.end());
  const { OTEL_EXPORTER_OTLP_ENDPOINT, ...without } = settings;
  stop = await start(binary, port, without);
  log = readLog(stop);
  await longest(1);
  await graphql(ME, undefined, { headers: traceparent(TRACED) });
  await stop();
  await unused.stop();
  const ids = log.filter(({ path }) => path === "/graphql").map(({ span }) => span.trace_id);
  check("without a collector there are no traces", unused.received.length === 0 && ids.join() === `,${TRACED}`, ids);

  // Its warnings are printed before it is ready.
  const printed = [];
  const print = console.error;
  console.error = (line) => printed.push(line);
  stop = await start(plainBinary, port, { ...settings, OTEL_EXPORTER_OTLP_ENDPOINT });
  console.error = print;
  await stop();
  const warning = printed.filter((line) => line.includes("OTEL_EXPORTER_OTLP_ENDPOINT is set") && line.includes("without the feature"));
  check("a build without the feature says that there are no traces", warning.length === 1, printed);
  const { stdout } = spawnSync(resolve(plainBinary), ["doctor"], { cwd: stop.folder, env: settings, encoding: "utf8" });
  check("so does the doctor", /warning +settings +OTEL_EXPORTER_OTLP_ENDPOINT is set/.test(stdout), stdout);
}

for (const test of [testSpans, testFailures]) {
  try {
    await test();
  } catch (error) {
    fail(error.stack);
  }
}
finish(36);
