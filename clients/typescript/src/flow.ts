/**
 * What flows share that leave the page and come back: the verifier, the result in the address, and the errors.
 */

import { HallpassError, type Code } from "./errors.js";

/** A random code verifier (RFC 7636). */
export function createVerifier(): string {
  return encode(crypto.getRandomValues(new Uint8Array(32)));
}

/** The S256 challenge of a verifier. */
export async function challengeOf(verifier: string): Promise<string> {
  // Undefined on pages that are neither https nor on localhost.
  const { subtle } = crypto as Partial<Crypto>;
  if (!subtle) throw unavailable();
  return encode(new Uint8Array(await subtle.digest("SHA-256", new TextEncoder().encode(verifier))));
}

function encode(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** JSON in the storage of the browser. */
export class Store<Value> {
  readonly #storage: () => Storage;

  /** `storage` returns `sessionStorage` or `localStorage`. Reading these throws if the browser blocks them. */
  constructor(storage: () => Storage) {
    this.#storage = storage;
  }

  get(key: string): Value | null {
    try {
      return JSON.parse(this.#storage().getItem(key) ?? "null") as Value | null;
    } catch {
      return null;
    }
  }

  /** @throws {@link HallpassError} SIGN_IN_UNAVAILABLE */
  set(key: string, value: Value): void {
    try {
      this.#storage().setItem(key, JSON.stringify(value));
    } catch (error) {
      throw unavailable(error);
    }
  }

  delete(key: string): void {
    try {
      this.#storage().removeItem(key);
    } catch {
      // Then it has no value.
    }
  }
}

/** Reads parameters from the address of the page. */
export function parameter(name: string): string | null {
  return typeof location === "undefined" ? null : new URL(location.href).searchParams.get(name);
}

/** Removes parameters from the address of the page. The others stay, and so does the fragment. */
export function removeParameters(...names: readonly string[]): void {
  const url = new URL(location.href);
  for (const name of names) url.searchParams.delete(name);
  history.replaceState(history.state, "", url);
}

/** Shares the promise of a function while it is pending. Effects run twice in React's strict mode, and a result works once. */
export class Once<Result> {
  #running: Promise<Result> | null = null;

  run(start: () => Promise<Result>): Promise<Result> {
    return (this.#running ??= start().finally(() => (this.#running = null)));
  }
}

/** An error of this package, in the shape of the server's. */
export function ownError(code: Code, message: string, cause?: unknown): HallpassError {
  return new HallpassError(code, message, [{ message, extensions: { code } as object }], cause);
}

/** The error for a result without a verifier. */
export function startedElsewhere(message: string): HallpassError {
  return ownError("STARTED_ELSEWHERE", message);
}

function unavailable(cause?: unknown): HallpassError {
  return ownError("SIGN_IN_UNAVAILABLE", "This browser cannot sign in here. Allow cookies for this page, and open it by https.", cause);
}
