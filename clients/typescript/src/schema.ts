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
  /** Any JSON value (RFC 8259), such as the options of a passkey. */
  JSON: { input: unknown; output: unknown; }
};

/** The token of an invitation, and the new user. */
export type AcceptInvitationInput = {
  /** The value after `token=` in the link. */
  readonly token: Scalars['String']['input'];
  /** 1 to 64 letters (A-Z), digits, `_` and `-`, not starting with `-`. Unique and case-insensitive. */
  readonly username: Scalars['String']['input'];
  /** 8 to 128 characters of any kind. Common passwords, and the user's own name or address, are refused. */
  readonly password: Scalars['String']['input'];
  /** Given name, at most 100 characters. */
  readonly firstName?: InputMaybe<Scalars['String']['input']>;
  /** Family name, at most 100 characters. */
  readonly lastName?: InputMaybe<Scalars['String']['input']>;
  /** How refresh tokens are delivered, for the lifetime of the session. */
  readonly tokenDelivery?: TokenDelivery;
};

/**
 * The passkeys of the user, for `PublicKeyCredential.signalAllAcceptedCredentials`, as they are. With them, the password
 * manager deletes the passkeys that no longer work.
 */
export type AcceptedCredentials = {
  /** The domain that passkeys are bound to. */
  readonly rpId: Scalars['String']['output'];
  /** The id of the user in base64url, as authenticators know it. */
  readonly userId: Scalars['String']['output'];
  /** The ids of all credentials of the user, in base64url. */
  readonly allAcceptedCredentialIds: ReadonlyArray<Scalars['String']['output']>;
};

/** What is stored about a user. */
export type AccountData = {
  /** The account. */
  readonly user: User;
  /** The current sessions, the last used first. */
  readonly sessions: ReadonlyArray<Session>;
  /** What happened to the account, newest first: the newest 5,000 events. `GET /account/export` contains all. */
  readonly auditEvents: ReadonlyArray<AuditEvent>;
  /** The time of the export. */
  readonly exportedAt: Scalars['DateTime']['output'];
};

/** An event of the signed-in user's account. */
export type AccountEvent = {
  /** What happened. */
  readonly event: AuditEvent;
  /** The signed-in user, after the event. If the session has ended, as the stream last had it. */
  readonly user: User;
  /** Whether the session of this stream has ended: sign out. It is the last event of the stream. */
  readonly endsSession: Scalars['Boolean']['output'];
};

/** What happened. New actions may be added, so handle unknown ones. */
export type AuditAction =
  /** A user registered. */
  | 'USER_REGISTERED'
  /** An administrator or an import created the account. */
  | 'USER_CREATED'
  /** The user signed in. */
  | 'LOGGED_IN'
  /** A sign-in failed: the name or the password, or the code of a mail, was wrong. */
  | 'LOGIN_FAILED'
  /** The user signed out of a session, or of all sessions. */
  | 'LOGGED_OUT'
  /** The user ended another session, or all other sessions. */
  | 'SESSION_REVOKED'
  /**
   * A replaced refresh token was presented again, and its successor had not been used. The session continued, because
   * the response may have been lost.
   */
  | 'TOKEN_REPEATED'
  /** A replaced refresh token was presented again after its successor had been used. The session was ended. */
  | 'TOKEN_REUSED'
  /** The user changed their names. */
  | 'PROFILE_UPDATED'
  /** The user or an administrator changed the password. */
  | 'PASSWORD_CHANGED'
  /** A mail with a link to reset the password was requested. */
  | 'PASSWORD_RESET_REQUESTED'
  /** The password was reset by a link, which ended all sessions. */
  | 'PASSWORD_RESET'
  /** The password was removed, because the address was verified by a sign-in by mail or with a provider, and never before. */
  | 'PASSWORD_REMOVED'
  /** The address was verified. */
  | 'EMAIL_VERIFIED'
  /** The user requested a change of the address. */
  | 'EMAIL_CHANGE_REQUESTED'
  /** The user cancelled a change of the address. */
  | 'EMAIL_CHANGE_CANCELLED'
  /** The address was changed. */
  | 'EMAIL_CHANGED'
  /** The user replaced an address that was never verified. */
  | 'EMAIL_REPLACED'
  /** The account lost an address that it had never verified, because the owner of another account verified it. */
  | 'EMAIL_REMOVED'
  /** An administrator changed the roles. */
  | 'ROLES_CHANGED'
  /** An administrator disabled the account. */
  | 'USER_DISABLED'
  /** An administrator enabled the account. */
  | 'USER_ENABLED'
  /** An administrator changed the account. */
  | 'USER_UPDATED'
  /** The account was deleted. */
  | 'USER_DELETED'
  /** An administrator invited a person. */
  | 'USER_INVITED'
  /** An invitation was accepted, which created the account. */
  | 'INVITATION_ACCEPTED'
  /** An administrator revoked an invitation. */
  | 'INVITATION_REVOKED'
  /** The user exported the data of the account. */
  | 'DATA_EXPORTED'
  /** The user set up a second factor. */
  | 'MFA_ENABLED'
  /** The user removed the second factor. */
  | 'MFA_DISABLED'
  /** An administrator removed the second factor. */
  | 'MFA_RESET'
  /** A sign-in failed: the code of the second factor was wrong or used. */
  | 'MFA_FAILED'
  /** The user used a recovery code. */
  | 'RECOVERY_CODE_USED'
  /** The user replaced the recovery codes. */
  | 'RECOVERY_CODES_REGENERATED'
  /** The user no longer needs the second factor in a browser. */
  | 'DEVICE_REMEMBERED'
  /** The user forgot a remembered device. */
  | 'REMEMBERED_DEVICE_REVOKED'
  /** The user added a passkey. */
  | 'PASSKEY_ADDED'
  /** The user renamed a passkey. */
  | 'PASSKEY_RENAMED'
  /** The user deleted a passkey. */
  | 'PASSKEY_REMOVED'
  /** The signature counter of a passkey went back, so the authenticator may have been cloned. The passkey was refused. */
  | 'PASSKEY_FAILED'
  /** The account of the user at a provider was linked: the user can sign in with it. */
  | 'IDENTITY_LINKED'
  /** The account of the user at a provider was unlinked. */
  | 'IDENTITY_UNLINKED';

/** Who caused an audit event. */
export type AuditActorType =
  /** A client that was not signed in. */
  | 'ANONYMOUS'
  /** A signed-in user, in their own account. */
  | 'USER'
  /** An administrator. */
  | 'ADMINISTRATOR'
  /** The operator, on the command line. */
  | 'COMMAND_LINE'
  /** The server itself. */
  | 'SYSTEM';

/** A detail of an audit event. */
export type AuditDetail = {
  /** What the value is, such as `field`, `method`, `roles` or `reason`. A name may occur several times. */
  readonly name: Scalars['String']['output'];
  /** The value. */
  readonly value: Scalars['String']['output'];
};

/**
 * Something that happened to an account, or an attempt. Events are never changed; they are deleted after
 * `AUDIT_RETENTION_DAYS`.
 */
export type AuditEvent = Node & {
  /** Opaque and permanent. */
  readonly id: Scalars['ID']['output'];
  /** When it happened. */
  readonly at: Scalars['DateTime']['output'];
  /** What happened. */
  readonly action: AuditAction;
  /**
   * The user whose request caused the event. `null` if no user was signed in, on the command line, if the account no
   * longer exists, and for users who see an action of an administrator.
   */
  readonly actor: Maybe<User>;
  /** The kind of actor. */
  readonly actorType: AuditActorType;
  /** The user whose account is affected. `null` if no account is affected, or if it no longer exists. */
  readonly user: Maybe<User>;
  /** The id of the affected user. It remains when the account no longer exists. */
  readonly userId: Maybe<Scalars['ID']['output']>;
  /**
   * The IP address of the client. `null` after `AUDIT_IP_DAYS`, for deleted accounts, on the command line, and for users
   * who see an action of an administrator.
   */
  readonly ipAddress: Maybe<Scalars['String']['output']>;
  /** The `User-Agent` header of the client. `null` in the same cases as `ipAddress`. */
  readonly userAgent: Maybe<Scalars['String']['output']>;
  /**
   * More about the event, such as the names of the fields that changed, the method of a sign-in, or the reason that an
   * administrator gave. Never secrets.
   */
  readonly details: ReadonlyArray<AuditDetail>;
};

/** A page of a list. */
export type AuditEventConnection = {
  /** The items with their cursors. */
  readonly edges: ReadonlyArray<AuditEventEdge>;
  /** The items. */
  readonly nodes: ReadonlyArray<AuditEvent>;
  /** The position of the page in the list. */
  readonly pageInfo: PageInfo;
};

/** An item and its position in the list. */
export type AuditEventEdge = {
  /** Opaque. For `after` or `before` of the same list in the same order. */
  readonly cursor: Scalars['String']['output'];
  /** The item. */
  readonly node: AuditEvent;
};

/** Which audit events to list. An event must meet all criteria that are given. */
export type AuditEventFilter = {
  /** Events with one of these actions. An empty list does not restrict the list. */
  readonly actions?: InputMaybe<ReadonlyArray<AuditAction>>;
  /** Events that affect the account with this id, which may no longer exist. */
  readonly userId?: InputMaybe<Scalars['ID']['input']>;
  /** Events that the user with this id caused. */
  readonly actorId?: InputMaybe<Scalars['ID']['input']>;
  /** Events that were caused from this IP address. */
  readonly ipAddress?: InputMaybe<Scalars['String']['input']>;
  /** Events at this time or later. */
  readonly after?: InputMaybe<Scalars['DateTime']['input']>;
  /** Events before this time. */
  readonly before?: InputMaybe<Scalars['DateTime']['input']>;
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
  /**
   * The current password. Required unless this session signed in, or used `reauthenticate`, less than 10
   * minutes ago.
   */
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

/** The first code of the authenticator app. */
export type ConfirmTotpEnrollmentInput = {
  /** Six digits. */
  readonly code: Scalars['String']['input'];
};

/** The result of `confirmTotpEnrollment`. */
export type ConfirmTotpEnrollmentPayload = {
  /** The user, with the second factor. */
  readonly user: User;
  /** Ten codes, each of which replaces the authenticator app once. They are shown only now. */
  readonly recoveryCodes: ReadonlyArray<Scalars['String']['output']>;
};

/** A new user, who is mailed a link to choose a password. */
export type CreateUserInput = {
  /** 1 to 64 letters (A-Z), digits, `_` and `-`, not starting with `-`. Unique and case-insensitive. */
  readonly username: Scalars['String']['input'];
  /** The link is sent there. */
  readonly email: Scalars['String']['input'];
  /** Whether the address counts as verified. Using the link verifies it anyway. */
  readonly emailVerified?: Scalars['Boolean']['input'];
  /** Given name, at most 100 characters. */
  readonly firstName?: InputMaybe<Scalars['String']['input']>;
  /** Family name, at most 100 characters. */
  readonly lastName?: InputMaybe<Scalars['String']['input']>;
  /** Without it, the roles of users who register. */
  readonly roles?: InputMaybe<ReadonlyArray<Scalars['String']['input']>>;
};

/** The result of `createUser`. */
export type CreateUserPayload = {
  /** The new user. */
  readonly user: User;
};

/** The proof that the owner asks for the deletion. */
export type DeleteAccountInput = {
  /**
   * The current password. Required unless this session signed in, or used `reauthenticate`, less than 10
   * minutes ago.
   */
  readonly password?: InputMaybe<Scalars['String']['input']>;
};

/** The result of `deleteAccount`. */
export type DeleteAccountPayload = {
  /** The id to evict from the client's cache. */
  readonly deletedUserId: Scalars['ID']['output'];
};

/** The passkey to delete. */
export type DeletePasskeyInput = {
  /** `Passkey.id`. */
  readonly passkeyId: Scalars['ID']['input'];
};

/** The result of `deletePasskey`. */
export type DeletePasskeyPayload = {
  /** The user, without the passkey. */
  readonly user: User;
  /** The id to evict from the client's cache. */
  readonly deletedPasskeyId: Scalars['ID']['output'];
  /** The remaining passkeys, so that the password manager deletes this one too. */
  readonly acceptedCredentials: AcceptedCredentials;
};

/** The user to delete. */
export type DeleteUserInput = {
  /** `User.id`. */
  readonly userId: Scalars['ID']['input'];
  /** Kept in the audit log. At most 500 characters. */
  readonly reason?: InputMaybe<Scalars['String']['input']>;
};

/** The result of `deleteUser`. */
export type DeleteUserPayload = {
  /** The id to evict from the client's cache. */
  readonly deletedUserId: Scalars['ID']['output'];
};

/** The result of `disableTotp`. */
export type DisableTotpPayload = {
  /** The user, without the second factor. */
  readonly user: User;
};

/** The user to disable. */
export type DisableUserInput = {
  /** `User.id`. */
  readonly userId: Scalars['ID']['input'];
  /** Kept in the audit log, where the user can read it. At most 500 characters. */
  readonly reason?: InputMaybe<Scalars['String']['input']>;
};

/** The result of `disableUser`. */
export type DisableUserPayload = {
  /** The user after the change. */
  readonly user: User;
  /** Number of sessions that were ended. */
  readonly revokedSessions: Scalars['Int']['output'];
};

/** A code, and where it was sent. */
export type EmailAndCodeInput = {
  /** The address of the request. */
  readonly email: Scalars['String']['input'];
  /** 8 digits, with or without spaces. */
  readonly code: Scalars['String']['input'];
};

/** A link or a code. Exactly one field must be given. */
export type EmailProofInput =
  /** The value after `token=` in the link. */
  { readonly token: Scalars['String']['input']; readonly emailAndCode?: never; }
  |  /** The code that the user typed. */
  { readonly token?: never; readonly emailAndCode: EmailAndCodeInput; };

/** The user to enable. */
export type EnableUserInput = {
  /** `User.id`. */
  readonly userId: Scalars['ID']['input'];
};

/** The result of `enableUser`. */
export type EnableUserPayload = {
  /** The user after the change. */
  readonly user: User;
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
  /**
   * The username does not follow the rule in `serverInfo.usernamePolicy`: by default letters (A-Z), digits, `_` and `-`, and no
   * `-` at the start. An e-mail address is never a username.
   */
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
  /** Refresh: the session was ended by a logout, from another session, or by reuse of an old token. Sign in again. */
  | 'SESSION_REVOKED'
  /** The token of a link is invalid, was already used, or is for an address that the account no longer has. */
  | 'LINK_INVALID'
  /**
   * The code of a sign-in with a provider, or the link or the code in a mail, is wrong, was already used, has expired or was tried
   * too often, or belongs to another `codeVerifier` or session. Start again.
   */
  | 'CODE_INVALID'
  /** This server offers no sign-in by mail; see `serverInfo.emailSignInEnabled`. */
  | 'EMAIL_SIGN_IN_DISABLED'
  /** The token of a verification or reset link is too old. */
  | 'LINK_EXPIRED'
  /** The object does not exist, or belongs to another user. */
  | 'NOT_FOUND'
  /** The role `admin` is missing. */
  | 'FORBIDDEN'
  /** Sign in again, or confirm the password or the second factor with `reauthenticate`, then try again. */
  | 'REAUTHENTICATION_REQUIRED'
  /** The password is right; a second factor is needed to finish the sign-in. */
  | 'MFA_REQUIRED'
  /** The code of the second factor is wrong, or was already used. */
  | 'MFA_CODE_INVALID'
  /** The sign-in that waits for a second factor is unknown, was already finished, or has expired. Sign in again. */
  | 'MFA_CHALLENGE_EXPIRED'
  /** The account already has an authenticator app: remove it first. */
  | 'MFA_ALREADY_ENABLED'
  /** The account does not have this second factor, or there is no enrollment to confirm: start one. */
  | 'MFA_NOT_ENABLED'
  /** A role of this user requires a second factor, and none is set up: enroll first. */
  | 'MFA_ENROLLMENT_REQUIRED'
  /** The passkey could not be verified, or its ceremony was already finished or has expired. Start again. */
  | 'PASSKEY_INVALID'
  /** The account has the maximum number of passkeys, which is 20. */
  | 'PASSKEY_LIMIT_REACHED'
  /** It is the only way to sign in: set a password, add a passkey or link a provider first. */
  | 'LAST_SIGN_IN_METHOD'
  /** There is no provider with this id; see `serverInfo.identityProviders`. */
  | 'PROVIDER_UNKNOWN'
  /** The provider is unreachable, or its response could not be verified. The log says why. */
  | 'PROVIDER_FAILED'
  /** The user cancelled at the provider, or the provider does not let the user sign in here. */
  | 'PROVIDER_REFUSED'
  /** The account at the provider is linked to another user: unlink it there first. */
  | 'IDENTITY_TAKEN'
  /**
   * An account has this address, but has not verified it, so it is not linked. Sign in another way, and link the
   * provider from inside.
   */
  | 'IDENTITY_UNLINKED'
  /** The account has the maximum number of linked identities, which is 20. */
  | 'IDENTITY_LIMIT_REACHED'
  /** The account has a password: change it instead. */
  | 'PASSWORD_ALREADY_SET'
  /** The token of an invitation is unknown, or the invitation was accepted, revoked or replaced by a newer one. */
  | 'INVITATION_INVALID'
  /** The invitation is too old. */
  | 'INVITATION_EXPIRED'
  /** The role does not exist on this server. */
  | 'ROLE_UNKNOWN'
  /** The last active administrator cannot be deleted, disabled or demoted. */
  | 'LAST_ADMIN'
  /** This server accepts no registrations; see `serverInfo.registrationEnabled`. */
  | 'REGISTRATION_DISABLED'
  /** Too many attempts. Try again after `retryAfter` seconds; until then, the right password is refused too. */
  | 'RATE_LIMITED'
  /** The user has as many streams of live events as one user may have. Close another one, in another tab or app. */
  | 'TOO_MANY_STREAMS'
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
  /** With MFA_REQUIRED: how to finish the sign-in. */
  readonly mfa: Maybe<MfaChallenge>;
  /** Identifies this request in the server's log. Also in the response header `x-request-id`. */
  readonly requestId: Scalars['String']['output'];
  /**
   * Help for the developer of a client, where there is some. Only while the server is reachable from its own machine
   * alone.
   */
  readonly hint: Maybe<Scalars['String']['output']>;
};

/** A one-time code of a link. */
export type FinishIdentityLinkInput = {
  /** The parameter `code` that `returnTo` received. */
  readonly code: Scalars['String']['input'];
  /** The verifier of the `codeChallenge` that started the link (RFC 7636). */
  readonly codeVerifier: Scalars['String']['input'];
};

/** The result of `finishIdentityLink`. */
export type FinishIdentityLinkPayload = {
  /** The user, with the identity. */
  readonly user: User;
  /** The identity. */
  readonly identity: Identity;
};

/** A sign-in with a passkey. */
export type FinishPasskeyLoginInput = {
  /** That of `startPasskeyLogin`. */
  readonly ceremonyToken: Scalars['String']['input'];
  /** The result of `credential.toJSON()`. */
  readonly credential: Scalars['JSON']['input'];
  /** How refresh tokens are delivered, for the lifetime of the session. */
  readonly tokenDelivery?: TokenDelivery;
};

/** The passkey that the browser created. */
export type FinishPasskeyRegistrationInput = {
  /** That of `startPasskeyRegistration`. */
  readonly ceremonyToken: Scalars['String']['input'];
  /** The result of `credential.toJSON()`. */
  readonly credential: Scalars['JSON']['input'];
  /** A name for the user, at most 100 characters. By default that of the password manager, if it is known, or of the device. */
  readonly name?: InputMaybe<Scalars['String']['input']>;
};

/** The result of `finishPasskeyRegistration`. */
export type FinishPasskeyRegistrationPayload = {
  /** The user, with the passkey. */
  readonly user: User;
  /** The passkey. */
  readonly passkey: Passkey;
  /** With the first second factor: ten codes, each of which replaces it once. They are shown only now. */
  readonly recoveryCodes: Maybe<ReadonlyArray<Scalars['String']['output']>>;
  /** All passkeys of the user. */
  readonly acceptedCredentials: AcceptedCredentials;
};

/** An account at a provider that the user can sign in with. */
export type Identity = Node & {
  /** Opaque. */
  readonly id: Scalars['ID']['output'];
  /** The provider. If the server no longer has it, its name is the id, and it cannot be used. */
  readonly provider: IdentityProvider;
  /** The address at the provider, for the user to recognize the account. `null` if the provider gives none. */
  readonly email: Maybe<Scalars['String']['output']>;
  /** When it was linked. */
  readonly linkedAt: Scalars['DateTime']['output'];
  /** The latest sign-in with it. `null` if there was none. */
  readonly lastUsedAt: Maybe<Scalars['DateTime']['output']>;
};

/** A provider that users can sign in with. */
export type IdentityProvider = {
  /** The id in the settings, such as `google`. */
  readonly id: Scalars['ID']['output'];
  /** The name for users. */
  readonly name: Scalars['String']['output'];
  /** The address for the login button. Add `return_to` and `code_challenge` to its query. */
  readonly startUrl: Scalars['String']['output'];
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

/** An invitation to create an account. */
export type Invitation = Node & {
  /** Opaque. Inviting the address again makes a new invitation with another id. */
  readonly id: Scalars['ID']['output'];
  /** The invited address. The account has it. */
  readonly email: Scalars['String']['output'];
  /** The roles that the account will have, sorted. Roles that no longer exist on the server are omitted. */
  readonly roles: ReadonlyArray<Scalars['String']['output']>;
  /** The administrator who invited. `null` for the command line, and if the account was deleted. */
  readonly invitedBy: Maybe<User>;
  /** When the address was invited. */
  readonly createdAt: Scalars['DateTime']['output'];
  /** When the invitation expires: 7 days after the mail was sent. */
  readonly expiresAt: Scalars['DateTime']['output'];
};

/** A page of a list. */
export type InvitationConnection = {
  /** The items with their cursors. */
  readonly edges: ReadonlyArray<InvitationEdge>;
  /** The items. */
  readonly nodes: ReadonlyArray<Invitation>;
  /** The position of the page in the list. */
  readonly pageInfo: PageInfo;
  /** The number of items on all pages. It is computed only if it is selected, and takes long for large lists. */
  readonly totalCount: Scalars['Int']['output'];
};

/** An item and its position in the list. */
export type InvitationEdge = {
  /** Opaque. For `after` or `before` of the same list in the same order. */
  readonly cursor: Scalars['String']['output'];
  /** The item. */
  readonly node: Invitation;
};

/** The person to invite. */
export type InviteUserInput = {
  /** The address that the mail is sent to, and that the account has. */
  readonly email: Scalars['String']['input'];
  /** The roles of the account, each one of the server's. Without them, the roles of a registration. */
  readonly roles?: InputMaybe<ReadonlyArray<Scalars['String']['input']>>;
};

/** The result of `inviteUser`. */
export type InviteUserPayload = {
  /** The new invitation. */
  readonly invitation: Invitation;
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

/** A one-time code of a sign-in with a provider. */
export type LoginWithCodeInput = {
  /** The parameter `code` that `return_to` received. */
  readonly code: Scalars['String']['input'];
  /** The verifier of the `code_challenge` that started the sign-in (RFC 7636). */
  readonly codeVerifier: Scalars['String']['input'];
  /** How refresh tokens are delivered, for the lifetime of the session. */
  readonly tokenDelivery?: TokenDelivery;
};

/** A sign-in by mail. */
export type LoginWithEmailInput = {
  /** What the mail contains. */
  readonly proof: EmailProofInput;
  /** The verifier: 43 to 128 characters. */
  readonly codeVerifier: Scalars['String']['input'];
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

/** A sign-in that waits for the second factor. `verifyMfa` finishes it. */
export type MfaChallenge = {
  /** For `verifyMfa`. Single use, and at most 5 attempts. */
  readonly token: Scalars['String']['output'];
  /** The second factors that the user can choose from. */
  readonly methods: ReadonlyArray<MfaMethod>;
  /** Seconds until the token expires. */
  readonly expiresIn: Scalars['Int']['output'];
};

/** A second factor. Exactly one field must be given. */
export type MfaFactorInput =
  /** The current code of the authenticator app: six digits. */
  { readonly totpCode: Scalars['String']['input']; readonly recoveryCode?: never; readonly passkey?: never; }
  |  /** A recovery code, in any case, with or without hyphens. It is used up. */
  { readonly totpCode?: never; readonly recoveryCode: Scalars['String']['input']; readonly passkey?: never; }
  |  /** A passkey: call `startPasskeyVerification` with the token first. */
  { readonly totpCode?: never; readonly recoveryCode?: never; readonly passkey: PasskeyAssertionInput; };

/** A second factor. */
export type MfaMethod =
  /** A code of an authenticator app (TOTP, RFC 6238). */
  | 'TOTP'
  /** A passkey: call `startPasskeyVerification`. */
  | 'PASSKEY'
  /** One of the recovery codes, each of which works once. */
  | 'RECOVERY_CODE';

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
   * If the user has a second factor, the error is MFA_REQUIRED; its `extensions.mfa` has the input for `verifyMfa`.
   * Codes: INVALID_CREDENTIALS (does not say which of the two is wrong), MFA_REQUIRED, ACCOUNT_DISABLED and
   * EMAIL_NOT_VERIFIED (all three only after the right password), RATE_LIMITED, SERVICE_UNAVAILABLE. Never
   * UNAUTHENTICATED, so that a mistyped password does not make clients refresh their token.
   */
  readonly login: Maybe<AuthPayload>;
  /**
   * Send a mail with a link and an 8-digit code, which sign in for 10 minutes. Only the client that has the verifier of
   * `codeChallenge` can use them. Mails that were sent before stay valid. The response is the same, and as fast, for known and
   * unknown addresses. RATE_LIMITED depends on the network and the signed-in user, never on the address; mails beyond the limit of
   * an address are dropped.
   * Codes: EMAIL_SIGN_IN_DISABLED, BAD_USER_INPUT (`codeChallenge`), INVALID_EMAIL, TOO_LONG, RATE_LIMITED,
   * SERVICE_UNAVAILABLE.
   */
  readonly requestEmailSignIn: Maybe<RequestEmailSignInPayload>;
  /**
   * Sign in with the link or the code of a mail. Each works once; a code can be wrong 5 times. Verifies the address. If it was never
   * verified, the password, the second factors, the passkeys and all sessions of the account are removed first, because another
   * person may have created it. If the user has a second factor, the error is MFA_REQUIRED, as with `login`.
   * Codes: CODE_INVALID (does not say why), EMAIL_SIGN_IN_DISABLED, BAD_USER_INPUT (`codeVerifier`), MFA_REQUIRED and
   * ACCOUNT_DISABLED (both only with a valid link or code), RATE_LIMITED, SERVICE_UNAVAILABLE. Never UNAUTHENTICATED.
   */
  readonly loginWithEmail: Maybe<AuthPayload>;
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
   * Prove the identity of the signed-in user again, after REAUTHENTICATION_REQUIRED. Users with a second factor use that;
   * their password is not enough. For the next 10 minutes, the session counts as just signed in: `accountData` is
   * allowed, and `changeEmail` and `deleteAccount` need no password. Returns new tokens of the same session, which
   * replace the current ones as those of `refreshToken` do. Wrong passwords and codes are limited for each account.
   * Codes: WRONG_PASSWORD, MFA_CODE_INVALID, PASSKEY_INVALID, MFA_NOT_ENABLED, REQUIRED, EMAIL_NOT_VERIFIED, UNAUTHENTICATED,
   * RATE_LIMITED, SERVICE_UNAVAILABLE.
   */
  readonly reauthenticate: Maybe<AuthPayload>;
  /**
   * Finish a sign-in that answered MFA_REQUIRED. The session has the `tokenDelivery` of the first step. With COOKIE, only the
   * browser of the first step can finish it. A wrong code leaves the token valid, for 5 attempts in total; further limits
   * hold for each account. A recovery code works once, and the user is notified by mail.
   * Codes: MFA_CODE_INVALID, PASSKEY_INVALID, MFA_CHALLENGE_EXPIRED (also if the token is unknown or was used: sign in again),
   * ACCOUNT_DISABLED, EMAIL_NOT_VERIFIED, RATE_LIMITED, SERVICE_UNAVAILABLE. Never UNAUTHENTICATED.
   */
  readonly verifyMfa: Maybe<AuthPayload>;
  /**
   * Start to set up an authenticator app. Nothing changes until `confirmTotpEnrollment`, within 10 minutes. Starting again
   * replaces the secret. The last sign-in or `reauthenticate` must be less than 10 minutes ago.
   * Codes: MFA_ALREADY_ENABLED, REAUTHENTICATION_REQUIRED, UNAUTHENTICATED, SERVICE_UNAVAILABLE.
   */
  readonly startTotpEnrollment: Maybe<StartTotpEnrollmentPayload>;
  /**
   * Set up the authenticator app with its first code. From now on, every sign-in needs a code. The current session counts as
   * signed in with it. Returns the recovery codes; show them to the user, who must keep them. The user is notified by mail.
   * Codes: MFA_CODE_INVALID, MFA_NOT_ENABLED (no enrollment was started, or it has expired), MFA_ALREADY_ENABLED,
   * UNAUTHENTICATED, RATE_LIMITED, SERVICE_UNAVAILABLE.
   */
  readonly confirmTotpEnrollment: Maybe<ConfirmTotpEnrollmentPayload>;
  /**
   * Remove the authenticator app and all remembered devices. Without a passkey, the recovery codes are removed too, and
   * sign-ins need the password only. The second
   * factor must have been confirmed less than 10 minutes ago, at the sign-in or with `reauthenticate`. The user is notified
   * by mail.
   * Codes: MFA_NOT_ENABLED, REAUTHENTICATION_REQUIRED, UNAUTHENTICATED, SERVICE_UNAVAILABLE.
   */
  readonly disableTotp: Maybe<DisableTotpPayload>;
  /**
   * Replace all recovery codes. The second factor must have been confirmed less than 10 minutes ago, at the sign-in or with
   * `reauthenticate`.
   * Codes: MFA_NOT_ENABLED, REAUTHENTICATION_REQUIRED, UNAUTHENTICATED, SERVICE_UNAVAILABLE.
   */
  readonly regenerateRecoveryCodes: Maybe<RegenerateRecoveryCodesPayload>;
  /**
   * Forget a remembered device of the signed-in user. The next sign-in there needs the second factor. Sessions in that browser
   * continue; `revokeSession` ends them.
   * Codes: NOT_FOUND, UNAUTHENTICATED, SERVICE_UNAVAILABLE.
   */
  readonly revokeRememberedDevice: Maybe<RevokeRememberedDevicePayload>;
  /**
   * Start to add a passkey to the account of the signed-in user; `finishPasskeyRegistration` adds it, within 15 minutes. The last
   * sign-in or `reauthenticate` must be less than 10 minutes ago, with the second factor if there is one. With `input`, start to
   * create an account without a password; `registerWithPasskey` creates it. Public in this case.
   * Codes: PASSKEY_LIMIT_REACHED, REAUTHENTICATION_REQUIRED, UNAUTHENTICATED (without `input`); REQUIRED, TOO_LONG,
   * INVALID_USERNAME, INVALID_EMAIL, USERNAME_TAKEN, EMAIL_TAKEN, REGISTRATION_DISABLED, RATE_LIMITED (with `input`);
   * SERVICE_UNAVAILABLE.
   */
  readonly startPasskeyRegistration: Maybe<PasskeyOptionsPayload>;
  /**
   * Add the passkey that the browser created. It can be used to sign in, and as the second factor after the password, which
   * every sign-in with the password needs from now on. The current session counts as signed in with it. The user is notified
   * by mail.
   * Codes: PASSKEY_INVALID, PASSKEY_LIMIT_REACHED, TOO_LONG, BAD_USER_INPUT, REAUTHENTICATION_REQUIRED, UNAUTHENTICATED,
   * SERVICE_UNAVAILABLE.
   */
  readonly finishPasskeyRegistration: Maybe<FinishPasskeyRegistrationPayload>;
  /**
   * Create an account that has the passkey that the browser created, and no password, and sign in. If
   * `serverInfo.emailVerificationRequired`, the user is not signed in: they use the link in the mail, then the passkey.
   * Codes: PASSKEY_INVALID (also if `username` or `email` is not that of `startPasskeyRegistration`), REQUIRED, TOO_LONG,
   * INVALID_USERNAME, INVALID_EMAIL, USERNAME_TAKEN, EMAIL_TAKEN, BAD_USER_INPUT, REGISTRATION_DISABLED, SERVICE_UNAVAILABLE.
   */
  readonly registerWithPasskey: Maybe<RegisterWithPasskeyPayload>;
  /**
   * Start a sign-in with a passkey. Public. Works for a button and for conditional UI (autofill).
   * Codes: SERVICE_UNAVAILABLE.
   */
  readonly startPasskeyLogin: Maybe<PasskeyOptionsPayload>;
  /**
   * Start to confirm the identity with a passkey: for `verifyMfa` with `mfaToken`, or, without `input`, for `reauthenticate`.
   * Codes: MFA_CHALLENGE_EXPIRED, MFA_NOT_ENABLED (the user has no passkey), UNAUTHENTICATED (only without `input`),
   * SERVICE_UNAVAILABLE.
   */
  readonly startPasskeyVerification: Maybe<PasskeyOptionsPayload>;
  /**
   * Sign in with a passkey. No second factor is needed, because the authenticator has verified the user.
   * Codes: PASSKEY_INVALID (does not say why), ACCOUNT_DISABLED and EMAIL_NOT_VERIFIED (only with a valid passkey),
   * SERVICE_UNAVAILABLE. Never UNAUTHENTICATED.
   */
  readonly finishPasskeyLogin: Maybe<AuthPayload>;
  /**
   * Rename a passkey of the signed-in user.
   * Codes: NOT_FOUND, REQUIRED, TOO_LONG, BAD_USER_INPUT, UNAUTHENTICATED, SERVICE_UNAVAILABLE.
   */
  readonly renamePasskey: Maybe<RenamePasskeyPayload>;
  /**
   * Delete a passkey of the signed-in user. The second factor must have been confirmed less than 10 minutes ago, at the
   * sign-in or with `reauthenticate`. With the last second factor, the recovery codes are deleted too. The user is notified by
   * mail.
   * Codes: NOT_FOUND, LAST_SIGN_IN_METHOD (the user has no password, no other passkey and no linked provider), REAUTHENTICATION_REQUIRED,
   * UNAUTHENTICATED, SERVICE_UNAVAILABLE.
   */
  readonly deletePasskey: Maybe<DeletePasskeyPayload>;
  /**
   * Finish a sign-in with a provider: exchange the `code` that `return_to` received, within 60 seconds, once. If no account has the
   * account at the provider, and no account has its verified address, an account is created.
   * If the user has a second factor, the error is MFA_REQUIRED, as for `login`.
   * Codes: CODE_INVALID, MFA_REQUIRED, IDENTITY_UNLINKED, IDENTITY_LIMIT_REACHED, ACCOUNT_DISABLED, EMAIL_NOT_VERIFIED,
   * REGISTRATION_DISABLED, REQUIRED (accounts need an address, and the provider gives none), RATE_LIMITED, SERVICE_UNAVAILABLE.
   * Never UNAUTHENTICATED.
   */
  readonly loginWithCode: Maybe<AuthPayload>;
  /**
   * Start to link an account at a provider to the signed-in user: open `url` in this browser, and call `finishIdentityLink` with
   * the `code` that `returnTo` receives. The last sign-in or `reauthenticate` must be less than 10 minutes ago, with the second
   * factor if there is one.
   * Codes: PROVIDER_UNKNOWN, BAD_REQUEST (`returnTo` or `codeChallenge`), REAUTHENTICATION_REQUIRED, UNAUTHENTICATED,
   * SERVICE_UNAVAILABLE.
   */
  readonly startIdentityLink: Maybe<StartIdentityLinkPayload>;
  /**
   * Link the account at the provider, in the session that has started it. The user is notified by mail. If it is linked to this
   * user already, nothing changes.
   * Codes: CODE_INVALID (also in another session), IDENTITY_TAKEN, IDENTITY_LIMIT_REACHED, REAUTHENTICATION_REQUIRED,
   * UNAUTHENTICATED, SERVICE_UNAVAILABLE.
   */
  readonly finishIdentityLink: Maybe<FinishIdentityLinkPayload>;
  /**
   * Unlink an account at a provider from the signed-in user. Sessions that were opened with it continue. The last sign-in or
   * `reauthenticate` must be less than 10 minutes ago, with the second factor if there is one. The user is notified by mail.
   * Codes: NOT_FOUND, LAST_SIGN_IN_METHOD (the user has no password, no passkey and no other linked provider),
   * REAUTHENTICATION_REQUIRED, UNAUTHENTICATED, SERVICE_UNAVAILABLE.
   */
  readonly unlinkIdentity: Maybe<UnlinkIdentityPayload>;
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
   * Set the first password of the signed-in user, if `User.hasPassword` is false. The last sign-in or `reauthenticate` must be less
   * than 10 minutes ago. Invalidates all links in mails, and notifies the owner at a verified address. The other sessions continue.
   * Codes: PASSWORD_ALREADY_SET, REQUIRED, PASSWORD_TOO_SHORT, PASSWORD_TOO_LONG, PASSWORD_TOO_COMMON, REAUTHENTICATION_REQUIRED,
   * UNAUTHENTICATED, RATE_LIMITED, SERVICE_UNAVAILABLE.
   */
  readonly setPassword: Maybe<SetPasswordPayload>;
  /**
   * Delete the signed-in user's account permanently, with its sessions, links and mails, and clear the cookie.
   * A verified address is notified.
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
  /**
   * Create an account and mail its owner a link to choose a password, valid for 24 hours. Requires the role `admin`.
   * The last sign-in or `reauthenticate` must be less than 10 minutes ago.
   * Codes: REQUIRED, TOO_LONG, INVALID_USERNAME, INVALID_EMAIL, USERNAME_TAKEN, EMAIL_TAKEN, ROLE_UNKNOWN,
   * MAIL_DISABLED, REAUTHENTICATION_REQUIRED, FORBIDDEN, UNAUTHENTICATED, SERVICE_UNAVAILABLE.
   */
  readonly createUser: Maybe<CreateUserPayload>;
  /**
   * Change names and address of an account. A new address is not verified unless `emailVerified`, and a verified old
   * one is notified. Requires the role `admin`. The last sign-in or `reauthenticate` must be less than 10 minutes ago.
   * Codes: NOT_FOUND, REQUIRED, TOO_LONG, INVALID_USERNAME, INVALID_EMAIL, USERNAME_TAKEN, EMAIL_TAKEN,
   * REAUTHENTICATION_REQUIRED, FORBIDDEN, UNAUTHENTICATED, SERVICE_UNAVAILABLE.
   */
  readonly updateUser: Maybe<UpdateUserPayload>;
  /**
   * Replace the roles of a user, who is notified by mail. They apply to the next request; access tokens that other
   * services verify keep the old roles until they expire. Requires the role `admin`. The last sign-in or
   * `reauthenticate` must be less than 10 minutes ago.
   * Codes: NOT_FOUND, ROLE_UNKNOWN, LAST_ADMIN, REAUTHENTICATION_REQUIRED, FORBIDDEN, UNAUTHENTICATED,
   * SERVICE_UNAVAILABLE.
   */
  readonly setUserRoles: Maybe<SetUserRolesPayload>;
  /**
   * Disable an account: end its sessions, invalidate its links, and refuse sign-ins. The user is notified by mail.
   * Requires the role `admin`. The last sign-in or `reauthenticate` must be less than 10 minutes ago.
   * Codes: NOT_FOUND, LAST_ADMIN, TOO_LONG, REAUTHENTICATION_REQUIRED, FORBIDDEN, UNAUTHENTICATED, SERVICE_UNAVAILABLE.
   */
  readonly disableUser: Maybe<DisableUserPayload>;
  /**
   * Enable a disabled account. Its sessions stay ended. Requires the role `admin`. The last sign-in or `reauthenticate`
   * must be less than 10 minutes ago.
   * Codes: NOT_FOUND, REAUTHENTICATION_REQUIRED, FORBIDDEN, UNAUTHENTICATED, SERVICE_UNAVAILABLE.
   */
  readonly enableUser: Maybe<EnableUserPayload>;
  /**
   * Delete an account permanently, with its sessions, links and mails. The audit log keeps its id. The user is notified
   * by mail. Requires the role `admin`. The last sign-in or `reauthenticate` must be less than 10 minutes ago.
   * Codes: NOT_FOUND, LAST_ADMIN, TOO_LONG, REAUTHENTICATION_REQUIRED, FORBIDDEN, UNAUTHENTICATED, SERVICE_UNAVAILABLE.
   */
  readonly deleteUser: Maybe<DeleteUserPayload>;
  /**
   * End all sessions of a user. Requires the role `admin`. The last sign-in or `reauthenticate` must be less than 10
   * minutes ago.
   * Codes: NOT_FOUND, REAUTHENTICATION_REQUIRED, FORBIDDEN, UNAUTHENTICATED, SERVICE_UNAVAILABLE.
   */
  readonly revokeUserSessions: Maybe<RevokeUserSessionsPayload>;
  /**
   * Mail a user a link to choose a new password, valid for 24 hours. The current password is valid until the link is
   * used. Administrators never choose passwords for others. Requires the role `admin`. The last sign-in or
   * `reauthenticate` must be less than 10 minutes ago.
   * Codes: NOT_FOUND, REQUIRED (the account has no address), ACCOUNT_DISABLED, MAIL_DISABLED,
   * REAUTHENTICATION_REQUIRED, FORBIDDEN, UNAUTHENTICATED, SERVICE_UNAVAILABLE.
   */
  readonly sendUserPasswordReset: Maybe<SendUserPasswordResetPayload>;
  /**
   * Remove a lost second factor: the authenticator app, the passkeys, the recovery codes and the remembered devices, and end all
   * sessions of the user. A user without a password then needs a link to choose one. Make sure by other means that the request
   * comes from that user, who is notified by mail. Requires the role `admin`. Not for one's own account (FORBIDDEN). The
   * administrator's last sign-in or `reauthenticate` must be less than 10 minutes ago, with the second factor if the
   * administrator has one.
   * Codes: NOT_FOUND, MFA_NOT_ENABLED, TOO_LONG, REQUIRED (the reason), REAUTHENTICATION_REQUIRED, FORBIDDEN,
   * UNAUTHENTICATED, SERVICE_UNAVAILABLE.
   */
  readonly resetUserMfa: Maybe<ResetUserMfaPayload>;
  /**
   * Invite a person by mail to create an account, also while registration is disabled. The invitation can be accepted
   * once, for 7 days. Inviting an address again replaces its invitation and sends a new mail.
   * Requires the role `admin`. The last sign-in or `reauthenticate` must be less than 10 minutes ago.
   * Codes: REQUIRED, INVALID_EMAIL, TOO_LONG, ROLE_UNKNOWN, EMAIL_TAKEN, MAIL_DISABLED, RATE_LIMITED,
   * REAUTHENTICATION_REQUIRED, FORBIDDEN, UNAUTHENTICATED, SERVICE_UNAVAILABLE.
   */
  readonly inviteUser: Maybe<InviteUserPayload>;
  /**
   * Revoke an open invitation, so that its link no longer works. Requires the role `admin`. The last sign-in or
   * `reauthenticate` must be less than 10 minutes ago.
   * Codes: NOT_FOUND, REAUTHENTICATION_REQUIRED, FORBIDDEN, UNAUTHENTICATED, SERVICE_UNAVAILABLE.
   */
  readonly revokeInvitation: Maybe<RevokeInvitationPayload>;
  /**
   * Create an account with the token of an invitation, and sign in. The account has the invited address, which counts
   * as verified, and the roles of the invitation. Works while registration is disabled. If the form is refused, the
   * token stays valid.
   * Codes: INVITATION_INVALID, INVITATION_EXPIRED, REQUIRED, TOO_LONG, INVALID_USERNAME, USERNAME_TAKEN, EMAIL_TAKEN
   * (another account has verified the address), PASSWORD_TOO_SHORT, PASSWORD_TOO_LONG, PASSWORD_TOO_COMMON,
   * RATE_LIMITED, SERVICE_UNAVAILABLE.
   */
  readonly acceptInvitation: Maybe<AuthPayload>;
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
export type MutationRequestEmailSignInArgs = {
  input: RequestEmailSignInInput;
};


/**
 * A mutation takes one argument, `input`, which may be left out where its type is nullable; one that needs no input
 * takes no argument. It returns a payload, or null and an error whose `extensions` are `ErrorExtensions`. A request
 * may contain only one mutation.
 */
export type MutationLoginWithEmailArgs = {
  input: LoginWithEmailInput;
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
export type MutationReauthenticateArgs = {
  input: ReauthenticateInput;
};


/**
 * A mutation takes one argument, `input`, which may be left out where its type is nullable; one that needs no input
 * takes no argument. It returns a payload, or null and an error whose `extensions` are `ErrorExtensions`. A request
 * may contain only one mutation.
 */
export type MutationVerifyMfaArgs = {
  input: VerifyMfaInput;
};


/**
 * A mutation takes one argument, `input`, which may be left out where its type is nullable; one that needs no input
 * takes no argument. It returns a payload, or null and an error whose `extensions` are `ErrorExtensions`. A request
 * may contain only one mutation.
 */
export type MutationConfirmTotpEnrollmentArgs = {
  input: ConfirmTotpEnrollmentInput;
};


/**
 * A mutation takes one argument, `input`, which may be left out where its type is nullable; one that needs no input
 * takes no argument. It returns a payload, or null and an error whose `extensions` are `ErrorExtensions`. A request
 * may contain only one mutation.
 */
export type MutationRevokeRememberedDeviceArgs = {
  input: RevokeRememberedDeviceInput;
};


/**
 * A mutation takes one argument, `input`, which may be left out where its type is nullable; one that needs no input
 * takes no argument. It returns a payload, or null and an error whose `extensions` are `ErrorExtensions`. A request
 * may contain only one mutation.
 */
export type MutationStartPasskeyRegistrationArgs = {
  input?: InputMaybe<StartPasskeyRegistrationInput>;
};


/**
 * A mutation takes one argument, `input`, which may be left out where its type is nullable; one that needs no input
 * takes no argument. It returns a payload, or null and an error whose `extensions` are `ErrorExtensions`. A request
 * may contain only one mutation.
 */
export type MutationFinishPasskeyRegistrationArgs = {
  input: FinishPasskeyRegistrationInput;
};


/**
 * A mutation takes one argument, `input`, which may be left out where its type is nullable; one that needs no input
 * takes no argument. It returns a payload, or null and an error whose `extensions` are `ErrorExtensions`. A request
 * may contain only one mutation.
 */
export type MutationRegisterWithPasskeyArgs = {
  input: RegisterWithPasskeyInput;
};


/**
 * A mutation takes one argument, `input`, which may be left out where its type is nullable; one that needs no input
 * takes no argument. It returns a payload, or null and an error whose `extensions` are `ErrorExtensions`. A request
 * may contain only one mutation.
 */
export type MutationStartPasskeyVerificationArgs = {
  input?: InputMaybe<StartPasskeyVerificationInput>;
};


/**
 * A mutation takes one argument, `input`, which may be left out where its type is nullable; one that needs no input
 * takes no argument. It returns a payload, or null and an error whose `extensions` are `ErrorExtensions`. A request
 * may contain only one mutation.
 */
export type MutationFinishPasskeyLoginArgs = {
  input: FinishPasskeyLoginInput;
};


/**
 * A mutation takes one argument, `input`, which may be left out where its type is nullable; one that needs no input
 * takes no argument. It returns a payload, or null and an error whose `extensions` are `ErrorExtensions`. A request
 * may contain only one mutation.
 */
export type MutationRenamePasskeyArgs = {
  input: RenamePasskeyInput;
};


/**
 * A mutation takes one argument, `input`, which may be left out where its type is nullable; one that needs no input
 * takes no argument. It returns a payload, or null and an error whose `extensions` are `ErrorExtensions`. A request
 * may contain only one mutation.
 */
export type MutationDeletePasskeyArgs = {
  input: DeletePasskeyInput;
};


/**
 * A mutation takes one argument, `input`, which may be left out where its type is nullable; one that needs no input
 * takes no argument. It returns a payload, or null and an error whose `extensions` are `ErrorExtensions`. A request
 * may contain only one mutation.
 */
export type MutationLoginWithCodeArgs = {
  input: LoginWithCodeInput;
};


/**
 * A mutation takes one argument, `input`, which may be left out where its type is nullable; one that needs no input
 * takes no argument. It returns a payload, or null and an error whose `extensions` are `ErrorExtensions`. A request
 * may contain only one mutation.
 */
export type MutationStartIdentityLinkArgs = {
  input: StartIdentityLinkInput;
};


/**
 * A mutation takes one argument, `input`, which may be left out where its type is nullable; one that needs no input
 * takes no argument. It returns a payload, or null and an error whose `extensions` are `ErrorExtensions`. A request
 * may contain only one mutation.
 */
export type MutationFinishIdentityLinkArgs = {
  input: FinishIdentityLinkInput;
};


/**
 * A mutation takes one argument, `input`, which may be left out where its type is nullable; one that needs no input
 * takes no argument. It returns a payload, or null and an error whose `extensions` are `ErrorExtensions`. A request
 * may contain only one mutation.
 */
export type MutationUnlinkIdentityArgs = {
  input: UnlinkIdentityInput;
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
export type MutationSetPasswordArgs = {
  input: SetPasswordInput;
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
 * A mutation takes one argument, `input`, which may be left out where its type is nullable; one that needs no input
 * takes no argument. It returns a payload, or null and an error whose `extensions` are `ErrorExtensions`. A request
 * may contain only one mutation.
 */
export type MutationCreateUserArgs = {
  input: CreateUserInput;
};


/**
 * A mutation takes one argument, `input`, which may be left out where its type is nullable; one that needs no input
 * takes no argument. It returns a payload, or null and an error whose `extensions` are `ErrorExtensions`. A request
 * may contain only one mutation.
 */
export type MutationUpdateUserArgs = {
  input: UpdateUserInput;
};


/**
 * A mutation takes one argument, `input`, which may be left out where its type is nullable; one that needs no input
 * takes no argument. It returns a payload, or null and an error whose `extensions` are `ErrorExtensions`. A request
 * may contain only one mutation.
 */
export type MutationSetUserRolesArgs = {
  input: SetUserRolesInput;
};


/**
 * A mutation takes one argument, `input`, which may be left out where its type is nullable; one that needs no input
 * takes no argument. It returns a payload, or null and an error whose `extensions` are `ErrorExtensions`. A request
 * may contain only one mutation.
 */
export type MutationDisableUserArgs = {
  input: DisableUserInput;
};


/**
 * A mutation takes one argument, `input`, which may be left out where its type is nullable; one that needs no input
 * takes no argument. It returns a payload, or null and an error whose `extensions` are `ErrorExtensions`. A request
 * may contain only one mutation.
 */
export type MutationEnableUserArgs = {
  input: EnableUserInput;
};


/**
 * A mutation takes one argument, `input`, which may be left out where its type is nullable; one that needs no input
 * takes no argument. It returns a payload, or null and an error whose `extensions` are `ErrorExtensions`. A request
 * may contain only one mutation.
 */
export type MutationDeleteUserArgs = {
  input: DeleteUserInput;
};


/**
 * A mutation takes one argument, `input`, which may be left out where its type is nullable; one that needs no input
 * takes no argument. It returns a payload, or null and an error whose `extensions` are `ErrorExtensions`. A request
 * may contain only one mutation.
 */
export type MutationRevokeUserSessionsArgs = {
  input: RevokeUserSessionsInput;
};


/**
 * A mutation takes one argument, `input`, which may be left out where its type is nullable; one that needs no input
 * takes no argument. It returns a payload, or null and an error whose `extensions` are `ErrorExtensions`. A request
 * may contain only one mutation.
 */
export type MutationSendUserPasswordResetArgs = {
  input: SendUserPasswordResetInput;
};


/**
 * A mutation takes one argument, `input`, which may be left out where its type is nullable; one that needs no input
 * takes no argument. It returns a payload, or null and an error whose `extensions` are `ErrorExtensions`. A request
 * may contain only one mutation.
 */
export type MutationResetUserMfaArgs = {
  input: ResetUserMfaInput;
};


/**
 * A mutation takes one argument, `input`, which may be left out where its type is nullable; one that needs no input
 * takes no argument. It returns a payload, or null and an error whose `extensions` are `ErrorExtensions`. A request
 * may contain only one mutation.
 */
export type MutationInviteUserArgs = {
  input: InviteUserInput;
};


/**
 * A mutation takes one argument, `input`, which may be left out where its type is nullable; one that needs no input
 * takes no argument. It returns a payload, or null and an error whose `extensions` are `ErrorExtensions`. A request
 * may contain only one mutation.
 */
export type MutationRevokeInvitationArgs = {
  input: RevokeInvitationInput;
};


/**
 * A mutation takes one argument, `input`, which may be left out where its type is nullable; one that needs no input
 * takes no argument. It returns a payload, or null and an error whose `extensions` are `ErrorExtensions`. A request
 * may contain only one mutation.
 */
export type MutationAcceptInvitationArgs = {
  input: AcceptInvitationInput;
};

/** An object with an id that is unique among all objects of this server. */
export type Node = {
  /** Opaque and permanent. */
  readonly id: Scalars['ID']['output'];
};

/** A direction of an order. */
export type OrderDirection =
  /** Ascending: the earliest or alphabetically first one first. */
  | 'ASC'
  /** Descending. */
  | 'DESC';

/** The position of a page in its list. */
export type PageInfo = {
  /** Whether there are items after this page. */
  readonly hasNextPage: Scalars['Boolean']['output'];
  /** Whether there are items before this page. */
  readonly hasPreviousPage: Scalars['Boolean']['output'];
  /** The cursor of the first item. `null` on an empty page. */
  readonly startCursor: Maybe<Scalars['String']['output']>;
  /** The cursor of the last item. `null` on an empty page. */
  readonly endCursor: Maybe<Scalars['String']['output']>;
};

/** A passkey of a user. */
export type Passkey = Node & {
  /** Opaque. */
  readonly id: Scalars['ID']['output'];
  /** A name for the user, who can change it. */
  readonly name: Scalars['String']['output'];
  /** When it was added. */
  readonly createdAt: Scalars['DateTime']['output'];
  /** The latest sign-in or proof of identity with it. `null` if there was none. */
  readonly lastUsedAt: Maybe<Scalars['DateTime']['output']>;
  /** Whether it is synchronized between the devices of the user. Otherwise, it is lost with the device. */
  readonly isSynced: Scalars['Boolean']['output'];
  /** The credential id in base64url, for `PublicKeyCredential.signalAllAcceptedCredentials`. */
  readonly credentialId: Scalars['String']['output'];
};

/** The use of a passkey. */
export type PasskeyAssertionInput = {
  /** That of `startPasskeyVerification`. */
  readonly ceremonyToken: Scalars['String']['input'];
  /** The result of `credential.toJSON()`. */
  readonly credential: Scalars['JSON']['input'];
};

/** A ceremony that was started. */
export type PasskeyOptionsPayload = {
  /** For the mutation that finishes the ceremony, within 15 minutes. It works once. */
  readonly ceremonyToken: Scalars['String']['output'];
  /** For `PublicKeyCredential.parseCreationOptionsFromJSON` or `parseRequestOptionsFromJSON`, as it is. */
  readonly options: Scalars['JSON']['output'];
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
   * says why. A user who must set up a second factor first may select only `id`, `username` and `mfaMethods`;
   * otherwise, null and the error MFA_ENROLLMENT_REQUIRED.
   */
  readonly me: Maybe<User>;
  /**
   * The user with this id, or null if there is none. Requires the role `admin`.
   * Codes: FORBIDDEN, UNAUTHENTICATED, SERVICE_UNAVAILABLE.
   */
  readonly user: Maybe<User>;
  /**
   * Users, newest first by default. Requires the role `admin`. Users who are created or deleted meanwhile neither
   * repeat nor hide others on later pages.
   * Codes: BAD_USER_INPUT, FORBIDDEN, UNAUTHENTICATED, SERVICE_UNAVAILABLE.
   */
  readonly users: Maybe<UserConnection>;
  /**
   * Open invitations, newest first: those that were not accepted, revoked or replaced, and have not expired.
   * Requires the role `admin`.
   * Codes: BAD_USER_INPUT, FORBIDDEN, UNAUTHENTICATED, SERVICE_UNAVAILABLE.
   */
  readonly invitations: Maybe<InvitationConnection>;
  /**
   * The audit log of the whole server, newest first. Requires the role `admin`.
   * Codes: BAD_USER_INPUT, FORBIDDEN, UNAUTHENTICATED, SERVICE_UNAVAILABLE.
   */
  readonly auditEvents: Maybe<AuditEventConnection>;
  /**
   * Everything stored about the signed-in user, for download. Contains no password and no token. Requires a sign-in, or
   * `reauthenticate`, less than 10 minutes ago. Each export is recorded in the audit log. For the same data as a file, and
   * for accounts with very many events, use `GET /account/export`.
   * Codes: REAUTHENTICATION_REQUIRED, UNAUTHENTICATED, SERVICE_UNAVAILABLE.
   */
  readonly accountData: Maybe<AccountData>;
  /**
   * The object with this id, or null if there is none that the signed-in user may see. Users see themselves, their
   * sessions, remembered devices, passkeys, identities and the events of their account; administrators see all but the devices of others.
   * Codes: UNAUTHENTICATED, SERVICE_UNAVAILABLE.
   */
  readonly node: Maybe<Node>;
  /** What login and registration forms need to know. Public and cacheable. */
  readonly serverInfo: ServerInfo;
};


/** Operations that only read. */
export type QueryUserArgs = {
  id: Scalars['ID']['input'];
};


/** Operations that only read. */
export type QueryUsersArgs = {
  first?: InputMaybe<Scalars['Int']['input']>;
  after?: InputMaybe<Scalars['String']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  filter?: InputMaybe<UserFilter>;
  orderBy?: InputMaybe<UserOrder>;
};


/** Operations that only read. */
export type QueryInvitationsArgs = {
  first?: InputMaybe<Scalars['Int']['input']>;
  after?: InputMaybe<Scalars['String']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
};


/** Operations that only read. */
export type QueryAuditEventsArgs = {
  first?: InputMaybe<Scalars['Int']['input']>;
  after?: InputMaybe<Scalars['String']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  filter?: InputMaybe<AuditEventFilter>;
};


/** Operations that only read. */
export type QueryNodeArgs = {
  id: Scalars['ID']['input'];
};

/** The proof of identity. Exactly one field must be given. */
export type ReauthenticateInput =
  /** The current password. */
  { readonly password: Scalars['String']['input']; readonly totpCode?: never; readonly recoveryCode?: never; readonly passkey?: never; }
  |  /** The current code of the authenticator app: six digits. */
  { readonly password?: never; readonly totpCode: Scalars['String']['input']; readonly recoveryCode?: never; readonly passkey?: never; }
  |  /** A recovery code, which is used up. */
  { readonly password?: never; readonly totpCode?: never; readonly recoveryCode: Scalars['String']['input']; readonly passkey?: never; }
  |  /** A passkey: call `startPasskeyVerification` without `input` first. */
  { readonly password?: never; readonly totpCode?: never; readonly recoveryCode?: never; readonly passkey: PasskeyAssertionInput; };

/** A refresh token that is not in the cookie. */
export type RefreshTokenInput = {
  /** For sessions opened with `tokenDelivery: BODY`. */
  readonly refreshToken: Scalars['String']['input'];
};

/** The result of `regenerateRecoveryCodes`. */
export type RegenerateRecoveryCodesPayload = {
  /** The user. */
  readonly user: User;
  /** The new codes. They are shown only now. */
  readonly recoveryCodes: ReadonlyArray<Scalars['String']['output']>;
};

/** A new user. */
export type RegisterInput = {
  /** 1 to 64 letters (A-Z), digits, `_` and `-`, not starting with `-`. Unique and case-insensitive. */
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

/** A new user, and the passkey that the browser created. */
export type RegisterWithPasskeyInput = {
  /** That of `startPasskeyRegistration`. */
  readonly ceremonyToken: Scalars['String']['input'];
  /** The result of `credential.toJSON()`. */
  readonly credential: Scalars['JSON']['input'];
  /** That of `startPasskeyRegistration`. */
  readonly username: Scalars['String']['input'];
  /** That of `startPasskeyRegistration`. */
  readonly email?: InputMaybe<Scalars['String']['input']>;
  /** Given name, at most 100 characters. */
  readonly firstName?: InputMaybe<Scalars['String']['input']>;
  /** Family name, at most 100 characters. */
  readonly lastName?: InputMaybe<Scalars['String']['input']>;
  /** A name for the passkey, at most 100 characters. By default that of the password manager, if it is known, or of the device. */
  readonly passkeyName?: InputMaybe<Scalars['String']['input']>;
  /** How refresh tokens are delivered, for the lifetime of the session. */
  readonly tokenDelivery?: TokenDelivery;
};

/**
 * The new user and the tokens of the session. The tokens are null if the e-mail address must be verified before the
 * first sign-in.
 */
export type RegisterWithPasskeyPayload = {
  /** JWT for the header `Authorization: Bearer …`. */
  readonly accessToken: Maybe<Scalars['String']['output']>;
  /** Always `Bearer`. */
  readonly tokenType: Maybe<Scalars['String']['output']>;
  /** Seconds until the access token expires. */
  readonly expiresIn: Maybe<Scalars['Int']['output']>;
  /** Only with `tokenDelivery: BODY`. With the default, COOKIE, the token is in an HttpOnly cookie instead. */
  readonly refreshToken: Maybe<Scalars['String']['output']>;
  /**
   * The new user. They are signed in if there is an access token. Without one, fields that only the user may read, such as
   * `mfaMethods`, fail with UNAUTHENTICATED.
   */
  readonly user: User;
  /** The passkey. */
  readonly passkey: Passkey;
  /**
   * Ten codes, each of which replaces the passkey once, as the second factor after a password. They are shown only now. A user who
   * loses the passkey chooses a password by `requestPasswordReset`, and then signs in with it and a code.
   */
  readonly recoveryCodes: ReadonlyArray<Scalars['String']['output']>;
};

/** A browser in which the user signs in without the second factor. */
export type RememberedDevice = Node & {
  /** Opaque. */
  readonly id: Scalars['ID']['output'];
  /** A description of the user agent for users, such as `Firefox on Linux`. */
  readonly device: Scalars['String']['output'];
  /** The `User-Agent` header of the sign-in, as the client chose it. */
  readonly userAgent: Maybe<Scalars['String']['output']>;
  /** When the user confirmed the second factor in this browser. */
  readonly createdAt: Scalars['DateTime']['output'];
  /** The time of the last sign-in without the second factor, or `createdAt` if there was none. */
  readonly lastUsedAt: Scalars['DateTime']['output'];
  /** When the second factor is needed again. */
  readonly expiresAt: Scalars['DateTime']['output'];
};

/** A new name. */
export type RenamePasskeyInput = {
  /** `Passkey.id`. */
  readonly passkeyId: Scalars['ID']['input'];
  /** 1 to 100 characters. */
  readonly name: Scalars['String']['input'];
};

/** The result of `renamePasskey`. */
export type RenamePasskeyPayload = {
  /** The passkey, with the new name. */
  readonly passkey: Passkey;
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

/** The client that wants to sign in. */
export type RequestEmailSignInInput = {
  /** The address of the account. */
  readonly email: Scalars['String']['input'];
  /**
   * The SHA-256 hash of a random verifier that this client keeps, in base64url (method `S256` of RFC 7636). To send another mail,
   * use the same one.
   */
  readonly codeChallenge: Scalars['String']['input'];
};

/** The response is the same whether or not an account has the address. */
export type RequestEmailSignInPayload = {
  /** The address of the request. */
  readonly email: Scalars['String']['output'];
  /** Seconds until the link and the code expire. */
  readonly expiresIn: Scalars['Int']['output'];
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

/** The user whose second factor is removed. */
export type ResetUserMfaInput = {
  /** `User.id`. */
  readonly userId: Scalars['ID']['input'];
  /** Kept in the audit log, where the user can read it. At most 500 characters. */
  readonly reason: Scalars['String']['input'];
};

/** The result of `resetUserMfa`. */
export type ResetUserMfaPayload = {
  /** The user, without a second factor. */
  readonly user: User;
  /** Number of sessions that were ended. */
  readonly revokedSessions: Scalars['Int']['output'];
};

/** The invitation to revoke. */
export type RevokeInvitationInput = {
  /** `Invitation.id`. */
  readonly invitationId: Scalars['ID']['input'];
};

/** The result of `revokeInvitation`. */
export type RevokeInvitationPayload = {
  /** The id to evict from the client's cache. */
  readonly revokedInvitationId: Scalars['ID']['output'];
};

/** The result of `revokeOtherSessions`. */
export type RevokeOtherSessionsPayload = {
  /** Number of sessions that were ended. */
  readonly revokedSessions: Scalars['Int']['output'];
  /** The signed-in user, whose `sessions` are now only the current one. */
  readonly user: User;
};

/** The device to forget. */
export type RevokeRememberedDeviceInput = {
  /** `RememberedDevice.id`. */
  readonly rememberedDeviceId: Scalars['ID']['input'];
};

/** The result of `revokeRememberedDevice`. */
export type RevokeRememberedDevicePayload = {
  /** The id to evict from the client's cache. */
  readonly revokedRememberedDeviceId: Scalars['ID']['output'];
  /** The signed-in user, whose `rememberedDevices` no longer include this one. */
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

/** The user whose sessions end. */
export type RevokeUserSessionsInput = {
  /** `User.id`. */
  readonly userId: Scalars['ID']['input'];
};

/** The result of `revokeUserSessions`. */
export type RevokeUserSessionsPayload = {
  /** The user. */
  readonly user: User;
  /** Number of sessions that were ended. */
  readonly revokedSessions: Scalars['Int']['output'];
};

/** The user who is to choose a new password. */
export type SendUserPasswordResetInput = {
  /** `User.id`. */
  readonly userId: Scalars['ID']['input'];
};

/** The result of `sendUserPasswordReset`. */
export type SendUserPasswordResetPayload = {
  /** The user. */
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
  /** Whether browsers can use passkeys. False if `PUBLIC_URL` has an IP address. */
  readonly passkeysEnabled: Scalars['Boolean']['output'];
  /** The providers that users can sign in with. */
  readonly identityProviders: ReadonlyArray<IdentityProvider>;
  /** Whether users can sign in by mail, with `requestEmailSignIn`. */
  readonly emailSignInEnabled: Scalars['Boolean']['output'];
  /** The rules for passwords. */
  readonly passwordPolicy: PasswordPolicy;
  /** The rules for usernames. */
  readonly usernamePolicy: UsernamePolicy;
  /** Lifetime of an access token in seconds, by default 1800 (30 minutes). */
  readonly accessTokenLifetime: Scalars['Int']['output'];
  /** Lifetime of a session that is not refreshed, in seconds, by default 604800 (7 days). */
  readonly refreshTokenLifetime: Scalars['Int']['output'];
  /** A warning for developers if the server is in development mode, otherwise null. */
  readonly hint: Maybe<Scalars['String']['output']>;
};

/** A sign-in in one browser, app or script. */
export type Session = Node & {
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
  /**
   * How the user signed in, as in RFC 8176: `pwd` (password), `otp` (authenticator app or recovery code), `hwk`
   * and `user` (passkey; `swk` if it is synchronized), `mca` (link or code in a mail), `mfa` (more than one factor); `fed` (another
   * provider), which RFC 8176 lacks. Also the claim `amr` of its access tokens. In a remembered device, the second factor is missing.
   */
  readonly authenticationMethods: ReadonlyArray<Scalars['String']['output']>;
  /** The time of the sign-in. */
  readonly createdAt: Scalars['DateTime']['output'];
  /** When the user last proved their identity: at the sign-in, or later with `reauthenticate`. */
  readonly authenticatedAt: Scalars['DateTime']['output'];
  /** The time of the last refresh. */
  readonly lastUsedAt: Scalars['DateTime']['output'];
  /** When it ends if it is not refreshed again. */
  readonly expiresAt: Scalars['DateTime']['output'];
};

/** The first password of an account. */
export type SetPasswordInput = {
  /** 8 to 128 characters of any kind. */
  readonly newPassword: Scalars['String']['input'];
};

/** The result of `setPassword`. */
export type SetPasswordPayload = {
  /** The user. */
  readonly user: User;
};

/** The new roles of a user. */
export type SetUserRolesInput = {
  /** `User.id`. */
  readonly userId: Scalars['ID']['input'];
  /** All roles that the user is to have. */
  readonly roles: ReadonlyArray<Scalars['String']['input']>;
};

/** The result of `setUserRoles`. */
export type SetUserRolesPayload = {
  /** The user after the change. */
  readonly user: User;
};

/** The provider to link. */
export type StartIdentityLinkInput = {
  /** `IdentityProvider.id`. */
  readonly providerId: Scalars['ID']['input'];
  /** The page to which the browser returns, with `code` or `error` in its query. Its origin must be allowed. */
  readonly returnTo: Scalars['String']['input'];
  /** The S256 challenge of a verifier that the app keeps (RFC 7636). */
  readonly codeChallenge: Scalars['String']['input'];
};

/** The result of `startIdentityLink`. */
export type StartIdentityLinkPayload = {
  /** The address to open, within 10 minutes. */
  readonly url: Scalars['String']['output'];
};

/** A new user, who will have a passkey and no password. */
export type StartPasskeyRegistrationInput = {
  /** 1 to 64 letters (A-Z), digits, `_` and `-`, not starting with `-`. Unique and case-insensitive. */
  readonly username: Scalars['String']['input'];
  /** Required if `serverInfo.emailRequired`. */
  readonly email?: InputMaybe<Scalars['String']['input']>;
  /** Given name, at most 100 characters. */
  readonly firstName?: InputMaybe<Scalars['String']['input']>;
  /** Family name, at most 100 characters. */
  readonly lastName?: InputMaybe<Scalars['String']['input']>;
};

/** The sign-in that waits for a second factor. */
export type StartPasskeyVerificationInput = {
  /** `extensions.mfa.token` of the error MFA_REQUIRED. */
  readonly mfaToken: Scalars['String']['input'];
};

/** What the user enters into the authenticator app. It contains a secret: do not store it. */
export type StartTotpEnrollmentPayload = {
  /** The secret in Base32, for users who cannot scan the QR code. */
  readonly secret: Scalars['String']['output'];
  /** The same as a URI, which opens an authenticator app on the same device. */
  readonly otpauthUri: Scalars['String']['output'];
  /** The same as a QR code: an SVG image with its own white background. */
  readonly qrCodeSvg: Scalars['String']['output'];
};

/**
 * A subscription selects one field, and its response is a stream of events: server-sent events, or a multipart response, by the
 * header `Accept`. A stream ends when the access token expires. Its last message is an error without data. Subscriptions can
 * also be sent over WebSocket, to `/graphql/ws`.
 */
export type Subscription = {
  /**
   * Events of the signed-in user's account: changes made elsewhere, and the end of sessions.
   * Codes: UNAUTHENTICATED, TOO_MANY_STREAMS, SERVICE_UNAVAILABLE.
   */
  readonly accountEvents: AccountEvent;
  /**
   * The audit log as it is written. Requires the role `admin`. The stream ends when the role is taken away.
   * Codes: BAD_USER_INPUT, FORBIDDEN, UNAUTHENTICATED, TOO_MANY_STREAMS, SERVICE_UNAVAILABLE.
   */
  readonly auditEvents: AuditEvent;
};


/**
 * A subscription selects one field, and its response is a stream of events: server-sent events, or a multipart response, by the
 * header `Accept`. A stream ends when the access token expires. Its last message is an error without data. Subscriptions can
 * also be sent over WebSocket, to `/graphql/ws`.
 */
export type SubscriptionAuditEventsArgs = {
  filter?: InputMaybe<AuditEventFilter>;
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

/** The identity to unlink. */
export type UnlinkIdentityInput = {
  /** `Identity.id`. */
  readonly identityId: Scalars['ID']['input'];
};

/** The result of `unlinkIdentity`. */
export type UnlinkIdentityPayload = {
  /** The user, without the identity. */
  readonly user: User;
  /** The id to evict from the client's cache. */
  readonly unlinkedIdentityId: Scalars['ID']['output'];
};

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

/** The fields to change. Omitted fields stay; `null` clears a name. */
export type UpdateUserInput = {
  /** `User.id`. */
  readonly userId: Scalars['ID']['input'];
  /** 1 to 64 letters (A-Z), digits, `_` and `-`, not starting with `-`. It cannot be cleared. */
  readonly username?: InputMaybe<Scalars['String']['input']>;
  /** The new address. It cannot be cleared. */
  readonly email?: InputMaybe<Scalars['String']['input']>;
  /** Whether the address counts as verified. */
  readonly emailVerified?: InputMaybe<Scalars['Boolean']['input']>;
  /** Given name, at most 100 characters. */
  readonly firstName?: InputMaybe<Scalars['String']['input']>;
  /** Family name, at most 100 characters. */
  readonly lastName?: InputMaybe<Scalars['String']['input']>;
};

/** The result of `updateUser`. */
export type UpdateUserPayload = {
  /** The user after the change. */
  readonly user: User;
};

/** A user account. */
export type User = Node & {
  /** Opaque and permanent. Also the claim `sub` of access tokens. */
  readonly id: Scalars['ID']['output'];
  /** Letters, digits, `_` and `-`. Unique and case-insensitive. */
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
  /** Whether the account has a password. False until a user whom an administrator created has chosen one. */
  readonly hasPassword: Scalars['Boolean']['output'];
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
  /** Current sessions, the last used first, at most 100. Only for the user and for administrators. */
  readonly sessions: ReadonlyArray<Session>;
  /** What happened to this account, newest first. Only for the user and for administrators. */
  readonly auditEvents: AuditEventConnection;
  /** The second factors that are set up. Empty if a sign-in needs none. Only for the user and for administrators. */
  readonly mfaMethods: ReadonlyArray<MfaMethod>;
  /** The number of unused recovery codes. Only for the user; `null` for others, and without a second factor. */
  readonly recoveryCodesLeft: Maybe<Scalars['Int']['output']>;
  /**
   * The browsers in which the user signs in without the second factor, the last used first, at most 100. Only for the
   * user; `null` for others.
   */
  readonly rememberedDevices: Maybe<ReadonlyArray<RememberedDevice>>;
  /** The passkeys, oldest first, at most 20. Only for the user and for administrators. */
  readonly passkeys: ReadonlyArray<Passkey>;
  /**
   * The accounts at providers that the user can sign in with, oldest first, at most 20. Only for the user and for
   * administrators.
   */
  readonly identities: ReadonlyArray<Identity>;
  /** The time of the last sign-in. */
  readonly lastLoginAt: Maybe<Scalars['DateTime']['output']>;
};


/** A user account. */
export type UserAuditEventsArgs = {
  first?: InputMaybe<Scalars['Int']['input']>;
  after?: InputMaybe<Scalars['String']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
};

/** A page of a list. */
export type UserConnection = {
  /** The items with their cursors. */
  readonly edges: ReadonlyArray<UserEdge>;
  /** The items. */
  readonly nodes: ReadonlyArray<User>;
  /** The position of the page in the list. */
  readonly pageInfo: PageInfo;
  /** The number of items on all pages. It is computed only if it is selected, and takes long for large lists. */
  readonly totalCount: Scalars['Int']['output'];
};

/** An item and its position in the list. */
export type UserEdge = {
  /** Opaque. For `after` or `before` of the same list in the same order. */
  readonly cursor: Scalars['String']['output'];
  /** The item. */
  readonly node: User;
};

/** Criteria for users. A user must meet all that are given. */
export type UserFilter = {
  /**
   * Words separated by spaces. Each must be the beginning of the username, the address, its domain, a name, or a word
   * in one of them. Case-insensitive. At most 200 characters.
   */
  readonly search?: InputMaybe<Scalars['String']['input']>;
  /** Users who have this role. */
  readonly role?: InputMaybe<Scalars['String']['input']>;
  /** Whether they can sign in. */
  readonly isActive?: InputMaybe<Scalars['Boolean']['input']>;
  /** Whether the owner has verified the address. */
  readonly emailVerified?: InputMaybe<Scalars['Boolean']['input']>;
  /** Whether they have a second factor. */
  readonly hasMfa?: InputMaybe<Scalars['Boolean']['input']>;
  /** Created at this time or later. */
  readonly createdAfter?: InputMaybe<Scalars['DateTime']['input']>;
  /** Created before this time. */
  readonly createdBefore?: InputMaybe<Scalars['DateTime']['input']>;
  /** Created before this time, and not signed in since. */
  readonly inactiveSince?: InputMaybe<Scalars['DateTime']['input']>;
};

/** The order of users. */
export type UserOrder = {
  /** What to compare. */
  readonly field: UserOrderField;
  /** The direction. */
  readonly direction?: OrderDirection;
};

/** What users are ordered by. */
export type UserOrderField =
  /** When the account was created. */
  | 'CREATED_AT'
  /** The username, compared without case. */
  | 'USERNAME'
  /** The last sign-in. Users who have never signed in come before all others in ascending order. */
  | 'LAST_LOGIN_AT';

/** The rules for usernames. */
export type UsernamePolicy = {
  /** In characters. */
  readonly minLength: Scalars['Int']['output'];
  /** In characters. */
  readonly maxLength: Scalars['Int']['output'];
  /** A regular expression for the HTML `pattern` attribute, by default `[A-Za-z0-9_][A-Za-z0-9_\-]*`. */
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

/** The second step of a sign-in. */
export type VerifyMfaInput = {
  /** `extensions.mfa.token` of the error MFA_REQUIRED. */
  readonly token: Scalars['String']['input'];
  /** The second factor. */
  readonly factor: MfaFactorInput;
  /**
   * Skip the second factor in this browser for the next 30 days. Ends with a change of the password, the second factor
   * or the roles. Has no effect with `tokenDelivery: BODY`.
   */
  readonly rememberDevice?: Scalars['Boolean']['input'];
};
