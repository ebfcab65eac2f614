// The server, without the app.

import { start } from "../server.mjs";
import { PORTS, origin } from "./app.mjs";

const settings = { APP_URL: origin, PROXY_HEADER: "x-forwarded-for", TRUSTED_PROXIES: "127.0.0.1", BCRYPT_COST: "10" };
export const stopHallpass = await start(process.argv[2], PORTS.hallpass, settings);
/** The address of the page that shows the mails. */
export const mailbox = `http://localhost:${PORTS.hallpass}${stopHallpass.mails}`;

/** Sends a document. */
export async function graphql(query, input, accessToken) {
  const headers = { "content-type": "application/json", ...(accessToken && { authorization: `Bearer ${accessToken}` }) };
  const body = JSON.stringify({ query, variables: { input } });
  const response = await fetch(`http://localhost:${PORTS.hallpass}/graphql`, { method: "POST", headers, body });
  const { data, errors } = await response.json();
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}

export const LOGIN = "mutation($input: LoginInput!) { login(input: $input) { accessToken user { sessions { device ipAddress } } } }";
