/** The address of the server's sign-in page, which returns to the explorer. Empty if the server has none. */
export function signInUrl() {
  const link = document.querySelector("link[rel=login]");
  return link ? `${link.href}?${new URLSearchParams({ return_to: new URL(".", location).href })}` : "";
}
