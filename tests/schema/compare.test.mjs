// Which changes of the schema must be announced, and where.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { compare } from "./compare.mjs";

const RELEASED = `
  type Query { user(id: ID): User! }
  type User { id: ID! name: String! }
  enum Role { ADMIN USER }
  input NewUser { role: Role! = USER }
`;
const WITHOUT_NAME = RELEASED.replace(" name: String!", "");

const changelog = (entry, { part = "Unreleased", section = "Breaking changes" } = {}) =>
  `# Changelog\n\n## ${part}\n\n### Added\n\n- A page.\n\n### ${section}\n\n- ${entry}\n\n### Fixed\n\n- A typo.\n`;

/** The paths of the changes that are not announced. */
const unannounced = async (...texts) => (await compare(RELEASED, ...texts)).unannounced.map(({ path }) => path);

for (const [change, from, to, path] of [
  ["a removed field", " name: String!", "", "User.name"],
  ["a removed type", "input NewUser { role: Role! = USER }", "", "NewUser"],
  ["a field that may be null", "user(id: ID): User!", "user(id: ID): User", "Query.user"],
  ["a required argument", "id: ID)", "id: ID!)", "Query.user.id"],
  ["a removed enum value", "ADMIN", "", "Role.ADMIN"],
  ["a changed default", "= USER", "= ADMIN", "NewUser.role"],
]) {
  test(`${change} must be announced`, async () => {
    const current = RELEASED.replace(from, to);
    assert.deepEqual(await unannounced(current, "## Unreleased\n"), [path]);
    assert.deepEqual(await unannounced(current, changelog(`\`${path}\` has changed.`)), []);
  });
}

test("additions need no announcement", async () => {
  const current = RELEASED.replace(" name: String!", " name: String! age: Int").replace("ADMIN", "ADMIN GUEST");
  assert.deepEqual(await unannounced(current, ""), []);
});

test("only the section of the unreleased part announces", async () => {
  const entry = "`User.name` is removed.";
  assert.deepEqual(await unannounced(WITHOUT_NAME, changelog(entry, { part: "0.1.0" })), ["User.name"]);
  assert.deepEqual(await unannounced(WITHOUT_NAME, changelog(entry, { section: "Changed" })), ["User.name"]);
});

test("an announcement has the exact path in backticks", async () => {
  assert.deepEqual(await unannounced(WITHOUT_NAME, changelog("`User` has no name.")), ["User.name"]);
  assert.deepEqual(await unannounced(WITHOUT_NAME, changelog("User.name is removed.")), ["User.name"]);
});

test("the command fails only for a change that is not announced", () => {
  const folder = mkdtempSync(join(tmpdir(), "schema-"));
  const texts = { "old.graphql": RELEASED, "new.graphql": WITHOUT_NAME, "bad.md": "", "good.md": changelog("`User.name` is removed.") };
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(folder, name), text);
  const script = fileURLToPath(new URL("compare.mjs", import.meta.url));
  const run = (log) => spawnSync("node", [script, "old.graphql", "new.graphql", log], { cwd: folder, encoding: "utf8" });
  const [bad, good] = [run("bad.md"), run("good.md")];
  rmSync(folder, { recursive: true });
  assert.equal(bad.status, 1);
  assert.match(bad.stderr, /^- `User\.name`: Field 'name' was removed/m);
  assert.equal(good.status, 0, good.stderr);
});
