// Compares a schema with the released one. Fails if the changelog does not announce a breaking change: see "Change the schema" in
// docs/development/adding-a-feature.md.
// node compare.mjs <released schema> <schema> <changelog>

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { CriticalityLevel, diff } from "@graphql-inspector/core";
import { buildSchema } from "graphql";

/** A changed default counts as breaking: requests that omit the value have another effect. */
const isBreaking = ({ criticality, type }) =>
  criticality.level === CriticalityLevel.Breaking || /_DEFAULT(_VALUE)?_CHANGED$/.test(type);

/** The breaking changes from `released` to `current`, and those of them that `changelog` does not announce. */
export async function compare(released, current, changelog) {
  const unreleased = changelog.split(/^## /m).find((part) => part.startsWith("Unreleased\n")) ?? "";
  const section = unreleased.split(/^### /m).find((part) => part.startsWith("Breaking changes\n")) ?? "";
  const announced = new Set([...section.matchAll(/`([^`]+)`/g)].map(([, name]) => name));
  const breaking = (await diff(buildSchema(released), buildSchema(current))).filter(isBreaking);
  return { breaking, unannounced: breaking.filter(({ path }) => !announced.has(path)) };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { breaking, unannounced } = await compare(...process.argv.slice(2).map((path) => readFileSync(path, "utf8")));
  console.log(`${breaking.length} breaking changes since the release, ${unannounced.length} of them not announced`);
  if (unannounced.length > 0) {
    console.error('Undo them, or announce them in the section "Breaking changes" of the part "Unreleased" of the changelog:');
    for (const { path, message } of unannounced) console.error(`- \`${path}\`: ${message}`);
    process.exit(1);
  }
}
