// Sends requests for every response that /openapi.json documents, and validates the responses against the document.
// node answers.mjs <binary>

import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { check, finish } from "./checks.mjs";
import { start } from "./server.mjs";

const [binary] = process.argv.slice(2);
const port = 8121;
const home = `http://127.0.0.1:${port}`;
const secret = "4c1f".repeat(8);
const stop = await start(binary, port, { BCRYPT_COST: "10", OAUTH_CLIENTS: `api:${secret}` });

const document = await (await fetch(`${home}/openapi.json`)).json();
const ajv = addFormats(new Ajv2020({ strict: false, allErrors: true }));
ajv.addSchema(document, "openapi");
const seen = new Set();

/** Sends a request and validates its response. An array of pairs is sent as a form, any other body as JSON. `target` is the URL if it has
 * parameters. */
async function send(method, path, body, headers = {}, target = path) {
  const isForm = Array.isArray(body);
  const type = isForm ? "application/x-www-form-urlencoded" : "application/json";
  const response = await fetch(`${home}${target}`, {
    method,
    headers: { ...(body !== undefined && { "content-type": type }), ...headers },
    body: body === undefined ? undefined : isForm ? new URLSearchParams(body) : typeof body === "string" ? body : JSON.stringify(body),
  });
  const text = await response.text();
  const key = `${method} ${path} ${response.status}`;
  const pointer = `/paths/${path.replaceAll("/", "~1")}/${method.toLowerCase()}/responses/${response.status}`;
  const documented = document.paths[path]?.[method.toLowerCase()]?.responses[response.status];
  check(key, documented, "is not documented");
  const content = documented?.content?.["application/json"];
  if (content) {
    const encoded = pointer.split("/").map(encodeURIComponent).join("/");
    const validate = ajv.getSchema(`openapi#${encoded}/content/application~1json/schema`);
    check(key, validate(JSON.parse(text)), `${text} ${JSON.stringify(validate.errors)}`);
  } else {
    check(key, text === "", `has a body that is not documented: ${text}`);
  }
  seen.add(key);
  return text === "" ? undefined : JSON.parse(text);
}

const ada = { username: "ada", password: "correct horse battery", email: "ada@example.org" };
const bearer = ({ access_token: token }) => ({ authorization: `Bearer ${token}` });
const basic = { authorization: `Basic ${btoa(`api:${secret}`)}` };
const large = "x".repeat(2 * 1024 * 1024);

await send("POST", "/register", ada);
await send("POST", "/register", ada);
await send("POST", "/register", { username: "bo", password: "correct horse battery" });
await send("POST", "/register", { username: "cy" });
await send("POST", "/login", { ...ada, password: "a wrong password" });
await send("POST", "/login", {});
const tokens = await send("POST", "/login", ada);
await send("POST", "/refresh", {});
await send("POST", "/refresh", { refresh_token: "none" });
const refreshed = await send("POST", "/refresh", { refresh_token: tokens.refresh_token });
await send("GET", "/users/me");
await send("GET", "/users/me", undefined, bearer(refreshed));
await send("PUT", "/users/me", { first_name: "Ada", last_name: "Lovelace" }, bearer(refreshed));
await send("PUT", "/users/me", { username: "bo" }, bearer(refreshed));
await send("PUT", "/users/me", { username: "" }, bearer(refreshed));
await send("PUT", "/users/me", { first_name: "Ada" });
const readUsers = async (headers, id) => {
  await send("GET", "/users", undefined, headers);
  await send("GET", "/users", undefined, headers, "/users?limit=1&search=ada&role=admin");
  await send("GET", "/users", undefined, headers, "/users?limit=0&after=x");
  await send("GET", "/users/{id}", undefined, headers, `/users/${id}`);
  await send("GET", "/users/{id}", undefined, headers, "/users/1");
};
const { id } = await send("GET", "/users/me", undefined, bearer(refreshed));
await readUsers({}, id);
await readUsers(bearer(refreshed), id);
stop.run(["user", "set-roles", "ada", "admin"]);
await readUsers(bearer(refreshed), id);
// One administrator remains, so that Ada can delete her account below.
await send("POST", "/register", { username: "dee", password: "correct horse battery" });
stop.run(["user", "set-roles", "dee", "admin"]);
stop.run(["user", "set-roles", "ada", "user"]);
await send("GET", "/protected");
await send("GET", "/protected", undefined, bearer(refreshed));
await send("POST", "/token", [["username", "ada"], ["password", ada.password]]);
await send("POST", "/token", [["username", "ada"], ["password", "a wrong password"]]);
await send("POST", "/token", [["grant_type", "client_credentials"]]);
await send("POST", "/introspect", [["token", refreshed.access_token]], basic);
await send("POST", "/introspect", [["token", "none"]], basic);
await send("POST", "/introspect", [["token", refreshed.access_token]]);
await send("POST", "/introspect", [["client_id", "api"], ["client_secret", secret]]);
for (const [method, path] of [["POST", "/register"], ["POST", "/login"], ["POST", "/refresh"], ["PUT", "/users/me"], ["DELETE", "/users/me"]]) {
  await send(method, path, { password: large }, bearer(refreshed));
}
for (const path of ["/token", "/revoke", "/introspect"]) await send("POST", path, [["token", large]]);
await send("DELETE", "/users/me/pending-email", undefined, bearer(refreshed));
await send("DELETE", "/users/me/pending-email");
await send("DELETE", "/users/me", { password: "a wrong password" }, bearer(refreshed));
await send("DELETE", "/users/me");
await send("DELETE", "/users/me", undefined, bearer(refreshed));
const bo = await send("POST", "/login", { username: "bo", password: "correct horse battery" });
await send("POST", "/revoke", [["token", bo.refresh_token]]);
await send("POST", "/revoke", []);
const other = await send("POST", "/login", { username: "bo", password: "correct horse battery" });
stop.run(["user", "disable", "bo"]);
await readUsers(bearer(other), id);
for (const [method, path] of [["GET", "/users/me"], ["GET", "/protected"], ["PUT", "/users/me"], ["DELETE", "/users/me"], ["DELETE", "/users/me/pending-email"]]) {
  await send(method, path, method === "PUT" ? {} : undefined, bearer(other));
}
await send("POST", "/login", { username: "bo", password: "correct horse battery" });
await stop();

// The throttle with low limits, for actions that require the current password.
const limits = { THROTTLE: "true", LIMIT_USERNAME_CHANGES_PER_DAY: "1", LIMIT_WRONG_CURRENT_PASSWORDS_PER_15_MINUTES: "1", LIMIT_REGISTRATIONS_PER_HOUR: "2" };
const throttled = await start(binary, port, { BCRYPT_COST: "10", ...limits });
await send("POST", "/register", ada);
const counted = bearer(await send("POST", "/login", ada));
await send("PUT", "/users/me", { username: "grace" }, counted);
await send("PUT", "/users/me", { username: "linus" }, counted);
await send("POST", "/register", { username: "bo", password: "correct horse battery" });
for (let attempt = 0; attempt < 2; attempt += 1) await send("DELETE", "/users/me", { password: "a wrong password" }, counted);
await throttled();

// Responses that require other settings: registration disabled and the throttle enabled.
const strict = await start(binary, port, { BCRYPT_COST: "10", THROTTLE: "true", REGISTRATION_ENABLED: "false", OAUTH_CLIENTS: `api:${secret}` }, (run) => {
  run(["migrate"]);
});
await send("POST", "/register", ada);
for (let attempt = 0; attempt < 10; attempt += 1) await send("POST", "/login", { username: "dee", password: "a wrong password" });
await send("POST", "/login", { username: "dee", password: "a wrong password" });
await send("POST", "/token", [["username", "dee"], ["password", "a wrong password"]]);
await strict();

// Other tests cover slow bodies, conflicts, failures and outages.
const testedElsewhere = new Set(["408", "409", "500", "503"]);
for (const [path, item] of Object.entries(document.paths)) {
  for (const [method, { responses }] of Object.entries(item)) {
    const missing = Object.keys(responses).filter((status) => !testedElsewhere.has(status) && !seen.has(`${method.toUpperCase()} ${path} ${status}`));
    if (missing.length > 0) console.log(`not tested: ${method.toUpperCase()} ${path} ${missing.join(", ")}`);
  }
}
finish();
