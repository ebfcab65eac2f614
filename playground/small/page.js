// The explorer of builds without npm: an operation, its variables and the response.

import { operations } from "./operations.js";
import { qrCodeUrl } from "./post.js";
import { isSignedIn, send, signOut, status, subscribe } from "./session.js";

const at = (id) => document.getElementById(id);

const buttons = operations.map(({ name, query, variables }) => {
  const button = document.createElement("button");
  button.textContent = name;
  button.addEventListener("click", () => {
    at("query").value = query;
    at("variables").value = variables;
    at("answer").textContent = "";
    for (const other of buttons) other.setAttribute("aria-pressed", other === button);
  });
  return button;
});
at("operations").append(...buttons);
buttons[0].click();

// The server adds links to what it offers. The development mailbox asks for the key that the server logs at startup.
for (const { title, href } of document.querySelectorAll("link[rel=help]")) {
  at("links").append(Object.assign(document.createElement("a"), { textContent: title, href }));
}

function show() {
  at("status").textContent = status();
  at("status").dataset.signedIn = isSignedIn();
  at("sign-out").hidden = !isSignedIn();
  if (!isSignedIn()) showQrCode("");
}
subscribe(show);
show();
at("sign-out").addEventListener("click", signOut);

function showQrCode(url) {
  at("qr-code").hidden = !url;
  if (url) at("qr-code").src = url;
  else at("qr-code").removeAttribute("src");
}

async function run() {
  const variables = at("variables").value.trim();
  try {
    at("answer").textContent = "…";
    const request = { query: at("query").value, variables: variables ? JSON.parse(variables) : undefined };
    const response = await send(request);
    at("answer").textContent = JSON.stringify(response, null, 2);
    showQrCode(qrCodeUrl(response.data));
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
