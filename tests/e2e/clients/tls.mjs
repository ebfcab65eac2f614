// Tests encrypted connections to private database servers, with a certificate from a test authority. If TLS is required but not
// available, or the certificate is invalid, Hallpass must not start and must report the reason.
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
const [certificateFile, keyFile] = certificate("ours", "localhost");

/** The differences between the two databases. `encrypt` enables TLS; `isEncrypted` checks the open connections on the server. */
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
      // MariaDB does not report whether other connections are encrypted, but it can require encryption for this user.
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

/** Checks that Hallpass starts with the database at `url` and serves requests. */
async function testConnection(what, database, url, isEncrypted) {
  const port = await freePort();
  const name = `ada-${port}`;
  try {
    const stop = await start(binary, port, { ...settings, DATABASE_URL: url });
    const client = accounts(`http://127.0.0.1:${port}`);
    const isSignedIn = (await client.register(name)).data?.register && (await client.login(name)).data?.login?.user.username === name;
    check(`${database.name}, ${what}: a user can register and sign in`, isSignedIn);
    if (isEncrypted) check(`${database.name}, ${what}: the connections are encrypted`, await isEncrypted(database));
    await stop();
  } catch (error) {
    check(`${database.name}, ${what}`, false, error.message);
  }
}

/** Checks that Hallpass does not start with `url` and reports a `reason`. */
async function testRefusal(what, database, url, reason, exitCode = 1) {
  const env = { ...settings, DATABASE_URL: url, LISTEN: `127.0.0.1:${await freePort()}` };
  const { status, stderr } = spawnSync(resolve(binary), { cwd: emptyFolder(), env, encoding: "utf8", timeout: 20_000 });
  check(`${database.name}, ${what}: the start fails with ${reason}`, status === exitCode && stderr.includes("DATABASE_URL") && reason.test(stderr), `${status} ${stderr}`);
}

await Promise.all(
  kinds.map(async ({ create, parameter, encrypt, isEncrypted }) => {
    const database = await create();
    const url = (host, mode, ca) => urlOf(database, host, parameter(mode, ca));
    await testConnection("unencrypted", database, url("localhost", "none"));
    for (const mode of ["required", "issuer", "name"]) {
      await testRefusal(`${mode}, from a server without TLS`, database, url("localhost", mode, ours), /server does not support TLS/);
    }

    const { uid, gid } = statSync(database.disk.folder);
    chmodSync(folder, 0o755);
    for (const file of [certificateFile, keyFile]) chownSync(file, uid, gid);
    await encrypt(database);
    await testConnection("required", database, url("localhost", "required"), isEncrypted);
    await testConnection("the right issuer", database, url("localhost", "issuer", ours), isEncrypted);
    await testConnection("the right issuer, another name", database, url("127.0.0.1", "issuer", ours), isEncrypted);
    await testConnection("the right name", database, url("localhost", "name", ours), isEncrypted);
    await testRefusal("another name", database, url("127.0.0.1", "name", ours), /certificate not valid for name "127\.0\.0\.1"/);
    for (const mode of ["issuer", "name"]) {
      await testRefusal(`${mode}, another issuer`, database, url("localhost", mode, another), /invalid peer certificate: (UnknownIssuer|BadSignature)/);
      await testRefusal(`${mode}, no issuer`, database, url("localhost", mode), /invalid peer certificate: UnknownIssuer/);
    }
    await testRefusal("a missing issuer file", database, url("localhost", "name", join(folder, "nothing.pem")), /cannot read the file/, 2);
    await testRefusal("an unknown mode", database, url("localhost", "required").replace(/require(d?)/i, "encrypt$1"), /unknown value/);
    await testRefusal("an unknown option", database, urlOf(database, "localhost", { ssl: "true" }), /unknown option/, 2);
  }),
);
finish();
