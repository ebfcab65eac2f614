// Follows docs/code-generation.md. For each tool, writes the files that the page shows, runs the commands, and compiles the result. Then
// makes mistakes in the examples, which must not compile: otherwise, the generated types would be too wide.
// node codegen.mjs <folder with the commands of ariadne-codegen and mypy>

import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { check, finish } from "../e2e/clients/checks.mjs";
import { blocks, section } from "../e2e/clients/markdown.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const repository = join(here, "../..");
const page = join(repository, "docs/code-generation.md");
const packages = join(here, "node_modules");
const path = [join(packages, ".bin"), resolve(process.argv[2]), process.env.PATH].join(":");
// The same folder as that of the server: most dependencies are compiled already.
const env = { ...process.env, PATH: path, CARGO_TARGET_DIR: join(repository, "target") };

// Version 7 compiles ten times as fast as 6, whose API the commands of gql.tada need.
const TSC = `node ${join(packages, "typescript-7/bin/tsc")} --project tsconfig.app.json`;
const DATE = ["new Date(me.createdAt).toLocaleDateString()", "me.createdAt.toFixed()"];
const TOOLS = {
  "GraphQL Code Generator": {
    compile: TSC,
    mistakes: [DATE, ["lastName: null", "lastName: 1"], ['"RATE_LIMITED"', '"RATE_LIMIT"'], ["sessionId: id", "sessionId: null"], ["options as PublicKeyCredentialRequestOptionsJSON", "options"]],
  },
  Relay: { compile: TSC, mistakes: [DATE, ["lastName: null", "lastName: 1"]] },
  "gql.tada": {
    compile: TSC,
    mistakes: [["new Date(data.me.createdAt)", "data.me.createdAt"], ["lastName: null", "lastName: 1"], ['"ErrorCode"', '"ErrorCodes"']],
  },
  genql: {
    compile: TSC,
    mistakes: [["new Date(me.createdAt)", "me.createdAt"], ["lastName: null", "lastName: 1"], ["ErrorCode |", "ErrorCodes |"]],
  },
  Python: {
    compile: "mypy main.py",
    mistakes: [["created_at: datetime", "created_at: int"], ["last_name=None", "last_name=1"], ["RATE_LIMITED", "RATE_LIMIT"]],
  },
  Rust: {
    compile: "cargo check --quiet --locked",
    mistakes: [["full_name: Option<String>", "full_name: String"], ["    RateLimited", "    RateLimit"]],
  },
};

// The compiler options of Vite's template for React.
const OPTIONS = {
  target: "es2023",
  lib: ["ES2023", "DOM"],
  module: "esnext",
  types: [],
  skipLibCheck: true,
  moduleResolution: "bundler",
  allowImportingTsExtensions: true,
  verbatimModuleSyntax: true,
  moduleDetection: "force",
  noEmit: true,
  jsx: "react-jsx",
  strict: true,
  noUnusedLocals: true,
  noUnusedParameters: true,
  erasableSyntaxOnly: true,
  noFallthroughCasesInSwitch: true,
  noUncheckedSideEffectImports: true,
};

/** Makes `folder` an app with Vite's settings, in which only the packages that the page installs exist, in the versions of this folder. */
function prepareApp(folder, section) {
  const installed = [...section.matchAll(/npm install ([^`\n]+)/g)].flatMap(([, names]) => names.split(" "));
  const names = installed.filter((name) => !name.startsWith("-")).map((name) => name.replace(/(.)@.*/, "$1"));
  for (const name of new Set([...names, "react", "@types/react", ".bin"])) {
    const link = join(folder, "node_modules", name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(packages, name), link);
  }
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  const added = blocks(section).find(({ path }) => path === "tsconfig.app.json")?.text.replace(/^.*/, "") ?? "{}";
  const compilerOptions = { ...OPTIONS, ...JSON.parse(added).compilerOptions };
  writeFileSync(join(folder, "tsconfig.app.json"), JSON.stringify({ compilerOptions, include: ["src"] }));
}

for (const [heading, { compile, mistakes }] of Object.entries(TOOLS)) {
  const started = performance.now();
  const folder = join(repository, "target/codegen", heading.replaceAll(" ", "-"));
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, "src"), { recursive: true });
  const run = (command) => {
    const { status, stdout, stderr } = spawnSync("bash", ["-euc", command], { cwd: folder, env, encoding: "utf8" });
    return { isSuccess: status === 0, output: `\n${stdout}${stderr}` };
  };

  const text = section(page, heading);
  copyFileSync(join(repository, "schema.graphql"), join(folder, "schema.graphql"));
  if (compile === TSC) prepareApp(folder, text);
  if (heading === "Rust") for (const name of ["Cargo.toml", "Cargo.lock"]) copyFileSync(join(here, "cynic", name), join(folder, name));
  const files = blocks(text).filter(({ path }) => path && path !== "tsconfig.app.json");
  for (const { path, text } of files) writeFileSync(join(folder, path), text);

  const commands = blocks(text).filter(({ language }) => language === "sh").flatMap(({ text }) => text.trim().split("\n"));
  for (const command of commands.filter((command) => !/^(npm install|pip install|cargo add) /.test(command))) {
    const { isSuccess, output } = run(command);
    check(`${heading}: ${command}`, isSuccess, output);
  }
  const { isSuccess, output } = run(compile);
  check(`${heading}: the examples compile`, isSuccess, output);

  for (const [from, to] of mistakes) {
    const { path, text } = files.find(({ text }) => text.includes(from));
    writeFileSync(join(folder, path), text.replace(from, to));
    check(`${heading}: with "${to.trim()}", they do not`, !run(compile).isSuccess);
    writeFileSync(join(folder, path), text);
  }
  console.log(`     ${heading}: ${Math.round((performance.now() - started) / 1000)} s`);
}
finish(29);
