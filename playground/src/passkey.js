// The browser's part of passkeys for both explorers: what no GraphQL request can do.

/**
 * The ceremony that a response starts: its `options`, the name of the `operation` that finishes it, and the function `input`, which makes the
 * input of that operation from a credential. Undefined if the response starts none.
 */
export function startedCeremony({ query, variables }, data) {
  const started = Object.values(data ?? {}).find((field) => typeof field?.ceremonyToken === "string" && field.options?.challenge);
  if (!started) return undefined;
  const { ceremonyToken, options } = started;
  // The input of the start is in the variables or in the document.
  const literals = [...query.matchAll(/(\w+)\s*:\s*"([^"\\\n]+)"/g)].map(([, name, text]) => [name, text]);
  const { mfaToken, username, email, firstName, lastName } = { ...Object.fromEntries(literals), ...variables, ...variables?.input };
  const finish = (operation, input) => ({ options, operation, input: (credential) => input({ ceremonyToken, credential }) });
  if (isCreation(options) && username) return finish("FinishPasskeyRegister", (passkey) => ({ ...passkey, username, email, firstName, lastName }));
  if (isCreation(options)) return finish("FinishPasskey", (passkey) => passkey);
  // Only a sign-in allows any passkey. The others name those of the user.
  if (options.allowCredentials.length === 0) return finish("FinishPasskeyLogin", (passkey) => passkey);
  if (mfaToken) return finish("Verify", (passkey) => ({ token: mfaToken, factor: { passkey } }));
  return finish("Reauthenticate", (passkey) => ({ passkey }));
}

/** Whether the options are for a new passkey. */
export function isCreation(options) {
  return "pubKeyCredParams" in options;
}

/** The text of the button that calls `askBrowser`. */
export function buttonText(options) {
  return isCreation(options) ? "Create a passkey in this browser" : "Use a passkey of this browser";
}

/** Why no page at this address or in this browser can use passkeys, and what to do. Empty if it can. */
export function obstacle() {
  if (isAddress(location)) return `Browsers have no passkeys for IP addresses such as ${location.hostname}. ${usableAddress()}`;
  if (!isSecureContext) return `Browsers have passkeys only on https pages and on localhost. ${usableAddress()}`;
  if (window.PublicKeyCredential?.parseCreationOptionsFromJSON) return "";
  return "This browser has no passkeys, or is too old. Use a current version of Chrome, Edge, Firefox or Safari.";
}

/**
 * Lets the browser create or use a passkey. It asks the user. Returns the credential for the server.
 *
 * @throws if there is none. The message says why, and what to do.
 */
export async function askBrowser(options) {
  try {
    const credential = isCreation(options)
      ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
      : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
    return credential.toJSON();
  } catch (error) {
    throw new Error(`${reason(error, options)} (${error.name})`);
  }
}

/** Tells the password manager which passkeys of the user work, if the data of a response has them. It may delete the others. */
export function signalPasskeys(data) {
  const accepted = Object.values(data ?? {}).find((field) => field?.acceptedCredentials)?.acceptedCredentials;
  if (accepted) window.PublicKeyCredential?.signalAllAcceptedCredentials?.(accepted).catch(console.warn);
}

/** What an error of the browser means (WebAuthn §5.1.3 and §5.1.4). */
function reason({ name, message }, options) {
  switch (name) {
    case "NotAllowedError":
      return isCreation(options)
        ? "No passkey was created: the request was cancelled or took too long. Try again."
        : "No passkey was used: the request was cancelled or took too long, or this browser has no passkey for this server.";
    case "InvalidStateError":
      return "This user already has a passkey in this authenticator. Use that one, or choose another authenticator.";
    case "NotSupportedError":
    case "ConstraintError":
      return "This authenticator cannot have passkeys. It must be able to store them, and to verify the user by PIN, fingerprint or face.";
    case "SecurityError":
      return `Passkeys of this server are bound to ${options.rp?.id ?? options.rpId}, and this page is at ${location.host}. ${usableAddress()}`;
    default:
      return message;
  }
}

/** Where passkeys work. The canonical link of the page is PUBLIC_URL. */
function usableAddress() {
  const home = new URL(document.querySelector("link[rel=canonical]").href);
  const isSecure = home.protocol === "https:" || /(^|\.)localhost$/.test(home.hostname);
  if (isSecure && !isAddress(home) && home.origin !== location.origin) return `Open ${home.origin} instead, and sign in there.`;
  return "Set PUBLIC_URL to an https address with a name, or to http://localhost:8000, and open that.";
}

function isAddress({ hostname }) {
  return /^[\d.]+$|^\[/.test(hostname);
}
