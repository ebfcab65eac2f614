/**
 * Reads the errors of Hallpass, whichever GraphQL client reports them.
 *
 * @module
 */

import type { ErrorCode, ErrorExtensions, MfaChallenge } from "./schema.js";

export type { ErrorCode, ErrorExtensions, InputError, MfaChallenge, UnauthenticatedReason } from "./schema.js";

/** A code of the server, which may be newer than this package, or a code of this package. */
export type Code =
  | ErrorCode
  /** No response: the device is offline, the server cannot be reached, or CORS forbids the request. */
  | "NETWORK_ERROR"
  /** An error that is neither a response nor a lost connection, such as an exception in the app. */
  | "UNKNOWN_ERROR"
  /** The user closed the browser's dialog for passkeys, or it timed out. */
  | "PASSKEY_CANCELLED"
  /** The device or security key already has a passkey of this user. */
  | "PASSKEY_EXISTS"
  /** The browser refuses passkeys on this page, or has no authenticator that fits. */
  | "PASSKEY_UNAVAILABLE"
  /** A sign-in with a provider or by mail returned to a browser or tab in which it did not begin. Nothing was sent. */
  | "STARTED_ELSEWHERE"
  /** The browser blocks storage, or the page is neither https nor on localhost, so it cannot sign in with a provider or by mail. */
  | "SIGN_IN_UNAVAILABLE"
  | (string & {});

/** An entry of `errors` in a GraphQL response. */
export interface ResponseError {
  readonly message: string;
  readonly path?: readonly (string | number)[] | undefined;
  readonly extensions?: Partial<ErrorExtensions> | undefined;
}

/** What is wrong with a field of a form. */
export interface FieldProblem {
  readonly code: Code;
  /** For the user, in the language of the request's `Accept-Language`. */
  readonly message: string;
  /** The limit that the value exceeds or misses, such as 8 for PASSWORD_TOO_SHORT. */
  readonly limit: number | null;
}

/** What a form shows after a request. Without an error, `code` and the messages are null and `fields` is empty. */
export interface Problems<Field extends string = string> {
  /** Decide by this, never by a message. Handle unknown codes: new ones may be added. */
  readonly code: Code | null;
  /** For the user: what happened. */
  readonly message: string | null;
  /** The message to show above the form: `message`, unless the fields say it all. */
  readonly form: string | null;
  /** Problems by field of `input`. A nested field has its path as name, joined by dots. */
  readonly fields: { readonly [F in Field]?: FieldProblem };
  /** With RATE_LIMITED and SERVICE_UNAVAILABLE: seconds to wait. */
  readonly retryAfter: number | null;
  /** With MFA_REQUIRED: what `verifyMfa` needs to finish the sign-in. */
  readonly mfa: MfaChallenge | null;
  /** Identifies the request in the server's log. Show it with INTERNAL_SERVER_ERROR. */
  readonly requestId: string | null;
}

/** A request that failed. Its `errors` are those of the response; without a response there are none. */
export class HallpassError extends Error {
  override readonly name = "HallpassError";
  readonly code: Code;
  readonly errors: readonly ResponseError[];

  constructor(code: Code, message: string, errors: readonly ResponseError[] = [], cause?: unknown) {
    super(message, { cause });
    this.code = code;
    this.errors = errors;
  }
}

/** The error for a request without a response. */
export function networkError(cause: unknown): HallpassError {
  return new HallpassError("NETWORK_ERROR", NETWORK_MESSAGE, [], cause);
}

const NETWORK_MESSAGE = "The server cannot be reached. Check your connection and try again.";
const UNKNOWN_MESSAGE = "Something went wrong. Try again.";

/** The exceptions of `navigator.credentials`, by name (WebAuthn §5.1.3 and §5.1.4). */
const PASSKEY_ERRORS: { readonly [name: string]: readonly [Code, string] } = {
  NotAllowedError: ["PASSKEY_CANCELLED", "No passkey was used. Try again."],
  InvalidStateError: ["PASSKEY_EXISTS", "This device already has a passkey for your account."],
  NotSupportedError: ["PASSKEY_UNAVAILABLE", "This browser cannot use a passkey here."],
  ConstraintError: ["PASSKEY_UNAVAILABLE", "This device cannot store a passkey."],
  SecurityError: ["PASSKEY_UNAVAILABLE", "This browser cannot use a passkey here."],
};

const NONE: Problems<never> = { code: null, message: null, form: null, fields: {}, retryAfter: null, mfa: null, requestId: null };

/**
 * Reads an error of Apollo Client, urql, graphql-request, `navigator.credentials` or this package, or the body of a response.
 *
 * @typeParam Input - The type of the operation's `input`, or the names of its fields. It types the keys of `fields`.
 */
export function readErrors<Input = Record<string, unknown>>(
  error: unknown,
): Problems<Input extends string ? Input : Extract<keyof Input, string>> {
  if (error === null || error === undefined || (error as Error).name === "AbortError") return NONE;
  const errors = responseErrors(error);
  const first = errors[0];
  if (!first) {
    const [code, message] =
      PASSKEY_ERRORS[(error as Error).name] ?? (isNetworkError(error) ? ["NETWORK_ERROR", NETWORK_MESSAGE] : ["UNKNOWN_ERROR", UNKNOWN_MESSAGE]);
    return { ...NONE, code, message, form: message };
  }
  const fields: Record<string, FieldProblem> = {};
  let form: string | null = null;
  for (const { message, extensions } of errors) {
    const inputErrors = extensions?.errors ?? [];
    for (const { code, message, field, limit } of inputErrors) {
      if (field?.length) fields[field.join(".")] ??= { code, message, limit };
      else form ??= message;
    }
    if (inputErrors.length === 0) form ??= message;
  }
  const { code = "UNKNOWN_ERROR", retryAfter = null, mfa = null, requestId = null } = first.extensions ?? {};
  return { code, message: first.message, form, fields, retryAfter, mfa, requestId } as ReturnType<typeof readErrors<Input>>;
}

/** The GraphQL errors in an error of a client, or in the body of a response. Empty if there was no response. */
export function responseErrors(error: unknown): readonly ResponseError[] {
  const { errors, graphQLErrors, response, networkError, bodyText } = Object(error) as Shapes;
  const found = [error, errors, graphQLErrors, response?.errors].find((list) => Array.isArray(list) && list.length > 0);
  if (found) return found as ResponseError[];
  if (networkError) return responseErrors(networkError);
  try {
    // Apollo Client, for a response with an error status and the media type application/json.
    return bodyText ? ((JSON.parse(bodyText) as Shapes).errors ?? []) : [];
  } catch {
    return [];
  }
}

/** The properties by which the clients report errors. */
interface Shapes {
  /** Apollo Client 4, this package, and responses. */
  readonly errors?: readonly ResponseError[];
  /** urql and Apollo Client 3. */
  readonly graphQLErrors?: readonly ResponseError[];
  readonly networkError?: unknown;
  /** graphql-request. */
  readonly response?: { readonly errors?: readonly ResponseError[] };
  /** `ServerError` of Apollo Client. */
  readonly bodyText?: string;
}

function isNetworkError(error: unknown): boolean {
  const { code, networkError, statusCode, response } = Object(error) as Record<string, unknown>;
  // `fetch` rejects with a TypeError. The others are responses of a proxy whose server cannot be reached.
  return (
    code === "NETWORK_ERROR" || error instanceof TypeError || Boolean(networkError ?? statusCode ?? response)
  );
}

/** The access token of a request was rejected: why, if the server says so. Undefined if it was not. */
export function rejection(errors: readonly ResponseError[]): { readonly reason?: string | null } | undefined {
  return errors.find(({ extensions }) => extensions?.code === "UNAUTHENTICATED")?.extensions;
}
