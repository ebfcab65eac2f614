/**
 * Sessions for urql.
 *
 * @module
 */

import { composeExchanges, mapExchange, type Exchange, type Operation } from "@urql/core";
import { authExchange, type AuthConfig, type AuthUtilities } from "@urql/exchange-auth";
import { rejection } from "./errors.js";
import type { Authorization, Hallpass } from "./hallpass.js";

/** The key of the user's id in the context of an operation that was sent. */
const USER = "hallpassUser";
const SCHEME = "Bearer ";

/**
 * An exchange that sends the access token, and repeats an operation once after a refresh if the token was rejected. Put it after the
 * cache and before `fetchExchange`. An operation whose context has `isPublic: true` has no access token.
 */
export function hallpassExchange(hallpass: Hallpass): Exchange {
  return composeExchanges([
    mapExchange({ onResult: ({ data }) => hallpass.observe(data) }),
    authExchange(async (utilities) => authConfig(hallpass, utilities)),
  ]);
}

function authConfig(hallpass: Hallpass, { appendHeaders }: AuthUtilities): AuthConfig {
  let rejected: Authorization | null = null;
  let reason: string | null | undefined;
  return {
    addAuthToOperation(operation) {
      const authorization = isPublic(operation) ? null : hallpass.current();
      if (!authorization) return operation;
      const previousUser: unknown = operation.context[USER];
      // Another user may have signed in meanwhile. What the first one asked for must not be done by the second.
      if (previousUser !== undefined && previousUser !== authorization.userId) return operation;
      const authorized = appendHeaders(operation, { authorization: SCHEME + authorization.accessToken });
      authorized.context[USER] = authorization.userId;
      return authorized;
    },
    willAuthError: (operation) => !isPublic(operation) && hallpass.needsRefresh(),
    didAuthError({ graphQLErrors, response }, operation) {
      // Another API that verifies the access tokens of Hallpass may have no `reason`.
      const isUnauthorized = (response as Response | undefined)?.status === 401;
      const found = rejection(graphQLErrors) ?? (isUnauthorized ? { reason: null } : undefined);
      const sent = authorizationOf(operation);
      if (!found || !sent) return false;
      if (operation.context["authAttempt"]) {
        void hallpass.recover(sent, found.reason, true);
        return false;
      }
      rejected = sent;
      reason = found.reason;
      return true;
    },
    async refreshAuth() {
      if (hallpass.needsRefresh()) await hallpass.authorize();
      else await hallpass.recover(rejected, reason);
    },
  };
}

function isPublic({ context }: Operation): boolean {
  return Boolean(context["isPublic"]);
}

/** The access token that an operation was sent with. */
function authorizationOf({ context }: Operation): Authorization | null {
  const options = typeof context.fetchOptions === "function" ? context.fetchOptions() : context.fetchOptions;
  const header = new Headers(options?.headers).get("authorization");
  const userId: unknown = context[USER];
  if (!header?.startsWith(SCHEME) || typeof userId !== "string") return null;
  return { accessToken: header.slice(SCHEME.length), userId };
}
