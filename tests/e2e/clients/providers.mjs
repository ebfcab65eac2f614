// Sign-in with other providers in Chromium: the code of docs/providers.md, two providers on another site, and a mail server. A failure
// leaves screenshots in the folder of the binary.
// node providers.mjs <binary>

import { buildSchema, parse, validate } from "graphql";
import { check, finish } from "./checks.mjs";
import * as accounts from "./providers/accounts.mjs";
import { manual } from "./providers/app.mjs";
import * as faults from "./providers/faults.mjs";
import * as links from "./providers/links.mjs";
import { World } from "./providers/world.mjs";

const world = new World(process.argv[2]);
await world.launch();
await world.start();
await world.scenario(faults.providerDown);
await world.scenario(accounts.newUser);
await world.scenario(accounts.knownUser);
await world.scenario(accounts.verifiedAtBothSides);
await world.scenario(accounts.notVerifiedHere);
await world.scenario(accounts.notVerifiedAtTheProvider);
await world.scenario(links.linkFromInside);
await world.scenario(links.linkInAnotherBrowser);
await world.scenario(links.recentProof);
await world.scenario(links.lastSignInMethod);
await world.scenario(links.secondFactor);
await world.scenario(faults.cancelled);
await world.scenario(faults.twoTabs);
await world.scenario(faults.backButton);
await world.scenario(faults.anotherBrowser);
await world.scenario(faults.blockedCookies);
await world.scenario(faults.providerUpAgain);
await world.scenario(accounts.untrustedProvider);

const schema = buildSchema(world.server.run(["schema"]));
const documents = manual.filter(({ language }) => language === "graphql");
const errors = documents.flatMap(({ text }) => validate(schema, parse(text)).map(({ message }) => message));
check("the operations of the manual are valid", documents.length === 5 && errors.length === 0, ...errors);

await world.server();
await world.start({ PROVIDER_TAKEOVER: "true" });
await world.scenario(accounts.takeover);
await world.close();
finish(95);
