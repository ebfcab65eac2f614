/**
 * Live events: changes of the account and the end of the session, as they happen.
 *
 * @module
 */

import { rejection, type ResponseError } from "./errors.js";
import { USER_FIELDS, type Authorization, type Hallpass, type SessionUser } from "./hallpass.js";
import type { AuditEvent } from "./schema.js";

const FOLLOW = `subscription AccountEvents { accountEvents { endsSession event { action at } user { ${USER_FIELDS} } } }`;
const ME = `query Me { me { ${USER_FIELDS} } }`;

/** The longest pause before the stream is opened again, in milliseconds. */
const MAX_PAUSE = 30_000;
const PAUSE = 1_000;

/** An event of the signed-in user's account. */
export interface AccountChange {
  readonly event: Pick<AuditEvent, "action" | "at">;
  /** The user after the event. */
  readonly user: SessionUser;
  /** Whether the session has ended. The client has signed out. */
  readonly endsSession: boolean;
}

/** Options of {@link followAccount}. */
export interface FollowOptions {
  /** Is called with each event, after the client has updated the user or signed out. */
  readonly onEvent?: (change: AccountChange) => void;
}

/** A message of the stream. */
interface Message {
  readonly data?: { readonly accountEvents: AccountChange } | null;
  readonly errors?: readonly ResponseError[];
}

/**
 * Follows the account of the signed-in user: updates the user after changes that were made elsewhere, and signs out at once when the
 * session has ended. Opens the stream again after an interruption. With the refresh token in a cookie, one tab of a browser has the
 * stream, and tells the others. Call it once, and beside `start()`. Returns a function that stops it.
 */
export function followAccount(hallpass: Hallpass, options: FollowOptions = {}): () => void {
  const stopped = new AbortController();
  void inOneTab(hallpass, stopped.signal, () => follow(hallpass, options, stopped.signal)).catch(() => {});
  return () => stopped.abort();
}

/** Runs `work` while no other tab does. */
async function inOneTab(hallpass: Hallpass, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  const locks = hallpass.tokenDelivery === "COOKIE" && typeof navigator !== "undefined" ? navigator.locks : undefined;
  // Browsers have locks only on secure origins.
  await (locks ? locks.request(`hallpass:live:${hallpass.url}`, { signal }, work) : work());
}

async function follow(hallpass: Hallpass, options: FollowOptions, signal: AbortSignal): Promise<void> {
  let failures = 0;
  let missed = false;
  while (!signal.aborted) {
    const userId = hallpass.getState().user?.id;
    if (userId === undefined) {
      missed = false;
      await nextChange(hallpass, signal);
      continue;
    }
    let retryAfter = 0;
    try {
      // The token of the stream, whose session may end after another one was opened.
      const authorization = await hallpass.authorize();
      if (authorization?.userId !== userId) continue;
      for await (const message of messages(hallpass, userId, signal)) {
        if (message === "opened") {
          failures = 0;
          // What happened while there was no stream.
          if (missed) void hallpass.request(ME).catch(() => {});
          missed = true;
        } else retryAfter = await handle(hallpass, authorization, message, options);
      }
    } catch {
      // The connection was lost, or the server cannot be reached.
      failures += 1;
    }
    if (hallpass.getState().user?.id !== userId) continue;
    // After a restart of the server, not all clients come at the same time.
    const pause = Math.min(MAX_PAUSE, PAUSE * 2 ** failures) * Math.random();
    await wait(retryAfter * 1_000 + pause, signal);
  }
}

/** Handles a message. Returns how many seconds to wait before the stream is opened again. */
async function handle(hallpass: Hallpass, authorization: Authorization, message: Message, { onEvent }: FollowOptions): Promise<number> {
  const change = message.data?.accountEvents;
  if (change) {
    if (change.endsSession) await hallpass.recover(authorization, "SESSION_REVOKED");
    else hallpass.observe(message.data);
    onEvent?.(change);
    return 0;
  }
  const rejected = rejection(message.errors ?? []);
  if (rejected) await hallpass.recover(authorization, rejected.reason);
  return message.errors?.[0]?.extensions?.retryAfter ?? 0;
}

/** Opens the stream of a user, and returns what it sends, until it ends or another user is signed in. */
async function* messages(hallpass: Hallpass, userId: string, signal: AbortSignal): AsyncGenerator<"opened" | Message> {
  const aborter = new AbortController();
  const abort = () => aborter.abort();
  // Some implementations of `fetch` do not end a body between two reads when the signal is aborted.
  const aborted = new Promise<never>((_, reject) => {
    aborter.signal.addEventListener("abort", () => reject(new Error("the stream is not needed any more")));
  });
  aborted.catch(() => {});
  const unsubscribe = hallpass.subscribe(() => {
    if (hallpass.getState().user?.id !== userId) abort();
  });
  signal.addEventListener("abort", abort);
  // It may have been stopped, or another user may have signed in, before these listeners were added.
  if (signal.aborted || hallpass.getState().user?.id !== userId) abort();
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  try {
    const fetched = hallpass.fetch(hallpass.url, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "text/event-stream" },
      body: JSON.stringify({ query: FOLLOW }),
      signal: aborter.signal,
    });
    const response = await Promise.race([fetched, aborted]);
    if (!response.ok || !response.body) throw new Error(`status ${response.status}`);
    yield "opened";
    reader = response.body.getReader();
    const decoder = new TextDecoder();
    let text = "";
    for (;;) {
      const { done, value } = await Promise.race([reader.read(), aborted]);
      if (done) return;
      const blocks = (text + decoder.decode(value, { stream: true })).split("\n\n");
      text = blocks.pop() ?? "";
      for (const block of blocks) {
        const data = /^event: next\ndata:(.*)$/.exec(block)?.[1];
        if (data) yield JSON.parse(data) as Message;
      }
    }
  } finally {
    unsubscribe();
    signal.removeEventListener("abort", abort);
    abort();
    reader?.cancel().catch(() => {});
  }
}

/** Waits until the state changes. */
function nextChange(hallpass: Hallpass, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      unsubscribe();
      resolve();
    };
    const unsubscribe = hallpass.subscribe(done);
    signal.addEventListener("abort", done, { once: true });
  });
}

function wait(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}
