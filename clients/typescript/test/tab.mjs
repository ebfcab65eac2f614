// The parts of a browser that a flow across pages needs: addresses, storage, and following redirects.

/** Storage as in browsers: `sessionStorage` of a tab, or `localStorage` of a browser. */
export class MemoryStorage {
  #items = new Map();
  isBlocked = false;
  get keys() {
    return [...this.#items.keys()];
  }
  getItem(key) {
    if (this.isBlocked) throw new DOMException("The operation is insecure.", "SecurityError");
    return this.#items.get(key) ?? null;
  }
  setItem(key, value) {
    if (this.isBlocked) throw new DOMException("The operation is insecure.", "SecurityError");
    this.#items.set(key, String(value));
  }
  removeItem(key) {
    this.#items.delete(key);
  }
}

/** A tab. The tab that is used becomes the one that the globals belong to. */
export class Tab {
  sessionStorage = new MemoryStorage();
  /** The address that the page has opened. */
  opened = null;

  /** `send` is the `fetch` of the browser, with its cookies. */
  constructor(send, localStorage = new MemoryStorage()) {
    this.send = send;
    this.localStorage = localStorage;
  }

  /** Shows the page at an address of the app. */
  show(address) {
    this.address = new URL(address);
    const tab = this;
    Object.defineProperties(globalThis, {
      location: { configurable: true, value: { get href() { return tab.address.href; }, assign: (url) => (tab.opened = String(url)) } },
      history: { configurable: true, value: { state: { page: 1 }, replaceState: (_, __, url) => (tab.address = new URL(url)) } },
      sessionStorage: { configurable: true, value: this.sessionStorage },
      localStorage: { configurable: true, value: this.localStorage },
    });
    return this;
  }

  /** Follows redirects from the address that the page has opened, until the app. `choice` is a path of the provider. */
  async follow(choice = "/approve", user = "ada") {
    let url = new URL(this.opened);
    while (url.origin !== this.address.origin) {
      if (url.pathname === "/authorize") url = new URL(`${choice}${url.search}&user=${user}`, url);
      const response = await this.send(url, { redirect: "manual", credentials: "include" });
      const location = response.headers.get("location");
      if (!location) throw new Error(`${url}: ${response.status} ${await response.text()}`);
      url = new URL(location, url);
    }
    return url.href;
  }
}
