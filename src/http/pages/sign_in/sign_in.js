// Passkeys on the sign-in page. Everything else works without scripts.

const container = document.querySelector("#passkey");
const form = container.querySelector("form");
const problem = document.querySelector("#problem");

/** Ends the request that waits for autofill. */
let autofill = new AbortController();

/** Settles when that request has ended: a browser has one request at a time. */
let offered;

/** How often the request for autofill gets new options, in milliseconds. They expire after 15 minutes. */
const AUTOFILL_INTERVAL = 600_000;

/** Returns options for the browser, and the token that belongs to them. */
async function options() {
  const body = new URLSearchParams({ step: "passkey_options", token: form.elements.token?.value ?? "" });
  const response = await fetch(form.action, { method: "POST", body });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.detail);
  return answer;
}

/** Lets the browser use a passkey, and submits the form. */
async function usePasskey(parameters) {
  const { ceremonyToken, options: json } = await options();
  parameters.signal?.throwIfAborted();
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(json);
  const credential = await navigator.credentials.get({ publicKey, ...parameters });
  form.elements.ceremony_token.value = ceremonyToken;
  form.elements.credential.value = JSON.stringify(credential.toJSON());
  if (form.elements.remember) form.elements.remember.value = document.querySelector("#remember").checked ? "1" : "";
  form.submit();
}

async function onClick() {
  autofill.abort();
  await offered;
  problem.hidden = true;
  try {
    await usePasskey({});
  } catch (error) {
    // Browsers do not say whether the user cancelled or has no passkey.
    problem.textContent = error instanceof DOMException ? container.dataset.failed : error.message;
    problem.hidden = false;
  }
}

/** Offers passkeys in the field of the username. The user has not asked for it, so errors are not shown. */
async function offerAutofill() {
  if (!document.querySelector("#identifier") || !(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
  for (;;) {
    autofill = new AbortController();
    const timer = setTimeout(() => autofill.abort("expired"), AUTOFILL_INTERVAL);
    try {
      return await usePasskey({ mediation: "conditional", signal: autofill.signal });
    } catch (error) {
      if (error !== "expired") return;
    } finally {
      clearTimeout(timer);
    }
  }
}

if (window.PublicKeyCredential?.parseRequestOptionsFromJSON) {
  for (const element of document.querySelectorAll("#passkey, #others")) element.hidden = false;
  form.querySelector("button").addEventListener("click", onClick);
  offered = offerAutofill();
}
