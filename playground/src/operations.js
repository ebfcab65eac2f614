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
];
