// Copies examples/next as its README says, and uses it in Chromium with and without JavaScript. A failure leaves screenshots in the folder
// of the binary.
// node next.mjs <binary> [<folder for screenshots of all pages>]

import { dirname, join } from "node:path";
import { assert, check, finish } from "./checks.mjs";
import { buildApp, log, startApp } from "./next/app.mjs";
import { browser, problems, received, tabs } from "./next/browser.mjs";
import { stopHallpass } from "./next/hallpass.mjs";
import { lifeCycle, secondFactor } from "./next/life.mjs";
import { proxied } from "./next/proxy.mjs";
import { crossOrigin, oneRefresh, outageAndRestart, secureCookie, signInAgain } from "./next/sessions.mjs";

buildApp();
let stopApp = await startApp();
try {
  const ada = await lifeCycle("ada", {});
  const bob = await lifeCycle("bob", { javaScriptEnabled: false, viewport: { width: 390, height: 844 } });
  await secondFactor("cleo", {});
  await secondFactor("dora", { javaScriptEnabled: false });
  await oneRefresh(bob);
  await signInAgain(ada);
  check("the pages have no errors", problems.length === 0, ...problems);
  await crossOrigin(bob);
  await outageAndRestart(bob, ada, async () => {
    await stopApp();
    stopApp = await startApp();
  });
  await secureCookie();
  const texts = (await Promise.all(received)).join("\n");
  assert("the texts of pages were recorded", texts.includes("<h1>Hello") && texts.includes("set-cookie"));
  check("no token reaches the browser", proxied.tokens.size > 10 && [...proxied.tokens].every((token) => !texts.includes(token)));
} catch (error) {
  console.error(Buffer.concat(log).toString());
  for (const [index, tab] of tabs.filter((tab) => !tab.isClosed()).entries()) {
    await tab.screenshot({ path: join(dirname(process.argv[2]), `next-${index + 1}.png`), fullPage: true });
  }
  throw error;
}
await browser.close();
await stopApp();
await stopHallpass();
finish(26);
