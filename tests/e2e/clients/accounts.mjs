// What a client does with accounts, for the scripts beside this file. An answer is `{ status, data, code, reason, instance }`; null is
// none: the connection was lost, or a proxy says that it lost its own.

export const PASSWORD = "correct horse battery";

const PAIR = "accessToken refreshToken user { username }";
const REGISTER = `mutation($input: RegisterInput!) { register(input: $input) { ${PAIR} } }`;
const LOGIN = `mutation($input: LoginInput!) { login(input: $input) { ${PAIR} } }`;
const REFRESH = `mutation($input: RefreshTokenInput!) { refreshToken(input: $input) { ${PAIR} } }`;
const LOGOUT = "mutation($input: LogoutInput) { logout(input: $input) { revokedSessions } }";

/** A client of the server at `origin`. */
export function accounts(origin) {
  async function send(query, input, token) {
    try {
      const response = await fetch(`${origin}/graphql`, {
        method: "POST",
        headers: { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) },
        body: JSON.stringify({ query, variables: { input } }),
      });
      const text = await response.text();
      if (response.status === 502 || response.status === 504) return null;
      const { data, errors } = JSON.parse(text);
      const { code, reason } = errors?.[0].extensions ?? {};
      return { status: response.status, data, code, reason, instance: response.headers.get("x-instance") };
    } catch (error) {
      if (error instanceof SyntaxError) throw error;
      return null;
    }
  }
  return {
    register: (username) => send(REGISTER, { username, password: PASSWORD, tokenDelivery: "BODY" }),
    login: (username) => send(LOGIN, { username, password: PASSWORD, tokenDelivery: "BODY" }),
    refresh: (refreshToken) => send(REFRESH, { refreshToken }),
    logout: (refreshToken) => send(LOGOUT, { refreshToken }),
    logoutByBearer: (token) => send(LOGOUT, undefined, token),
    me: (token) => send("{ me { username sessions { id } } }", undefined, token),
  };
}

/** How often the session of these tokens had been refreshed when they were made. */
export const generation = ({ refreshToken }) => JSON.parse(Buffer.from(refreshToken.split(".")[1], "base64url")).gen;

/** The answer to whoever shows an access token of a session that is over. */
export const isRefused = (answer) => answer?.code === "UNAUTHENTICATED" && answer.reason === "SESSION_REVOKED";
