// Reads all rows of a database with its own client, in a form that is the same for SQLite, PostgreSQL and MariaDB.

import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { createInterface } from "node:readline";

/** What a column of SQLite contains, by its declared type. */
function kindOf(type) {
  if (/^uuid/i.test(type)) return "id";
  if (/blob|binary/i.test(type)) return "bytes";
  if (/^timestamp/i.test(type)) return "instant";
  if (/^(boolean|integer|bigint)/i.test(type)) return "number";
  if (/^(varchar|text)/i.test(type)) return "text";
  throw new Error(`unknown type ${type}`);
}

/** SQL for a value as text without bars and line breaks. Instants are microseconds since 1970, except on SQLite. */
const EXPRESSIONS = {
  "sqlite:": { id: (c) => `lower(hex(${c}))`, bytes: (c) => `lower(hex(${c}))`, text: (c) => `lower(hex(${c}))`, number: (c) => c, instant: (c) => `'@' || ${c}` },
  "postgres:": {
    id: (c) => `replace(${c}::text, '-', '')`,
    bytes: (c) => `encode(${c}, 'hex')`,
    text: (c) => `encode(convert_to(${c}, 'UTF8'), 'hex')`,
    number: (c) => `CASE ${c}::text WHEN 'true' THEN '1' WHEN 'false' THEN '0' ELSE ${c}::text END`,
    instant: (c) => `(extract(epoch FROM ${c}) * 1000000)::bigint::text`,
  },
  "mysql:": {
    id: (c) => `lower(hex(${c}))`,
    bytes: (c) => `lower(hex(${c}))`,
    text: (c) => `lower(hex(convert(${c} USING utf8mb4)))`,
    number: (c) => c,
    instant: (c) => `timestampdiff(MICROSECOND, '1970-01-01', ${c})`,
  },
};

/** The command that runs `sql` and prints a line for each row. */
function command(url, sql) {
  const { protocol, hostname, port, username, password, pathname } = new URL(url);
  if (protocol === "sqlite:") return ["sqlite3", ["-cmd", ".timeout 2000", url.slice("sqlite://".length), sql]];
  if (protocol === "postgres:") return ["psql", [url, "--no-psqlrc", "--set=FETCH_COUNT=10000", "-Atqc", sql]];
  const secret = password ? [`--password=${decodeURIComponent(password)}`] : [];
  const address = ["--host", hostname, "--port", port || "3306", "--user", decodeURIComponent(username), ...secret, "--database", pathname.slice(1)];
  return ["mariadb", [...address, "--quick", "--batch", "--skip-column-names", "--execute", sql]];
}

async function* lines(url, sql) {
  const client = spawn(...command(url, sql), { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((resolve) => client.on("close", resolve));
  yield* createInterface({ input: client.stdout });
  const code = await ended;
  if (code !== 0) throw new Error(`${client.spawnfile} exited with ${code}`);
}

/** Runs SQL and returns what the client prints, or null if it fails. */
export function query(url, sql) {
  try {
    return execFileSync(...command(url, sql), { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return null;
  }
}

/** The tables of an SQLite database: `{ name, columns: [{ name, kind }] }`. */
export async function tablesOf(url) {
  const tables = new Map();
  const sql = "SELECT t.name, c.name, c.type FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type = 'table' AND t.name NOT IN ('seaql_migrations', 'copy_progress') ORDER BY t.name, c.cid";
  for await (const line of lines(url, sql)) {
    const [table, name, type] = line.split("|");
    if (!tables.has(table)) tables.set(table, { name: table, columns: [] });
    tables.get(table).columns.push({ name, kind: kindOf(type) });
  }
  return [...tables.values()];
}

/** Microseconds since 1970 of a time in a format of SQLite's driver. */
function microseconds(text) {
  const [, seconds, fraction = ""] = text.match(/^(\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d)(?:\.(\d+))?(?:\+00:00|Z)$/) ?? [];
  if (!seconds) throw new Error(`unknown format of a time: ${text}`);
  return `${BigInt(Date.parse(`${seconds.replace(" ", "T")}Z`)) * 1000n + BigInt(fraction.padEnd(6, "0").slice(0, 6))}`;
}

/** Yields the rows of a table, each as one line: the values of all columns, with a bar between. */
async function* rows(url, { name, columns }) {
  const { protocol } = new URL(url);
  const values = columns.map(({ name, kind }) => `CASE WHEN ${name} IS NULL THEN '~' ELSE ${EXPRESSIONS[protocol][kind](name)} END`);
  const joined = protocol === "sqlite:" ? values.join(" || '|' || ") : `concat_ws('|', ${values.join(", ")})`;
  for await (const line of lines(url, `SELECT ${joined} FROM ${name}`)) {
    yield protocol === "sqlite:" ? line.replace(/(?<=^|\|)@([^|]*)/g, (_, text) => microseconds(text)) : line;
  }
}

/**
 * The rows of all tables: their numbers, and the rows themselves in an order that does not depend on the database. With `isLarge`, only
 * the sum of the hashes of all rows.
 */
export async function contents(url, tables, isLarge = false) {
  const contents = {};
  for (const table of tables) {
    const all = [];
    let [count, sum] = [0, 0n];
    for await (const row of rows(url, table)) {
      count += 1;
      if (isLarge) sum += BigInt(`0x${createHash("sha256").update(row).digest("hex")}`);
      else all.push(row);
    }
    contents[table.name] = { count, rows: isLarge ? `${sum}` : all.sort() };
  }
  return contents;
}

/** The first differences of two contents, as text; empty if they are equal. */
export function differences(expected, actual) {
  return Object.keys(expected).flatMap((table) => {
    const [{ count, rows }, other] = [expected[table], actual[table]];
    if (count !== other.count) return [`${table} has ${other.count} rows, not ${count}`];
    if (typeof rows === "string") return rows === other.rows ? [] : [`${table} has other rows`];
    const position = rows.findIndex((row, index) => row !== other.rows[index]);
    return position < 0 ? [] : [`${table}: ${other.rows[position]} instead of ${rows[position]}`];
  });
}
