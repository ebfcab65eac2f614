// Generated from schema.graphql by `npm run generate`.

export type Maybe<T> = T | null;
export type InputMaybe<T> = Maybe<T>;
/** All built-in and custom scalars, mapped to their actual values */
export type Scalars = {
  ID: { input: string; output: string; }
  String: { input: string; output: string; }
  Boolean: { input: boolean; output: boolean; }
  Int: { input: number; output: number; }
  Float: { input: number; output: number; }
  /** A point in time in UTC, as RFC 3339 with milliseconds: `2026-01-31T12:34:56.789Z`. */
  DateTime: { input: string; output: string; }
};

/** The tokens of a session, and its user. */
export type AuthPayload = {
  /** JWT for the header `Authorization: Bearer …`. */
  readonly accessToken: Scalars['String']['output'];
  /** Always `Bearer`. */
  readonly tokenType: Scalars['String']['output'];
  /** Seconds until the access token expires. */
  readonly expiresIn: Scalars['Int']['output'];
  /**
   * Only for sessions opened with `tokenDelivery: BODY`. With the default, COOKIE, the token is in an HttpOnly
   * cookie instead.
   */
  readonly refreshToken: Maybe<Scalars['String']['output']>;
  /** The signed-in user. */
  readonly user: User;
};

/** The result of `cancelEmailChange`. */
export type CancelEmailChangePayload = {
  /** The user, whose `pendingEmail` is now null. */
  readonly user: User;
};

/** The new e-mail address, and the proof that the owner asks for it. */
export type ChangeEmailInput = {
  /** The new address. */
  readonly newEmail: Scalars['String']['input'];
  /** The current password. Required unless this session signed in less than 10 minutes ago. */
  readonly password?: InputMaybe<Scalars['String']['input']>;
};

/** The result of `changeEmail`: the change takes effect when the link sent to the new address is used. */
export type ChangeEmailPayload = {
  /** The user, whose `pendingEmail` is the new address. */
  readonly user: User;
};

/** The current password and the new one. */
export type ChangePasswordInput = {
  /** The current password. */
  readonly currentPassword: Scalars['String']['input'];
  /** 8 to 128 characters of any kind. */
  readonly newPassword: Scalars['String']['input'];
  /** Whether the user's other sessions continue. */
  readonly keepOtherSessions?: Scalars['Boolean']['input'];
};

/** The result of `changePassword`. */
export type ChangePasswordPayload = {
  /** The user. */
  readonly user: User;
  /** Number of other sessions that were ended. */
  readonly revokedSessions: Scalars['Int']['output'];
};

/** The proof that the owner asks for the deletion. */
export type DeleteAccountInput = {
  /** The current password. Required unless this session signed in less than 10 minutes ago. */
  readonly password?: InputMaybe<Scalars['String']['input']>;
};

/** The result of `deleteAccount`. */
export type DeleteAccountPayload = {
  /** The id to evict from the client's cache. */
  readonly deletedUserId: Scalars['ID']['output'];
};

/** All codes in `extensions.code`. New codes may be added, so handle unknown ones. */
export type ErrorCode =
  /**
   * Several fields are invalid; `extensions.errors` has one entry for each. If only one is invalid, its own code is
   * used instead.
   */
  | 'INVALID_INPUT'
  /** A field is missing or blank. */
  | 'REQUIRED'
  /** The value has more than `limit` characters. */
  | 'TOO_LONG'
  /** The value is not an e-mail address. */
  | 'INVALID_EMAIL'
  /** The username has other characters than letters (A-Z), digits, `_` and `-`, or starts with `-`. */
  | 'INVALID_USERNAME'
  /** Another account has this username, or the server reserves it. */
  | 'USERNAME_TAKEN'
  /** Another account has this e-mail address. */
  | 'EMAIL_TAKEN'
  /** The password has fewer than `limit` characters. */
  | 'PASSWORD_TOO_SHORT'
  /** The value has more than `limit` characters. */
  | 'PASSWORD_TOO_LONG'
  /** The password is one of the most common ones, or the user's own name or address. */
  | 'PASSWORD_TOO_COMMON'
  /** The username or the password is wrong. */
  | 'INVALID_CREDENTIALS'
  /** The signed-in user gave a wrong current password. */
  | 'WRONG_PASSWORD'
  /** The password is right, but the account is disabled. */
  | 'ACCOUNT_DISABLED'
  /** The password is right, but the e-mail address must be verified first: see `sendVerificationEmail`. */
  | 'EMAIL_NOT_VERIFIED'
  /** The account has a verified address: sign in and use `changeEmail`. */
  | 'EMAIL_ALREADY_VERIFIED'
  /** This server cannot send mails; see `serverInfo.mailEnabled`. */
  | 'MAIL_DISABLED'
  /** Refresh: no refresh token was sent, or it is unknown. */
  | 'SESSION_NOT_FOUND'
  /** Refresh: the session was not refreshed in time, or has reached its maximum age. Sign in again. */
  | 'SESSION_EXPIRED'
  /**
   * Refresh: the session was ended by a logout, from another session, or because an old refresh token was used
   * again. Sign in again.
   */
  | 'SESSION_REVOKED'
  /**
   * The token of a verification or reset link is invalid, was already used, or is for an address that the account no
   * longer has.
   */
  | 'LINK_INVALID'
  /** The token of a verification or reset link is too old. */
  | 'LINK_EXPIRED'
  /** The object does not exist, or belongs to another user. */
  | 'NOT_FOUND'
  /** The role does not exist on this server. */
  | 'ROLE_UNKNOWN'
  /** The last active administrator cannot be deleted, disabled or demoted. */
  | 'LAST_ADMIN'
  /** This server accepts no registrations; see `serverInfo.registrationEnabled`. */
  | 'REGISTRATION_DISABLED'
  /** Too many attempts. Try again after `retryAfter` seconds; until then, the right password is refused too. */
  | 'RATE_LIMITED'
  /** The access token is missing or invalid; see `reason`. */
  | 'UNAUTHENTICATED'
  /** A variable does not fit its type, or a value cannot be stored. */
  | 'BAD_USER_INPUT'
  /**
   * The request is not a GraphQL request (method, content type or JSON), or comes from a page of an origin that is
   * not allowed.
   */
  | 'BAD_REQUEST'
  /**
   * The request has the hash of a document instead of the document, and this server stores no documents. Clients
   * with automatic persisted queries then send the document.
   */
  | 'PERSISTED_QUERY_NOT_SUPPORTED'
  /**
   * The request has the id of a document that is not in the server's list of trusted documents. Do not retry with the
   * document.
   */
  | 'PERSISTED_QUERY_NOT_IN_LIST'
  /** The document is not in the server's list of trusted documents. */
  | 'QUERY_NOT_IN_SAFELIST'
  /** The document cannot be parsed. */
  | 'GRAPHQL_PARSE_FAILED'
  /** The document does not fit the schema, is too large, too deep or too costly, or has more than one mutation. */
  | 'GRAPHQL_VALIDATION_FAILED'
  /** A fault of the server; find `requestId` in its log. */
  | 'INTERNAL_SERVER_ERROR'
  /** Try again after `retryAfter` seconds. */
  | 'SERVICE_UNAVAILABLE';

/**
 * The type of `errors[].extensions` in every error. No field returns it; it is in the schema so that code generators
 * can generate it. With GraphQL Code Generator, the plugin `typescript` generates it; the preset `client` and the
 * plugin `typescript-operations` generate only types that operations use.
 */
export type ErrorExtensions = {
  /** Stable. Decide by this, never by the message. */
  readonly code: ErrorCode;
  /** With UNAUTHENTICATED: what is wrong with the access token. */
  readonly reason: Maybe<UnauthenticatedReason>;
  /** All invalid fields of the input, also if there is only one. Empty for other errors. */
  readonly errors: ReadonlyArray<InputError>;
  /** With RATE_LIMITED and SERVICE_UNAVAILABLE: seconds to wait. */
  readonly retryAfter: Maybe<Scalars['Int']['output']>;
  /** Identifies this request in the server's log. Also in the response header `x-request-id`. */
  readonly requestId: Scalars['String']['output'];
  /**
   * Help for the developer of a client, where there is some. Only while the server is reachable from its own machine
   * alone.
   */
  readonly hint: Maybe<Scalars['String']['output']>;
};

/** An invalid field of the input. */
export type InputError = {
  /** Stable. What is wrong with the field. */
  readonly code: ErrorCode;
  /** A message for the user, in the language of `Accept-Language` (en, ru). */
  readonly message: Scalars['String']['output'];
  /** Path of the field inside `input`, such as `["password"]`. `null` if the error concerns the whole input. */
  readonly field: Maybe<ReadonlyArray<Scalars['String']['output']>>;
  /** The limit that the value exceeds or misses, such as 8 for PASSWORD_TOO_SHORT. */
  readonly limit: Maybe<Scalars['Int']['output']>;
};

/** The credentials of a user. */
export type LoginInput = {
  /** Username or e-mail address. */
  readonly username: Scalars['String']['input'];
  /** The password. */
  readonly password: Scalars['String']['input'];
  /** How refresh tokens are delivered, for the lifetime of the session. */
  readonly tokenDelivery?: TokenDelivery;
};

/** Sessions to end, besides those of the access token and the cookie. */
export type LogoutInput = {
  /** Whether all sessions of the user end. */
  readonly everywhere?: Scalars['Boolean']['input'];
  /** For sessions with `tokenDelivery: BODY`, if the access token has expired. */
  readonly refreshToken?: InputMaybe<Scalars['String']['input']>;
};

/** The result of `logout`. */
export type LogoutPayload = {
  /** Number of sessions that were ended. */
  readonly revokedSessions: Scalars['Int']['output'];
};

/**
 * A mutation takes one argument, `input`, which may be left out where its type is nullable; one that needs no input
 * takes no argument. It returns a payload, or null and an error whose `extensions` are `ErrorExtensions`. A request
 * may contain only one mutation.
 */
export type Mutation = {
  /**
   * Create an account and sign in. If `serverInfo.emailVerificationRequired`, the user is not signed in: they use
   * the link in the mail, then `login`.
   * Codes: REQUIRED, TOO_LONG, INVALID_USERNAME, INVALID_EMAIL, USERNAME_TAKEN, EMAIL_TAKEN, PASSWORD_TOO_SHORT,
   * PASSWORD_TOO_LONG, PASSWORD_TOO_COMMON, REGISTRATION_DISABLED, RATE_LIMITED, SERVICE_UNAVAILABLE.
   */
  readonly register: Maybe<RegisterPayload>;
  /**
   * Sign in with a username or e-mail address and a password.
   * Codes: INVALID_CREDENTIALS (does not say which of the two is wrong), ACCOUNT_DISABLED and EMAIL_NOT_VERIFIED
   * (both only after the right password), RATE_LIMITED, SERVICE_UNAVAILABLE. Never UNAUTHENTICATED, so that a
   * mistyped password does not make clients refresh their token.
   */
  readonly login: Maybe<AuthPayload>;
  /**
   * Exchange the refresh token for a new access token and a new refresh token. Without `input`, the HttpOnly cookie
   * is used. The `Authorization` header is ignored, so an expired access token does no harm.
   * Codes: SESSION_NOT_FOUND, SESSION_EXPIRED, SESSION_REVOKED, ACCOUNT_DISABLED, EMAIL_NOT_VERIFIED,
   * SERVICE_UNAVAILABLE. Never UNAUTHENTICATED.
   */
  readonly refreshToken: Maybe<AuthPayload>;
  /**
   * End the sessions of the access token, the cookie and `refreshToken`, also if the tokens have expired, and clear
   * the cookie. `everywhere` ends all sessions of the user; it needs a valid access token or a current refresh
   * token. Without any token, nothing happens.
   * Codes: UNAUTHENTICATED (only with `everywhere`), SERVICE_UNAVAILABLE.
   */
  readonly logout: Maybe<LogoutPayload>;
  /**
   * End one session of the signed-in user. If it is the current one, the cookie is cleared.
   * Codes: NOT_FOUND, UNAUTHENTICATED, SERVICE_UNAVAILABLE.
   */
  readonly revokeSession: Maybe<RevokeSessionPayload>;
  /**
   * End all other sessions of the signed-in user.
   * Codes: UNAUTHENTICATED, SERVICE_UNAVAILABLE.
   */
  readonly revokeOtherSessions: Maybe<RevokeOtherSessionsPayload>;
  /**
   * Change the names of the signed-in user. Changes of username, and requests for taken ones, are limited, by
   * default to 5 changes a day.
   * Codes: REQUIRED, USERNAME_TAKEN, INVALID_USERNAME, TOO_LONG, BAD_USER_INPUT, UNAUTHENTICATED, RATE_LIMITED,
   * SERVICE_UNAVAILABLE.
   */
  readonly updateProfile: Maybe<UpdateProfilePayload>;
  /**
   * Change the password of the signed-in user. Ends the other sessions unless `keepOtherSessions`, invalidates all
   * links in mails, and notifies the owner at a verified address. Changes are limited for each account.
   * Codes: WRONG_PASSWORD, REQUIRED, PASSWORD_TOO_SHORT, PASSWORD_TOO_LONG, PASSWORD_TOO_COMMON, UNAUTHENTICATED,
   * RATE_LIMITED, SERVICE_UNAVAILABLE.
   */
  readonly changePassword: Maybe<ChangePasswordPayload>;
  /**
   * Delete the signed-in user's account permanently, with its sessions, links and mails, and clear the cookie.
   * Codes: WRONG_PASSWORD, REQUIRED (no password), LAST_ADMIN, UNAUTHENTICATED, RATE_LIMITED, SERVICE_UNAVAILABLE.
   */
  readonly deleteAccount: Maybe<DeleteAccountPayload>;
  /**
   * Request a change of the e-mail address. It takes effect when the link sent to the new address is used within 24
   * hours; the old address is notified if it is verified. Whether the new address is taken is not revealed here. A
   * new request replaces the previous one; `cancelEmailChange` and any change of the password cancel it. With
   * RATE_LIMITED, nothing changes.
   * Codes: WRONG_PASSWORD, REQUIRED (no password), INVALID_EMAIL, TOO_LONG, MAIL_DISABLED, UNAUTHENTICATED,
   * RATE_LIMITED, SERVICE_UNAVAILABLE.
   */
  readonly changeEmail: Maybe<ChangeEmailPayload>;
  /**
   * Cancel a pending change of the e-mail address. Needs neither a mail nor the password. Without a pending change,
   * nothing happens.
   * Codes: UNAUTHENTICATED, SERVICE_UNAVAILABLE.
   */
  readonly cancelEmailChange: Maybe<CancelEmailChangePayload>;
  /**
   * Verify an e-mail address with the token of the link in the mail. Using the link again succeeds as long as the
   * account has this address. Another account that has the address but never verified it loses it.
   * Codes: LINK_INVALID, LINK_EXPIRED, EMAIL_TAKEN, SERVICE_UNAVAILABLE.
   */
  readonly verifyEmail: Maybe<VerifyEmailPayload>;
  /**
   * Replace the e-mail address of an account that has never verified one, for example if it is mistyped and keeps
   * the owner from signing in. Sends a verification mail to the new address; does not sign in. Limited like `login`.
   * Codes: INVALID_CREDENTIALS (does not say which of the two is wrong), INVALID_EMAIL, TOO_LONG, MAIL_DISABLED,
   * RATE_LIMITED, SERVICE_UNAVAILABLE; only after the right password: ACCOUNT_DISABLED, EMAIL_ALREADY_VERIFIED,
   * EMAIL_TAKEN.
   */
  readonly replaceUnverifiedEmail: Maybe<ReplaceUnverifiedEmailPayload>;
  /**
   * Send a verification mail again: to the account that has this address unverified, otherwise to the one that last
   * requested a change to it. The response is the same for known and unknown addresses. RATE_LIMITED depends on the
   * network and the signed-in user, never on the address; mails beyond the limit of an address are dropped.
   * Codes: INVALID_EMAIL, TOO_LONG, MAIL_DISABLED, RATE_LIMITED, SERVICE_UNAVAILABLE.
   */
  readonly sendVerificationEmail: Maybe<SendVerificationEmailPayload>;
  /**
   * Send a mail with a password reset link. The response is the same, and as fast, for known and unknown addresses.
   * RATE_LIMITED depends on the network and the signed-in user, never on the address; mails beyond the limit of an
   * address are dropped.
   * Codes: INVALID_EMAIL, TOO_LONG, MAIL_DISABLED, RATE_LIMITED, SERVICE_UNAVAILABLE.
   */
  readonly requestPasswordReset: Maybe<RequestPasswordResetPayload>;
  /**
   * Set a new password with the token of the link in the mail. Ends all sessions and a pending change of the
   * address; sign in afterwards. If the password is refused, the token stays valid.
   * Codes: LINK_INVALID, LINK_EXPIRED, REQUIRED, PASSWORD_TOO_SHORT, PASSWORD_TOO_LONG, PASSWORD_TOO_COMMON,
   * SERVICE_UNAVAILABLE.
   */
  readonly resetPassword: Maybe<ResetPasswordPayload>;
};


/**
 * A mutation takes one argument, `input`, which may be left out where its type is nullable; one that needs no input
 * takes no argument. It returns a payload, or null and an error whose `extensions` are `ErrorExtensions`. A request
 * may contain only one mutation.
 */
export type MutationRegisterArgs = {
  input: RegisterInput;
};


/**
 * A mutation takes one argument, `input`, which may be left out where its type is nullable; one that needs no input
 * takes no argument. It returns a payload, or null and an error whose `extensions` are `ErrorExtensions`. A request
 * may contain only one mutation.
 */
export type MutationLoginArgs = {
  input: LoginInput;
};


/**
 * A mutation takes one argument, `input`, which may be left out where its type is nullable; one that needs no input
 * takes no argument. It returns a payload, or null and an error whose `extensions` are `ErrorExtensions`. A request
 * may contain only one mutation.
 */
export type MutationRefreshTokenArgs = {
  input?: InputMaybe<RefreshTokenInput>;
};


/**
 * A mutation takes one argument, `input`, which may be left out where its type is nullable; one that needs no input
 * takes no argument. It returns a payload, or null and an error whose `extensions` are `ErrorExtensions`. A request
 * may contain only one mutation.
 */
export type MutationLogoutArgs = {
  input?: InputMaybe<LogoutInput>;
};


/**
 * A mutation takes one argument, `input`, which may be left out where its type is nullable; one that needs no input
 * takes no argument. It returns a payload, or null and an error whose `extensions` are `ErrorExtensions`. A request
 * may contain only one mutation.
 */
export type MutationRevokeSessionArgs = {
  input: RevokeSessionInput;
};


/**
 * A mutation takes one argument, `input`, which may be left out where its type is nullable; one that needs no input
 * takes no argument. It returns a payload, or null and an error whose `extensions` are `ErrorExtensions`. A request
 * may contain only one mutation.
 */
export type MutationUpdateProfileArgs = {
  input: UpdateProfileInput;
};


/**
 * A mutation takes one argument, `input`, which may be left out where its type is nullable; one that needs no input
 * takes no argument. It returns a payload, or null and an error whose `extensions` are `ErrorExtensions`. A request
 * may contain only one mutation.
 */
export type MutationChangePasswordArgs = {
  input: ChangePasswordInput;
};


/**
 * A mutation takes one argument, `input`, which may be left out where its type is nullable; one that needs no input
 * takes no argument. It returns a payload, or null and an error whose `extensions` are `ErrorExtensions`. A request
 * may contain only one mutation.
 */
export type MutationDeleteAccountArgs = {
  input: DeleteAccountInput;
};


/**
 * A mutation takes one argument, `input`, which may be left out where its type is nullable; one that needs no input
 * takes no argument. It returns a payload, or null and an error whose `extensions` are `ErrorExtensions`. A request
 * may contain only one mutation.
 */
export type MutationChangeEmailArgs = {
  input: ChangeEmailInput;
};


/**
 * A mutation takes one argument, `input`, which may be left out where its type is nullable; one that needs no input
 * takes no argument. It returns a payload, or null and an error whose `extensions` are `ErrorExtensions`. A request
 * may contain only one mutation.
 */
export type MutationVerifyEmailArgs = {
  input: VerifyEmailInput;
};


/**
 * A mutation takes one argument, `input`, which may be left out where its type is nullable; one that needs no input
 * takes no argument. It returns a payload, or null and an error whose `extensions` are `ErrorExtensions`. A request
 * may contain only one mutation.
 */
export type MutationReplaceUnverifiedEmailArgs = {
  input: ReplaceUnverifiedEmailInput;
};


/**
 * A mutation takes one argument, `input`, which may be left out where its type is nullable; one that needs no input
 * takes no argument. It returns a payload, or null and an error whose `extensions` are `ErrorExtensions`. A request
 * may contain only one mutation.
 */
export type MutationSendVerificationEmailArgs = {
  input: SendVerificationEmailInput;
};


/**
 * A mutation takes one argument, `input`, which may be left out where its type is nullable; one that needs no input
 * takes no argument. It returns a payload, or null and an error whose `extensions` are `ErrorExtensions`. A request
 * may contain only one mutation.
 */
export type MutationRequestPasswordResetArgs = {
  input: RequestPasswordResetInput;
};


/**
 * A mutation takes one argument, `input`, which may be left out where its type is nullable; one that needs no input
 * takes no argument. It returns a payload, or null and an error whose `extensions` are `ErrorExtensions`. A request
 * may contain only one mutation.
 */
export type MutationResetPasswordArgs = {
  input: ResetPasswordInput;
};

/**
 * The length of passwords. Common passwords, and the user's own name or address, may be refused too
 * (PASSWORD_TOO_COMMON).
 */
export type PasswordPolicy = {
  /** In characters (Unicode code points). */
  readonly minLength: Scalars['Int']['output'];
  /** In characters (Unicode code points), at least 64. */
  readonly maxLength: Scalars['Int']['output'];
};

/** Operations that only read. */
export type Query = {
  /**
   * The signed-in user. Without a valid access token, null and the error UNAUTHENTICATED, whose `extensions.reason`
   * says why.
   */
  readonly me: Maybe<User>;
  /** What login and registration forms need to know. Public and cacheable. */
  readonly serverInfo: ServerInfo;
};

/** A refresh token that is not in the cookie. */
export type RefreshTokenInput = {
  /** For sessions opened with `tokenDelivery: BODY`. */
  readonly refreshToken: Scalars['String']['input'];
};

/** A new user. */
export type RegisterInput = {
  /** 1 to 64 letters (A-Z), digits, `_` and `-`, not starting with `-`. Unique, regardless of letter case. */
  readonly username: Scalars['String']['input'];
  /** 8 to 128 characters of any kind. Common passwords, and the user's own name or address, are refused. */
  readonly password: Scalars['String']['input'];
  /** Required if `serverInfo.emailRequired`. */
  readonly email?: InputMaybe<Scalars['String']['input']>;
  /** Given name, at most 100 characters. */
  readonly firstName?: InputMaybe<Scalars['String']['input']>;
  /** Family name, at most 100 characters. */
  readonly lastName?: InputMaybe<Scalars['String']['input']>;
  /** How refresh tokens are delivered, for the lifetime of the session. */
  readonly tokenDelivery?: TokenDelivery;
};

/**
 * The new user and the tokens of the session. The tokens are null if the e-mail address must be verified before the
 * first login.
 */
export type RegisterPayload = {
  /** JWT for the header `Authorization: Bearer …`. */
  readonly accessToken: Maybe<Scalars['String']['output']>;
  /** Always `Bearer`. */
  readonly tokenType: Maybe<Scalars['String']['output']>;
  /** Seconds until the access token expires. */
  readonly expiresIn: Maybe<Scalars['Int']['output']>;
  /** Only with `tokenDelivery: BODY`. With the default, COOKIE, the token is in an HttpOnly cookie instead. */
  readonly refreshToken: Maybe<Scalars['String']['output']>;
  /** The new user. They are signed in if there is an access token. */
  readonly user: User;
};

/** The credentials of the account, and the new address. */
export type ReplaceUnverifiedEmailInput = {
  /** Username or current e-mail address. */
  readonly username: Scalars['String']['input'];
  /** The password. */
  readonly password: Scalars['String']['input'];
  /** The new address. */
  readonly newEmail: Scalars['String']['input'];
};

/** The result of `replaceUnverifiedEmail`: the account has the new address, which must be verified. */
export type ReplaceUnverifiedEmailPayload = {
  /** The new address. */
  readonly email: Scalars['String']['output'];
};

/** The account whose password is forgotten. */
export type RequestPasswordResetInput = {
  /** The address of the account. */
  readonly email: Scalars['String']['input'];
};

/** The response is the same whether or not an account has the address. */
export type RequestPasswordResetPayload = {
  /** The address of the request. */
  readonly email: Scalars['String']['output'];
};

/** The token of the link in the mail, and the new password. */
export type ResetPasswordInput = {
  /** The value after `token=` in the link. */
  readonly token: Scalars['String']['input'];
  /** 8 to 128 characters of any kind. */
  readonly newPassword: Scalars['String']['input'];
};

/** The result of `resetPassword`. */
export type ResetPasswordPayload = {
  /** Number of sessions that were ended: all of the user's. */
  readonly revokedSessions: Scalars['Int']['output'];
};

/** The result of `revokeOtherSessions`. */
export type RevokeOtherSessionsPayload = {
  /** Number of sessions that were ended. */
  readonly revokedSessions: Scalars['Int']['output'];
  /** The signed-in user, whose `sessions` are now only the current one. */
  readonly user: User;
};

/** The session to end. */
export type RevokeSessionInput = {
  /** `Session.id`. */
  readonly sessionId: Scalars['ID']['input'];
};

/** The result of `revokeSession`. */
export type RevokeSessionPayload = {
  /** The id to evict from the client's cache. */
  readonly revokedSessionId: Scalars['ID']['output'];
  /** The signed-in user, whose `sessions` no longer include this one. */
  readonly user: User;
};

/** The address to verify. */
export type SendVerificationEmailInput = {
  /** The address of an account, or its pending address. */
  readonly email: Scalars['String']['input'];
};

/** The response is the same whether or not an account has the address. */
export type SendVerificationEmailPayload = {
  /** The address of the request. */
  readonly email: Scalars['String']['output'];
};

/** Settings of the server that forms need. */
export type ServerInfo = {
  /** Whether anyone may register. */
  readonly registrationEnabled: Scalars['Boolean']['output'];
  /** Whether an account must have an e-mail address. */
  readonly emailRequired: Scalars['Boolean']['output'];
  /** Whether the e-mail address must be verified before the user can sign in. */
  readonly emailVerificationRequired: Scalars['Boolean']['output'];
  /** Whether this server can send mails. Verification, password reset and change of address need them. */
  readonly mailEnabled: Scalars['Boolean']['output'];
  /** The rules for passwords. */
  readonly passwordPolicy: PasswordPolicy;
  /** The rules for usernames. */
  readonly usernamePolicy: UsernamePolicy;
  /** Lifetime of an access token in seconds, by default 1800 (30 minutes). */
  readonly accessTokenLifetime: Scalars['Int']['output'];
  /** Lifetime of a session that is not refreshed, in seconds, by default 604800 (7 days). */
  readonly refreshTokenLifetime: Scalars['Int']['output'];
};

/** A sign-in in one browser, app or script. */
export type Session = {
  /** Opaque. Also the claim `sid` of its access tokens. */
  readonly id: Scalars['ID']['output'];
  /** Whether it is the session of this request. */
  readonly isCurrent: Scalars['Boolean']['output'];
  /** A description of the user agent for users, such as `Firefox on Linux`. */
  readonly device: Scalars['String']['output'];
  /** The `User-Agent` header of the sign-in, as the client chose it. */
  readonly userAgent: Maybe<Scalars['String']['output']>;
  /** The IP address of the client at sign-in. */
  readonly ipAddress: Maybe<Scalars['String']['output']>;
  /** The time of the sign-in. */
  readonly createdAt: Scalars['DateTime']['output'];
  /** The time of the last refresh. */
  readonly lastUsedAt: Scalars['DateTime']['output'];
  /** When it ends if it is not refreshed again. */
  readonly expiresAt: Scalars['DateTime']['output'];
};

/** How refresh tokens are delivered. */
export type TokenDelivery =
  /** In an HttpOnly, SameSite cookie that scripts cannot read. For browsers. */
  | 'COOKIE'
  /** In `refreshToken` of the payload. For apps and scripts that can store it safely. */
  | 'BODY';

/** Why an access token is refused. */
export type UnauthenticatedReason =
  /** No token was sent. */
  | 'TOKEN_MISSING'
  /** The token has expired. Refresh it and try again. */
  | 'TOKEN_EXPIRED'
  /** The token was not issued by this server, or was altered. */
  | 'TOKEN_INVALID'
  /** The session has ended, or the account is disabled or deleted. Do not refresh; the user must sign in again. */
  | 'SESSION_REVOKED';

/** The fields to change. Omitted fields stay; `null` clears a name. */
export type UpdateProfileInput = {
  /** 1 to 64 letters (A-Z), digits, `_` and `-`, not starting with `-`. It cannot be cleared. */
  readonly username?: InputMaybe<Scalars['String']['input']>;
  /** Given name, at most 100 characters. */
  readonly firstName?: InputMaybe<Scalars['String']['input']>;
  /** Family name, at most 100 characters. */
  readonly lastName?: InputMaybe<Scalars['String']['input']>;
};

/** The result of `updateProfile`. */
export type UpdateProfilePayload = {
  /** The user after the change. */
  readonly user: User;
};

/** A user account. */
export type User = {
  /** Opaque and permanent. Also the claim `sub` of access tokens. */
  readonly id: Scalars['ID']['output'];
  /** Letters, digits, `_` and `-`. Unique, regardless of letter case. */
  readonly username: Scalars['String']['output'];
  /** `null` if the account has none. */
  readonly email: Maybe<Scalars['String']['output']>;
  /** Whether the owner has verified `email` by a link. */
  readonly emailVerified: Scalars['Boolean']['output'];
  /** The new address after `changeEmail`, until it is verified, for at most 24 hours. */
  readonly pendingEmail: Maybe<Scalars['String']['output']>;
  /** Given name. */
  readonly firstName: Maybe<Scalars['String']['output']>;
  /** Family name. */
  readonly lastName: Maybe<Scalars['String']['output']>;
  /** First and last name, or `null` if neither is set. */
  readonly fullName: Maybe<Scalars['String']['output']>;
  /** False if the account is disabled: the user cannot sign in, and all tokens are refused at once. */
  readonly isActive: Scalars['Boolean']['output'];
  /**
   * Names of the user's roles, sorted. Also the claim `roles` of access tokens. Roles that no longer exist on the
   * server are omitted.
   */
  readonly roles: ReadonlyArray<Scalars['String']['output']>;
  /** When the account was created. */
  readonly createdAt: Scalars['DateTime']['output'];
  /** When the owner or an administrator last changed it. */
  readonly updatedAt: Scalars['DateTime']['output'];
  /** Current sessions, the last used first, at most 100. Only for the signed-in user. */
  readonly sessions: ReadonlyArray<Session>;
  /** The time of the last sign-in. */
  readonly lastLoginAt: Maybe<Scalars['DateTime']['output']>;
};

/** The rules for usernames. */
export type UsernamePolicy = {
  /** In characters. */
  readonly minLength: Scalars['Int']['output'];
  /** In characters. */
  readonly maxLength: Scalars['Int']['output'];
  /** A regular expression for the HTML `pattern` attribute: `[A-Za-z0-9_][A-Za-z0-9_\-]*`. */
  readonly pattern: Scalars['String']['output'];
};

/** The token of the link in the mail. */
export type VerifyEmailInput = {
  /** The value after `token=` in the link. */
  readonly token: Scalars['String']['input'];
};

/** The result of `verifyEmail`. */
export type VerifyEmailPayload = {
  /** The address that is now verified. */
  readonly email: Scalars['String']['output'];
  /** The signed-in user, if the address is theirs. `null` if nobody, or somebody else, is signed in. */
  readonly user: Maybe<User>;
};
