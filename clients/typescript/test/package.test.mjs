import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { buildSync } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const { name, version, devDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

let app;
const run = (command, parameters) => execFileSync(command, parameters, { cwd: app, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
const install = (...packages) => run("npm", ["install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", ...packages]);

before(() => {
  app = mkdtempSync(join(tmpdir(), "hallpass-app-"));
  run("npm", ["pack", root, "--silent", "--pack-destination", app, "--ignore-scripts"]);
  writeFileSync(join(app, "package.json"), JSON.stringify({ private: true, type: "module" }));
  install(join(app, readdirSync(app).find((file) => file.endsWith(".tgz"))));
});
after(() => rmSync(app, { recursive: true, force: true }));

test("the core and the errors need no other package", () => {
  assert.deepEqual(readdirSync(join(app, "node_modules")).filter((file) => !file.startsWith(".")), ["@hallpass"]);
  writeFileSync(join(app, "core.js"), `
    import { createHallpass } from "${name}";
    import { readErrors } from "${name}/errors";
    console.log(createHallpass({ url: "/graphql" }).getState().status, readErrors(null).code);
  `);
  assert.equal(run("node", ["core.js"]), "loading null\n");
});

test("a strict TypeScript app compiles with every entry point", () => {
  const peers = ["typescript", "@apollo/client", "graphql", "rxjs", "@urql/core", "@urql/exchange-auth", "react", "@types/react"];
  install(...peers.map((peer) => `${peer}@${devDependencies[peer]}`));
  writeFileSync(join(app, "app.ts"), `
    import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from "@apollo/client";
    import { Client, fetchExchange } from "@urql/core";
    import { createElement } from "react";
    import { createHallpass, type User } from "${name}";
    import { clearOnUserChange, hallpassLink } from "${name}/apollo";
    import { readErrors, type ErrorCode } from "${name}/errors";
    import { createEmailSignIn } from "${name}/email";
    import { createPasskeys, type AddedPasskey } from "${name}/passkeys";
    import { createProviders, type ProviderResult } from "${name}/providers";
    import { HallpassProvider, useFinish, useHallpassError, usePasskeyAutofill, useUser } from "${name}/react";
    import { hallpassExchange } from "${name}/urql";

    const url = "https://accounts.example.org/graphql";
    export const hallpass = createHallpass({ url });
    export const apollo = new ApolloClient({
      link: ApolloLink.from([hallpassLink(hallpass), new HttpLink({ uri: url, credentials: "include" })]),
      cache: new InMemoryCache(),
    });
    clearOnUserChange(apollo, hallpass);
    export const urql = new Client({ url, preferGetMethod: false, exchanges: [hallpassExchange(hallpass), fetchExchange] });
    export const username = (): User["username"] | undefined => useUser()?.username;
    export const element = createElement(HallpassProvider, { client: hallpass });
    export const taken = (error: unknown): boolean => readErrors(error).code === ("USERNAME_TAKEN" satisfies ErrorCode);
    const passkeys = createPasskeys(hallpass);
    export const add = (): Promise<AddedPasskey> => passkeys.add("Laptop");
    export const refusal = (): unknown => usePasskeyAutofill(passkeys);
    const providers = createProviders(hallpass);
    export const returned = (): ProviderResult | null => useFinish(providers).result;
    const emailSignIn = createEmailSignIn(hallpass);
    export const opened = (): User["username"] | undefined => useFinish(emailSignIn).result?.username;
    export const wait = (error: unknown): number => useHallpassError(error).retryIn;
  `);
  const compilerOptions = {
    strict: true, noEmit: true, target: "es2022", module: "nodenext", verbatimModuleSyntax: true, exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true, lib: ["es2023", "dom", "dom.iterable"], types: [], skipLibCheck: true,
  };
  writeFileSync(join(app, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["app.ts"] }));
  run("npx", ["tsc"]);
});

test("the core takes less than 4 kB, each of the others less than 2 kB, and the errors less than 1.5 kB", () => {
  const sizeOf = (file) => {
    const { outputFiles } = buildSync({ entryPoints: [join(root, "dist", file)], bundle: true, minify: true, format: "esm", write: false });
    return gzipSync(outputFiles[0].contents, { level: 9 }).length;
  };
  assert.ok(sizeOf("index.js") < 4_000, `the core takes ${sizeOf("index.js")} bytes`);
  // Including the errors, which the core contains too.
  for (const file of ["email.js", "live.js", "passkeys.js", "providers.js"]) assert.ok(sizeOf(file) < 2_000, `${file} takes ${sizeOf(file)} bytes`);
  assert.ok(sizeOf("errors.js") < 1_500, `the errors take ${sizeOf("errors.js")} bytes`);
});

test("the package has the version of the server", () => {
  const cargo = readFileSync(join(root, "../../Cargo.toml"), "utf8");
  assert.equal(version, /^version = "(.+)"$/m.exec(cargo)[1]);
});

test("the types are those of schema.graphql", () => {
  execFileSync("node", [join(root, "scripts/generate.mjs"), "--check"]);
});
