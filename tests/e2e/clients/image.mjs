// The image of the Dockerfile, without Docker: applies its last stage to a root file system of Debian, and runs it as a container is run by
// compose.sqlite.yaml: read-only, without capabilities, as process 1 of namespaces of its own. Needs root.
// node image.mjs <binary> [build]
// With `build`, the binary is built by the commands of the stage before, in another root file system with this machine's Rust and node.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, readdirSync, realpathSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import yaml from "js-yaml";
import { check, finish } from "./checks.mjs";
import { stages, variables, words } from "./dockerfile.mjs";
import { atExit, emptyFolder } from "./server.mjs";

const [givenBinary, mode] = process.argv.slice(2);
const repository = fileURLToPath(new URL("../../../", import.meta.url));
const [, build, image] = stages(join(repository, "Dockerfile"));
const compose = yaml.load(readFileSync(join(repository, "compose.sqlite.yaml"), "utf8")).services.hallpass;
const run = (command, parameters, options = {}) => execFileSync(command, parameters, { encoding: "utf8", env: { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C.UTF-8" }, ...options });
// The image's user must be able to reach the folder of its root.
const folderOfRoot = () => {
  const folder = emptyFolder();
  chmodSync(folder, 0o755);
  return join(folder, "root");
};

/** A root file system of the Debian in the name of a base image, such as `debian:trixie-slim` or `rust:1.94-slim-trixie`. */
function debian(base) {
  const suite = base.match(/\b(bookworm|trixie|forky)\b/)?.[1];
  if (!suite) throw new Error(`the name of the base image does not contain a release of Debian: ${base}`);
  const root = folderOfRoot();
  run("debootstrap", ["--variant=minbase", suite, root], { stdio: ["ignore", "ignore", "inherit"] });
  console.log(`The base image ${base} is replaced by Debian ${readFileSync(join(root, "etc/debian_version"), "utf8").trim()} by debootstrap.`);
  return root;
}

/** Copies files of the build context, as Docker does: they belong to root. */
function copyFromContext({ rest }, root, folder) {
  const paths = rest.split(/\s+/);
  const target = join(root, resolve(folder, paths.pop()));
  mkdirSync(target, { recursive: true });
  run("cp", ["--recursive", "--no-preserve=ownership", ...paths.map((path) => join(repository, path)), target]);
}

/** The commands of the `RUN` instructions. */
const commands = (instructions) => instructions.filter(({ name }) => name === "RUN").flatMap(({ rest }) => rest.split("&&").map((command) => command.trim()));

/** The folder `/image` of the build stage. Of its commands, only those that install files there are run, with the given binary. */
function installed(binary) {
  const staging = emptyFolder();
  chmodSync(staging, 0o755);
  const installs = commands(build.instructions).filter((command) => command.includes("/image"));
  for (const command of installs) {
    const [program, ...parameters] = command.split(/\s+/);
    if (program !== "install") throw new Error(`the Dockerfile fills /image by another command than \`install\`: ${command}`);
    run("install", parameters.map((parameter) => parameter.replace(/^\/image\//, `${staging}/`).replace("target/release/hallpass", resolve(binary))));
  }
  check("the build stage installs the binary and the folder of the data", installs.length === 2, installs);
  return staging;
}

/** Applies the last stage. Returns its configuration. */
function applyStage(root, staging) {
  const config = { env: {}, folder: "/" };
  for (const instruction of image.instructions) {
    const { name, flags, rest } = instruction;
    if (name === "COPY" && flags.length > 0) {
      if (flags[0][1] !== build.alias || rest !== "/image /") throw new Error(`the Dockerfile copies something else: COPY --from=${flags[0][1]} ${rest}`);
      // Docker keeps the owners of files from another stage.
      run("cp", ["--archive", `${staging}/.`, root]);
    } else if (name === "COPY") copyFromContext(instruction, root, config.folder);
    else if (name === "USER") config.user = rest.split(":").map(Number);
    else if (name === "WORKDIR") config.folder = rest;
    else if (name === "ENV") Object.assign(config.env, variables(instruction, config.env));
    else if (name === "EXPOSE") config.port = Number(rest);
    else if (name === "STOPSIGNAL") config.stopSignal = rest;
    else if (name === "ENTRYPOINT") config.entrypoint = words(instruction);
    else if (name === "CMD") config.command = words(instruction);
    else if (name === "HEALTHCHECK") {
      const [, command] = rest.match(/^CMD (.*)$/) ?? [];
      config.health = words({ name, rest: command });
      config.healthTimeout = Number(flags.find(([flag]) => flag === "timeout")[1].match(/^(\d+)s$/)[1]) * 1000;
    } else throw new Error(`the last stage has an instruction that is not supported: ${name}`);
  }
  return config;
}

/** Runs the commands of the build stage, with Rust and node of this machine in place of those of the base images. Returns the binary. */
function buildStage() {
  const root = debian(build.base);
  const inside = (command, env, folder, mounts = []) => {
    const script = ["mount --bind $ROOT $ROOT", "mount -t proc proc $ROOT/proc", "mount --rbind /dev $ROOT/dev", ...mounts.map(([from, to]) => `mkdir -p $ROOT${to}; mount --bind ${from} $ROOT${to}`), 'exec chroot $ROOT /usr/bin/env -i "$@"'].join(" && ");
    const settings = Object.entries(env).map((pair) => pair.join("="));
    run("unshare", ["--mount", "--propagation", "private", "sh", "-c", script, "sh", ...settings, "sh", "-ec", `cd ${folder}; ${command}`], { stdio: "inherit", env: { ROOT: root, PATH: process.env.PATH } });
  };
  const rustup = run("rustc", ["--print", "sysroot"], { env: process.env }).trim();
  // As the base image has them.
  const env = { PATH: "/usr/local/cargo/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", HOME: "/root", CARGO_HOME: "/usr/local/cargo" };
  // For a faster trial, as in CARGO_PROFILE_RELEASE_LTO=off.
  for (const [name, value] of Object.entries(process.env)) if (name.startsWith("CARGO_PROFILE_RELEASE_")) env[name] = value;
  const toolchain = [[join(rustup, "bin"), "/usr/local/cargo/bin"], [join(rustup, "lib"), "/usr/local/cargo/lib"]];
  inside("apt-get update && apt-get install --yes --no-install-recommends ca-certificates gcc libc6-dev", env, "/");
  // Those of this machine, which may have the authority of a proxy.
  const authorities = "/etc/ssl/certs/ca-certificates.crt";
  copyFileSync(authorities, join(root, authorities));
  env.NODE_EXTRA_CA_CERTS = authorities;
  const registry = join(process.env.CARGO_HOME ?? join(homedir(), ".cargo"), "registry");
  const node = dirname(dirname(realpathSync(run("sh", ["-c", "command -v node"], { env: process.env }).trim())));
  let folder = "/";
  // As the command in the manual passes it.
  const known = { COMMIT: run("git", ["-C", repository, "rev-parse", "--short=12", "HEAD"], { env: process.env }).trim() };
  for (const instruction of build.instructions) {
    const { name, flags, rest } = instruction;
    if (name === "COPY" && flags.length > 0) {
      const [from, to] = rest.split(" ");
      mkdirSync(join(root, to), { recursive: true });
      const source = join(node, from.replace("/usr/local/", ""));
      cpSync(source, statSync(source).isDirectory() ? join(root, to) : join(root, to, "node"), { recursive: true, verbatimSymlinks: true });
    } else if (name === "COPY") {
      if (rest !== ". .") throw new Error(`the build stage copies something else: ${rest}`);
      const target = join(root, folder);
      for (const path of contextFiles()) {
        mkdirSync(dirname(join(target, path)), { recursive: true });
        copyFileSync(join(repository, path), join(target, path));
      }
    } else if (name === "WORKDIR") {
      folder = rest;
      mkdirSync(join(root, folder), { recursive: true });
    } else if (name === "ENV") Object.assign(env, variables(instruction, known));
    else if (name === "ARG") {
      if (known[rest] === undefined) throw new Error(`the argument ${rest} has no value`);
    } else if (name === "RUN") {
      const targets = flags.map(([, mount]) => mount.match(/^type=cache,target=(\S+)$/)[1]);
      // The cache of downloads is this machine's. The others are empty, as on a machine that builds the image for the first time.
      const caches = targets.map((target) => [target.endsWith("/registry") ? registry : emptyFolder(), target]);
      inside(rest, env, folder, [...toolchain, ...caches]);
    } else throw new Error(`the build stage has an instruction that is not supported: ${name}`);
  }
  return join(root, "image/usr/local/bin/hallpass");
}

/** The files of the build context: those that `.dockerignore` includes by `!`, as far as git knows them. */
function contextFiles() {
  const [all, ...patterns] = readFileSync(join(repository, ".dockerignore"), "utf8").split("\n").filter((line) => line && !line.startsWith("#"));
  const included = patterns.filter((line) => line.startsWith("!")).map((line) => line.slice(1));
  if (all !== "*") throw new Error(".dockerignore does not begin with *");
  return run("git", ["-C", repository, "ls-files", ...included], { env: process.env }).trim().split("\n");
}

const [, rust] = build.base.match(/^rust:(\d+\.\d+)-/);
const [, needed] = readFileSync(join(repository, "Cargo.toml"), "utf8").match(/^rust-version = "(.*)"$/m);
check(`the base image has Rust ${rust}, and Cargo.toml needs ${needed}`, Number(rust.split(".")[1]) >= Number(needed.split(".")[1]));
const binary = mode === "build" ? buildStage() : givenBinary;
const staging = installed(binary);
const root = debian(image.base);
const config = applyStage(root, staging);
// As Docker does.
run("sh", ["-c", 'printf "127.0.0.1\\tlocalhost\\n::1\\tlocalhost\\n" >"$1/etc/hosts"', "sh", root]);
const [uid, gid] = config.user;
check("the image does not run as root", uid > 0 && gid > 0);
check("the Compose file runs it read-only, without capabilities and without new privileges", compose.read_only === true && String(compose.cap_drop) === "ALL" && compose.security_opt.includes("no-new-privileges:true"));
const grace = Number(compose.stop_grace_period.match(/^(\d+)s$/)[1]) * 1000;
const [volumePath] = compose.volumes.map((volume) => volume.split(":")[1]);
check("the volume is at the folder of the data", volumePath === config.folder);
if (compose.tmpfs) throw new Error("compose.sqlite.yaml has a tmpfs, which this script does not mount");

/** A command in the container: its environment, folder, user and privileges. */
const confined = (env, command) => [
  "/usr/bin/env",
  "-i",
  `--chdir=${config.folder}`,
  "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  ...Object.entries({ ...config.env, ...env }).map((pair) => pair.join("=")),
  "/usr/bin/setpriv",
  ...[`--reuid=${uid}`, `--regid=${gid}`, "--clear-groups", "--bounding-set=-all", "--inh-caps=-all", "--ambient-caps=-all", "--no-new-privs"],
  ...command,
];

/** An empty volume. Docker fills it with the files of the image at this path, and gives it their owner and mode. */
function newVolume() {
  const volume = emptyFolder();
  run("cp", ["--archive", `${join(root, volumePath)}/.`, volume]);
  return volume;
}

/** Starts a container. `volume` is mounted at the folder of the data, if given. */
async function start(env, volume) {
  const script = `
    set -e
    mount --bind "$ROOT" "$ROOT"
    if [ -n "$VOLUME" ]; then mount --bind "$VOLUME" "$ROOT${volumePath}"; fi
    mount -t proc proc "$ROOT/proc"
    mount -t tmpfs -o mode=755 tmpfs "$ROOT/dev"
    for device in null zero random urandom; do touch "$ROOT/dev/$device"; mount --bind "/dev/$device" "$ROOT/dev/$device"; done
    mount -o remount,ro "$ROOT/dev"
    mount -o remount,bind,ro "$ROOT"
    ip link set lo up
    exec chroot "$ROOT" "$@"`;
  const parameters = ["--mount", "--propagation", "private", "--net", "--pid", "--ipc", "--uts", "--fork", "--kill-child", "sh", "-c", script, "sh"];
  const process = spawn("unshare", [...parameters, ...confined(env, [...config.entrypoint, ...config.command])], { env: { ROOT: root, VOLUME: volume ?? "", PATH: "/usr/sbin:/usr/bin:/sbin:/bin" }, stdio: ["ignore", "inherit", "pipe"] });
  // `--kill-child` has no effect on a process that has changed its user.
  atExit(() => process.exitCode === null && globalThis.process.kill(Number(child()), "SIGKILL"));
  let log = "";
  process.stderr.on("data", (data) => (log += data));
  const ended = once(process, "exit").then(([code]) => code);
  function child() {
    const pid = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, "utf8").trim();
    if (!pid) throw new Error("the container is not running");
    return pid;
  }
  /** Runs a program of this machine in the network of the container. */
  const nearby = (...command) => run("nsenter", ["--target", child(), "--net", ...command], { stdio: ["ignore", "pipe", "ignore"] });
  /** Docker runs the health check like any other command in the container. */
  function health() {
    try {
      return run("nsenter", ["--target", child(), "--mount", "--net", "--pid", "--ipc", "--uts", "--root", "--wd", ...confined(env, config.health)], { stdio: ["ignore", "pipe", "pipe"], timeout: config.healthTimeout }).trim();
    } catch (error) {
      return error.stderr ? `exit code ${error.status}: ${error.stderr}` : error.message;
    }
  }
  async function ready() {
    for (const until = Date.now() + 30_000; Date.now() < until && process.exitCode === null; await sleep(100)) {
      if (health() === "ready") return true;
    }
    return false;
  }
  const ask = (query, variables, token) => {
    const authorization = token ? ["--header", `Authorization: Bearer ${token}`] : [];
    return JSON.parse(nearby("curl", "--silent", "--max-time", "10", "--header", "Content-Type: application/json", ...authorization, "--data", JSON.stringify({ query, variables }), `http://localhost:${config.port}/graphql`));
  };
  async function stop() {
    globalThis.process.kill(Number(child()), config.stopSignal);
    const before = performance.now();
    const code = await Promise.race([ended, sleep(grace, "still running")]);
    return { code, seconds: (performance.now() - before) / 1000 };
  }
  return { ready, health, ask, stop, ended, child, log: () => log };
}

/** All files of the root with their times and sizes. */
const listing = () => run("find", [root, "-xdev", "-printf", "%P %y %s %T@ %C@\n"], { maxBuffer: 1 << 26 });
const contents = (folder) => readdirSync(folder).sort().join(" ");

const before = listing();
const volume = newVolume();
const REGISTER = "mutation($input: RegisterInput!) { register(input: $input) { accessToken } }";
const LOGIN = "mutation($input: LoginInput!) { login(input: $input) { accessToken user { username } } }";
const ada = { username: "ada", password: "correct horse battery" };

let container = await start(compose.environment, volume);
const isReady = await container.ready();
check("the server becomes ready by the health check of the image", isReady, container.health(), container.log());
if (!isReady) finish();
const status = readFileSync(`/proc/${container.child()}/status`, "utf8");
const field = (name) => status.match(new RegExp(`^${name}:\\s*(.*)$`, "m"))[1];
check("it runs as the user of the image, without capabilities and without new privileges", field("Uid") === `${uid}\t${uid}\t${uid}\t${uid}` && field("Gid") === `${gid}\t${gid}\t${gid}\t${gid}` && ["CapPrm", "CapEff", "CapBnd", "CapInh", "CapAmb"].every((name) => /^0+$/.test(field(name))) && field("NoNewPrivs") === "1", status);
check("it is process 1", /\b1$/.test(field("NSpid")), field("NSpid"));
const token = container.ask(REGISTER, { input: ada }).data?.register?.accessToken;
const read = container.ask("{ me { username } }", {}, token);
check("register and me work", read.data?.me?.username === "ada", read);
const stopped = await container.stop();
check(`${config.stopSignal} stops it with code 0 within the grace period of ${grace / 1000} s: ${stopped.seconds.toFixed(1)} s`, stopped.code === 0, stopped, container.log());
check("the volume has the database and the key", contents(volume) === "hallpass.db hallpass.key", contents(volume));
check("only the user of the image can read the key", (statSync(join(volume, "hallpass.key")).mode & 0o777) === 0o600 && statSync(join(volume, "hallpass.key")).uid === uid);

container = await start(compose.environment, volume);
await container.ready();
const login = container.ask(LOGIN, { input: ada });
const again = container.ask("{ me { username } }", {}, token);
check("after a restart, the account and its session are there", login.data?.login?.user.username === "ada" && again.data?.me?.username === "ada", login, again);
await container.stop();

container = await start({}, newVolume());
check("without settings, the server becomes ready for its own container", await container.ready(), container.log());
await container.stop();

const server = { PUBLIC_URL: "https://accounts.example.org", SECRET_KEY: "7d3a91c5e0b8426f8a1d9c3e5b7f2046", PROXY_HEADER: "x-forwarded-for", TRUSTED_PROXIES: "172.17.0.1" };
container = await start(server, newVolume());
check("with a public name, the server becomes ready", await container.ready(), container.log());
await container.stop();

// What an administrator can get wrong.
const foreign = [0o755, 0o700].map((mode) => {
  const folder = emptyFolder();
  chmodSync(folder, mode);
  return folder;
});
for (const [what, folder, expectedCode, expected] of [
  ["a volume that belongs to root", foreign[0], 1, `cannot open the file ${volumePath}/hallpass.db: Permission denied (os error 13). The user ${uid} must be able to write`],
  ["a volume that only root can read", foreign[1], 2, `${volumePath}/.env: cannot be read by the user ${uid}: Permission denied`],
  ["no volume", undefined, 1, `cannot open the file ${volumePath}/hallpass.db: Read-only file system (os error 30). The user ${uid} must be able to write`],
]) {
  container = await start(compose.environment, folder);
  const code = await Promise.race([container.ended, sleep(20_000, "still running")]);
  check(`${what}: the server ends with code ${expectedCode}, and the error says where and for which user`, code === expectedCode && container.log().includes(expected), code, container.log());
}
check("nothing outside of the volumes was written", listing() === before && foreign.every((folder) => contents(folder) === ""));
if (mode === "build") check("the build stage has made the binary of this commit", existsSync(binary));
finish(19);
