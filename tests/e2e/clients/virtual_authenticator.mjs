// Chromium's virtual authenticator (the domain WebAuthn of the DevTools protocol).

const OPTIONS = { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true };

/** The built-in authenticator of the device of a tab. It keeps its passkeys when the tab opens another page. */
export class Authenticator {
  /** Adds one to a tab. Its user responds at once, also to conditional requests, which then need no choice. */
  static async attach(tab) {
    const session = await tab.context().newCDPSession(tab);
    await session.send("WebAuthn.enable");
    const { authenticatorId } = await session.send("WebAuthn.addVirtualAuthenticator", { options: { ...OPTIONS, automaticPresenceSimulation: true } });
    return new Authenticator(session, authenticatorId);
  }

  constructor(session, authenticatorId) {
    Object.assign(this, { session, authenticatorId });
  }

  #send(method, parameters = {}) {
    return this.session.send(`WebAuthn.${method}`, { authenticatorId: this.authenticatorId, ...parameters });
  }

  /** Whether the user responds to the requests that are made from now on. */
  setPresent(enabled) {
    return this.#send("setAutomaticPresenceSimulation", { enabled });
  }

  /** Whether the fingerprint of the user is recognized. */
  setVerified(isUserVerified) {
    return this.#send("setUserVerified", { isUserVerified });
  }

  /** The ids of its passkeys in base64url, as the server writes them. */
  async credentialIds() {
    const { credentials } = await this.#send("getCredentials");
    return credentials.map(({ credentialId }) => Buffer.from(credentialId, "base64").toString("base64url"));
  }
}

/**
 * Records the requests of a page for passkeys by their mediation. Before each request, `beforeRequest` of the test decides whether the user
 * responds. It runs in the browser.
 */
export function recordRequests() {
  const get = navigator.credentials.get.bind(navigator.credentials);
  window.requests = [];
  navigator.credentials.get = async (options) => {
    await window.beforeRequest(options.mediation);
    window.requests.push(options.mediation);
    return get(options);
  };
}
