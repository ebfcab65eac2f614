// Creates a private database for a script and drops it when the script ends. Requires psql, mariadb or python3 for queries.

import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { atExit } from "./server.mjs";

const run = (command, parameters) => execFileSync(command, parameters, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }).trim();

/** A function that runs SQL on the database at `url`. It returns lines, with tabs or bars between columns. */
function client(url) {
  const { protocol, hostname, port, username, password, pathname } = new URL(url);
  if (protocol === "postgres:") return (sql) => run("psql", [url, "--no-psqlrc", "-Atqc", sql]);
  if (protocol !== "mysql:") throw new Error(`${protocol} is neither postgres: nor mysql:`);
  const secret = password ? [`--password=${decodeURIComponent(password)}`] : [];
  const parameters = ["--host", hostname, "--port", port || "3306", "--user", decodeURIComponent(username), ...secret, "--database", pathname.slice(1)];
  return (sql) => run("mariadb", [...parameters, "--batch", "--skip-column-names", "--execute", sql]);
}

/** Creates an empty database on the server at `url`, or a SQLite file in `folder` if there is no URL. */
export function database(url, name, folder) {
  if (!url) {
    const file = join(folder, "hallpass.db");
    const script = "import sqlite3, sys\nfor row in sqlite3.connect(sys.argv[1]).execute(sys.argv[2]): print(*row)";
    return { url: `sqlite://${file}`, kind: "SQLite", ask: (sql) => run("python3", ["-c", script, file, sql]), forgotten: () => {} };
  }
  const ask = client(url);
  const mine = new URL(url);
  mine.pathname = `/hallpass_e2e_${name}_${process.pid}`;
  const id = mine.pathname.slice(1);
  const isPostgres = mine.protocol === "postgres:";
  // On MariaDB the default character set is latin1, so the tables must declare their own.
  ask(`CREATE DATABASE ${id}${isPostgres ? "" : " CHARACTER SET latin1"}`);
  atExit(() => ask(`DROP DATABASE ${id}${isPostgres ? " WITH (FORCE)" : ""}`));
  const askMine = client(mine.href);
  const others = isPostgres
    ? "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    : "SELECT COUNT(*) FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()";
  /** Waits until the database has closed the connections of killed clients and finished their statements. */
  const forgotten = async () => {
    for (const until = Date.now() + 10_000; askMine(others) !== "0"; await sleep(20)) {
      if (Date.now() > until) throw new Error("the database still has a connection of a killed client");
    }
  };
  return { url: mine.href, kind: isPostgres ? "PostgreSQL" : "MariaDB", ask: askMine, forgotten };
}
