/**
 * Sessions and errors in React 18 and later.
 *
 * @module
 */

import { createContext, createElement, useContext, useEffect, useMemo, useState, useSyncExternalStore, type ReactElement, type ReactNode } from "react";
import { readErrors, type Problems } from "./errors.js";
import type { Hallpass, SessionState, SessionUser } from "./hallpass.js";
import type { Passkeys } from "./passkeys.js";

const Context = createContext<Hallpass | null>(null);

/** Gives the hooks of its children the client, and starts it when the page has loaded. */
export function HallpassProvider({ client, children }: { readonly client: Hallpass; readonly children?: ReactNode }): ReactElement {
  useEffect(() => client.start(), [client]);
  return createElement(Context.Provider, { value: client }, children);
}

/** The client, for `login`, `register`, `logout` and `request`. */
export function useHallpass(): Hallpass {
  const client = useContext(Context);
  if (!client) throw new Error("useHallpass must be used inside <HallpassProvider>");
  return client;
}

/** Whether a user is signed in. While a page is rendered on a server, the status is `loading`. */
export function useSession(): SessionState {
  const { subscribe, getState, getServerState } = useHallpass();
  return useSyncExternalStore(subscribe, getState, getServerState);
}

/** The signed-in user. Null if nobody is signed in, or while it is not known: see {@link useSession}. */
export function useUser(): SessionUser | null {
  return useSession().user;
}

/**
 * What a form shows of an error of any GraphQL client; see {@link readErrors}. `retryIn` counts the seconds down until the request may
 * be repeated.
 */
export function useHallpassError<Input = Record<string, unknown>>(
  error: unknown,
): ReturnType<typeof readErrors<Input>> & { readonly retryIn: number } {
  const problems = useMemo(() => readErrors<Input>(error), [error]);
  return { ...problems, retryIn: useCountdown(problems) };
}

function useCountdown(problems: Problems<never>): number {
  const [left, setLeft] = useState({ problems, seconds: problems.retryAfter ?? 0 });
  const seconds = left.problems === problems ? left.seconds : (problems.retryAfter ?? 0);
  useEffect(() => {
    if (seconds === 0) return;
    const timer = setTimeout(() => setLeft({ problems, seconds: seconds - 1 }), 1_000);
    return () => clearTimeout(timer);
  }, [problems, seconds]);
  return seconds;
}

/**
 * Offers passkeys in the autofill of the field with `autocomplete="username webauthn"` while the component is shown. Returns the error of a
 * passkey that was chosen and refused, for the form. Browsers without conditional UI offer nothing.
 */
export function usePasskeyAutofill(passkeys: Passkeys): unknown {
  const [error, setError] = useState<unknown>(null);
  useEffect(() => {
    const aborter = new AbortController();
    const { signal } = aborter;
    async function offer(): Promise<void> {
      try {
        await passkeys.signIn({ conditional: true, signal });
      } catch (error) {
        const { code } = readErrors(error);
        if (signal.aborted || code === "PASSKEY_UNAVAILABLE" || code === "PASSKEY_CANCELLED") return;
        setError(error);
        if (code === "PASSKEY_INVALID") await offer();
      }
    }
    void offer();
    return () => aborter.abort();
  }, [passkeys]);
  return error;
}

/** What came of a flow that returned to this page. */
export interface Finished<Result> {
  /** Whether it is not known yet: show neither the form nor the page. */
  readonly isPending: boolean;
  /** Null if no flow returned. */
  readonly result: Result | null;
  /** For the form. With MFA_REQUIRED, `readErrors(error).mfa` has what `verifyMfa` needs. */
  readonly error: unknown;
}

/** Finishes a sign-in with a provider, or by the link of a mail, when the page has loaded: `useFinish(providers)`. */
export function useFinish<Result>(flow: { readonly hasResult: boolean; finish(): Promise<Result | null> }): Finished<Result> {
  const [finished, setFinished] = useState<Finished<Result>>(() => ({ isPending: flow.hasResult, result: null, error: null }));
  useEffect(() => {
    let isCurrent = true;
    flow.finish().then(
      (result) => isCurrent && setFinished({ isPending: false, result, error: null }),
      (error: unknown) => isCurrent && setFinished({ isPending: false, result: null, error }),
    );
    return () => {
      isCurrent = false;
    };
  }, [flow]);
  return finished;
}
