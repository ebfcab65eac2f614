// The tarball of a release: made twice from one binary, it is the same, and it runs in an empty Debian by the words of the manual.
// node package.mjs <binary> <page with the commands>

import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { check, finish } from "./checks.mjs";
import { blocks, page } from "./markdown.mjs";
import { atExit, emptyFolder } from "./server.mjs";

const [binary, manual] = process.argv.slice(2);
const script = fileURLToPath(new URL("../../../deploy/package.sh", import.meta.url));
const run = (command, ...parameters) => execFileSync(command, parameters, { encoding: "utf8" });

const [first, second] = [emptyFolder(), emptyFolder()];
const tarball = run(script, binary, first).trim();
run(script, binary, second);
const names = readdirSync(first).sort();
const hashes = (folder) => names.map((name) => createHash("sha256").update(readFileSync(join(folder, name))).digest("hex"));
check("packaging the same binary again makes the same files", names.length === 3 && String(hashes(first)) === String(hashes(second)), names);

const paths = run("tar", "--list", "--file", tarball).split("\n");
const expected = ["bin/hallpass", "share/man/man1/hallpass-user-add.1", "share/bash-completion/completions/hallpass", "lib/systemd/system/hallpass.service", "share/doc/hallpass/LICENSE-MIT"];
const missing = expected.filter((path) => !paths.some((packed) => packed.endsWith(`/${path}`)));
check("the tarball has everything that the manual lists", missing.length === 0, missing);
const owners = run("tar", "--list", "--verbose", "--numeric-owner", "--file", tarball).trim().split("\n");
check("its files belong to root, and only root may write them", owners.every((line) => line.includes(" 0/0 ") && !/^.....w|^........w/.test(line)), owners);

const list = JSON.parse(readFileSync(join(first, names.find((name) => name.endsWith(".cdx.json"))), "utf8"));
const lock = readFileSync(fileURLToPath(new URL("../../../Cargo.lock", import.meta.url)), "utf8");
const versions = Object.fromEntries(list.components.map(({ name, version }) => [name, version]));
const known = ["axum", "sea-orm", "jsonwebtoken", "aws-lc-rs"].filter((name) => lock.includes(`name = "${name}"\nversion = "${versions[name]}"`));
check("the list of components has the versions of the lock file", list.bomFormat === "CycloneDX" && known.length === 4, versions);

// An empty Debian. Programs in it see no other files, and no settings of this machine.
const root = emptyFolder();
run("/usr/sbin/debootstrap", "--variant=minbase", "bookworm", root);
const folder = join(root, "root/release");
mkdirSync(folder);
for (const name of names) copyFileSync(join(first, name), join(folder, name));
const inside = (command, name = "release") => ["/usr/sbin/chroot", [root, "/usr/bin/env", "-i", "PATH=/usr/local/bin:/usr/bin:/bin", "bash", "--norc", "-ec", `cd /root/${name}; ${command}`]];
const [install, serve, health] = blocks(page(manual)).map(({ text }) => text);

const before = performance.now();
const installed = execFileSync(...inside(install), { encoding: "utf8" });
check("the checksum is right, and the version names the commit", /: OK\n/.test(installed) && /hallpass \d+\.\d+\.\d+ \([0-9a-f]{12}\)/.test(installed), installed);
mkdirSync(join(root, "root/app"));
const server = spawn(...inside(`exec ${serve}`, "app"), { stdio: "ignore" });
atExit(() => server.kill("SIGKILL"));
let answer;
for (const until = Date.now() + 30_000; answer !== "ready" && Date.now() < until; await sleep(100)) {
  try {
    answer = execFileSync(...inside(health, "app"), { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    // It has not started yet.
  }
}
const seconds = Math.round((performance.now() - before) / 1000);
check("a newcomer runs the server within a minute", answer === "ready" && seconds < 60, answer, seconds);
check("it has created its database and key", ["hallpass.db", "hallpass.key"].every((name) => existsSync(join(root, "root/app", name))));
server.kill("SIGTERM");
await new Promise((done) => server.once("exit", done));
finish(7);
