// Browsers, forms, mails and audits for the tests of the React app.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { chromium } from "playwright-core";
import { check, fail } from "../checks.mjs";

export const PASSWORD = "correct horse battery";
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const WIDE = { width: 1100, height: 800 };
const PHONE = { width: 360, height: 740 };

/** What the scenarios share: the browser, and addresses. `screenshots` is a folder for pictures of all pages. */
export class World {
  constructor(settings) {
    Object.assign(this, settings);
    this.contexts = [];
    this.seen = new Set();
  }

  async launch() {
    this.browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
  }

  /** Runs a scenario, and closes its browsers. If it fails, it leaves a screenshot of each page next to the binary. */
  async scenario(name, run) {
    try {
      await run(this);
    } catch (error) {
      fail(name, error.message);
      let number = 0;
      for (const tab of this.contexts.flatMap((context) => context.pages())) {
        number += 1;
        await tab.screenshot({ path: join(dirname(this.binary), `react-${name.replaceAll(/\W+/g, "-")}-${number}.png`) });
      }
    }
    for (const context of this.contexts.splice(0)) await context.close();
  }

  /** A browser of its own, with an empty cookie jar. */
  async device(options = {}) {
    return this.track(await this.browser.newContext({ locale: "en-GB", viewport: WIDE, ...options }));
  }

  track(context) {
    context.setDefaultTimeout(20_000);
    this.contexts.push(context);
    return context;
  }

  /** Opens a page of the app. The operations that it sends are in `tab.sent`. */
  async open(context, path = "/") {
    const tab = await context.newPage();
    tab.sent = [];
    tab.on("request", (request) => {
      const operation = request.method() === "POST" && /(?:query|mutation) (\w+)/.exec(request.postData() ?? "")?.[1];
      if (operation) tab.sent.push(operation);
    });
    tab.on("pageerror", (error) => fail("an exception in the page", String(error)));
    await tab.goto(this.app + path);
    return tab;
  }

  /** Registers `username` in a new tab, and waits for the profile. */
  async register(context, username) {
    const tab = await this.open(context, "/register");
    await submit(tab, "Create account", { username, email: `${username}@example.org`, password: PASSWORD });
    await heading(tab, "Profile");
    return tab;
  }

  async signIn(context, username, password = PASSWORD) {
    const tab = await this.open(context);
    await submit(tab, "Sign in", { username, password });
    await heading(tab, "Profile");
    return tab;
  }

  /** The path of the next link of this kind that was mailed to an address. Each link is returned once. */
  async link(path, to) {
    const deadline = Date.now() + 20_000;
    while (Date.now() < deadline) {
      const page = await (await fetch(this.home + this.server.mails)).text();
      for (const mail of page.replaceAll("&#x2f;", "/").split("<article").reverse()) {
        const link = mail.includes(`To ${to},`) && mail.match(new RegExp(`href="${this.app}(${path}\\?token=[^"]+)"`))?.[1];
        if (!link || this.seen.has(link)) continue;
        this.seen.add(link);
        return link;
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`no mail to ${to} with a link to ${path}`);
  }

  /** Checks the page in light and dark, wide and on a phone: axe finds nothing, and nothing is cut off. */
  async audit(tab, name) {
    await tab.evaluate(axe);
    const found = [];
    for (const [size, viewport] of Object.entries({ wide: WIDE, phone: PHONE })) {
      await tab.setViewportSize(viewport);
      for (const colorScheme of ["light", "dark"]) {
        await tab.emulateMedia({ colorScheme });
        if (this.screenshots) await tab.screenshot({ path: join(this.screenshots, `${name}-${size}-${colorScheme}.png`), fullPage: true });
        const violations = await tab.evaluate(async () => (await globalThis.axe.run()).violations);
        for (const { id, nodes } of violations) found.push(`${size} ${colorScheme} ${id}: ${nodes.map(({ html }) => html).join(" ")}`);
      }
      if (await tab.evaluate(() => document.documentElement.scrollWidth > innerWidth)) found.push(`${size}: wider than the screen`);
    }
    await tab.emulateMedia({ colorScheme: null });
    await tab.setViewportSize(WIDE);
    check(`accessible: ${name}`, found.length === 0, ...found);
  }
}

/** Fills the fields of the form that has this button, and presses it. */
export async function submit(tab, button, values = {}) {
  const form = tab.locator("form", { has: tab.getByRole("button", { name: button, exact: true }) });
  for (const [name, value] of Object.entries(values)) await form.locator(`[name=${name}]`).fill(value);
  await form.getByRole("button", { name: button, exact: true }).click();
}

/** Waits for a page by its heading. */
export const heading = (tab, name) => tab.getByRole("heading", { level: 1, name, exact: true }).waitFor();

/** Waits for a message at a field. */
export async function problem(tab, field, text) {
  const input = tab.locator(`input[name=${field}][aria-invalid]`).first();
  const help = tab.locator(`[id="${await input.getAttribute("aria-describedby")}"]`);
  await help.filter({ hasText: text }).waitFor();
}

export const region = (tab, name) => tab.getByRole("region", { name, exact: true });
