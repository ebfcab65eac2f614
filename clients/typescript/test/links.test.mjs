import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { ApolloClient, ApolloLink, CombinedGraphQLErrors, HttpLink, InMemoryCache, Observable, gql as apolloGql } from "@apollo/client";
import { Client, cacheExchange, fetchExchange } from "@urql/core";
import { clearOnUserChange, hallpassLink } from "../dist/apollo.js";
import { hallpassExchange } from "../dist/urql.js";
import { NETWORK_FAILURE, PASSWORD, browser, newName, rejectTokens, settled, startServer, until } from "./support.mjs";

const ME = "query Me { me { id username firstName } }";
const RENAME = 'mutation Rename { updateProfile(input: { firstName: "Ada" }) { user { id firstName } } }';
const INFO = "query Info { serverInfo { mailEnabled } }";

/** The same operations by each client. `run` returns the data, or throws the client's error. */
const clients = {
  apollo(hallpass, chrome, url) {
    const http = new HttpLink({ uri: url, fetch: chrome.fetch, credentials: "include" });
    const client = new ApolloClient({ link: ApolloLink.from([hallpassLink(hallpass), http]), cache: new InMemoryCache() });
    const run = async (text, context) => {
      const document = apolloGql(text);
      const options = { context, fetchPolicy: "no-cache" };
      const request = text.startsWith("mutation")
        ? client.mutate({ mutation: document, ...options })
        : client.query({ query: document, ...options });
      return (await request).data;
    };
    const codeOf = (error) => (CombinedGraphQLErrors.is(error) ? error.errors[0].extensions.code : error.code);
    return { run, codeOf };
  },
  urql(hallpass, chrome, url) {
    const client = new Client({
      url,
      fetch: chrome.fetch,
      fetchOptions: { credentials: "include" },
      preferGetMethod: false,
      requestPolicy: "network-only",
      exchanges: [cacheExchange, hallpassExchange(hallpass), fetchExchange],
    });
    const run = async (text, context) => {
      const { data, error } = await (text.startsWith("mutation") ? client.mutation(text, {}, context) : client.query(text, {}, context));
      if (error) throw error;
      return data;
    };
    const codeOf = (error) => error.graphQLErrors[0]?.extensions.code ?? error.networkError.code;
    return { run, codeOf };
  },
};

let server;
const browsers = [];
before(async () => (server = await startServer()));
after(() => server.stop());
afterEach(() => browsers.splice(0).forEach((opened) => opened.close()));

for (const [name, connect] of Object.entries(clients)) {
  async function signedIn() {
    const chrome = browser(server.url);
    browsers.push(chrome);
    const tab = chrome.open();
    await settled(tab);
    const username = newName();
    await tab.register({ username, password: PASSWORD });
    return { chrome, tab, username, ...connect(tab, chrome, server.url) };
  }

  test(`${name}: operations have the access token`, async () => {
    const { run, username } = await signedIn();
    assert.equal((await run(ME)).me.username, username);
  });

  test(`${name}: an operation waits until the page knows who is signed in`, async () => {
    const { chrome, username } = await signedIn();
    const reloaded = chrome.open();
    const { run } = connect(reloaded, chrome, server.url);
    assert.equal((await run(ME)).me.username, username);
  });

  test(`${name}: ten parallel operations with a rejected token cause one refresh`, async () => {
    const { chrome, run, username } = await signedIn();
    rejectTokens(chrome, 10);
    const before = chrome.count("RefreshToken");
    // Different texts, because clients send equal ones once.
    const results = await Promise.all(Array.from({ length: 10 }, (_, i) => run(`query Me { me { id username a${i}: username } }`)));
    assert.ok(results.every(({ me }) => me.username === username));
    assert.equal(chrome.count("RefreshToken") - before, 1);
  });

  test(`${name}: an operation is repeated only once`, async () => {
    const { chrome, run, codeOf } = await signedIn();
    rejectTokens(chrome, Infinity);
    await assert.rejects(run(ME), (error) => codeOf(error) === "UNAUTHENTICATED");
    assert.equal(chrome.count("Me"), 2);
  });

  test(`${name}: a rejected mutation is repeated and executed once`, async () => {
    const { chrome, run } = await signedIn();
    rejectTokens(chrome, 1);
    assert.equal((await run(RENAME)).updateProfile.user.firstName, "Ada");
    assert.equal(chrome.count("Rename"), 2);
  });

  test(`${name}: the user follows the data of responses`, async () => {
    const { run, tab } = await signedIn();
    await run(RENAME);
    assert.equal(tab.getState().user.firstName, "Ada");
  });

  test(`${name}: a session that was ended elsewhere signs out without a refresh`, async () => {
    const { chrome, run, tab, username, codeOf } = await signedIn();
    const phone = browser(server.url);
    browsers.push(phone);
    const app = phone.open({ tokenDelivery: "BODY" });
    await settled(app);
    await app.login({ username, password: PASSWORD });
    await app.logout({ everywhere: true });
    const before = chrome.count("RefreshToken");
    await assert.rejects(run(ME), (error) => codeOf(error) === "UNAUTHENTICATED");
    assert.equal((await until(tab, ({ status }) => status === "signedOut")).reason, "SESSION_REVOKED");
    assert.equal(chrome.count("RefreshToken"), before);
  });

  test(`${name}: an offline device gets a network error and stays signed in`, async (t) => {
    const { chrome, run, tab, codeOf } = await signedIn();
    const clock = performance.now();
    t.mock.method(performance, "now", () => clock + 31 * 60 * 1000);
    chrome.faults.before = NETWORK_FAILURE;
    await assert.rejects(run(ME), (error) => codeOf(error) === "NETWORK_ERROR");
    assert.equal(tab.getState().status, "signedIn");
    assert.equal(chrome.count("Me"), 0, "a request with an expired token is not sent");
  });

  test(`${name}: what one user asked for is not repeated as another user`, async () => {
    const { chrome, run, tab, codeOf } = await signedIn();
    const bob = newName();
    const other = chrome.open();
    await settled(other);
    chrome.faults.before = async ({ operation }) => {
      if (operation !== "Rename") return;
      chrome.faults.before = async () => {};
      await other.register({ username: bob, password: PASSWORD });
      await until(tab, ({ user }) => user.username === bob);
    };
    await assert.rejects(run(RENAME), (error) => codeOf(error) === "UNAUTHENTICATED");
    assert.equal((await run(ME)).me.username, bob);
    assert.equal((await run(ME)).me.firstName, null);
  });

  test(`${name}: a public operation has no token and does not wait`, async () => {
    const { chrome, run: runSignedIn } = await signedIn();
    await runSignedIn(INFO, { isPublic: true });
    assert.equal(chrome.sent.at(-1).authorization, null);
    const loading = browser(server.url);
    browsers.push(loading);
    loading.faults.before = async ({ operation }) => (operation === "RefreshToken" ? NETWORK_FAILURE() : undefined);
    const { run } = connect(loading.open(), chrome, server.url);
    assert.equal((await run(INFO, { isPublic: true })).serverInfo.mailEnabled, true);
    assert.equal(chrome.sent.at(-1).authorization, null);
  });

  test(`${name}: without a session an operation is sent once without a token`, async () => {
    const chrome = browser(server.url);
    browsers.push(chrome);
    const tab = chrome.open();
    const { run, codeOf } = connect(tab, chrome, server.url);
    await assert.rejects(run(ME), (error) => codeOf(error) === "UNAUTHENTICATED");
    assert.equal(chrome.count("Me"), 1);
    assert.equal(chrome.count("RefreshToken"), 1, "only that of the start");
  });
}

test("apollo: the cache is cleared when the user signs out", async () => {
  const chrome = browser(server.url);
  browsers.push(chrome);
  const tab = chrome.open();
  await settled(tab);
  const http = new HttpLink({ uri: server.url, fetch: chrome.fetch });
  const client = new ApolloClient({ link: ApolloLink.from([hallpassLink(tab), http]), cache: new InMemoryCache() });
  const stop = clearOnUserChange(client, tab);
  await tab.register({ username: newName(), password: PASSWORD });
  await client.query({ query: apolloGql(ME) });
  assert.ok(Object.keys(client.cache.extract()).length > 0);
  await tab.logout();
  assert.deepEqual(client.cache.extract(), {});
  stop();
});

test("apollo: a stream goes on each time that its token has expired, but is not sent twice in a row", async (t) => {
  const renewals = [];
  const streams = [];
  const authorization = { accessToken: "token", userId: "user" };
  const hallpass = {
    authorize: async () => authorization,
    recover: async (_, reason, isRetry) => (renewals.push(`${reason} ${isRetry}`), isRetry ? null : authorization),
    observe: () => {},
  };
  const server = new ApolloLink(() => new Observable((observer) => void streams.push(observer)));
  const client = new ApolloClient({ link: ApolloLink.from([hallpassLink(hallpass), server]), cache: new InMemoryCache() });
  const received = [];
  const stream = client.subscribe({ query: apolloGql("subscription Account { accountEvents { endsSession } }") });
  stream.subscribe({ next: ({ data, error }) => received.push(error ? "error" : data), complete: () => received.push("complete") });
  let time = performance.now();
  t.mock.method(performance, "now", () => time);
  const expire = async () => {
    await new Promise(setImmediate);
    streams.at(-1).next({ errors: [{ message: "expired", extensions: { code: "UNAUTHENTICATED", reason: "TOKEN_EXPIRED" } }] });
    streams.at(-1).complete();
    await new Promise(setImmediate);
  };
  await expire();
  time += 60_000;
  await expire();
  await expire();
  assert.deepEqual(renewals, ["TOKEN_EXPIRED false", "TOKEN_EXPIRED false", "TOKEN_EXPIRED true"]);
  assert.deepEqual(received, ["error", "complete"]);
});
