// The explorer of builds without npm: an operation, its variables and the response.

import { findOperation, operations, withInput } from "./operations.js";
import { askBrowser, buttonText, obstacle, signalPasskeys, startedCeremony } from "./passkey.js";
import { qrCodeUrl } from "./post.js";
import { isSignedIn, send, signOut, status, subscribe } from "./session.js";
import { signInUrl } from "./signin.js";

const at = (id) => document.getElementById(id);
/** The passkey ceremony of the last response. */
let ceremony;

const buttons = operations.map((operation) => {
  const button = document.createElement("button");
  button.textContent = operation.name;
  button.addEventListener("click", () => load(operation));
  return button;
});
at("operations").append(...buttons);
load(operations[0]);

function load({ name, query, variables }) {
  at("query").value = query;
  at("variables").value = variables;
  at("answer").textContent = "";
  showCeremony(undefined);
  for (const button of buttons) button.setAttribute("aria-pressed", button.textContent === name);
}

// The server adds links to what it offers. The development mailbox asks for the key that the server logs at startup.
for (const { title, href } of document.querySelectorAll("link[rel=help]")) {
  at("links").append(Object.assign(document.createElement("a"), { textContent: title, href }));
}

function show() {
  at("status").textContent = status();
  at("status").dataset.signedIn = isSignedIn();
  at("sign-out").hidden = !isSignedIn();
  at("sign-in").hidden = isSignedIn() || !signInUrl();
  if (!isSignedIn()) showQrCode("");
}
at("sign-in").href = signInUrl();
subscribe(show);
show();
at("sign-out").addEventListener("click", signOut);

function showQrCode(url) {
  at("qr-code").hidden = !url;
  if (url) at("qr-code").src = url;
  else at("qr-code").removeAttribute("src");
}

/** Shows the passkey ceremony that the response starts. Hides the one before. */
function showCeremony(started) {
  ceremony = started;
  at("passkey").hidden = !started;
  if (!started) return;
  at("ask-browser").textContent = buttonText(started.options);
  at("ask-browser").hidden = obstacle() !== "";
  showPasskeyMessage(obstacle());
}

function showPasskeyMessage(text) {
  at("passkey-message").textContent = text;
  // The response may be longer than the window.
  at("passkey").scrollIntoView({ block: "nearest" });
}

/** Lets the browser create or use a passkey, and runs the operation that sends it to the server. */
async function askForPasskey() {
  const { options, operation, input } = ceremony;
  at("passkey-message").textContent = "";
  at("ask-browser").disabled = true;
  try {
    const credential = await askBrowser(options);
    load(findOperation(operation));
    at("variables").value = withInput(at("variables").value, input(credential));
    run();
  } catch (error) {
    showPasskeyMessage(error.message);
  }
  at("ask-browser").disabled = false;
}
at("ask-browser").addEventListener("click", askForPasskey);

async function run() {
  const variables = at("variables").value.trim();
  try {
    at("answer").textContent = "…";
    const request = { query: at("query").value, variables: variables ? JSON.parse(variables) : undefined };
    const response = await send(request);
    at("answer").textContent = JSON.stringify(response, null, 2);
    showQrCode(qrCodeUrl(response.data));
    showCeremony(startedCeremony(request, response.data));
    signalPasskeys(response.data);
  } catch (error) {
    at("answer").textContent = error instanceof SyntaxError ? `The variables are not JSON: ${error.message}` : error.message;
  }
}
// The page's content security policy forbids to submit forms.
at("request").addEventListener("submit", (event) => {
  event.preventDefault();
  run();
});
at("request").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) run();
});
