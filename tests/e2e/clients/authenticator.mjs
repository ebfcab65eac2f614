// A browser and its authenticator for passkeys (WebAuthn Level 3): ES256, attestation `none`, discoverable, with verification of the user.

import { createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto";

// Flags of the authenticator data (§6.1).
const PRESENT = 1;
const VERIFIED = 1 << 2;
const BACKUP_ELIGIBLE = 1 << 3;
const BACKED_UP = 1 << 4;
const ATTESTED_CREDENTIAL = 1 << 6;

const ES256 = -7;

const sha256 = (bytes) => createHash("sha256").update(bytes).digest();

/** Encodes a number below 2^16, a string, a buffer or a map in CBOR (RFC 8949). The entries of a map keep their order. */
function cbor(value) {
  if (typeof value === "number") return value < 0 ? head(1, -1 - value) : head(0, value);
  if (typeof value === "string") return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)]);
  if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value]);
  return Buffer.concat([head(5, value.size), ...[...value].flat().map(cbor)]);
}

function head(type, length) {
  const initial = type << 5;
  if (length < 24) return Buffer.from([initial | length]);
  if (length < 256) return Buffer.from([initial | 24, length]);
  return Buffer.from([initial | 25, length >> 8, length & 255]);
}

/** The public key as a COSE key (RFC 9052 §7). */
function coseKey(publicKey) {
  const { x, y } = publicKey.export({ format: "jwk" });
  return cbor(new Map([[1, 2], [3, ES256], [-1, 1], [-2, Buffer.from(x, "base64url")], [-3, Buffer.from(y, "base64url")]]));
}

/** Keeps the passkeys of one person on the page of `origin`. */
export class Authenticator {
  #passkeys = [];
  #flags;

  /**
   * With `isSynced`, the passkeys are backed up and have no signature counter. Otherwise, they are bound to a device that counts.
   * `aaguid` names the model.
   */
  constructor(origin, { isSynced = true, aaguid = "00000000-0000-0000-0000-000000000000" } = {}) {
    this.origin = origin;
    this.isSynced = isSynced;
    this.aaguid = aaguid;
    this.#flags = PRESENT | VERIFIED | (isSynced ? BACKUP_ELIGIBLE | BACKED_UP : 0);
  }

  /** Creates a passkey by creation options, with `id` as the credential id. Returns the `RegistrationResponseJSON`. */
  create({ rp, user, challenge, pubKeyCredParams, excludeCredentials = [] }, id = randomBytes(32)) {
    if (!pubKeyCredParams.some(({ alg }) => alg === ES256)) throw new Error("NotSupportedError: no supported algorithm");
    if (excludeCredentials.some(({ id }) => this.#passkeys.some((known) => known.id === id))) {
      throw new Error("InvalidStateError: the authenticator has a passkey of this user");
    }
    const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const passkey = { id: id.toString("base64url"), rpId: rp.id, userHandle: user.id, privateKey, counter: 0 };
    const attested = Buffer.concat([Buffer.from(this.aaguid.replaceAll("-", ""), "hex"), Buffer.from([id.length >> 8, id.length & 255]), id, coseKey(publicKey)]);
    const authData = this.#authenticatorData(passkey, ATTESTED_CREDENTIAL, attested);
    this.#passkeys.push(passkey);
    return this.#credential(passkey, {
      clientDataJSON: this.#clientData("webauthn.create", challenge).toString("base64url"),
      attestationObject: cbor(new Map([["fmt", "none"], ["attStmt", new Map()], ["authData", authData]])).toString("base64url"),
      transports: ["internal"],
    });
  }

  /** Uses a passkey by request options: an allowed one, or the newest. Returns the `AuthenticationResponseJSON`. */
  get({ rpId, challenge, allowCredentials = [] }) {
    const isAllowed = ({ id }) => allowCredentials.length === 0 || allowCredentials.some((allowed) => allowed.id === id);
    const passkey = this.#passkeys.findLast((known) => known.rpId === rpId && isAllowed(known));
    if (!passkey) throw new Error("NotAllowedError: the authenticator has no such passkey");
    const clientData = this.#clientData("webauthn.get", challenge);
    const authenticatorData = this.#authenticatorData(passkey);
    const signature = sign("sha256", Buffer.concat([authenticatorData, sha256(clientData)]), passkey.privateKey);
    return this.#credential(passkey, {
      clientDataJSON: clientData.toString("base64url"),
      authenticatorData: authenticatorData.toString("base64url"),
      signature: signature.toString("base64url"),
      userHandle: passkey.userHandle,
    });
  }

  #clientData(type, challenge) {
    return Buffer.from(JSON.stringify({ type, challenge, origin: this.origin, crossOrigin: false }));
  }

  #authenticatorData(passkey, flags = 0, attested = Buffer.alloc(0)) {
    if (!this.isSynced) passkey.counter += 1;
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(passkey.counter);
    return Buffer.concat([sha256(passkey.rpId), Buffer.from([this.#flags | flags]), counter, attested]);
  }

  #credential({ id }, response) {
    return { id, rawId: id, type: "public-key", authenticatorAttachment: "platform", response, clientExtensionResults: {} };
  }
}
