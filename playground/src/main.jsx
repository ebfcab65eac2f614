// The explorer: GraphiQL with starting tabs and a status line.

import "./workers.js";
import "@graphiql/react/style.css";
import "@graphiql/plugin-doc-explorer/style.css";
import "@graphiql/plugin-history/style.css";
import "graphiql/graphiql.css";
import "./style.css";

import { pick, useGraphiQL, useGraphiQLActions } from "@graphiql/react";
import { GraphiQL } from "graphiql";
import { buildSchema, introspectionFromSchema, Kind, parse } from "graphql";
import { useEffect, useState, useSyncExternalStore } from "react";
import { createRoot } from "react-dom/client";
import { storage } from "./history.js";
import { findOperation, operations, withInput } from "./operations.js";
import { askBrowser, buttonText, obstacle } from "./passkey.js";
import { ceremony, isSignedIn, qrCode, send, signOut, status, subscribe } from "./session.js";
import { signInUrl } from "./signin.js";

// The operation name of GraphiQL's introspection query, to tell it from the user's operations.
const INTROSPECTION = "SchemaOfTheExplorer";

async function fetcher(request, { headers } = {}) {
  const answer = request.operationName === INTROSPECTION ? await publishedSchema() : undefined;
  return answer ?? send({ ...request, operationName: operationName(request) }, headers);
}

/**
 * The published schema as an introspection result. The server's own introspection omits types that no field returns.
 * Undefined if introspection is off.
 */
async function publishedSchema() {
  const response = await fetch("schema.graphql");
  return response.ok ? { data: introspectionFromSchema(buildSchema(await response.text())) } : undefined;
}

/** Right after a change of tabs, GraphiQL still sends the operation name of the previous tab. */
function operationName({ query, operationName }) {
  try {
    const operations = parse(query).definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION);
    return operations.length === 1 ? operations[0].name?.value : operationName;
  } catch {
    // The server's error is better.
    return operationName;
  }
}

// The server adds links to what it offers. The development mailbox asks for the key that the server logs at startup.
const links = ["help", "license"].flatMap((rel) => [...document.querySelectorAll(`link[rel=${rel}]`)]);

function Explorer() {
  const tabs = operations.map(({ query, variables }) => ({ query, variables }));
  // GraphiQL does not put the first tab's variables into the editor. Restored tabs have their own.
  const start = storage.getItem("graphiql:tabState") ? {} : tabs[0];
  return (
    <GraphiQL
      fetcher={fetcher}
      storage={storage}
      defaultTabs={tabs}
      initialQuery={start.query}
      initialVariables={start.variables}
      defaultEditorToolsVisibility="variables"
      introspectionQueryName={INTROSPECTION}
      shouldPersistHeaders={false}
    >
      <GraphiQL.Logo>
        <Session />
      </GraphiQL.Logo>
      <GraphiQL.Footer>
        <QrCode />
        <Passkey />
        <span>Requests include your access token, unless Headers has an Authorization.</span>
        <nav>
          {links.map(({ title, href }) => (
            <a key={href} href={href}>
              {title}
            </a>
          ))}
        </nav>
      </GraphiQL.Footer>
    </GraphiQL>
  );
}

/** GraphiQL applies the system's theme to its editors only when it loads. Its settings may have another theme. */
function useSystemTheme() {
  const theme = useGraphiQL((state) => state.theme);
  const { setTheme } = useGraphiQLActions();
  useEffect(() => {
    const system = matchMedia("(prefers-color-scheme: dark)");
    const apply = () => setTheme(theme);
    system.addEventListener("change", apply);
    return () => system.removeEventListener("change", apply);
  }, [theme, setTheme]);
}

function Session() {
  useSystemTheme();
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
      {!isSignedIn() && signInUrl() && <a href={signInUrl()}>Sign in</a>}
    </div>
  );
}

/** The QR code of the last response, below it. */
function QrCode() {
  const url = useSyncExternalStore(subscribe, qrCode);
  return url && <img className="qr-code" src={url} alt="QR code for the authenticator app" />;
}

/** The passkey ceremony of the last response, below it, in its tab. */
function Passkey() {
  const started = useSyncExternalStore(subscribe, ceremony);
  const run = useOperation();
  // Each ceremony starts without the message of the one before.
  return started && <Ceremony key={started.options.challenge} {...started} run={run} />;
}

/** Lets the browser create or use a passkey, and runs the operation that sends it to the server. */
function Ceremony({ options, operation, input, run }) {
  const [message, setMessage] = useState(obstacle);
  const [isWaiting, setWaiting] = useState(false);
  const tab = useGraphiQL(({ tabs, activeTabIndex }) => tabs[activeTabIndex].id);
  const [ownTab] = useState(tab);
  const ask = async () => {
    setMessage("");
    setWaiting(true);
    try {
      run(operation, input(await askBrowser(options)));
    } catch (error) {
      setMessage(error.message);
    }
    setWaiting(false);
  };
  if (tab !== ownTab) return undefined;
  return (
    <div className="passkey">
      {!obstacle() && (
        <button type="button" disabled={isWaiting} onClick={ask}>
          {buttonText(options)}
        </button>
      )}
      <span role="status">{message}</span>
    </div>
  );
}

/** A function that runs an operation with this input, in its tab, which is opened if it is not there. */
function useOperation() {
  const { addTab, changeTab, run, updateActiveTabValues } = useGraphiQLActions();
  const { queryEditor, variableEditor, tabs } = useGraphiQL(pick("queryEditor", "variableEditor", "tabs"));
  return (name, input) => {
    const index = tabs.findIndex(({ title }) => title === name);
    if (index < 0) {
      addTab();
      queryEditor.setValue(findOperation(name).query);
    } else {
      changeTab(index);
    }
    variableEditor.setValue(withInput(variableEditor.getValue(), input));
    // The tab follows the editors with a delay, and the history has what the tab has.
    updateActiveTabValues({ query: queryEditor.getValue(), variables: variableEditor.getValue(), operationName: name });
    run();
  };
}

createRoot(document.getElementById("explorer")).render(<Explorer />);
