// The starting tabs of both explorers: the first steps with an account. The comments are for people who are new to GraphQL.

const register = `# 1. Press ▶ or Ctrl-Enter to create an account
#    from the values below, under Variables.
#    Then you are signed in: try the tab Me.
mutation Register($input: RegisterInput!) {
  register(input: $input) {
    accessToken
    expiresIn
    user {
      id
      username
      fullName
    }
  }
}
`;

const login = `# 2. Sign in to an existing account with the
#    username or e-mail address.
mutation Login($input: LoginInput!) {
  login(input: $input) {
    accessToken
    expiresIn
    user {
      username
      lastLoginAt
    }
  }
}
`;

const me = `# 3. The signed-in user. After signing out it is
#    null, and errors[0].extensions says why.
query Me {
  me {
    id
    username
    email
    fullName
    roles
    createdAt
    lastLoginAt
  }
}
`;

const refresh = `# 4. Get a new access token before or after the
#    old one expires. The refresh token is in a
#    cookie that scripts cannot read.
mutation Refresh {
  refreshToken {
    accessToken
    expiresIn
  }
}
`;

const serverInfo = `# 5. What a registration form needs to know.
#    Works without signing in.
query ServerInfo {
  serverInfo {
    registrationEnabled
    emailRequired
    passkeysEnabled
    emailSignInEnabled
    accessTokenLifetime
    usernamePolicy {
      minLength
      maxLength
      pattern
    }
    passwordPolicy {
      minLength
      maxLength
    }
  }
}
`;

const enroll = `# 6. Set up an authenticator app: scan the QR
#    code below the response. Continue in the
#    tab Confirm.
mutation Enroll {
  startTotpEnrollment {
    secret
    otpauthUri
    qrCodeSvg
  }
}
`;

const confirm = `# 7. Enter the code of the app under Variables.
#    Keep the recovery codes.
mutation Confirm($input: ConfirmTotpEnrollmentInput!) {
  confirmTotpEnrollment(input: $input) {
    recoveryCodes
    user {
      id
      mfaMethods
    }
  }
}
`;

const verify = `# 8. Login now fails with MFA_REQUIRED. Copy
#    extensions.mfa.token of its error to the
#    variables, and enter the next code of the app.
mutation Verify($input: VerifyMfaInput!) {
  verifyMfa(input: $input) {
    accessToken
    expiresIn
    user {
      username
    }
  }
}
`;

const addPasskey = `# 9. Add a passkey to the signed-in user.
#    Press ▶, then the button below the response.
mutation AddPasskey {
  startPasskeyRegistration {
    ceremonyToken
    options
  }
}
`;

const finishPasskey = `# The variables are from AddPasskey and the
# browser. They work once. Keep the recovery
# codes, if this is the first second factor.
mutation FinishPasskey($input: FinishPasskeyRegistrationInput!) {
  finishPasskeyRegistration(input: $input) {
    passkey {
      id
      name
      isSynced
    }
    recoveryCodes
    user {
      id
      mfaMethods
    }
  }
}
`;

const passkeyLogin = `# 10. Sign out, and sign in with a passkey.
#     Press ▶, then the button below the response.
mutation PasskeyLogin {
  startPasskeyLogin {
    ceremonyToken
    options
  }
}
`;

const finishPasskeyLogin = `# The variables are from PasskeyLogin and the
# browser. They work once.
mutation FinishPasskeyLogin($input: FinishPasskeyLoginInput!) {
  finishPasskeyLogin(input: $input) {
    accessToken
    expiresIn
    user {
      username
      lastLoginAt
    }
  }
}
`;

const passkeyRegister = `# 11. Create an account with a passkey instead
#     of a password. Press ▶, then the button
#     below the response.
mutation PasskeyRegister($input: StartPasskeyRegistrationInput!) {
  startPasskeyRegistration(input: $input) {
    ceremonyToken
    options
  }
}
`;

const finishPasskeyRegister = `# The variables are from PasskeyRegister and the
# browser. They work once. Keep the recovery
# codes.
mutation FinishPasskeyRegister($input: RegisterWithPasskeyInput!) {
  registerWithPasskey(input: $input) {
    accessToken
    expiresIn
    recoveryCodes
    user {
      id
      username
      hasPassword
    }
  }
}
`;

const passkeys = `# 12. The passkeys of the signed-in user.
query Passkeys {
  me {
    id
    passkeys {
      id
      name
      isSynced
      createdAt
      lastUsedAt
    }
  }
}
`;

const renamePasskey = `# 13. Copy the id of a passkey from the tab
#     Passkeys to the variables.
mutation RenamePasskey($input: RenamePasskeyInput!) {
  renamePasskey(input: $input) {
    passkey {
      id
      name
    }
  }
}
`;

const deletePasskey = `# 14. Copy the id as in RenamePasskey. If the last
#     proof of identity is too old, run
#     VerifyPasskey without variables first.
mutation DeletePasskey($input: DeletePasskeyInput!) {
  deletePasskey(input: $input) {
    deletedPasskeyId
    acceptedCredentials {
      rpId
      userId
      allAcceptedCredentialIds
    }
    user {
      id
      mfaMethods
    }
  }
}
`;

const verifyPasskey = `# 15. Login now fails with MFA_REQUIRED. Copy
#     extensions.mfa.token of its error to the
#     variables. Press ▶, then the button below
#     the response. To answer a
#     REAUTHENTICATION_REQUIRED instead, clear
#     the variables first.
mutation VerifyPasskey($input: StartPasskeyVerificationInput) {
  startPasskeyVerification(input: $input) {
    ceremonyToken
    options
  }
}
`;

const reauthenticate = `# The variables are from VerifyPasskey and the
# browser. They work once.
mutation Reauthenticate($input: ReauthenticateInput!) {
  reauthenticate(input: $input) {
    accessToken
    expiresIn
  }
}
`;

const providers = `# 16. The providers that users can sign in with,
#     and the linked accounts of the signed-in user.
#     Open startUrl in this tab, with
#     ?return_to=<this page>&code_challenge=
#     E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM
#     You come back with a code in the address.
query Providers {
  serverInfo {
    identityProviders {
      id
      name
      startUrl
    }
  }
  me {
    id
    identities {
      id
      email
      provider {
        name
      }
    }
  }
}
`;

const providerLogin = `# 17. Copy the code from the address to the
#     variables within 60 seconds. An app creates
#     a new verifier and challenge each time.
mutation ProviderLogin($input: LoginWithCodeInput!) {
  loginWithCode(input: $input) {
    accessToken
    expiresIn
    user {
      id
      username
      hasPassword
    }
  }
}
`;

const linkProvider = `# 18. Link an account at a provider to the
#     signed-in user: open url in this tab.
mutation LinkProvider($input: StartIdentityLinkInput!) {
  startIdentityLink(input: $input) {
    url
  }
}
`;

const finishLink = `# 19. Copy the code from the address to the
#     variables.
mutation FinishLink($input: FinishIdentityLinkInput!) {
  finishIdentityLink(input: $input) {
    identity {
      id
      email
    }
    user {
      id
      identities {
        id
      }
    }
  }
}
`;

const unlinkProvider = `# 20. Copy the id of a linked account from the tab
#     Providers.
mutation UnlinkProvider($input: UnlinkIdentityInput!) {
  unlinkIdentity(input: $input) {
    unlinkedIdentityId
    user {
      id
      identities {
        id
      }
    }
  }
}
`;

const requestMail = `# 21. Send a mail that signs in, if
#     EMAIL_SIGN_IN=true. Look below the response
#     for the link Mails.
mutation RequestMail($input: RequestEmailSignInInput!) {
  requestEmailSignIn(input: $input) {
    expiresIn
  }
}
`;

const mailLogin = `# 22. Copy the code of the mail to the variables.
mutation MailLogin($input: LoginWithEmailInput!) {
  loginWithEmail(input: $input) {
    accessToken
    expiresIn
    user {
      id
      username
      hasPassword
    }
  }
}
`;

/** The verifier and the challenge of RFC 7636, appendix B. */
const codeVerifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const codeChallenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

const json = (value) => JSON.stringify(value, null, 2);

/** The starting operations; `variables` is JSON. */
export const operations = [
  {
    name: "Register",
    query: register,
    variables: json({ input: { username: "grace", password: "correct horse battery", firstName: "Grace", lastName: "Hopper" } }),
  },
  { name: "Login", query: login, variables: json({ input: { username: "grace", password: "correct horse battery" } }) },
  { name: "Me", query: me, variables: "" },
  { name: "Refresh", query: refresh, variables: "" },
  { name: "Server info", query: serverInfo, variables: "" },
  { name: "Enroll", query: enroll, variables: "" },
  { name: "Confirm", query: confirm, variables: json({ input: { code: "" } }) },
  { name: "Verify", query: verify, variables: json({ input: { token: "", factor: { totpCode: "" } } }) },
  { name: "AddPasskey", query: addPasskey, variables: "" },
  { name: "PasskeyLogin", query: passkeyLogin, variables: "" },
  {
    name: "PasskeyRegister",
    query: passkeyRegister,
    variables: json({ input: { username: "hedy", firstName: "Hedy", lastName: "Lamarr" } }),
  },
  { name: "Passkeys", query: passkeys, variables: "" },
  { name: "RenamePasskey", query: renamePasskey, variables: json({ input: { passkeyId: "", name: "My laptop" } }) },
  { name: "DeletePasskey", query: deletePasskey, variables: json({ input: { passkeyId: "" } }) },
  { name: "VerifyPasskey", query: verifyPasskey, variables: json({ input: { mfaToken: "" } }) },
  { name: "Providers", query: providers, variables: "" },
  { name: "ProviderLogin", query: providerLogin, variables: json({ input: { code: "", codeVerifier } }) },
  {
    name: "LinkProvider",
    query: linkProvider,
    variables: json({ input: { providerId: "", returnTo: new URL(".", location).href, codeChallenge } }),
  },
  { name: "FinishLink", query: finishLink, variables: json({ input: { code: "", codeVerifier } }) },
  { name: "UnlinkProvider", query: unlinkProvider, variables: json({ input: { identityId: "" } }) },
  { name: "RequestMail", query: requestMail, variables: json({ input: { email: "grace@example.org", codeChallenge } }) },
  {
    name: "MailLogin",
    query: mailLogin,
    variables: json({ input: { proof: { emailAndCode: { email: "grace@example.org", code: "" } }, codeVerifier } }),
  },
];

/** The operations that finish a passkey ceremony, besides Verify. They are shown when they have their variables. */
const finishing = [
  { name: "FinishPasskey", query: finishPasskey, variables: "" },
  { name: "FinishPasskeyLogin", query: finishPasskeyLogin, variables: "" },
  { name: "FinishPasskeyRegister", query: finishPasskeyRegister, variables: "" },
  { name: "Reauthenticate", query: reauthenticate, variables: "" },
];

/** The operation of this name. */
export function findOperation(name) {
  return [...operations, ...finishing].find((operation) => operation.name === name);
}

/** Variables as JSON with these fields in `input`. Other variables and fields stay. */
export function withInput(variables, input) {
  let others;
  try {
    others = JSON.parse(variables);
  } catch {
    // Empty, or not JSON.
  }
  return json({ ...others, input: { ...others?.input, ...input } });
}
