// Tests clients with automatic persisted queries. Apollo's link and urql's exchange first send a hash, learn that this server does not
// support persisted queries, send the document, and never send a hash again.
// node persisted.mjs <binary>

import { createHash } from "node:crypto";
import { ApolloClient, ApolloLink, gql, HttpLink, InMemoryCache } from "@apollo/client";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { Client, fetchExchange } from "@urql/core";
import { persistedExchange } from "@urql/exchange-persisted";
import { fail, finish, pass } from "./checks.mjs";
import { start } from "./server.mjs";

const port = 8131;
const url = `http://127.0.0.1:${port}/graphql`;
const QUERY = "query Info($yes: Boolean = true) { serverInfo { registrationEnabled @include(if: $yes) } }";
const OTHER = "query Other { serverInfo { emailRequired } }";
const MUTATION = "mutation Logout { logout { revokedSessions } }";
const hashOf = (text) => createHash("sha256").update(text).digest("hex");

/** A `fetch` that records which requests had a hash and which had a document. */
function recorder(accept) {
  const sent = [];
  const recording = (address, options = {}) => {
    const method = options.method ?? "GET";
    const { query, extensions } = method === "GET" ? Object.fromEntries(new URL(address).searchParams) : JSON.parse(options.body);
    sent.push(`${method}${JSON.stringify(extensions ?? "").includes("persistedQuery") ? " hash" : ""}${query ? " document" : ""}`);
    return fetch(address, accept ? { ...options, headers: { ...options.headers, accept } } : options);
  };
  return { sent, recording };
}

function apollo(useGETForHashedQueries, accept) {
  const { sent, recording } = recorder(accept);
  const persisted = new PersistedQueryLink({ sha256: hashOf, useGETForHashedQueries });
  const link = ApolloLink.from([persisted, new HttpLink({ uri: url, fetch: recording })]);
  const client = new ApolloClient({ link, cache: new InMemoryCache() });
  const ask = async (text, isMutation) => {
    const document = gql(text);
    const { data } = await (isMutation ? client.mutate({ mutation: document }) : client.query({ query: document }));
    return data;
  };
  return { sent, ask };
}

function urql(preferGetForPersistedQueries, accept) {
  const { sent, recording } = recorder(accept);
  const persisted = persistedExchange({ preferGetForPersistedQueries, enableForMutation: true });
  const client = new Client({ url, fetch: recording, exchanges: [persisted, fetchExchange], preferGetMethod: false });
  const ask = async (text, isMutation) => {
    const { data, error } = await (isMutation ? client.mutation(text, {}) : client.query(text, {})).toPromise();
    if (error) throw error;
    return data;
  };
  return { sent, ask };
}

const stop = await start(process.argv[2], port);
const RESPONSE = "application/graphql-response+json";
const clients = {
  "Apollo, POST": [apollo(false), "POST hash,POST document"],
  "Apollo, GET": [apollo(true), "GET hash,POST document"],
  "Apollo, JSON": [apollo(false, "application/json"), "POST hash,POST document"],
  "Apollo, only the new type": [apollo(true, RESPONSE), "GET hash,POST document"],
  "urql, POST": [urql(false), "POST hash,POST document"],
  "urql, GET": [urql("force"), "GET hash,GET document"],
  "urql, JSON": [urql(false, "application/json"), "POST hash,POST document"],
  "urql, only the new type": [urql("force", RESPONSE), "GET hash,GET document"],
};
for (const [name, [{ sent, ask }, expected]] of Object.entries(clients)) {
  try {
    const { serverInfo } = await ask(QUERY);
    if (serverInfo.registrationEnabled !== true) throw new Error(`answered ${JSON.stringify(serverInfo)}`);
    if (String(sent) !== expected) throw new Error(`sent ${sent}`);
    await ask(OTHER);
    const { logout } = await ask(MUTATION, true);
    if (logout.revokedSessions !== 0) throw new Error(`answered ${JSON.stringify(logout)}`);
    if (sent.slice(2).some((request) => request.includes("hash"))) throw new Error(`sent ${sent}`);
    pass();
  } catch (error) {
    fail(name, error.message, `after ${sent}`);
  }
}
await stop();
finish(Object.keys(clients).length);
