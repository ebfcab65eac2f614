// Tests clients with trusted documents: the manifest of Apollo's command, Apollo Client and urql, which send ids, and clients that send
// documents.
// node trusted.mjs <binary>

import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { ApolloClient, ApolloLink, gql, HttpLink, InMemoryCache } from "@apollo/client";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { generatePersistedQueryIdsFromManifest } from "@apollo/persisted-query-lists";
import { Client, fetchExchange } from "@urql/core";
import { persistedExchange } from "@urql/exchange-persisted";
import { check, finish } from "./checks.mjs";
import { emptyFolder, start } from "./server.mjs";

const port = 8122;
const url = `http://127.0.0.1:${port}/graphql`;
const LISTED = "query Info { serverInfo { emailRequired } }";
const UNLISTED = "query Other { serverInfo { mailEnabled } }";

const folder = emptyFolder();
writeFileSync(join(folder, "operations.graphql"), LISTED);
writeFileSync(join(folder, "persisted-query-manifest.config.json"), JSON.stringify({ documents: ["*.graphql"] }));
execFileSync(resolve(import.meta.dirname, "node_modules/.bin/generate-persisted-query-manifest"), { cwd: folder });
const path = join(folder, "persisted-query-manifest.json");
const manifest = JSON.parse(readFileSync(path, "utf8"));
const id = manifest.operations[0].id;
const stop = await start(process.argv[2], port, { TRUSTED_DOCUMENTS: path });

/** Sends an operation by Apollo Client. Returns the bodies of the requests, and the data or the error's code. */
async function apollo(text, links = []) {
  const bodies = [];
  const recording = (address, options) => {
    bodies.push(JSON.parse(options.body));
    return fetch(address, options);
  };
  const link = ApolloLink.from([...links, new HttpLink({ uri: url, fetch: recording })]);
  const client = new ApolloClient({ link, cache: new InMemoryCache() });
  const outcome = await client.query({ query: gql(text) }).then(
    ({ data }) => data.serverInfo.emailRequired,
    (error) => error.errors?.[0].extensions.code ?? error.message,
  );
  return { bodies, outcome };
}

const idsOf = (operations) =>
  new PersistedQueryLink(
    generatePersistedQueryIdsFromManifest({ loadManifest: async () => ({ ...manifest, operations }) }),
  );

const byId = await apollo(LISTED, [idsOf(manifest.operations)]);
check("Apollo Client sends the id of a listed document", byId.outcome === false && byId.bodies[0].query === undefined, byId);

const unknown = await apollo(LISTED, [idsOf([{ ...manifest.operations[0], id: "unknown" }])]);
check("an unknown id fails", unknown.outcome === "PERSISTED_QUERY_NOT_IN_LIST", unknown);
check("Apollo Client does not send the document after an unknown id", unknown.bodies.length === 1, unknown.bodies);

const byText = await apollo(LISTED);
check("a client without ids may send a listed document", byText.outcome === false, byText);

const unlisted = await apollo(UNLISTED);
check("another document fails", unlisted.outcome === "QUERY_NOT_IN_SAFELIST", unlisted);

const exchanges = [persistedExchange({ generateHash: async () => id, enforcePersistedQueries: true }), fetchExchange];
const urql = new Client({ url, exchanges, preferGetMethod: false });
const { data, error } = await urql.query(LISTED, {}).toPromise();
check("urql sends the id of a listed document", data?.serverInfo.emailRequired === false, data, error?.message);

const page = await fetch(`http://127.0.0.1:${port}/`, { headers: { accept: "text/html" } });
check("there is no explorer", page.status === 404, page.status);

await stop();
finish(7);
