/**
 * The session of the user: signing in, refreshing tokens, and requests with an access token.
 */

import { HallpassError, networkError, rejection, responseErrors, type Code, type ResponseError } from "./errors.js";
import type { AuthPayload, LoginInput, LogoutInput, RegisterInput, RegisterPayload, TokenDelivery, User, VerifyMfaInput } from "./schema.js";

/** The user of a session. Fields that only some pages need, such as `sessions`, are queried by these pages. */
export type SessionUser = Pick<
  User,
  "id" | "username" | "email" | "emailVerified" | "pendingEmail" | "firstName" | "lastName" | "fullName" | "roles"
>;

/** Whether a user is signed in. */
export type SessionState =
  /** Not known yet. With `isOffline`, the server could not be asked; the client tries again by itself. */
  | { readonly status: "loading"; readonly user: null; readonly reason: null; readonly isOffline: boolean }
  /** With `isOffline`, the last refresh found no server. The user is still signed in. */
  | { readonly status: "signedIn"; readonly user: SessionUser; readonly reason: null; readonly isOffline: boolean }
  | { readonly status: "signedOut"; readonly user: null; readonly reason: SignOutReason | null; readonly isOffline: false };

/**
 * Why the user is signed out: `SIGNED_OUT` on request, here or in another tab; otherwise the code of the server, such as
 * `SESSION_REVOKED` or `SESSION_EXPIRED`.
 */
export type SignOutReason = "SIGNED_OUT" | Code;

/** Where an app keeps refresh tokens, for `tokenDelivery: "BODY"`: such as the key store of a phone, or a server's sessions. */
export interface RefreshTokenStorage {
  get(): string | null | Promise<string | null>;
  /** Must have stored the token when its promise resolves: the previous token can be exchanged only for a short time. */
  set(refreshToken: string): void | Promise<void>;
  delete(): void | Promise<void>;
}

/** Options of {@link Hallpass}. */
export interface HallpassOptions {
  /** The GraphQL endpoint, such as `https://accounts.example.org/graphql`. */
  readonly url: string;
  /**
   * Where refresh tokens are kept. `COOKIE`, the default, is for pages: no script can read them. `BODY` is for apps and servers; it
   * needs `storage`, otherwise the session ends with the process.
   */
  readonly tokenDelivery?: TokenDelivery;
  readonly storage?: RefreshTokenStorage;
  /** Headers of each request to the server, such as `Accept-Language`. Called for each request. */
  readonly headers?: () => HeadersInit | Promise<HeadersInit>;
  /** Origins of your own APIs that receive the access token by {@link Hallpass.fetch}, such as `https://api.example.org`. */
  readonly origins?: readonly string[];
  /** Replaces `fetch`. */
  readonly fetch?: typeof fetch;
  /** Milliseconds after which a GraphQL request without a response fails. 10,000 if omitted. */
  readonly timeout?: number;
}

/** The fields that a mutation must select so that {@link Hallpass.accept} can sign in with its payload. */
export const USER_FIELDS = "id username email emailVerified pendingEmail firstName lastName fullName roles";
const PAYLOAD = `accessToken expiresIn refreshToken user { ${USER_FIELDS} }`;

const REGISTER = `mutation Register($input: RegisterInput!) { register(input: $input) { ${PAYLOAD} } }`;
const LOGIN = `mutation Login($input: LoginInput!) { login(input: $input) { ${PAYLOAD} } }`;
const VERIFY_MFA = `mutation VerifyMfa($input: VerifyMfaInput!) { verifyMfa(input: $input) { ${PAYLOAD} } }`;
const REFRESH = `mutation RefreshToken($input: RefreshTokenInput) { refreshToken(input: $input) { ${PAYLOAD} } }`;
const LOGOUT = "mutation Logout($input: LogoutInput) { logout(input: $input) { revokedSessions } }";

/** A payload that signs in, such as that of `login`. */
export type SignInPayload = Pick<AuthPayload, "accessToken" | "expiresIn"> & {
  readonly refreshToken?: string | null;
  readonly user: SessionUser;
};

/** An access token and the user that it was issued for. */
export interface Authorization {
  readonly accessToken: string;
  readonly userId: string;
}

/** Errors of a refresh that mean that the session is over. After any other, such as a code of a newer server, the user stays signed in. */
const FINAL: readonly Code[] = ["SESSION_NOT_FOUND", "SESSION_EXPIRED", "SESSION_REVOKED", "ACCOUNT_DISABLED", "EMAIL_NOT_VERIFIED"];
/** An access token counts as expired so many milliseconds early, so that it does not expire on its way. */
const MARGIN = 5_000;
const MIN_RETRY = 1_000;
const MAX_RETRY = 30_000;
/** How long a refresh waits for those of other tabs, in milliseconds. */
const MAX_WAIT_FOR_TAB = 5_000;

/** A message to the other tabs of this origin. Tokens in it last for `expiresIn` milliseconds. */
type Message =
  | { readonly type: "signedIn"; readonly accessToken: string; readonly expiresIn: number; readonly user: SessionUser }
  | { readonly type: "changed"; readonly user: SessionUser }
  | { readonly type: "signedOut" };

interface Tokens extends Authorization {
  /** By the monotonic clock, in milliseconds: changing the time of the device does not matter. */
  readonly expiresAt: number;
}

const LOADING = { status: "loading", user: null, reason: null, isOffline: false } as const;

/** A client of one Hallpass server. A page has one; a server has one for each session. */
export class Hallpass {
  readonly #options: HallpassOptions;
  readonly #listeners = new Set<() => void>();
  #state: SessionState = LOADING;
  #tokens: Tokens | null = null;
  /** Counts sign-ins and sign-outs, so that a refresh that was sent before one of them does not undo it. */
  #epoch = 0;
  #refreshing: Promise<void> | null = null;
  #memory: string | null = null;
  #channel: BroadcastChannel | null = null;
  #isStarted = false;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #failures = 0;

  constructor(options: HallpassOptions) {
    this.#options = options;
  }

  /** The GraphQL endpoint. */
  get url(): string {
    return this.#options.url;
  }

  /** Where refresh tokens are kept. */
  get tokenDelivery(): TokenDelivery {
    return this.#options.tokenDelivery ?? "COOKIE";
  }

  /** The current state. The same object until it changes. */
  getState = (): SessionState => this.#state;

  /** The state while a page is rendered on a server, or hydrated. */
  getServerState = (): SessionState => LOADING;

  /** Calls `listener` after each change of the state. Returns a function that unsubscribes. */
  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /**
   * Finds out who is signed in, follows other tabs, and tries again when the device is online again. Call it once when the page has
   * loaded; the provider for React does. Returns a function that stops it.
   */
  start(): () => void {
    if (this.#isStarted) return () => this.stop();
    this.#isStarted = true;
    if (this.#isCookie() && typeof BroadcastChannel !== "undefined") {
      this.#channel = new BroadcastChannel(`hallpass:${this.#options.url}`);
      this.#channel.onmessage = ({ data }: MessageEvent<Message>) => this.#follow(data);
    }
    for (const [target, type, listener] of this.#events()) target.addEventListener(type, listener);
    if (this.#state.status === "loading" || this.#state.isOffline) void this.refresh();
    return () => this.stop();
  }

  /** Stops what {@link start} began. The user stays signed in. */
  stop(): void {
    this.#isStarted = false;
    this.#channel?.close();
    this.#channel = null;
    clearTimeout(this.#retry);
    for (const [target, type, listener] of this.#events()) target.removeEventListener(type, listener);
  }

  /**
   * Creates an account. Signs in unless the server wants the e-mail address verified first: then the result's `accessToken` is null.
   *
   * @throws {@link HallpassError}
   */
  async register(input: Omit<RegisterInput, "tokenDelivery">): Promise<Pick<RegisterPayload, "accessToken"> & { readonly user: SessionUser }> {
    const { register } = await this.#send<{ register: SignInPayload }>(REGISTER, { input: this.#withDelivery(input) });
    if (register.accessToken) await this.accept(register);
    return register;
  }

  /**
   * Signs in with a username or e-mail address and a password.
   *
   * @throws {@link HallpassError} MFA_REQUIRED if the user has a second factor: `readErrors(error).mfa` has what {@link verifyMfa} needs.
   */
  async login(input: Omit<LoginInput, "tokenDelivery">): Promise<SessionUser> {
    const { login } = await this.#send<{ login: SignInPayload }>(LOGIN, { input: this.#withDelivery(input) });
    await this.accept(login);
    return login.user;
  }

  /**
   * Finishes a sign-in that needs a second factor. After MFA_CODE_INVALID, ask for the code again; after MFA_CHALLENGE_EXPIRED, for the
   * password.
   *
   * @throws {@link HallpassError}
   */
  async verifyMfa(input: VerifyMfaInput): Promise<SessionUser> {
    const { verifyMfa } = await this.#send<{ verifyMfa: SignInPayload }>(VERIFY_MFA, { input });
    await this.accept(verifyMfa);
    return verifyMfa.user;
  }

  /** Signs in with the payload of another mutation. It must select `accessToken`, `expiresIn` and {@link USER_FIELDS}. */
  async accept(payload: SignInPayload): Promise<void> {
    this.#epoch += 1;
    await this.#open(payload, now());
  }

  /**
   * Ends the session, or all sessions of the user, here and in the other tabs.
   *
   * @throws {@link HallpassError} if the server cannot be reached: the user is then still signed in, because the cookie that a script
   * cannot delete would sign in again.
   */
  async logout(input: Pick<LogoutInput, "everywhere"> = {}): Promise<void> {
    // A refresh that is answered after the logout would set a new cookie.
    await this.#refreshing;
    const refreshToken = this.#isCookie() ? null : await this.#stored();
    const send = async (accessToken = this.#tokens?.accessToken) =>
      this.#send(LOGOUT, { input: { ...input, refreshToken } }, accessToken);
    try {
      await send();
    } catch (error) {
      // Only `everywhere` needs a valid access token, and a session that has ended needs no logout.
      if (!rejection(responseErrors(error))) throw error;
      await this.refresh();
      if (this.#tokens) await send();
    }
    await this.#close("SIGNED_OUT", true);
  }

  /** Signs out without a request, here and in the other tabs: after the session has ended in another way. */
  async forget(): Promise<void> {
    await this.#close("SIGNED_OUT", true);
  }

  /**
   * Sends a GraphQL document with the access token, and once more after a refresh if the token was rejected.
   *
   * @param document - A string, or what GraphQL Code Generator makes with `documentMode: "string"`.
   * @throws {@link HallpassError} if the response has errors, or there is none.
   */
  async request<Data, Variables = Record<string, unknown>>(
    document: string | TypedDocument<Data, Variables>,
    variables?: Variables,
    options: RequestOptions = {},
  ): Promise<Data> {
    let authorization = options.isPublic ? null : await this.authorize();
    for (let isRetry = false; ; isRetry = true) {
      try {
        const data = await this.#send<Data>(String(document), variables ?? {}, authorization?.accessToken);
        this.observe(data);
        return data;
      } catch (error) {
        const rejected = rejection(responseErrors(error));
        const renewed = rejected && (await this.recover(authorization, rejected.reason, isRetry));
        if (!renewed) throw error;
        authorization = renewed;
      }
    }
  }

  /**
   * `fetch` with the access token, for your own APIs; once more after a refresh if the status is 401. The token is sent only to the
   * origin of the server and to `origins` of the options.
   */
  fetch = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    const request = new Request(input, init);
    const { origin } = new URL(request.url);
    const server = new URL(this.#options.url, globalThis.location?.href);
    if (![server.origin, ...(this.#options.origins ?? [])].includes(origin)) {
      throw new TypeError(`The access token must not be sent to ${origin}, which is not in the option origins`);
    }
    let authorization = await this.authorize();
    for (let isRetry = false; ; isRetry = true) {
      const attempt = request.clone();
      if (authorization) attempt.headers.set("authorization", `Bearer ${authorization.accessToken}`);
      const response = await this.#fetch(attempt);
      const renewed = response.status === 401 && (await this.recover(authorization, undefined, isRetry));
      if (!renewed) return response;
      authorization = renewed;
    }
  };

  /**
   * The access token for a request, refreshed if it has expired. Null if nobody is signed in. For links and exchanges.
   *
   * @throws {@link HallpassError} NETWORK_ERROR if it is not known who is signed in, or the token cannot be refreshed.
   */
  async authorize(): Promise<Authorization | null> {
    if (this.needsRefresh()) {
      await this.refresh();
      if (this.needsRefresh()) throw networkError(undefined);
    }
    return this.#tokens;
  }

  /** The access token of the moment, for links and exchanges that cannot wait. */
  current(): Authorization | null {
    return this.#tokens;
  }

  /** Whether a request has to wait for a refresh. */
  needsRefresh(): boolean {
    return this.#tokens ? now() >= this.#tokens.expiresAt : this.#state.status === "loading";
  }

  /**
   * What to do after the server rejected an access token: returns the one to send the request with once more, or null. For links and
   * exchanges.
   *
   * @param rejected - The authorization of the request.
   * @param reason - `extensions.reason`, if the response has it.
   * @param isRetry - Whether the request was already sent twice: it is not sent again.
   */
  async recover(rejected: Authorization | null, reason?: string | null, isRetry = false): Promise<Authorization | null> {
    if (!rejected) return null;
    if (this.#tokens?.accessToken === rejected.accessToken) {
      if (reason === "SESSION_REVOKED") await this.#close(reason, false);
      else if (!isRetry) await this.refresh();
    }
    // Another user may have signed in meanwhile, in another tab. What the first one asked for must not be done by the second.
    return !isRetry && this.#tokens?.accessToken !== rejected.accessToken && this.#tokens?.userId === rejected.userId
      ? this.#tokens
      : null;
  }

  /** Updates the user from the data of a response: the fields of `User` that it has, and a deletion of the account. */
  observe(data: unknown): void {
    const { user } = this.#state;
    if (!user) return;
    for (const payload of Object.values(Object(data) as Record<string, unknown>)) {
      const { deletedUserId, user: nested } = Object(payload) as Record<string, unknown>;
      if (deletedUserId === user.id) return void this.forget();
      const found = Object(nested ?? payload) as Record<string, unknown>;
      if (found["id"] !== user.id) continue;
      const changed = Object.keys(user).filter((key) => key in found && String(found[key]) !== String(user[key as keyof SessionUser]));
      if (changed.length === 0) continue;
      const updated = { ...user, ...Object.fromEntries(changed.map((key) => [key, found[key]])) };
      this.#set({ ...this.#state, user: updated } as SessionState);
      this.#tell({ type: "changed", user: updated });
    }
  }

  /** Exchanges the refresh token. Concurrent calls share one request. Never rejects: the state tells what came of it. */
  refresh(): Promise<void> {
    return (this.#refreshing ??= this.#refresh().finally(() => (this.#refreshing = null)));
  }

  async #refresh(): Promise<void> {
    const epoch = this.#epoch;
    clearTimeout(this.#retry);
    try {
      const refreshToken = this.#isCookie() ? null : await this.#stored();
      if (!refreshToken && !this.#isCookie()) return await this.#close(null, false);
      await this.#inTurn(async () => {
        const sentAt = now();
        const { refreshToken: payload } = await this.#send<{ refreshToken: SignInPayload }>(REFRESH, refreshToken ? { input: { refreshToken } } : {});
        if (epoch === this.#epoch) await this.#open(payload, sentAt);
      });
    } catch (error) {
      if (epoch !== this.#epoch) return;
      const { code, errors } = error instanceof HallpassError ? error : networkError(error);
      if (!FINAL.includes(code)) return this.#fail(code, errors);
      // Without a cookie nobody has been signed in, unless this page signed in itself.
      const isNew = code === "SESSION_NOT_FOUND" && this.#state.status !== "signedIn";
      // A refresh token that cannot be deleted does no harm: its session has ended.
      await this.#close(isNew ? null : code, false).catch(() => {});
    }
  }

  /**
   * Runs a refresh when no other tab runs one. Otherwise, responses that arrive in another order than the server sent them could leave
   * an old cookie, and the server would end the session when a tab presents it.
   */
  async #inTurn(refresh: () => Promise<void>): Promise<void> {
    const locks = this.#isCookie() && typeof navigator !== "undefined" ? navigator.locks : undefined;
    // Browsers have locks only on secure origins.
    if (!locks) return refresh();
    let isRunning = false;
    const waiting = new AbortController();
    // A tab that gets no answer must not keep the others from refreshing.
    const timer = setTimeout(() => waiting.abort(), MAX_WAIT_FOR_TAB);
    const run = () => {
      isRunning = true;
      clearTimeout(timer);
      return refresh();
    };
    try {
      await locks.request(`hallpass:${this.#options.url}`, { signal: waiting.signal }, run);
    } catch (error) {
      if (isRunning) throw error;
      await refresh();
    } finally {
      clearTimeout(timer);
    }
  }

  /** Keeps the state when the server could not be asked, and tries again later. */
  #fail(code: Code, errors: readonly ResponseError[]): void {
    if (this.#state.status === "signedOut") return;
    if (code === "NETWORK_ERROR" && this.#failures === 0 && typeof location !== "undefined" && navigator.onLine) {
      console.warn(`Hallpass cannot be reached at ${this.#options.url}. If it runs, its ALLOWED_ORIGINS must contain ${location.origin}.`);
    }
    this.#set({ ...this.#state, isOffline: true });
    const wait = Math.min(MAX_RETRY, MIN_RETRY * 2 ** this.#failures);
    this.#failures += 1;
    const retryAfter = (errors[0]?.extensions?.retryAfter ?? 0) * 1_000;
    if (this.#isStarted) this.#retry = setTimeout(() => void this.refresh(), Math.max(wait, retryAfter));
  }

  async #open({ accessToken, expiresIn, refreshToken, user }: SignInPayload, since: number): Promise<void> {
    if (refreshToken) {
      const epoch = this.#epoch;
      this.#memory = refreshToken;
      // Before the access token is used: from its first use on, the server refuses the previous refresh token.
      await this.#options.storage?.set(refreshToken);
      if (epoch !== this.#epoch) return;
    }
    const lifetime = expiresIn * 1_000;
    this.#adopt(accessToken, since + lifetime - MARGIN, user);
    this.#tell({ type: "signedIn", accessToken, expiresIn: since + lifetime - now(), user });
  }

  #adopt(accessToken: string, expiresAt: number, user: SessionUser): void {
    clearTimeout(this.#retry);
    this.#failures = 0;
    this.#tokens = { accessToken, userId: user.id, expiresAt };
    const known = this.#state.user;
    // Components that depend on the user do not render again only because a token was refreshed.
    const isSame = JSON.stringify(known) === JSON.stringify(user);
    this.#set({ status: "signedIn", user: known && isSame ? known : user, reason: null, isOffline: false });
  }

  async #close(reason: SignOutReason | null, tellOthers: boolean): Promise<void> {
    this.#epoch += 1;
    this.#failures = 0;
    clearTimeout(this.#retry);
    this.#tokens = null;
    this.#memory = null;
    if (tellOthers) this.#tell({ type: "signedOut" });
    this.#set({ status: "signedOut", user: null, reason, isOffline: false });
    if (!this.#isCookie()) await this.#options.storage?.delete();
  }

  #tell(message: Message): void {
    this.#channel?.postMessage(message);
  }

  /** Does what another tab did: the tabs share the cookie, so they share the user. */
  #follow(message: Message): void {
    const { user } = this.#state;
    if (message.type === "signedOut") return void this.#close("SIGNED_OUT", false);
    if (message.type === "changed") {
      if (message.user.id === user?.id) this.#set({ ...this.#state, user: message.user } as SessionState);
      return;
    }
    const expiresAt = now() + message.expiresIn - MARGIN;
    if (message.user.id === user?.id && this.#tokens && this.#tokens.expiresAt >= expiresAt) return;
    this.#epoch += 1;
    this.#adopt(message.accessToken, expiresAt, message.user);
  }

  #set(state: SessionState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }

  #events(): (readonly [EventTarget, string, (event: Event) => void])[] {
    if (typeof window === "undefined" || !window.addEventListener) return [];
    return [
      [window, "online", this.#retryNow],
      [window, "pageshow", this.#restored],
      [document, "visibilitychange", this.#retryNow],
    ];
  }

  #retryNow = (): void => {
    if (this.#state.isOffline && document.visibilityState === "visible") void this.refresh();
  };

  /** A page that the back button brings back did not hear what happened in other tabs. */
  #restored = (event: Event): void => {
    if ((event as PageTransitionEvent).persisted) void this.refresh();
  };

  #isCookie(): boolean {
    return this.tokenDelivery === "COOKIE";
  }

  async #stored(): Promise<string | null> {
    return this.#options.storage ? this.#options.storage.get() : this.#memory;
  }

  #withDelivery<Input>(input: Input): Input & { tokenDelivery: TokenDelivery } {
    return { ...input, tokenDelivery: this.tokenDelivery };
  }

  /** Sends a document. Returns its data, or throws a {@link HallpassError}. */
  async #send<Data>(query: string, variables: unknown, accessToken?: string): Promise<Data> {
    const { url, headers, timeout = 10_000 } = this.#options;
    const sent = new Headers(await headers?.());
    sent.set("content-type", "application/json");
    if (accessToken) sent.set("authorization", `Bearer ${accessToken}`);
    let body: { data?: Data; errors?: ResponseError[] };
    const aborter = new AbortController();
    const timer = setTimeout(() => aborter.abort(), timeout);
    try {
      const response = await this.#fetch(url, {
        method: "POST",
        credentials: this.#isCookie() ? "include" : "omit",
        headers: sent,
        body: JSON.stringify({ query, variables }),
        signal: aborter.signal,
      });
      // A proxy without a server answers with a page.
      body = (await response.json()) as typeof body;
    } catch (error) {
      throw networkError(error);
    } finally {
      clearTimeout(timer);
    }
    const first = body.errors?.[0];
    if (first) throw new HallpassError(first.extensions?.code ?? "UNKNOWN_ERROR", first.message, body.errors);
    return body.data as Data;
  }

  #fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
    // Browsers' `fetch` must not be called as a method of another object.
    const send = this.#options.fetch ?? fetch;
    return send(input, init);
  }
}

/** Options of {@link Hallpass.request}; in Apollo Client and urql, of the context of an operation. */
export interface RequestOptions {
  /** Whether the operation needs no user, such as `serverInfo`: it has no access token, and waits for none. */
  readonly isPublic?: boolean;
}

/** A document with the types of its data and variables. */
export interface TypedDocument<Data, Variables> {
  toString(): string;
  readonly __apiType?: (variables: Variables) => Data;
}

/** Milliseconds of a clock that only runs forward. */
function now(): number {
  return performance.now();
}
