/**
 * Passkeys in browsers: adding them, and signing in with them.
 *
 * @module
 */

import { HallpassError } from "./errors.js";
import { USER_FIELDS, type Hallpass, type SessionUser, type SignInPayload } from "./hallpass.js";
import type {
  AcceptedCredentials,
  DeletePasskeyPayload,
  MfaChallenge,
  MfaMethod,
  Passkey,
  PasskeyAssertionInput,
  RegisterWithPasskeyInput,
  RegisterWithPasskeyPayload,
  VerifyMfaInput,
} from "./schema.js";

const STARTED = "{ ceremonyToken options }";
const PAYLOAD = `accessToken expiresIn refreshToken user { ${USER_FIELDS} }`;
const PASSKEY = "id name createdAt lastUsedAt isSynced credentialId";
const OWNER = `id hasPassword mfaMethods passkeys { ${PASSKEY} }`;
const ACCEPTED = "acceptedCredentials { rpId userId allAcceptedCredentialIds }";

const START_REGISTRATION = `mutation StartPasskeyRegistration($input: StartPasskeyRegistrationInput) { started: startPasskeyRegistration(input: $input) ${STARTED} }`;
const START_LOGIN = `mutation StartPasskeyLogin { started: startPasskeyLogin ${STARTED} }`;
const START_VERIFICATION = `mutation StartPasskeyVerification($input: StartPasskeyVerificationInput) { started: startPasskeyVerification(input: $input) ${STARTED} }`;
const LOGIN = `mutation FinishPasskeyLogin($input: FinishPasskeyLoginInput!) { payload: finishPasskeyLogin(input: $input) { ${PAYLOAD} } }`;
const REAUTHENTICATE = `mutation Reauthenticate($input: ReauthenticateInput!) { payload: reauthenticate(input: $input) { ${PAYLOAD} } }`;
const REGISTER = `mutation RegisterWithPasskey($input: RegisterWithPasskeyInput!) {
  payload: registerWithPasskey(input: $input) { ${PAYLOAD} passkey { ${PASSKEY} } recoveryCodes }
}`;
const ADD = `mutation FinishPasskeyRegistration($input: FinishPasskeyRegistrationInput!) {
  payload: finishPasskeyRegistration(input: $input) { passkey { ${PASSKEY} } recoveryCodes user { ${OWNER} } ${ACCEPTED} }
}`;
const RENAME = `mutation RenamePasskey($input: RenamePasskeyInput!) { payload: renamePasskey(input: $input) { passkey { ${PASSKEY} } } }`;
const DELETE = `mutation DeletePasskey($input: DeletePasskeyInput!) {
  payload: deletePasskey(input: $input) { deletedPasskeyId user { ${OWNER} } ${ACCEPTED} }
}`;

/** A ceremony expires after 15 minutes. A conditional request without an answer is replaced after 14, in milliseconds. */
const MAX_WAIT = 14 * 60 * 1_000;

/** Errors after which a mutation may still have been executed. */
const UNCERTAIN: readonly string[] = ["NETWORK_ERROR", "UNKNOWN_ERROR", "SERVICE_UNAVAILABLE", "INTERNAL_SERVER_ERROR"];

/** A ceremony that was started. */
interface Started {
  readonly ceremonyToken: string;
  readonly options: unknown;
}

/** The user after a change of the passkeys. */
export interface PasskeyOwner {
  readonly id: string;
  readonly hasPassword: boolean;
  readonly mfaMethods: readonly MfaMethod[];
  readonly passkeys: readonly Passkey[];
}

/** The result of {@link Passkeys.add}. */
export interface AddedPasskey {
  readonly passkey: Passkey;
  /** With the first second factor: ten codes, each of which replaces it once. They cannot be read again. */
  readonly recoveryCodes: readonly string[] | null;
  readonly user: PasskeyOwner;
}

/** The new user of {@link Passkeys.register}. */
export type PasskeyRegistration = Omit<RegisterWithPasskeyInput, "ceremonyToken" | "credential" | "tokenDelivery">;

/** Options of {@link Passkeys.signIn}. */
export interface PasskeySignInOptions {
  /**
   * Whether the browser offers passkeys in the autofill of the field with `autocomplete="username webauthn"`, instead of in a dialog. The
   * request waits until the user chooses one. It makes way for other requests of the same object, and is renewed before it expires.
   */
  readonly conditional?: boolean;
  /** Ends the request. */
  readonly signal?: AbortSignal;
}

/** Whether this browser has what the functions of {@link Passkeys} need. */
export function arePasskeysSupported(): boolean {
  return typeof PublicKeyCredential !== "undefined" && "parseCreationOptionsFromJSON" in PublicKeyCredential;
}

/** Creates the functions for passkeys. A page has one object, because it can have one request for a passkey at a time. */
export function createPasskeys(hallpass: Hallpass): Passkeys {
  return new Passkeys(hallpass);
}

/**
 * Passkeys of a page.
 *
 * The functions throw a {@link HallpassError}, or what `navigator.credentials` throws. `readErrors` reads both: PASSKEY_CANCELLED if the
 * user closed the dialog, PASSKEY_EXISTS if the device has a passkey already, PASSKEY_UNAVAILABLE if the browser refuses.
 */
export class Passkeys {
  readonly #hallpass: Hallpass;
  /** Of the conditional request that waits. */
  #conditional: AbortController | null = null;
  /** The request with a dialog, which the conditional one waits for. Never rejects. */
  #dialog: Promise<unknown> = Promise.resolve();

  constructor(hallpass: Hallpass) {
    this.#hallpass = hallpass;
  }

  /** Signs in with a passkey, for a button or for conditional UI. */
  async signIn({ conditional = false, signal }: PasskeySignInOptions = {}): Promise<SessionUser> {
    if (conditional) return this.#logIn(await this.#choose(signal));
    return this.#exclusively(async () => this.#logIn(await this.#use(await this.#startLogin(), signal)));
  }

  /**
   * Creates an account that has a passkey and no password. Signs in unless the server wants the e-mail address verified first: then the
   * result's `accessToken` is null. Show the recovery codes.
   */
  async register(
    input: PasskeyRegistration,
  ): Promise<Pick<RegisterWithPasskeyPayload, "accessToken" | "passkey" | "recoveryCodes"> & { readonly user: SessionUser }> {
    return this.#exclusively(async () => {
      const { passkeyName, ...user } = input;
      const started = await this.#start(START_REGISTRATION, user, true);
      type Payload = SignInPayload & Pick<RegisterWithPasskeyPayload, "passkey" | "recoveryCodes">;
      const { tokenDelivery } = this.#hallpass;
      const payload = await this.#create(started, (created) =>
        this.#send<Payload>(REGISTER, { ...user, ...created, passkeyName: passkeyName ?? null, tokenDelivery }, true),
      );
      if (payload.accessToken) await this.#hallpass.accept(payload);
      return payload;
    });
  }

  /** Finishes a sign-in that `login` refused with MFA_REQUIRED, if `methods` of the challenge contains PASSKEY. */
  async verifyMfa({ token }: Pick<MfaChallenge, "token">, options: Pick<VerifyMfaInput, "rememberDevice"> = {}): Promise<SessionUser> {
    return this.#exclusively(async () => {
      const passkey = await this.#use(await this.#start(START_VERIFICATION, { mfaToken: token }, true));
      return this.#hallpass.verifyMfa({ ...options, token, factor: { passkey } });
    });
  }

  /** Confirms the identity of the signed-in user, after REAUTHENTICATION_REQUIRED. */
  async reauthenticate(): Promise<void> {
    return this.#exclusively(async () => {
      const passkey = await this.#use(await this.#start(START_VERIFICATION));
      await this.#hallpass.accept(await this.#send<SignInPayload>(REAUTHENTICATE, { passkey }));
    });
  }

  /** Adds a passkey to the account of the signed-in user. Without a name, it is named after the password manager or the device. */
  async add(name?: string): Promise<AddedPasskey> {
    return this.#exclusively(async () => {
      const started = await this.#start(START_REGISTRATION);
      type Payload = AddedPasskey & { readonly acceptedCredentials: AcceptedCredentials };
      const { acceptedCredentials, ...added } = await this.#create(started, (created) =>
        this.#send<Payload>(ADD, { ...created, name: name ?? null }),
      );
      await tell("signalAllAcceptedCredentials", acceptedCredentials);
      return added;
    });
  }

  /** Renames a passkey of the signed-in user. */
  async rename(passkeyId: string, name: string): Promise<Passkey> {
    const { passkey } = await this.#send<{ readonly passkey: Passkey }>(RENAME, { passkeyId, name });
    return passkey;
  }

  /** Deletes a passkey of the signed-in user, and tells the password manager so, if the browser can. */
  async delete(passkeyId: string): Promise<PasskeyOwner> {
    type Payload = Pick<DeletePasskeyPayload, "acceptedCredentials"> & { readonly user: PasskeyOwner };
    const { user, acceptedCredentials } = await this.#send<Payload>(DELETE, { passkeyId });
    await tell("signalAllAcceptedCredentials", acceptedCredentials);
    return user;
  }

  #startLogin(): Promise<Started> {
    return this.#start(START_LOGIN, undefined, true);
  }

  async #start(document: string, input?: object, isPublic = false): Promise<Started> {
    if (!arePasskeysSupported()) throw unsupported();
    const { started } = await this.#hallpass.request<{ started: Started }>(document, { input }, { isPublic });
    return started;
  }

  async #send<Payload>(document: string, input: object, isPublic = false): Promise<Payload> {
    const { payload } = await this.#hallpass.request<{ payload: Payload }>(document, { input }, { isPublic });
    return payload;
  }

  async #logIn(assertion: PasskeyAssertionInput): Promise<SessionUser> {
    const { tokenDelivery } = this.#hallpass;
    const payload = await this.#send<SignInPayload>(LOGIN, { ...assertion, tokenDelivery }, true);
    await this.#hallpass.accept(payload);
    return payload.user;
  }

  /** Runs a request with a dialog. The conditional request makes way for it. */
  #exclusively<Result>(run: () => Promise<Result>): Promise<Result> {
    this.#conditional?.abort();
    const running = run();
    this.#dialog = running.catch(() => {});
    return running;
  }

  /** Waits until the user chooses a passkey in the autofill. */
  async #choose(signal: AbortSignal | undefined): Promise<PasskeyAssertionInput> {
    const isAvailable = arePasskeysSupported() && (await PublicKeyCredential.isConditionalMediationAvailable());
    if (!isAvailable) throw unsupported();
    for (;;) {
      await this.#dialog;
      this.#conditional?.abort();
      const aborter = new AbortController();
      this.#conditional = aborter;
      const abort = () => aborter.abort(signal?.reason);
      signal?.addEventListener("abort", abort);
      const timer = setTimeout(abort, MAX_WAIT);
      try {
        signal?.throwIfAborted();
        return await this.#use(await this.#startLogin(), aborter.signal, "conditional");
      } catch (error) {
        // Otherwise, the request made way for another one, or the ceremony is about to expire.
        if (signal?.aborted || !aborter.signal.aborted) throw error;
      } finally {
        clearTimeout(timer);
        signal?.removeEventListener("abort", abort);
      }
    }
  }

  async #use(
    { ceremonyToken, options }: Started,
    signal?: AbortSignal,
    mediation: CredentialMediationRequirement = "optional",
  ): Promise<PasskeyAssertionInput> {
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options as PublicKeyCredentialRequestOptionsJSON);
    const credential = await navigator.credentials.get({ publicKey, mediation, ...(signal && { signal }) });
    return { ceremonyToken, credential: (credential as PublicKeyCredential).toJSON() };
  }

  /** Creates a passkey and sends it. If the server refuses it, the password manager deletes it, where the browser supports that. */
  async #create<Payload>({ ceremonyToken, options }: Started, send: (created: PasskeyAssertionInput) => Promise<Payload>): Promise<Payload> {
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options as PublicKeyCredentialCreationOptionsJSON);
    const credential = (await navigator.credentials.create({ publicKey })) as PublicKeyCredential;
    try {
      return await send({ ceremonyToken, credential: credential.toJSON() });
    } catch (error) {
      const isRefused = error instanceof HallpassError && !UNCERTAIN.includes(error.code);
      if (isRefused) await tell("signalUnknownCredential", { rpId: publicKey.rp.id, credentialId: credential.id });
      throw error;
    }
  }
}

function unsupported(): DOMException {
  return new DOMException("This browser does not support passkeys here", "NotSupportedError");
}

/** Tells the password manager which passkeys exist (WebAuthn §5.1.10). Not all browsers can, and failures do no harm. */
async function tell(name: "signalAllAcceptedCredentials" | "signalUnknownCredential", details: object): Promise<void> {
  const send = (PublicKeyCredential as unknown as { readonly [name: string]: ((details: object) => Promise<void>) | undefined })[name];
  await send?.call(PublicKeyCredential, details).catch(() => {});
}
