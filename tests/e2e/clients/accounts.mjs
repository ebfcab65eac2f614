// An account client for the other scripts. A response is `{ status, data, code, reason, instance }`, or null if the connection was
// lost or a proxy lost its connection to the server.

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
    send,
    register: (username, email) => send(REGISTER, { username, email, password: PASSWORD, tokenDelivery: "BODY" }),
    login: (username, password = PASSWORD) => send(LOGIN, { username, password, tokenDelivery: "BODY" }),
    refresh: (refreshToken) => send(REFRESH, { refreshToken }),
    logout: (refreshToken) => send(LOGOUT, { refreshToken }),
    logoutByBearer: (token) => send(LOGOUT, undefined, token),
    me: (token) => send("{ me { username sessions { id } } }", undefined, token),
  };
}

/** The number of refreshes of the session before these tokens were issued. */
export const generation = ({ refreshToken }) => JSON.parse(Buffer.from(refreshToken.split(".")[1], "base64url")).gen;

/** Whether a response rejects an access token because its session was revoked. */
export const isRefused = (answer) => answer?.code === "UNAUTHENTICATED" && answer.reason === "SESSION_REVOKED";
