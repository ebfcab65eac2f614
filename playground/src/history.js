// Where GraphiQL keeps what it remembers: its history of this server in localStorage without secrets, everything else in sessionStorage,
// because the open tabs may have a password in their variables.

import { Kind, parse, TokenKind, visit } from "graphql";
import { isSecret } from "./secrets.js";

const server = document.querySelector("link[rel=canonical]").href;

// The theme is not about the server.
const LASTING = ["graphiql:theme", "graphiql:queries", "graphiql:favorites"];

/** The store of an item, and its name there. Servers with the same address, such as tunnels, have separate histories. */
function place(key) {
  if (!LASTING.includes(key)) return [sessionStorage, key];
  return [localStorage, key === "graphiql:theme" ? key : `hallpass:${server}:${key}`];
}

/** For GraphiQL's `storage`. */
export const storage = {
  getItem(key) {
    const [store, name] = place(key);
    return store.getItem(name);
  },
  setItem(key, value) {
    const [store, name] = place(key);
    store.setItem(name, name === key ? value : withoutSecrets(value));
  },
  removeItem(key) {
    const [store, name] = place(key);
    store.removeItem(name);
  },
  clear() {
    for (const key of Object.keys(sessionStorage).filter((key) => key.startsWith("graphiql:"))) storage.removeItem(key);
    for (const key of LASTING) storage.removeItem(key);
  },
  get length() {
    return sessionStorage.length;
  },
};

/** Lists of operations as GraphiQL writes them: `{ "queries": [ … ] }`. */
function withoutSecrets(text) {
  const lists = Object.entries(JSON.parse(text));
  return JSON.stringify(Object.fromEntries(lists.map(([name, operations]) => [name, operations.map(redact)])));
}

/** Removes what is written for a secret: in the document, in its comments and in the variables. Headers are removed. */
function redact({ query, variables, headers, ...rest }) {
  const document = parse(query);
  const secretVariables = new Set();
  const cuts = [];
  const cut = ({ start, end }, replacement) => cuts.push({ start, end, replacement });
  const redactValue = ({ name, value }) => {
    if (!isSecret(name.value)) return undefined;
    visit(value, { Variable: (variable) => void secretVariables.add(variable.name.value) });
    if (value.kind !== Kind.VARIABLE) cut(value.loc, '""');
    return false;
  };
  visit(document, { Argument: redactValue, ObjectField: redactValue });
  const isSecretVariable = (name) => isSecret(name) || secretVariables.has(name);
  visit(document, {
    VariableDefinition({ variable, defaultValue }) {
      if (defaultValue && isSecretVariable(variable.name.value)) cut(defaultValue.loc, '""');
    },
  });
  for (let token = document.loc.startToken; token; token = token.next) {
    if (token.kind === TokenKind.COMMENT && /[:=]/.test(token.value) && isSecret(token.value)) cut(token, "#");
  }

  let redacted = "";
  let end = 0;
  for (const part of cuts.sort((a, b) => a.start - b.start)) {
    // A part of another one.
    if (part.start < end) continue;
    redacted += query.slice(end, part.start) + part.replacement;
    end = part.end;
  }
  return { ...rest, query: redacted + query.slice(end), variables: redactVariables(variables, isSecretVariable) };
}

function redactVariables(variables, isSecretVariable) {
  try {
    return JSON.stringify(JSON.parse(variables), (name, value) => (isSecretVariable(name) ? undefined : value), 2);
  } catch {
    // Empty, or JSON with comments or mistakes.
    return "";
  }
}
