import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ApolloClient, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { Client, fetchExchange } from "@urql/core";
import { GraphQLClient } from "graphql-request";
import { createHallpass, readErrors } from "../dist/index.js";
import { startServer } from "./support.mjs";

let server;
before(async () => (server = await startServer()));
after(() => server.stop());

const REGISTER = "mutation Register($input: RegisterInput!) { register(input: $input) { user { id } } }";
const INPUT = { username: "ada lovelace", password: "short" };
const NOWHERE = "http://127.0.0.1:9/graphql";

/** How each client sends a document, and reports what went wrong. */
const clients = {
  "this package": async (url, query, variables) => {
    await createHallpass({ url }).request(query, variables, { isPublic: true });
  },
  "Apollo Client": async (url, query, variables) => {
    const client = new ApolloClient({ link: new HttpLink({ uri: url }), cache: new InMemoryCache() });
    await client.mutate({ mutation: gql(query), variables });
  },
  urql: async (url, query, variables) => {
    const client = new Client({ url, exchanges: [fetchExchange], preferGetMethod: false });
    const { error } = await client.mutation(query, variables);
    if (error) throw error;
  },
  "graphql-request": async (url, query, variables) => {
    await new GraphQLClient(url).request(query, variables);
  },
  fetch: async (url, query, variables) => {
    const headers = { "content-type": "application/json" };
    const response = await fetch(url, { method: "POST", headers, body: JSON.stringify({ query, variables }) });
    const body = await response.json();
    if (body.errors) throw body;
  },
};

async function problemsOf(send, ...request) {
  const error = await send(...request).then(
    () => assert.fail("the request succeeded"),
    (error) => error,
  );
  return readErrors(error);
}

for (const [name, send] of Object.entries(clients)) {
  test(`${name}: invalid input is reported by field`, async () => {
    const problems = await problemsOf(send, server.url, REGISTER, { input: INPUT });
    assert.equal(problems.code, "INVALID_INPUT");
    assert.equal(problems.fields.username.code, "INVALID_USERNAME");
    assert.deepEqual(problems.fields.password, { code: "PASSWORD_TOO_SHORT", message: "Use at least 8 characters.", limit: 8 });
    assert.equal(problems.form, null, "the fields say it all");
    assert.match(problems.requestId, /^[0-9a-f-]{32,36}$/);
  });

  test(`${name}: a problem of no field is reported for the form`, async () => {
    const login = "mutation Login($input: LoginInput!) { login(input: $input) { accessToken } }";
    const problems = await problemsOf(send, server.url, login, { input: { username: "ada", password: "not the password" } });
    assert.equal(problems.code, "INVALID_CREDENTIALS");
    assert.equal(problems.form, problems.message);
    assert.ok(problems.message.length > 10);
  });

  test(`${name}: an invalid document is an error of the server`, async () => {
    const problems = await problemsOf(send, server.url, "mutation M { doesNotExist }", {});
    assert.equal(problems.code, "GRAPHQL_VALIDATION_FAILED");
  });

  test(`${name}: a lost connection is a network error`, async () => {
    const problems = await problemsOf(send, NOWHERE, REGISTER, { input: INPUT });
    assert.equal(problems.code, "NETWORK_ERROR");
    assert.match(problems.form, /connection/);
  });
}

test("the limits of attempts tell how long to wait", async () => {
  const limited = await startServer({ THROTTLE: "true" });
  const hallpass = createHallpass({ url: limited.url });
  let problems = readErrors(null);
  for (let attempt = 0; attempt < 20 && problems.code !== "RATE_LIMITED"; attempt += 1) {
    problems = await problemsOf((input) => hallpass.login(input), { username: "ada", password: "not the password" });
  }
  assert.equal(problems.code, "RATE_LIMITED");
  assert.ok(problems.retryAfter > 0);
  await limited.stop();
});

test("without an error there are no problems", () => {
  for (const none of [null, undefined]) {
    assert.deepEqual(readErrors(none), { code: null, message: null, form: null, fields: {}, retryAfter: null, mfa: null, requestId: null });
  }
});

test("an aborted request is no problem", () => {
  assert.equal(readErrors(new DOMException("aborted", "AbortError")).code, null);
});

test("the exceptions of navigator.credentials have codes and messages", () => {
  const codes = { NotAllowedError: "PASSKEY_CANCELLED", InvalidStateError: "PASSKEY_EXISTS", SecurityError: "PASSKEY_UNAVAILABLE" };
  for (const [name, code] of Object.entries(codes)) {
    const problems = readErrors(new DOMException("text of the browser", name));
    assert.equal(problems.code, code);
    assert.equal(problems.form, problems.message);
    assert.doesNotMatch(problems.message, /browser$/);
  }
});

test("an exception in the app is not shown to the user", () => {
  const problems = readErrors(new Error("undefined is not a function"));
  assert.equal(problems.code, "UNKNOWN_ERROR");
  assert.doesNotMatch(problems.message, /undefined/);
});

test("a page of a proxy is a network error", async () => {
  const hallpass = createHallpass({ url: server.url, fetch: async () => new Response("<h1>Bad Gateway</h1>", { status: 502 }) });
  const problems = await problemsOf((query) => hallpass.request(query, {}, { isPublic: true }), "{ serverInfo { mailEnabled } }");
  assert.equal(problems.code, "NETWORK_ERROR");
});
