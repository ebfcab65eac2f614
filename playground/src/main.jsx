// The explorer: GraphiQL with our starting tabs, and a line that says who is signed in.

import "./workers.js";
import "@graphiql/react/style.css";
import "@graphiql/plugin-doc-explorer/style.css";
import "@graphiql/plugin-history/style.css";
import "graphiql/graphiql.css";
import "./style.css";

import { GraphiQL } from "graphiql";
import { buildSchema, introspectionFromSchema, Kind, parse } from "graphql";
import { useSyncExternalStore } from "react";
import { createRoot } from "react-dom/client";
import { operations } from "./operations.js";
import { isSignedIn, send, signOut, status, subscribe } from "./session.js";

// What one types may hold a password, and GraphiQL keeps what one types: so it does until the browser's tab is closed, not
// on the disk. The theme alone is worth keeping.
const THEME = "graphiql:theme";
const storage = {
  getItem: (key) => (key === THEME ? localStorage : sessionStorage).getItem(key),
  setItem: (key, value) => (key === THEME ? localStorage : sessionStorage).setItem(key, value),
  removeItem: (key) => (key === THEME ? localStorage : sessionStorage).removeItem(key),
  clear() {
    for (const key of Object.keys(sessionStorage).filter((key) => key.startsWith("graphiql:"))) storage.removeItem(key);
    storage.removeItem(THEME);
  },
  get length() {
    return sessionStorage.length;
  },
};

// GraphiQL's name for its own question. Nobody types it, so that it can be told from what one runs.
const SCHEMA_QUESTION = "SchemaOfTheExplorer";

async function fetcher(request, { headers } = {}) {
  const answer = request.operationName === SCHEMA_QUESTION ? await publishedSchema() : undefined;
  return answer ?? send({ ...request, operationName: operationName(request) }, headers);
}

/**
 * The schema as it is published, in the shape of an introspection. A real introspection leaves out what no field returns,
 * which is ErrorExtensions and with it every error code. Nothing where the server tells its schema to nobody.
 */
async function publishedSchema() {
  const response = await fetch("/schema.graphql");
  return response.ok ? { data: introspectionFromSchema(buildSchema(await response.text())) } : undefined;
}

/** Right after a change of tabs GraphiQL still has the operation of the tab before; where there is just one, it is meant. */
function operationName({ query, operationName }) {
  try {
    const operations = parse(query).definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION);
    return operations.length === 1 ? operations[0].name?.value : operationName;
  } catch {
    // The server says better what is wrong with it.
    return operationName;
  }
}

// The server says whether there is such a page. It asks for a key, which the server prints at its start.
const mails = document.querySelector("link[rel=help]");

function Explorer() {
  const tabs = operations.map(({ query, variables }) => ({ query, variables }));
  // GraphiQL does not put a first tab's variables into the editor by itself. Tabs that are kept bring their own.
  const start = storage.getItem("graphiql:tabState") ? {} : tabs[0];
  return (
    <GraphiQL
      fetcher={fetcher}
      storage={storage}
      defaultTabs={tabs}
      initialQuery={start.query}
      initialVariables={start.variables}
      defaultEditorToolsVisibility="variables"
      introspectionQueryName={SCHEMA_QUESTION}
      shouldPersistHeaders={false}
    >
      <GraphiQL.Logo>
        <Session />
      </GraphiQL.Logo>
      <GraphiQL.Footer>
        <span>Your access token is sent along, unless Headers has an Authorization.</span>
        {mails && <a href={mails.href}>Mails</a>}
        <a href={document.querySelector("link[rel=license]").href}>Licences</a>
      </GraphiQL.Footer>
    </GraphiQL>
  );
}

function Session() {
  const text = useSyncExternalStore(subscribe, status);
  return (
    <div className="session">
      <span className="session-status" role="status" data-signed-in={isSignedIn()}>
        {text}
      </span>
      {isSignedIn() && (
        <button type="button" onClick={signOut}>
          Sign out
        </button>
      )}
    </div>
  );
}

createRoot(document.getElementById("explorer")).render(<Explorer />);
