// A server with METRICS_LISTEN: what the OpenMetrics parser of Prometheus's Python client reads after some requests.
// node metrics.mjs <binary> <python with prometheus-client> <dashboard> <alert rules>

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { check, fail, finish } from "./checks.mjs";
import { start } from "./server.mjs";

const [binary, python, ...files] = process.argv.slice(2);
const port = 8240;
const metricsPort = 8241;
const home = `http://localhost:${port}`;
const PASSWORD = "correct horse battery";

const PARSE = `
import json, sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
families = list(text_string_to_metric_families(sys.stdin.read()))
samples = [[sample.name, sample.labels, sample.value] for family in families for sample in family.samples]
print(json.dumps({"names": [family.name for family in families], "samples": samples}))
`;

async function send(query, variables) {
  const headers = { "content-type": "application/json" };
  const response = await fetch(`${home}/graphql`, { method: "POST", headers, body: JSON.stringify({ query, variables }) });
  return response.json();
}

/** Reads the metrics. `value` returns the sum of the samples with a name and these labels. */
async function scrape() {
  const response = await fetch(`http://127.0.0.1:${metricsPort}/metrics`, { headers: { accept: "application/openmetrics-text" } });
  const text = await response.text();
  const parsed = JSON.parse(execFileSync(python, ["-c", PARSE], { input: text, encoding: "utf8" }));
  const matches = (labels, wanted) => Object.entries(wanted).every(([name, value]) => labels[name] === value);
  const value = (name, labels = {}) => {
    const samples = parsed.samples.filter((sample) => sample[0] === name && matches(sample[1], labels));
    return samples.reduce((sum, sample) => sum + sample[2], 0);
  };
  return { ...parsed, text, value, type: response.headers.get("content-type") };
}

const LOGIN = "mutation NameOfTheClient($input: LoginInput!) { aliasOfTheClient: login(input: $input) { accessToken } }";
const REGISTER = "mutation($input: RegisterInput!) { register(input: $input) { accessToken } }";

async function test() {
  const input = { username: "ada", password: PASSWORD, email: "ada@example.org" };
  await send(REGISTER, { input });
  await send(LOGIN, { input: { username: "ada", password: PASSWORD } });
  await send(LOGIN, { input: { username: "ada", password: "an incorrect password" } });
  await send("{ fieldOfTheClient }");
  await fetch(`${home}/path-of-the-client`);
  await fetch(`${home}/users/me`);

  const { names, samples, text, value, type } = await scrape();
  check("the parser accepts the metrics", names.length > 20, names);
  check("the content type is that of OpenMetrics", type.startsWith("application/openmetrics-text; version=1.0.0"), type);
  const graphql = value("hallpass_http_requests_total", { route: "/graphql", method: "POST" });
  check("requests are counted", graphql === 4, graphql);
  const durations = value("hallpass_http_request_duration_seconds_count", { route: "/graphql" });
  check("durations are counted", durations === 4, durations);
  const login = (code) => value("hallpass_graphql_operations_total", { field: "login", code });
  check("operations are counted by root field and code", login("OK") === 1 && login("INVALID_CREDENTIALS") === 1);
  const signIns = (outcome) => value("hallpass_sign_ins_total", { method: "password", outcome });
  check("sign-ins are counted by outcome", signIns("OK") === 1 && signIns("INVALID_CREDENTIALS") === 1);
  const hashes = value("hallpass_password_hash_duration_seconds_count");
  check("password hashes are measured", hashes === 3, hashes);
  check("jobs are counted", value("hallpass_job_runs_total", { task: "deliver_mails", result: "success" }) > 0);
  check("memory is measured", value("hallpass_process_resident_memory_bytes") > 1e6);
  check("no label contains a value of a client", !/client|ada\b/i.test(text));
  const distinct = new Set(samples.map(([name, labels]) => JSON.stringify([name, labels])));
  check("every sample is exposed once", distinct.size === samples.length);

  // Families without labels that were counted are not exposed.
  const exposed = new Set(samples.map(([name]) => name));
  exposed.add("hallpass_throttled_total");
  for (const file of files) {
    const used = readFileSync(file, "utf8").match(/\bhallpass_[a-z_]+/g) ?? [];
    const unknown = used.filter((name) => !exposed.has(name));
    check(`${file} uses metrics that are exposed`, used.length > 10 && unknown.length === 0, unknown);
  }
  const api = await fetch(`${home}/metrics`);
  check("the API does not serve the metrics", api.status === 404, api.status);
}

const stop = await start(binary, port, { BCRYPT_COST: "10", METRICS_LISTEN: `127.0.0.1:${metricsPort}` });
try {
  await test();
} catch (error) {
  fail(error.message);
}
await stop();
finish(14);
