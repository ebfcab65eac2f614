// What the explorer starts with: the first steps of an account, one to a tab. Both pages show these; the comments are for
// someone who sees GraphQL for the first time.

const register = `# 1. Press ▶ or Ctrl-Enter to make an account.
#    What is sent stands below, under Variables.
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

const login = `# 2. Sign in to an account that is there,
#    by username or e-mail address.
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

const me = `# 3. Who is asking? Signed out the answer is
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

const refresh = `# 4. A new access token, before or after the old
#    one expires. The refresh token for it is in a
#    cookie that scripts can't read.
mutation Refresh {
  refreshToken {
    accessToken
    expiresIn
  }
}
`;

const serverInfo = `# 5. What a registration form needs to know;
#    anyone may ask.
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
];
