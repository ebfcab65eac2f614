// Encrypted connections to the database, with servers of our own and a certificate from an authority of our own: who asks for
// one gets it, and where it can't be had, or the server is not who it should be, the start is refused and says why.
// node tls.mjs <binary>

import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { accounts } from "./accounts.mjs";
import { authority, certificate, folder } from "./certificates.mjs";
import { check, finish } from "./checks.mjs";
import { freePort, MariaDb, Postgres } from "./databases.mjs";
import { emptyFolder, start } from "./server.mjs";

const [binary] = process.argv.slice(2);
const settings = { SECRET_KEY: "7a0d4c9e2b8f6153c1e7d9a4b05f2836", BCRYPT_COST: "10", RUST_LOG: "warn,hallpass::cli=info" };

const ours = authority("ours");
const another = authority("another");
const [certificateFile, keyFile] = certificate("ours");

/** What differs between the two. `encrypt` turns TLS on, `isEncrypted` asks the database about the connections that there are. */
const kinds = [
  {
    create: Postgres.create,
    parameter: (mode, ca) => ({ sslmode: { none: "prefer", required: "require", issuer: "verify-ca", name: "verify-full" }[mode], ...(ca && { sslrootcert: ca }) }),
    encrypt: async (database) => {
      await database.sql(`ALTER SYSTEM SET ssl_cert_file = '${certificateFile}'`);
      await database.sql(`ALTER SYSTEM SET ssl_key_file = '${keyFile}'`);
      await database.sql("ALTER SYSTEM SET ssl = on");
      await database.stop();
      await database.start();
    },
    isEncrypted: async (database) => (await database.sql("SELECT COUNT(*) > 0 AND bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'hallpass'")) === "t",
  },
  {
    create: MariaDb.create,
    parameter: (mode, ca) => ({ "ssl-mode": { none: "PREFERRED", required: "REQUIRED", issuer: "VERIFY_CA", name: "VERIFY_IDENTITY" }[mode], ...(ca && { "ssl-ca": ca }) }),
    encrypt: async (database) => {
      await database.stop();
      database.parameters.push(`--ssl-cert=${certificateFile}`, `--ssl-key=${keyFile}`);
      await database.start();
      // It does not tell of others' connections, but takes no other of this user.
      await database.sql("ALTER USER hallpass@'%' REQUIRE SSL");
    },
    isEncrypted: async (database) => (await database.sql("SELECT COUNT(*) > 0 FROM information_schema.processlist WHERE user = 'hallpass'")) === "1",
  },
];

function urlOf(database, host, parameters) {
  const url = new URL(database.url);
  url.hostname = host;
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url.href;
}

/** Starts on `url` and uses it. */
async function use(what, database, url, isEncrypted) {
  const port = await freePort();
  const name = `ada-${port}`;
  try {
    const stop = await start(binary, port, { ...settings, DATABASE_URL: url });
    const client = accounts(`http://127.0.0.1:${port}`);
    const isIn = (await client.register(name)).data?.register && (await client.login(name)).data?.login?.user.username === name;
    check(`${database.name}, ${what}: someone registers and signs in`, isIn);
    if (isEncrypted) check(`${database.name}, ${what}: the database says that the connections are encrypted`, await isEncrypted(database));
    await stop();
  } catch (error) {
    check(`${database.name}, ${what}`, false, error.message);
  }
}

/** Tries to start on `url`, and is told `why` it can't. */
async function isRefused(what, database, url, why, exitCode = 1) {
  const env = { ...settings, DATABASE_URL: url, LISTEN: `127.0.0.1:${await freePort()}` };
  const { status, stderr } = spawnSync(resolve(binary), { cwd: emptyFolder(), env, encoding: "utf8", timeout: 20_000 });
  check(`${database.name}, ${what}: refused, because ${why}`, status === exitCode && stderr.includes("DATABASE_URL") && why.test(stderr), `${status} ${stderr}`);
}

await Promise.all(
  kinds.map(async ({ create, parameter, encrypt, isEncrypted }) => {
    const database = await create();
    const url = (host, mode, ca) => urlOf(database, host, parameter(mode, ca));
    await use("in clear", database, url("localhost", "none"));
    for (const mode of ["required", "issuer", "name"]) {
      await isRefused(`${mode}, from a server without TLS`, database, url("localhost", mode, ours), /server does not support TLS/);
    }

    const { uid, gid } = statSync(database.disk.folder);
    chmodSync(folder, 0o755);
    for (const file of [certificateFile, keyFile]) chownSync(file, uid, gid);
    await encrypt(database);
    await use("required", database, url("localhost", "required"), isEncrypted);
    await use("the right issuer", database, url("localhost", "issuer", ours), isEncrypted);
    await use("the right issuer, another name", database, url("127.0.0.1", "issuer", ours), isEncrypted);
    await use("the right name", database, url("localhost", "name", ours), isEncrypted);
    await isRefused("another name", database, url("127.0.0.1", "name", ours), /certificate not valid for name "127\.0\.0\.1"/);
    for (const mode of ["issuer", "name"]) {
      await isRefused(`${mode}, another issuer`, database, url("localhost", mode, another), /invalid peer certificate: (UnknownIssuer|BadSignature)/);
      await isRefused(`${mode}, no issuer`, database, url("localhost", mode), /invalid peer certificate: UnknownIssuer/);
    }
    await isRefused("an issuer that is not there", database, url("localhost", "name", join(folder, "nothing.pem")), /cannot read the file/, 2);
    await isRefused("an unknown mode", database, url("localhost", "required").replace(/require(d?)/i, "encrypt$1"), /unknown value/);
    await isRefused("an unknown option", database, urlOf(database, "localhost", { ssl: "true" }), /unknown option/, 2);
  }),
);
finish();
