/**
 * Sessions for Apollo Client 4.
 *
 * @module
 */

import { ApolloLink, Observable, type ApolloClient } from "@apollo/client";
import { rejection, responseErrors } from "./errors.js";
import type { Authorization, Hallpass } from "./hallpass.js";

/** The shortest time after which a stream may be sent once more, in milliseconds. */
const MIN_STREAM = 10_000;

/**
 * A link that sends the access token, and repeats an operation once after a refresh if the token was rejected. Put it before the
 * terminating link. A subscription whose token has expired goes on with a new one. An operation whose context has `isPublic: true` has no access token.
 */
export function hallpassLink(hallpass: Hallpass): ApolloLink {
  return new ApolloLink((operation, forward) => {
    if (operation.getContext()["isPublic"]) return forward(operation);
    return new Observable((observer) => {
      let subscription: { unsubscribe(): void } | undefined;
      let isClosed = false;

      const send = (authorization: Authorization | null, isRetry: boolean): void => {
        if (isClosed) return;
        if (authorization) {
          operation.setContext(({ headers }) => ({
            headers: { ...headers, authorization: `Bearer ${authorization.accessToken}` },
          }));
        }
        // A stream is also rejected when its token expires, which is long after it was sent.
        const sentAt = performance.now();
        const isRepeated = () => isRetry && performance.now() - sentAt < MIN_STREAM;
        // Whether the response is withheld because the operation is sent again instead.
        let isRejected = false;
        const recover = (reason: string | null | undefined, otherwise: () => void): void => {
          isRejected = true;
          hallpass.recover(authorization, reason, isRepeated()).then(
            (renewed) => (renewed ? send(renewed, true) : otherwise()),
            (error: unknown) => observer.error(error),
          );
        };
        subscription = forward(operation).subscribe({
          next(result) {
            const rejected = rejection(responseErrors(result));
            if (rejected) {
              recover(rejected.reason, () => {
                observer.next(result);
                observer.complete();
              });
            } else {
              hallpass.observe(result.data);
              observer.next(result);
            }
          },
          error(error: unknown) {
            const rejected = rejection(responseErrors(error));
            // Another API that verifies the access tokens of Hallpass may have no `reason`.
            const isUnauthorized = (Object(error) as { statusCode?: number }).statusCode === 401;
            if (rejected ?? isUnauthorized) recover(rejected?.reason, () => observer.error(error));
            else observer.error(error);
          },
          complete() {
            if (!isRejected) observer.complete();
          },
        });
      };

      hallpass.authorize().then(
        (authorization) => send(authorization, false),
        (error: unknown) => observer.error(error),
      );
      return () => {
        isClosed = true;
        subscription?.unsubscribe();
      };
    });
  });
}

/**
 * Clears the cache whenever another user signs in or the user signs out, so that nobody sees the data of somebody else. Returns a
 * function that stops it.
 */
export function clearOnUserChange(client: Pick<ApolloClient, "clearStore" | "resetStore">, hallpass: Hallpass): () => void {
  let userId = hallpass.getState().user?.id;
  return hallpass.subscribe(() => {
    const next = hallpass.getState().user?.id;
    if (next === userId) return;
    const hadUser = userId !== undefined;
    userId = next;
    if (!hadUser) return;
    // Active queries run again for the new user. Without a user, they would only fail.
    const cleared = next === undefined ? client.clearStore() : client.resetStore();
    // Queries that were running are cancelled; their components report it.
    cleared.catch(() => {});
  });
}
