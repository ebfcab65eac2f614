// Private databases for fault injection: PostgreSQL, MariaDB and SQLite. Each uses an empty folder on a small disk (a tmpfs, if
// mounting is allowed) and a free port. All are removed when the script ends.

import { execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, openSync, closeSync, readdirSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);
const isRoot = process.getuid() === 0;
// Both servers refuse to run as root.
const account = isRoot ? { uid: Number(execFileSync("id", ["-u", "nobody"])), gid: Number(execFileSync("id", ["-g", "nobody"])) } : {};
const user = isRoot ? "nobody" : execFileSync("id", ["-un"], { encoding: "utf8" }).trim();

const cleanups = [];
process.on("exit", () => cleanups.reverse().forEach((cleanup) => cleanup()));
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(1));

export async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** Retries `action` until it neither throws nor returns false. Throws after `seconds`. */
export async function until(what, seconds, action) {
  const end = Date.now() + seconds * 1000;
  let last;
  while (Date.now() < end) {
    try {
      if ((await action()) !== false) return;
    } catch (error) {
      last = error;
    }
    await sleep(50);
  }
  throw new Error(`${what}: not within ${seconds} s${last ? `: ${last.message}` : ""}`);
}

function kill(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch {
    // The process has already exited.
  }
}

/** The IDs of a process and all its descendants. PostgreSQL's processes do not form one process group. */
function processTree(pid) {
  const parents = new Map();
  for (const entry of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const fields = readFileSync(`/proc/${entry}/stat`, "utf8").replace(/^.*\) /s, "").split(" ");
      parents.set(Number(entry), Number(fields[1]));
    } catch {
      // The process has already exited.
    }
  }
  const found = [pid];
  for (const member of found) for (const [child, parent] of parents) if (parent === member) found.push(child);
  return found;
}

/** A folder on a separate tmpfs of the given size in MB, or an ordinary folder if mounting is not allowed. */
class Disk {
  constructor(megabytes) {
    this.folder = mkdtempSync(join(tmpdir(), "hallpass-database-"));
    chmodSync(this.folder, 0o755);
    cleanups.push(() => rmSync(this.folder, { recursive: true, force: true }));
    this.data = join(this.folder, "disk");
    mkdirSync(this.data);
    this.isOwn = false;
    if (isRoot) {
      try {
        execFileSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", this.data], { stdio: "ignore" });
        this.isOwn = true;
        cleanups.push(() => execFileSync("umount", ["-l", this.data]));
      } catch {
        // The caller checks `isOwn` before it fills the disk.
      }
      chownSync(this.data, account.uid, account.gid);
      chownSync(this.folder, account.uid, account.gid);
    }
  }

  /** Fills the disk to the last byte. */
  fill() {
    const file = openSync(join(this.data, "filler"), "a");
    try {
      for (let block = Buffer.alloc(1 << 20, 1); block.length >= 512; block = block.subarray(0, block.length / 2)) {
        for (let isFull = false; !isFull; ) {
          try {
            writeSync(file, block);
          } catch (error) {
            if (error.code !== "ENOSPC") throw error;
            isFull = true;
          }
        }
      }
    } finally {
      closeSync(file);
    }
  }

  free() {
    rmSync(join(this.data, "filler"), { force: true });
  }
}

/** The common part of PostgreSQL and MariaDB. */
class Server {
  async start() {
    this.process = spawn(this.program, this.parameters, { ...account, cwd: this.disk.folder, stdio: ["ignore", "ignore", "pipe"] });
    this.log = "";
    this.process.stderr.on("data", (data) => (this.log = (this.log + data).slice(-8000)));
    const { process: started } = this;
    this.ended = new Promise((resolve) => started.on("exit", resolve));
    try {
      await until(`${this.name} starts`, 60, () => this.sql("SELECT 1"));
    } catch (error) {
      console.error(this.log);
      throw error;
    }
  }

  get isRunning() {
    return this.process?.exitCode === null && this.process?.signalCode === null;
  }

  async stop() {
    kill(this.process.pid, this.stopSignal);
    await this.ended;
  }

  async kill() {
    for (const pid of processTree(this.process.pid)) kill(pid, "SIGKILL");
    await this.ended;
  }

  pause() {
    for (const pid of processTree(this.process.pid)) kill(pid, "SIGSTOP");
  }

  resume() {
    for (const pid of processTree(this.process.pid)) kill(pid, "SIGCONT");
  }

  /** Runs statements as the administrator and returns the output as text. */
  async sql(statements, database = this.database) {
    const { stdout } = await run(this.client, this.clientParameters("root", database, ["-c", statements]), { env: process.env, timeout: 20_000 });
    return stdout.trim();
  }

  /** Opens a session that runs `statements` and stays open. Returns a function that ends it. */
  async hold(statements, role = "root") {
    const session = spawn(this.client, this.clientParameters(role, this.database, []), { stdio: ["pipe", "pipe", "pipe"] });
    let output = "";
    session.stdout.on("data", (data) => (output += data));
    session.stderr.on("data", (data) => (output += data));
    session.stdin.on("error", () => {});
    session.stdin.write(`${statements}\nSELECT 'is ' || 'held';\n`.replace("'is ' || 'held'", "CONCAT('is ', 'held')"));
    const ended = new Promise((resolve) => session.on("exit", resolve));
    const end = () => (session.kill("SIGKILL"), ended);
    cleanups.push(() => kill(session.pid, "SIGKILL"));
    try {
      await until(`${this.name}: ${statements}`, 20, () => session.exitCode !== null || output.includes("is held"));
      if (!output.includes("is held")) throw new Error(output);
    } catch (error) {
      await end();
      throw error;
    }
    return end;
  }

  /** Uses up all connections while Hallpass cannot connect. Returns a function that frees them. */
  async exhaust() {
    await this.sql(this.lockOut);
    // Repeat this, because the list does not contain connections that are still being established.
    for (const pause of [0, 200, 200]) {
      await sleep(pause);
      await until(`${this.name} has closed Hallpass's connections`, 10, async () => {
        await this.terminate();
        return (await this.sql(this.count)) === "0";
      });
    }
    const hogs = [];
    // Stop after several refusals in a row, because a closed connection occupies its slot for a moment.
    for (let refused = 0; refused < 4; ) {
      const opened = await Promise.allSettled(Array.from({ length: 4 }, () => this.hold("SELECT 1;", "hog")));
      hogs.push(...opened.flatMap(({ value }) => value ?? []));
      refused = opened.every(({ status }) => status === "rejected") ? refused + 1 : 0;
      if (refused) await sleep(100);
    }
    // The last attempt may still occupy the connection reserved for the administrator.
    await until(`${this.name} lets Hallpass connect`, 10, () => this.sql(this.letIn));
    return () => Promise.all(hogs.map((end) => end()));
  }
}

export class Postgres extends Server {
  name = "PostgreSQL";
  database = "hallpass";
  stopSignal = "SIGINT";
  client = "psql";
  lockOut = "ALTER ROLE hallpass NOLOGIN";
  letIn = "ALTER ROLE hallpass LOGIN";
  count = "SELECT COUNT(*) FROM pg_stat_activity WHERE usename = 'hallpass'";
  openTransactions = `${this.count} AND state LIKE 'idle in transaction%'`;

  static async create() {
    const [bin] = readdirSync("/usr/lib/postgresql").sort((a, b) => b - a).map((version) => `/usr/lib/postgresql/${version}/bin`);
    const server = new Postgres();
    server.disk = new Disk(120);
    server.port = await freePort();
    const data = join(server.disk.data, "data");
    // Small WAL segments make a full disk fail early.
    await run(`${bin}/initdb`, ["-D", data, "-U", "root", "-A", "trust", "-E", "UTF8", "--locale=C", "--wal-segsize=1"], { ...account, cwd: server.disk.folder });
    server.program = `${bin}/postgres`;
    const settings = { port: server.port, listen_addresses: "127.0.0.1", unix_socket_directories: server.disk.folder, max_connections: 24, superuser_reserved_connections: 3, min_wal_size: "2MB", max_wal_size: "8MB", shared_buffers: "16MB", autovacuum: "off" };
    server.parameters = ["-D", data, ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`])];
    cleanups.push(() => server.isRunning && processTree(server.process.pid).forEach((pid) => kill(pid, "SIGKILL")));
    server.database = "postgres";
    await server.start();
    await server.sql("CREATE ROLE hallpass LOGIN");
    await server.sql("CREATE ROLE hog LOGIN");
    await server.sql("CREATE DATABASE hallpass OWNER hallpass");
    server.database = "hallpass";
    server.url = `postgres://hallpass@127.0.0.1:${server.port}/hallpass`;
    return server;
  }

  /** Creates a streaming standby from a base backup of this server. */
  async standby() {
    const server = Object.assign(new Postgres(), { disk: new Disk(120), port: await freePort(), program: this.program });
    const data = join(server.disk.data, "data");
    const from = ["-h", "127.0.0.1", "-p", String(this.port), "-U", "root"];
    await run(join(dirname(this.program), "pg_basebackup"), [...from, "-D", data, "-R", "-X", "stream", "-c", "fast"], { ...account, cwd: server.disk.folder });
    const own = { port: server.port, unix_socket_directories: server.disk.folder };
    server.parameters = [...this.parameters, ...Object.entries(own).flatMap(([name, value]) => ["-c", `${name}=${value}`])];
    server.parameters[1] = data;
    cleanups.push(() => server.isRunning && processTree(server.process.pid).forEach((pid) => kill(pid, "SIGKILL")));
    await server.start();
    server.url = `postgres://hallpass@127.0.0.1:${server.port}/hallpass`;
    return server;
  }

  /** Promotes this standby after it has replayed everything from `primary`. */
  async promote(primary) {
    const position = await primary.sql("SELECT pg_current_wal_flush_lsn()");
    await until("the standby has caught up", 20, async () => (await this.sql(`SELECT pg_last_wal_replay_lsn() >= '${position}'`)) === "t");
    await this.sql("SELECT pg_promote()");
  }

  /** Starts PgBouncer in front of this server, with Debian's configuration except for the mode and `settings`. */
  async pooler(mode, settings = {}) {
    const folder = mkdtempSync(join(tmpdir(), "hallpass-pooler-"));
    cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
    const port = await freePort();
    const users = join(folder, "users");
    writeFileSync(users, '"hallpass" ""\n');
    const lines = { listen_addr: "127.0.0.1", listen_port: port, unix_socket_dir: "", auth_type: "trust", auth_file: users, pool_mode: mode, ...settings };
    const configuration = join(folder, "pgbouncer.ini");
    writeFileSync(configuration, `[databases]\nhallpass = host=127.0.0.1 port=${this.port}\n[pgbouncer]\n${Object.entries(lines).map(([name, value]) => `${name} = ${value}\n`).join("")}`);
    for (const path of [folder, users, configuration]) if (isRoot) chownSync(path, account.uid, account.gid);
    const program = existsSync("/usr/sbin/pgbouncer") ? "/usr/sbin/pgbouncer" : "pgbouncer";
    const pooler = spawn(program, [configuration], { ...account, cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
    let log = "";
    pooler.stderr.on("data", (data) => (log = (log + data).slice(-8000)));
    cleanups.push(() => kill(pooler.pid, "SIGKILL"));
    const url = `postgres://hallpass@127.0.0.1:${port}/hallpass`;
    try {
      await until("PgBouncer starts", 20, () => run("psql", [url, "-XAtqc", "SELECT 1"]));
    } catch (error) {
      console.error(log);
      throw error;
    }
    return { url, log: () => log };
  }

  clientParameters(role, database, rest) {
    return ["-X", "-q", "-A", "-t", "-h", "127.0.0.1", "-p", this.port, "-U", role, "-d", database, ...rest].map(String);
  }

  terminate() {
    return this.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'hallpass'");
  }

  lockTable() {
    return this.hold("BEGIN; LOCK TABLE users IN ACCESS EXCLUSIVE MODE;");
  }

  lockAuditLog() {
    return this.hold("BEGIN; LOCK TABLE audit_log IN ACCESS EXCLUSIVE MODE;");
  }

  lockRows() {
    return this.hold("BEGIN; SELECT COUNT(*) FROM (SELECT 1 FROM users FOR UPDATE) u; SELECT COUNT(*) FROM (SELECT 1 FROM sessions FOR UPDATE) s;");
  }

  async readOnly() {
    await this.sql("ALTER SYSTEM SET default_transaction_read_only = on");
    await this.sql("SELECT pg_reload_conf()");
    return async () => {
      await this.sql("ALTER SYSTEM RESET default_transaction_read_only");
      await this.sql("SELECT pg_reload_conf()");
      await until("PostgreSQL accepts writes again", 10, async () => (await this.sql("SHOW default_transaction_read_only")) === "off");
    };
  }

  /** Writes rows until the free space in existing segments and pages is used up. */
  async writeUntilFull() {
    await this.sql("CREATE TABLE IF NOT EXISTS junk (text text)").catch(() => {});
    await until("PostgreSQL is full", 20, () => this.sql("INSERT INTO junk SELECT repeat(md5(n::text), 40) FROM generate_series(1, 200) n").then(() => false, () => true));
  }
}

export class MariaDb extends Server {
  name = "MariaDB";
  database = "hallpass";
  stopSignal = "SIGTERM";
  client = "mariadb";
  lockOut = "ALTER USER hallpass@'%' ACCOUNT LOCK";
  letIn = "ALTER USER hallpass@'%' ACCOUNT UNLOCK";
  openTransactions = "SELECT COUNT(*) FROM information_schema.innodb_trx";
  count = "SELECT COUNT(*) FROM information_schema.processlist WHERE user IN ('hallpass', 'unauthenticated user')";

  static async create() {
    const server = new MariaDb();
    server.disk = new Disk(160);
    server.port = await freePort();
    const data = join(server.disk.data, "data");
    const common = ["--no-defaults", `--datadir=${data}`, "--innodb-log-file-size=4M"];
    await run("mariadb-install-db", [...common, "--auth-root-authentication-method=normal", "--skip-test-db", `--user=${user}`], { ...account, cwd: server.disk.folder });
    server.program = existsSync("/usr/sbin/mariadbd") ? "/usr/sbin/mariadbd" : "mariadbd";
    server.parameters = [...common, `--user=${user}`, `--port=${server.port}`, "--bind-address=127.0.0.1", `--socket=${join(server.disk.folder, "socket")}`, `--pid-file=${join(server.disk.folder, "pid")}`, "--skip-name-resolve", "--max-connections=20", "--innodb-buffer-pool-size=32M", "--character-set-server=utf8mb4"];
    cleanups.push(() => server.isRunning && kill(server.process.pid, "SIGKILL"));
    server.database = "mysql";
    await server.start();
    await server.sql("CREATE USER hallpass@'%'; CREATE USER hog@'%'; CREATE DATABASE hallpass; GRANT ALL ON hallpass.* TO hallpass@'%'; GRANT ALL ON hallpass.* TO hog@'%'");
    server.database = "hallpass";
    server.url = `mysql://hallpass@127.0.0.1:${server.port}/hallpass`;
    return server;
  }

  clientParameters(role, database, rest) {
    const where = ["-h", "127.0.0.1", "-P", this.port];
    return ["--no-defaults", "--skip-ssl", "-N", "-B", "-n", ...where, "-u", role, "-D", database, ...rest.map((part) => (part === "-c" ? "-e" : part))].map(String);
  }

  async terminate() {
    const ids = await this.sql("SELECT id FROM information_schema.processlist WHERE user = 'hallpass'");
    // Some connections may have closed already.
    if (ids) await run(this.client, this.clientParameters("root", "mysql", ["-f", "-c", ids.split("\n").map((id) => `KILL ${id}`).join("; ")])).catch(() => {});
  }

  lockTable() {
    return this.hold("LOCK TABLES users WRITE;");
  }

  /** Locks all gaps between the rows. LOCK TABLES would also lock `users`, because of the foreign key. */
  lockAuditLog() {
    return this.hold("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ; BEGIN; SELECT id FROM audit_log FOR UPDATE;");
  }

  async lockRows() {
    for (;;) {
      try {
        return await this.hold("BEGIN; SELECT id FROM users FOR UPDATE; SELECT id FROM sessions FOR UPDATE;");
      } catch (error) {
        // A concurrent sign-in holds a lock on its session and waits for its user. Retry.
        if (!error.message.includes("Deadlock")) throw error;
      }
    }
  }

  async readOnly() {
    await this.sql("SET GLOBAL read_only = 1");
    return () => this.sql("SET GLOBAL read_only = 0");
  }

  async writeUntilFull() {
    // Use IDs that sort where Hallpass's next rows go, and ever smaller inserts: half a free page would hold its rows for minutes.
    const id = "UNHEX(CONCAT(LPAD(HEX(FLOOR(UNIX_TIMESTAMP(NOW(3)) * 1000)), 12, '0'), LEFT(MD5(RAND()), 20)))";
    for (const rows of [200, 20, 1]) {
      const insert = `INSERT INTO audit_log (id, at, action, actor_type, user_agent) SELECT ${id}, NOW(), 'LOGGED_IN', 'USER', REPEAT('x', 400) FROM seq_1_to_${rows}`;
      await until("MariaDB is full", 20, () => this.sql(insert).then(() => false, () => true));
    }
  }
}

/** SQLite has no server, so this manages the file and other processes that use it. */
export class Sqlite {
  name = "SQLite";
  isRunning = true;

  static async create() {
    const database = new Sqlite();
    database.disk = new Disk(24);
    chownSync(database.disk.data, process.getuid(), process.getgid());
    database.file = join(database.disk.data, "hallpass.db");
    database.url = `sqlite://${database.file}`;
    return database;
  }

  async sql(statements) {
    const program = "import sqlite3, sys; print('\\n'.join('|'.join(map(str, row)) for row in sqlite3.connect(sys.argv[1], timeout=10).execute(sys.argv[2])))";
    const { stdout } = await run("python3", ["-c", program, this.file, statements]);
    return stdout.trim();
  }

  /** Starts another process that holds the write lock. Returns a function that ends it. */
  async lockFile() {
    const program = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], timeout=20, isolation_level=None); c.execute('BEGIN IMMEDIATE'); print('held', flush=True); sys.stdin.read()";
    const holder = spawn("python3", ["-c", program, this.file], { stdio: ["pipe", "pipe", "inherit"] });
    cleanups.push(() => kill(holder.pid, "SIGKILL"));
    await once(holder.stdout, "data");
    return async () => {
      holder.stdin.end();
      await once(holder, "exit");
    };
  }

  async writeUntilFull() {}
}
