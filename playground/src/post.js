/**
 * Sends a GraphQL request of either explorer. Returns the response.
 *
 * @throws if there is none. The message is shown in its place.
 */
export async function post(request, headers = {}, accessToken = undefined) {
  const all = new Headers(headers);
  all.set("content-type", "application/json");
  if (!all.has("accept")) all.set("accept", "application/graphql-response+json, application/json;q=0.9");
  if (accessToken) all.set("authorization", `Bearer ${accessToken}`);
  let response;
  try {
    response = await fetch("graphql", { method: "POST", headers: all, body: JSON.stringify(request) });
  } catch {
    throw new Error("The server cannot be reached. Is it still running?");
  }
  return response.json().catch(() => {
    throw new Error(`The response is not JSON. Its status is ${response.status}.`);
  });
}

/** The access token in the data of a response that signs in. */
export function issuedToken(data) {
  return Object.values(data ?? {}).find((field) => typeof field?.accessToken === "string")?.accessToken;
}

/** The image in the data of a response with `qrCodeSvg`, as a URL. Empty if there is none. An image cannot run scripts. */
export function qrCodeUrl(data) {
  const svg = Object.values(data ?? {}).find((field) => typeof field?.qrCodeSvg === "string")?.qrCodeSvg;
  return svg ? `data:image/svg+xml,${encodeURIComponent(svg)}` : "";
}
