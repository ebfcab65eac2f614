// Makes backups of an SQLite database while users register, and restores each of them.
// node backup.mjs <binary> [number of backups]

import { execFile, execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { accounts } from "./accounts.mjs";
import { check, finish } from "./checks.mjs";
import { emptyFolder, start } from "./server.mjs";

const [binary, backups = "5"] = process.argv.slice(2);
const port = 8278;
const client = accounts(`http://localhost:${port}`);
const folder = emptyFolder();
const settings = { BCRYPT_COST: "10", RUST_LOG: "warn,hallpass::cli=info" };
const stop = await start(binary, port, settings, undefined, folder);

// The names of the users whose registration was acknowledged.
const registered = [];
let isRunning = true;
async function register(worker) {
  for (let count = 0; isRunning; count += 1) {
    const name = `user-${worker}-${count}`;
    const answer = await client.register(name);
    if (answer?.data?.register) registered.push({ name, token: answer.data.register.accessToken });
    else check(`${name} is registered during backups`, false, answer);
  }
}
const workers = [0, 1, 2, 3, 4, 5].map(register);

const made = [];
for (let number = 0; number < Number(backups); number += 1) {
  const before = registered.length;
  while (registered.length < before + 12) await new Promise((resolve) => setTimeout(resolve, 5));
  const acknowledged = [...registered];
  await promisify(execFile)(resolve(binary), ["backup", `backup-${number}.db`], { cwd: folder, env: {} });
  made.push({ number, acknowledged, during: registered.length - acknowledged.length });
}
isRunning = false;
await Promise.all(workers);
await stop();

for (const { number, acknowledged, during } of made) {
  const restored = join(folder, `restored-${number}`);
  mkdirSync(restored);
  copyFileSync(join(folder, "hallpass.key"), join(restored, "hallpass.key"));
  const run = (...parameters) => execFileSync(resolve(binary), parameters, { cwd: restored, env: {}, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  run("restore", join("..", `backup-${number}.db`));
  const integrity = execFileSync("sqlite3", [join(restored, "hallpass.db"), "PRAGMA integrity_check; PRAGMA foreign_key_check"], { encoding: "utf8" }).trim();
  const listed = new Set(run("user", "list", "--json").trim().split("\n").map((line) => JSON.parse(line).username));
  const missing = acknowledged.filter(({ name }) => !listed.has(name));
  check(`backup ${number}: intact, with all ${acknowledged.length} users of before; ${during} registered meanwhile`, integrity === "ok" && missing.length === 0, integrity, missing.length);
  if (number !== made.length - 1) continue;
  const stop = await start(binary, port, settings, undefined, restored);
  const last = acknowledged.at(-1);
  check("a token of before the backup works after the restore", (await client.me(last.token)).data?.me?.username === last.name);
  await stop();
}
check("users registered during backups", made.some(({ during }) => during > 0));
finish(Number(backups) + 2);
