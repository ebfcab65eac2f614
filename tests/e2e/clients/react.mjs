// Copies examples/apollo-react as its README says, and uses it in Chromium: the life of an account, and faults. A failure leaves
// screenshots in the folder of the binary.
// node react.mjs <binary> [<folder for screenshots of all pages>]

import { check, finish } from "./checks.mjs";
import { start } from "./server.mjs";
import { startProvider } from "./small_provider.mjs";
import { serveApp } from "./react/app.mjs";
import { World } from "./react/browser.mjs";
import * as faults from "./react/faults.mjs";
import { accountLifecycle, invitation, verifiedAddresses } from "./react/life.mjs";
import { passkeys, passwordless } from "./react/passkeys.mjs";
import { providers, signInByMail } from "./react/providers.mjs";
import { requiredSecondFactor, secondFactor } from "./react/secondFactor.mjs";

const [binary, screenshots] = process.argv.slice(2);
const PORTS = { hallpass: 8154, app: 8155 };
const world = new World({ binary, screenshots, home: `http://localhost:${PORTS.hallpass}`, app: `http://localhost:${PORTS.app}` });
world.start = async (folder, settings = {}) => {
  const own = { ALLOWED_ORIGINS: world.app, APP_URL: world.app, BCRYPT_COST: "10", ACCESS_TOKEN_EXPIRE_MINUTES: "1", ...settings };
  world.server = await start(binary, PORTS.hallpass, own, undefined, folder);
};

await world.start();
const stopApp = await serveApp(world.home, PORTS.app);
await world.launch();
let wake;
await world.scenario("falling asleep", async () => {
  wake = await faults.fallAsleep(world);
});
await world.scenario("account", accountLifecycle);
await world.scenario("invitation", invitation);
await world.scenario("second factor", secondFactor);
await world.scenario("passkeys", passkeys);
await world.scenario("account without a password", passwordless);
await world.scenario("two tabs", faults.twoTabs);
await world.scenario("lost answer", faults.lostAnswer);
await world.scenario("blocked cookies", faults.blockedCookies);
await world.scenario("restart", faults.restart);
await world.scenario("offline", faults.offline);
await world.scenario("asleep", async () => {
  const [sleeper, parallel] = await wake();
  await faults.laptopWakes(sleeper);
  await faults.parallelQueries(parallel);
});
await world.server();
await world.start(undefined, { REQUIRE_EMAIL: "true", REQUIRE_VERIFIED_EMAIL: "true" });
await world.scenario("verified addresses", verifiedAddresses);
await world.server();
await world.start(undefined, { MFA_REQUIRED_ROLES: "user" });
await world.scenario("required second factor", requiredSecondFactor);
await world.server();
const provider = await startProvider({ users: ["grace"] });
await world.start(undefined, { ...provider.settings, EMAIL_SIGN_IN: "true" });
await world.scenario("providers", providers);
await world.scenario("sign-in by mail", signInByMail);
provider.stop();
check("the last server is stopped", (await world.server()) === undefined);
await world.browser.close();
stopApp();
finish(115);
