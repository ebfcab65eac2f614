/**
 * Other providers in browsers: signing in with them, and linking them.
 *
 * @module
 */

import type { Code } from "./errors.js";
import { challengeOf, createVerifier, Once, ownError, parameter, removeParameters, startedElsewhere, Store } from "./flow.js";
import { USER_FIELDS, type Hallpass, type SessionUser, type SignInPayload } from "./hallpass.js";
import type { Identity, IdentityProvider, StartIdentityLinkPayload } from "./schema.js";

const IDENTITY = "id email linkedAt lastUsedAt provider { id name startUrl }";
const OWNER = `id hasPassword identities { ${IDENTITY} }`;

const LOGIN = `mutation LoginWithCode($input: LoginWithCodeInput!) {
  payload: loginWithCode(input: $input) { accessToken expiresIn refreshToken user { ${USER_FIELDS} } }
}`;
const START_LINK = "mutation StartIdentityLink($input: StartIdentityLinkInput!) { payload: startIdentityLink(input: $input) { url } }";
const FINISH_LINK = `mutation FinishIdentityLink($input: FinishIdentityLinkInput!) {
  payload: finishIdentityLink(input: $input) { identity { ${IDENTITY} } user { ${OWNER} } }
}`;
const UNLINK = `mutation UnlinkIdentity($input: UnlinkIdentityInput!) { payload: unlinkIdentity(input: $input) { user { ${OWNER} } } }`;

/** The parameter of the address that identifies a flow. Without it, `code` and `error` do not belong to this module. */
const FLOW = "auth_flow";
const PREFIX = "hallpass:flow:";

const MESSAGES: { readonly [code: string]: string } = {
  PROVIDER_REFUSED: "The sign-in was cancelled.",
  RATE_LIMITED: "Too many attempts. Try again later.",
};
const FAILED = "The sign-in with the provider failed. Try again.";

/** A flow that was started in this tab. */
interface Flow {
  readonly type: ProviderResult["type"];
  readonly verifier: string;
}

/** The user after a change of the linked identities. */
export interface IdentityOwner {
  readonly id: string;
  readonly hasPassword: boolean;
  readonly identities: readonly Identity[];
}

/** What {@link Providers.finish} did. */
export type ProviderResult =
  | { readonly type: "signIn"; readonly user: SessionUser }
  | { readonly type: "link"; readonly identity: Identity; readonly user: IdentityOwner };

/** Options of {@link Providers.signIn} and {@link Providers.link}. */
export interface ProviderOptions {
  /** The page to return to, which must call {@link Providers.finish}. Its origin must be in ALLOWED_ORIGINS. This page if omitted. */
  readonly returnTo?: string | URL;
}

/** Creates the functions for providers. A page has one object. */
export function createProviders(hallpass: Hallpass): Providers {
  return new Providers(hallpass);
}

/** Sign-in with other providers. The functions throw a {@link HallpassError}. */
export class Providers {
  readonly #hallpass: Hallpass;
  readonly #flows = new Store<Flow>(() => sessionStorage);
  readonly #once = new Once<ProviderResult | null>();

  constructor(hallpass: Hallpass) {
    this.#hallpass = hallpass;
  }

  /** Whether a flow has returned to this page, so that {@link finish} has something to do. */
  get hasResult(): boolean {
    return parameter(FLOW) !== null;
  }

  /** Opens a provider of `serverInfo.identityProviders`, to sign in. */
  async signIn({ startUrl }: Pick<IdentityProvider, "startUrl">, options: ProviderOptions = {}): Promise<void> {
    const { returnTo, codeChallenge } = await this.#start("signIn", options);
    const url = new URL(startUrl);
    url.searchParams.set("return_to", returnTo);
    url.searchParams.set("code_challenge", codeChallenge);
    location.assign(url);
  }

  /** Opens a provider, to link an account there to the signed-in user. */
  async link({ id: providerId }: Pick<IdentityProvider, "id">, options: ProviderOptions = {}): Promise<void> {
    const { id, ...input } = await this.#start("link", options);
    try {
      const { url } = await this.#send<StartIdentityLinkPayload>(START_LINK, { providerId, ...input });
      location.assign(url);
    } catch (error) {
      this.#flows.delete(PREFIX + id);
      throw error;
    }
  }

  /**
   * Finishes the flow that returned to this page. Call it when the page has loaded; the hook `useFinish` for React does. Returns null if no
   * flow did. The result is removed from the address at once, and used once.
   *
   * @throws {@link HallpassError} MFA_REQUIRED if the user has a second factor, as `login` does. PROVIDER_REFUSED if the user cancelled.
   * STARTED_ELSEWHERE if the flow did not begin in this tab; nothing is sent then. After any error, start again.
   */
  finish(): Promise<ProviderResult | null> {
    return this.#once.run(() => this.#finish());
  }

  /** Unlinks an identity of the signed-in user. */
  async unlink(identityId: string): Promise<IdentityOwner> {
    const { user } = await this.#send<{ readonly user: IdentityOwner }>(UNLINK, { identityId });
    return user;
  }

  async #start(type: Flow["type"], options: ProviderOptions) {
    const id = createVerifier();
    const verifier = createVerifier();
    const codeChallenge = await challengeOf(verifier);
    const returnTo = new URL(options.returnTo ?? location.href, location.href);
    returnTo.searchParams.set(FLOW, id);
    this.#flows.set(PREFIX + id, { type, verifier });
    return { id, returnTo: returnTo.href, codeChallenge };
  }

  async #finish(): Promise<ProviderResult | null> {
    const id = parameter(FLOW);
    const code = parameter("code");
    const error = parameter("error");
    if (id === null) return null;
    removeParameters(FLOW, "code", "error");
    const flow = this.#flows.get(PREFIX + id);
    this.#flows.delete(PREFIX + id);
    if (error !== null) throw ownError(error as Code, MESSAGES[error] ?? FAILED);
    if (code === null) return null;
    if (!flow) throw startedElsewhere("The sign-in began in another tab or browser. Start again.");
    const input = { code, codeVerifier: flow.verifier };
    if (flow.type === "link") return { type: "link", ...(await this.#send<Omit<ProviderResult & { type: "link" }, "type">>(FINISH_LINK, input)) };
    // A refresh that is answered after the sign-in would replace its cookie.
    if (this.#hallpass.getState().status === "loading") await this.#hallpass.refresh();
    const { tokenDelivery } = this.#hallpass;
    const payload = await this.#send<SignInPayload>(LOGIN, { ...input, tokenDelivery }, true);
    await this.#hallpass.accept(payload);
    return { type: "signIn", user: payload.user };
  }

  async #send<Payload>(document: string, input: object, isPublic = false): Promise<Payload> {
    const { payload } = await this.#hallpass.request<{ payload: Payload }>(document, { input }, { isPublic });
    return payload;
  }
}
