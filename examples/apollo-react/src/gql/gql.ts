/* eslint-disable */
import * as types from './graphql';
import type { TypedDocumentNode as DocumentNode } from '@graphql-typed-document-node/core';

/**
 * Map of all GraphQL operations in the project.
 *
 * This map has several performance disadvantages:
 * 1. It is not tree-shakeable, so it will include all operations in the project.
 * 2. It is not minifiable, so the string of a GraphQL query will be multiple times inside the bundle.
 * 3. It does not support dead code elimination, so it will add unused operations.
 *
 * Therefore it is highly recommended to use the babel or swc plugin for production.
 * Learn more about it here: https://the-guild.dev/graphql/codegen/plugins/presets/preset-client#reducing-bundle-size
 */
type Documents = {
    "\n  mutation AcceptInvitation($input: AcceptInvitationInput!) {\n    acceptInvitation(input: $input) { user { id } }\n  }\n": typeof types.AcceptInvitationDocument,
    "\n  mutation RequestPasswordReset($input: RequestPasswordResetInput!) {\n    requestPasswordReset(input: $input) { email }\n  }\n": typeof types.RequestPasswordResetDocument,
    "\n  query Identities {\n    me { id identities { id email linkedAt provider { id name } } }\n  }\n": typeof types.IdentitiesDocument,
    "\n  query Passkeys {\n    me { id passkeys { id name createdAt lastUsedAt isSynced } }\n  }\n": typeof types.PasskeysDocument,
    "\n  mutation UpdateProfile($input: UpdateProfileInput!) {\n    updateProfile(input: $input) { user { id username firstName lastName fullName } }\n  }\n": typeof types.UpdateProfileDocument,
    "\n  mutation ChangeEmail($input: ChangeEmailInput!) {\n    changeEmail(input: $input) { user { id pendingEmail } }\n  }\n": typeof types.ChangeEmailDocument,
    "\n  mutation CancelEmailChange {\n    cancelEmailChange { user { id pendingEmail } }\n  }\n": typeof types.CancelEmailChangeDocument,
    "\n  mutation DeleteAccount($input: DeleteAccountInput!) {\n    deleteAccount(input: $input) { deletedUserId }\n  }\n": typeof types.DeleteAccountDocument,
    "\n  mutation ResetPassword($input: ResetPasswordInput!) {\n    resetPassword(input: $input) { revokedSessions }\n  }\n": typeof types.ResetPasswordDocument,
    "\n  mutation StartTotpEnrollment {\n    startTotpEnrollment { qrCodeSvg secret otpauthUri }\n  }\n": typeof types.StartTotpEnrollmentDocument,
    "\n  mutation ConfirmTotpEnrollment($input: ConfirmTotpEnrollmentInput!) {\n    confirmTotpEnrollment(input: $input) { recoveryCodes }\n  }\n": typeof types.ConfirmTotpEnrollmentDocument,
    "\n  mutation RegenerateRecoveryCodes {\n    regenerateRecoveryCodes { recoveryCodes user { id recoveryCodesLeft } }\n  }\n": typeof types.RegenerateRecoveryCodesDocument,
    "\n  mutation DisableTotp {\n    disableTotp { user { id mfaMethods recoveryCodesLeft rememberedDevices { id } } }\n  }\n": typeof types.DisableTotpDocument,
    "\n  query SecondFactorDetails {\n    me { id recoveryCodesLeft rememberedDevices { id device expiresAt } }\n  }\n": typeof types.SecondFactorDetailsDocument,
    "\n  mutation RevokeRememberedDevice($input: RevokeRememberedDeviceInput!) {\n    revokeRememberedDevice(input: $input) { user { id rememberedDevices { id } } }\n  }\n": typeof types.RevokeRememberedDeviceDocument,
    "\n  query Sessions {\n    me { id sessions { id isCurrent device ipAddress lastUsedAt } }\n  }\n": typeof types.SessionsDocument,
    "\n  mutation ChangePassword($input: ChangePasswordInput!) {\n    changePassword(input: $input) { user { id sessions { id } } }\n  }\n": typeof types.ChangePasswordDocument,
    "\n  mutation RevokeSession($input: RevokeSessionInput!) {\n    revokeSession(input: $input) { user { id sessions { id } } }\n  }\n": typeof types.RevokeSessionDocument,
    "\n  mutation RevokeOtherSessions {\n    revokeOtherSessions { user { id sessions { id } } }\n  }\n": typeof types.RevokeOtherSessionsDocument,
    "\n  mutation SetPassword($input: SetPasswordInput!) {\n    setPassword(input: $input) { user { id hasPassword } }\n  }\n": typeof types.SetPasswordDocument,
    "\n  mutation VerifyEmail($input: VerifyEmailInput!) {\n    verifyEmail(input: $input) { email user { id email emailVerified pendingEmail } }\n  }\n": typeof types.VerifyEmailDocument,
    "\n  mutation SendVerificationEmail($input: SendVerificationEmailInput!) {\n    sendVerificationEmail(input: $input) { email }\n  }\n": typeof types.SendVerificationEmailDocument,
    "\n  query SecondFactor {\n    me { id mfaMethods }\n  }\n": typeof types.SecondFactorDocument,
    "\n  query Password {\n    me { id hasPassword }\n  }\n": typeof types.PasswordDocument,
    "\n  mutation Reauthenticate($input: ReauthenticateInput!) {\n    reauthenticate(input: $input) {\n      accessToken\n      expiresIn\n      refreshToken\n      user { id username email emailVerified pendingEmail firstName lastName fullName roles }\n    }\n  }\n": typeof types.ReauthenticateDocument,
    "\n  query ServerInfo {\n    serverInfo {\n      registrationEnabled\n      emailRequired\n      mailEnabled\n      passkeysEnabled\n      emailSignInEnabled\n      identityProviders { id name startUrl }\n      passwordPolicy { minLength }\n      usernamePolicy { maxLength pattern }\n    }\n  }\n": typeof types.ServerInfoDocument,
};
const documents: Documents = {
    "\n  mutation AcceptInvitation($input: AcceptInvitationInput!) {\n    acceptInvitation(input: $input) { user { id } }\n  }\n": types.AcceptInvitationDocument,
    "\n  mutation RequestPasswordReset($input: RequestPasswordResetInput!) {\n    requestPasswordReset(input: $input) { email }\n  }\n": types.RequestPasswordResetDocument,
    "\n  query Identities {\n    me { id identities { id email linkedAt provider { id name } } }\n  }\n": types.IdentitiesDocument,
    "\n  query Passkeys {\n    me { id passkeys { id name createdAt lastUsedAt isSynced } }\n  }\n": types.PasskeysDocument,
    "\n  mutation UpdateProfile($input: UpdateProfileInput!) {\n    updateProfile(input: $input) { user { id username firstName lastName fullName } }\n  }\n": types.UpdateProfileDocument,
    "\n  mutation ChangeEmail($input: ChangeEmailInput!) {\n    changeEmail(input: $input) { user { id pendingEmail } }\n  }\n": types.ChangeEmailDocument,
    "\n  mutation CancelEmailChange {\n    cancelEmailChange { user { id pendingEmail } }\n  }\n": types.CancelEmailChangeDocument,
    "\n  mutation DeleteAccount($input: DeleteAccountInput!) {\n    deleteAccount(input: $input) { deletedUserId }\n  }\n": types.DeleteAccountDocument,
    "\n  mutation ResetPassword($input: ResetPasswordInput!) {\n    resetPassword(input: $input) { revokedSessions }\n  }\n": types.ResetPasswordDocument,
    "\n  mutation StartTotpEnrollment {\n    startTotpEnrollment { qrCodeSvg secret otpauthUri }\n  }\n": types.StartTotpEnrollmentDocument,
    "\n  mutation ConfirmTotpEnrollment($input: ConfirmTotpEnrollmentInput!) {\n    confirmTotpEnrollment(input: $input) { recoveryCodes }\n  }\n": types.ConfirmTotpEnrollmentDocument,
    "\n  mutation RegenerateRecoveryCodes {\n    regenerateRecoveryCodes { recoveryCodes user { id recoveryCodesLeft } }\n  }\n": types.RegenerateRecoveryCodesDocument,
    "\n  mutation DisableTotp {\n    disableTotp { user { id mfaMethods recoveryCodesLeft rememberedDevices { id } } }\n  }\n": types.DisableTotpDocument,
    "\n  query SecondFactorDetails {\n    me { id recoveryCodesLeft rememberedDevices { id device expiresAt } }\n  }\n": types.SecondFactorDetailsDocument,
    "\n  mutation RevokeRememberedDevice($input: RevokeRememberedDeviceInput!) {\n    revokeRememberedDevice(input: $input) { user { id rememberedDevices { id } } }\n  }\n": types.RevokeRememberedDeviceDocument,
    "\n  query Sessions {\n    me { id sessions { id isCurrent device ipAddress lastUsedAt } }\n  }\n": types.SessionsDocument,
    "\n  mutation ChangePassword($input: ChangePasswordInput!) {\n    changePassword(input: $input) { user { id sessions { id } } }\n  }\n": types.ChangePasswordDocument,
    "\n  mutation RevokeSession($input: RevokeSessionInput!) {\n    revokeSession(input: $input) { user { id sessions { id } } }\n  }\n": types.RevokeSessionDocument,
    "\n  mutation RevokeOtherSessions {\n    revokeOtherSessions { user { id sessions { id } } }\n  }\n": types.RevokeOtherSessionsDocument,
    "\n  mutation SetPassword($input: SetPasswordInput!) {\n    setPassword(input: $input) { user { id hasPassword } }\n  }\n": types.SetPasswordDocument,
    "\n  mutation VerifyEmail($input: VerifyEmailInput!) {\n    verifyEmail(input: $input) { email user { id email emailVerified pendingEmail } }\n  }\n": types.VerifyEmailDocument,
    "\n  mutation SendVerificationEmail($input: SendVerificationEmailInput!) {\n    sendVerificationEmail(input: $input) { email }\n  }\n": types.SendVerificationEmailDocument,
    "\n  query SecondFactor {\n    me { id mfaMethods }\n  }\n": types.SecondFactorDocument,
    "\n  query Password {\n    me { id hasPassword }\n  }\n": types.PasswordDocument,
    "\n  mutation Reauthenticate($input: ReauthenticateInput!) {\n    reauthenticate(input: $input) {\n      accessToken\n      expiresIn\n      refreshToken\n      user { id username email emailVerified pendingEmail firstName lastName fullName roles }\n    }\n  }\n": types.ReauthenticateDocument,
    "\n  query ServerInfo {\n    serverInfo {\n      registrationEnabled\n      emailRequired\n      mailEnabled\n      passkeysEnabled\n      emailSignInEnabled\n      identityProviders { id name startUrl }\n      passwordPolicy { minLength }\n      usernamePolicy { maxLength pattern }\n    }\n  }\n": types.ServerInfoDocument,
};

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 *
 *
 * @example
 * ```ts
 * const query = graphql(`query GetUser($id: ID!) { user(id: $id) { name } }`);
 * ```
 *
 * The query argument is unknown!
 * Please regenerate the types.
 */
export function graphql(source: string): unknown;

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation AcceptInvitation($input: AcceptInvitationInput!) {\n    acceptInvitation(input: $input) { user { id } }\n  }\n"): (typeof documents)["\n  mutation AcceptInvitation($input: AcceptInvitationInput!) {\n    acceptInvitation(input: $input) { user { id } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation RequestPasswordReset($input: RequestPasswordResetInput!) {\n    requestPasswordReset(input: $input) { email }\n  }\n"): (typeof documents)["\n  mutation RequestPasswordReset($input: RequestPasswordResetInput!) {\n    requestPasswordReset(input: $input) { email }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Identities {\n    me { id identities { id email linkedAt provider { id name } } }\n  }\n"): (typeof documents)["\n  query Identities {\n    me { id identities { id email linkedAt provider { id name } } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Passkeys {\n    me { id passkeys { id name createdAt lastUsedAt isSynced } }\n  }\n"): (typeof documents)["\n  query Passkeys {\n    me { id passkeys { id name createdAt lastUsedAt isSynced } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation UpdateProfile($input: UpdateProfileInput!) {\n    updateProfile(input: $input) { user { id username firstName lastName fullName } }\n  }\n"): (typeof documents)["\n  mutation UpdateProfile($input: UpdateProfileInput!) {\n    updateProfile(input: $input) { user { id username firstName lastName fullName } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation ChangeEmail($input: ChangeEmailInput!) {\n    changeEmail(input: $input) { user { id pendingEmail } }\n  }\n"): (typeof documents)["\n  mutation ChangeEmail($input: ChangeEmailInput!) {\n    changeEmail(input: $input) { user { id pendingEmail } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation CancelEmailChange {\n    cancelEmailChange { user { id pendingEmail } }\n  }\n"): (typeof documents)["\n  mutation CancelEmailChange {\n    cancelEmailChange { user { id pendingEmail } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation DeleteAccount($input: DeleteAccountInput!) {\n    deleteAccount(input: $input) { deletedUserId }\n  }\n"): (typeof documents)["\n  mutation DeleteAccount($input: DeleteAccountInput!) {\n    deleteAccount(input: $input) { deletedUserId }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation ResetPassword($input: ResetPasswordInput!) {\n    resetPassword(input: $input) { revokedSessions }\n  }\n"): (typeof documents)["\n  mutation ResetPassword($input: ResetPasswordInput!) {\n    resetPassword(input: $input) { revokedSessions }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation StartTotpEnrollment {\n    startTotpEnrollment { qrCodeSvg secret otpauthUri }\n  }\n"): (typeof documents)["\n  mutation StartTotpEnrollment {\n    startTotpEnrollment { qrCodeSvg secret otpauthUri }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation ConfirmTotpEnrollment($input: ConfirmTotpEnrollmentInput!) {\n    confirmTotpEnrollment(input: $input) { recoveryCodes }\n  }\n"): (typeof documents)["\n  mutation ConfirmTotpEnrollment($input: ConfirmTotpEnrollmentInput!) {\n    confirmTotpEnrollment(input: $input) { recoveryCodes }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation RegenerateRecoveryCodes {\n    regenerateRecoveryCodes { recoveryCodes user { id recoveryCodesLeft } }\n  }\n"): (typeof documents)["\n  mutation RegenerateRecoveryCodes {\n    regenerateRecoveryCodes { recoveryCodes user { id recoveryCodesLeft } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation DisableTotp {\n    disableTotp { user { id mfaMethods recoveryCodesLeft rememberedDevices { id } } }\n  }\n"): (typeof documents)["\n  mutation DisableTotp {\n    disableTotp { user { id mfaMethods recoveryCodesLeft rememberedDevices { id } } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query SecondFactorDetails {\n    me { id recoveryCodesLeft rememberedDevices { id device expiresAt } }\n  }\n"): (typeof documents)["\n  query SecondFactorDetails {\n    me { id recoveryCodesLeft rememberedDevices { id device expiresAt } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation RevokeRememberedDevice($input: RevokeRememberedDeviceInput!) {\n    revokeRememberedDevice(input: $input) { user { id rememberedDevices { id } } }\n  }\n"): (typeof documents)["\n  mutation RevokeRememberedDevice($input: RevokeRememberedDeviceInput!) {\n    revokeRememberedDevice(input: $input) { user { id rememberedDevices { id } } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Sessions {\n    me { id sessions { id isCurrent device ipAddress lastUsedAt } }\n  }\n"): (typeof documents)["\n  query Sessions {\n    me { id sessions { id isCurrent device ipAddress lastUsedAt } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation ChangePassword($input: ChangePasswordInput!) {\n    changePassword(input: $input) { user { id sessions { id } } }\n  }\n"): (typeof documents)["\n  mutation ChangePassword($input: ChangePasswordInput!) {\n    changePassword(input: $input) { user { id sessions { id } } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation RevokeSession($input: RevokeSessionInput!) {\n    revokeSession(input: $input) { user { id sessions { id } } }\n  }\n"): (typeof documents)["\n  mutation RevokeSession($input: RevokeSessionInput!) {\n    revokeSession(input: $input) { user { id sessions { id } } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation RevokeOtherSessions {\n    revokeOtherSessions { user { id sessions { id } } }\n  }\n"): (typeof documents)["\n  mutation RevokeOtherSessions {\n    revokeOtherSessions { user { id sessions { id } } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation SetPassword($input: SetPasswordInput!) {\n    setPassword(input: $input) { user { id hasPassword } }\n  }\n"): (typeof documents)["\n  mutation SetPassword($input: SetPasswordInput!) {\n    setPassword(input: $input) { user { id hasPassword } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation VerifyEmail($input: VerifyEmailInput!) {\n    verifyEmail(input: $input) { email user { id email emailVerified pendingEmail } }\n  }\n"): (typeof documents)["\n  mutation VerifyEmail($input: VerifyEmailInput!) {\n    verifyEmail(input: $input) { email user { id email emailVerified pendingEmail } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation SendVerificationEmail($input: SendVerificationEmailInput!) {\n    sendVerificationEmail(input: $input) { email }\n  }\n"): (typeof documents)["\n  mutation SendVerificationEmail($input: SendVerificationEmailInput!) {\n    sendVerificationEmail(input: $input) { email }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query SecondFactor {\n    me { id mfaMethods }\n  }\n"): (typeof documents)["\n  query SecondFactor {\n    me { id mfaMethods }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Password {\n    me { id hasPassword }\n  }\n"): (typeof documents)["\n  query Password {\n    me { id hasPassword }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation Reauthenticate($input: ReauthenticateInput!) {\n    reauthenticate(input: $input) {\n      accessToken\n      expiresIn\n      refreshToken\n      user { id username email emailVerified pendingEmail firstName lastName fullName roles }\n    }\n  }\n"): (typeof documents)["\n  mutation Reauthenticate($input: ReauthenticateInput!) {\n    reauthenticate(input: $input) {\n      accessToken\n      expiresIn\n      refreshToken\n      user { id username email emailVerified pendingEmail firstName lastName fullName roles }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query ServerInfo {\n    serverInfo {\n      registrationEnabled\n      emailRequired\n      mailEnabled\n      passkeysEnabled\n      emailSignInEnabled\n      identityProviders { id name startUrl }\n      passwordPolicy { minLength }\n      usernamePolicy { maxLength pattern }\n    }\n  }\n"): (typeof documents)["\n  query ServerInfo {\n    serverInfo {\n      registrationEnabled\n      emailRequired\n      mailEnabled\n      passkeysEnabled\n      emailSignInEnabled\n      identityProviders { id name startUrl }\n      passwordPolicy { minLength }\n      usernamePolicy { maxLength pattern }\n    }\n  }\n"];

export function graphql(source: string) {
  return (documents as any)[source] ?? {};
}

export type DocumentType<TDocumentNode extends DocumentNode<any, any>> = TDocumentNode extends DocumentNode<  infer TType,  any>  ? TType  : never;