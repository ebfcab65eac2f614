// The parts of a browser for passkeys (WebAuthn Level 3), with an authenticator in software (ES256, attestation "none").

import { createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto";

const USER_PRESENT = 0x01;
const USER_VERIFIED = 0x04;
const ATTESTED = 0x40;
const sha256 = (data) => createHash("sha256").update(data).digest();
const base64url = (data) => Buffer.from(data).toString("base64url");
const uint16 = (number) => Buffer.from([number >> 8, number & 0xff]);
const exception = (name) => new DOMException(`${name} of the test`, name);

/** `navigator.credentials` and `PublicKeyCredential`. Install it in `globalThis` with {@link install}. */
export class CredentialManager {
  passkeys = [];
  /** The mediation of each `get`. */
  requests = [];
  /** What was signalled to the password manager. */
  signals = [];
  /** The exception that the next request with a dialog throws, as when the user closes it. */
  failure = null;
  /** Whether dialogs wait for {@link choose}, as conditional requests do. */
  isSlow = false;
  #waiting = null;

  constructor(origin) {
    this.origin = origin;
  }

  install() {
    Object.defineProperty(globalThis.navigator, "credentials", { value: this, configurable: true });
    globalThis.PublicKeyCredential = {
      parseCreationOptionsFromJSON: (options) => options,
      parseRequestOptionsFromJSON: (options) => options,
      isConditionalMediationAvailable: async () => true,
      signalAllAcceptedCredentials: async (details) => void this.signals.push(details),
      signalUnknownCredential: async (details) => void this.signals.push(details),
    };
  }

  async create({ publicKey: { rp, user, challenge, excludeCredentials } }) {
    this.#begin();
    if (excludeCredentials.some(({ id }) => this.passkeys.some((passkey) => passkey.id === id))) throw exception("InvalidStateError");
    const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const passkey = { id: base64url(randomBytes(16)), privateKey, userHandle: user.id };
    this.passkeys.push(passkey);
    const id = Buffer.from(passkey.id, "base64url");
    const attested = Buffer.concat([Buffer.alloc(16), uint16(id.length), id, coseKey(publicKey)]);
    const data = authenticatorData(rp.id, USER_PRESENT | USER_VERIFIED | ATTESTED, attested);
    return this.#credential(passkey, {
      clientDataJSON: this.#clientData("webauthn.create", challenge),
      attestationObject: base64url(attestationObject(data)),
      transports: ["internal"],
    });
  }

  async get({ publicKey: { rpId, challenge, allowCredentials }, mediation, signal }) {
    this.requests.push(mediation);
    if (signal?.aborted) throw signal.reason;
    this.#begin();
    if (mediation === "conditional" || this.isSlow) await this.#choice(signal);
    const passkey = this.passkeys.find(({ id }) => allowCredentials.length === 0 || allowCredentials.some((allowed) => allowed.id === id));
    if (!passkey) throw exception("NotAllowedError");
    const clientDataJSON = this.#clientData("webauthn.get", challenge);
    const data = authenticatorData(rpId, USER_PRESENT | USER_VERIFIED);
    const signature = sign("sha256", Buffer.concat([data, sha256(Buffer.from(clientDataJSON, "base64url"))]), passkey.privateKey);
    return this.#credential(passkey, {
      clientDataJSON,
      authenticatorData: base64url(data),
      signature: base64url(signature),
      userHandle: passkey.userHandle,
    });
  }

  /** The user chooses a passkey, in the autofill or in the dialog. */
  choose() {
    this.#waiting.resolve();
  }

  /** As browsers do, refuses a second request while one waits. */
  #begin() {
    if (this.#waiting) throw exception("OperationError");
    const { failure } = this;
    this.failure = null;
    if (failure) throw exception(failure);
  }

  async #choice(signal) {
    try {
      await new Promise((resolve, reject) => {
        this.#waiting = { resolve };
        signal?.addEventListener("abort", () => reject(signal.reason));
      });
    } finally {
      this.#waiting = null;
    }
  }

  #clientData(type, challenge) {
    return base64url(JSON.stringify({ type, challenge, origin: this.origin, crossOrigin: false }));
  }

  #credential({ id }, response) {
    return { id, toJSON: () => ({ id, rawId: id, type: "public-key", response, clientExtensionResults: {}, authenticatorAttachment: "platform" }) };
  }
}

/** Authenticator data (§6.1) without a signature counter. */
function authenticatorData(rpId, flags, attested = Buffer.alloc(0)) {
  return Buffer.concat([sha256(rpId), Buffer.from([flags, 0, 0, 0, 0]), attested]);
}

/** A public key on P-256 in COSE (RFC 9053 §7.1.1). */
function coseKey(key) {
  const { x, y } = key.export({ format: "jwk" });
  const coordinate = (label, value) => Buffer.concat([Buffer.from([label, 0x58, 32]), Buffer.from(value, "base64url")]);
  return Buffer.concat([Buffer.from([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01]), coordinate(0x21, x), coordinate(0x22, y)]);
}

/** An attestation object with the format "none" (§6.5.4), in CBOR. */
function attestationObject(data) {
  const text = (value) => Buffer.concat([Buffer.from([0x60 + value.length]), Buffer.from(value)]);
  const bytes = Buffer.concat([Buffer.from([0x58, data.length]), data]);
  return Buffer.concat([Buffer.from([0xa3]), text("fmt"), text("none"), text("attStmt"), Buffer.from([0xa0]), text("authData"), bytes]);
}
