/**
 * Sign-in by mail in browsers: with the code or the link in the mail.
 *
 * @module
 */

import { HallpassError } from "./errors.js";
import { challengeOf, createVerifier, Once, parameter, removeParameters, startedElsewhere, Store } from "./flow.js";
import { USER_FIELDS, type Hallpass, type SessionUser, type SignInPayload } from "./hallpass.js";
import type { EmailProofInput, RequestEmailSignInPayload } from "./schema.js";

const REQUEST = `mutation RequestEmailSignIn($input: RequestEmailSignInInput!) { payload: requestEmailSignIn(input: $input) { email expiresIn } }`;
const LOGIN = `mutation LoginWithEmail($input: LoginWithEmailInput!) {
  payload: loginWithEmail(input: $input) { accessToken expiresIn refreshToken user { ${USER_FIELDS} } }
}`;

const KEY = "hallpass:email";
/** How long mails are valid, in milliseconds, until the server says so. */
const LIFETIME = 10 * 60 * 1_000;

/** What this browser keeps until the user has signed in. */
interface Pending {
  /** The address of the last mail. Null while the first one is requested. */
  readonly email: string | null;
  readonly verifier: string;
  /** When the last mail expires, in milliseconds, by the clock of this device. */
  readonly expiresAt: number;
}

/** Creates the functions for sign-in by mail. A page has one object. */
export function createEmailSignIn(hallpass: Hallpass): EmailSignIn {
  return new EmailSignIn(hallpass);
}

/** Sign-in by mail. The functions throw a {@link HallpassError}. */
export class EmailSignIn {
  readonly #hallpass: Hallpass;
  // The link opens in a new tab, which has another `sessionStorage`.
  readonly #store = new Store<Pending>(() => localStorage);
  readonly #once = new Once<SessionUser | null>();

  constructor(hallpass: Hallpass) {
    this.#hallpass = hallpass;
  }

  /** Whether the address of this page has the token of a mail, so that {@link finish} has something to do. */
  get hasResult(): boolean {
    return parameter("token") !== null;
  }

  /** The address that mails were sent to, whose code the user may enter. Null if there is none, or its mail has expired. */
  get pendingEmail(): string | null {
    return this.#pending()?.email ?? null;
  }

  /** Sends a mail, or another one. The mails before it stay valid. The response is the same whether or not an account has the address. */
  async request(email: string): Promise<RequestEmailSignInPayload> {
    // With another verifier, this browser could not use the mails before.
    const { email: previous = null, verifier = createVerifier() } = this.#pending() ?? {};
    this.#store.set(KEY, { email: previous, verifier, expiresAt: Date.now() + LIFETIME });
    const codeChallenge = await challengeOf(verifier);
    const payload = await this.#send<RequestEmailSignInPayload>(REQUEST, { email, codeChallenge });
    this.#store.set(KEY, { email, verifier, expiresAt: Date.now() + payload.expiresIn * 1_000 });
    return payload;
  }

  /**
   * Signs in with the code that the user typed.
   *
   * @throws {@link HallpassError} CODE_INVALID: let the user correct it. MFA_REQUIRED if the user has a second factor, as `login` does.
   * STARTED_ELSEWHERE if this browser asked for no mail, or its mail has expired.
   */
  async signInWithCode(email: string, code: string): Promise<SessionUser> {
    return this.#logIn({ emailAndCode: { email, code } }, "This browser has not asked for the mail, or the mail has expired. Request another one.");
  }

  /**
   * Signs in with the link whose page this is: `APP_URL/sign-in?token=…`. Call it when the page has loaded; the hook `useFinish` for React
   * does. Returns null if the address has no token. The token is removed from the address at once.
   *
   * @throws {@link HallpassError} as {@link signInWithCode}. STARTED_ELSEWHERE if the link was opened in another browser: the token is not
   * sent then. Tell the user to enter the code where the sign-in began.
   */
  finish(): Promise<SessionUser | null> {
    return this.#once.run(async () => {
      const token = parameter("token");
      if (token === null) return null;
      removeParameters("token");
      // A refresh that is answered after the sign-in would replace its cookie.
      if (this.#pending() && this.#hallpass.getState().status === "loading") await this.#hallpass.refresh();
      return this.#logIn({ token }, "The sign-in began in another browser, or the link has expired. Enter the code of the mail where you asked for it.");
    });
  }

  /** Forgets the mails that were sent: they can no longer be used. */
  cancel(): void {
    this.#store.delete(KEY);
  }

  #pending(): Pending | null {
    const pending = this.#store.get(KEY);
    return pending && pending.expiresAt > Date.now() ? pending : null;
  }

  async #logIn(proof: EmailProofInput, elsewhere: string): Promise<SessionUser> {
    const { verifier } = this.#pending() ?? {};
    if (!verifier) throw startedElsewhere(elsewhere);
    const { tokenDelivery } = this.#hallpass;
    try {
      const payload = await this.#send<SignInPayload>(LOGIN, { proof, codeVerifier: verifier, tokenDelivery });
      await this.#hallpass.accept(payload);
      this.cancel();
      return payload.user;
    } catch (error) {
      // The mail is used up.
      if (error instanceof HallpassError && error.code === "MFA_REQUIRED") this.cancel();
      throw error;
    }
  }

  async #send<Payload>(document: string, input: object): Promise<Payload> {
    const { payload } = await this.#hallpass.request<{ payload: Payload }>(document, { input }, { isPublic: true });
    return payload;
  }
}
