// Bundles the explorer: node build.mjs <folder with the packages> <folder for the result>
//
// The result is flat: index.html, docs.html and redoc.html, which name the other files. Those are compressed by gzip and
// named by their content, so that browsers may cache them for ever. Nothing is written anywhere else.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join, resolve } from "node:path";
import { gzipSync } from "node:zlib";

const [packages, result] = process.argv.slice(2).map((path) => resolve(path));
const sources = join(import.meta.dirname, "src");
const esbuild = createRequire(join(packages, "package.json"))("esbuild");

const WORKERS = {
  editor: "monaco-editor/esm/vs/editor/editor.worker.js",
  json: "monaco-editor/esm/vs/language/json/json.worker.js",
  graphql: "monaco-graphql/esm/graphql.worker.js",
};

/** Licences that allow redistribution with their text. */
const LICENCES = ["0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT"];

/** Packages whose licence text is in another package of the same repository. */
const LICENCE_IN = {
  "@graphiql/plugin-doc-explorer": "graphiql",
  "@graphiql/plugin-history": "graphiql",
  "react-compiler-runtime": "react",
  "react-remove-scroll-bar": "react-remove-scroll",
};

const inputs = new Set();
const files = new Map();

/** Our sources get their packages from the given folder, also where an editor has made a node_modules beside them. */
const fromPackages = {
  name: "from-packages",
  setup(build) {
    build.onResolve({ filter: /^[^./]/ }, ({ path, importer, kind, pluginData }) =>
      importer.startsWith(sources) && !pluginData ? build.resolve(path, { kind, resolveDir: packages, pluginData: true }) : undefined,
    );
  },
};

/**
 * ReDoc shows its maker's mark from the maker's site, which would learn of everybody who looks; and it asks for a package named
 * null, which is what it gets where it is a script by itself.
 */
const redocAlone = {
  name: "redoc-alone",
  setup(build) {
    build.onResolve({ filter: /^null$/ }, () => ({ path: "null", namespace: "nothing" }));
    build.onLoad({ filter: /./, namespace: "nothing" }, () => ({ contents: "module.exports = null" }));
    const mark = "https://cdn.redoc.ly/redoc/logo-mini.svg";
    build.onLoad({ filter: /redoc\.standalone\.js$/ }, ({ path }) => {
      const text = readFileSync(path, "utf8");
      if (!text.includes(mark)) throw new Error("ReDoc has moved its mark: where is it from now?");
      return { contents: text.replaceAll(mark, "data:,"), loader: "js" };
    });
  },
};

/**
 * The JSON schema of the variables editor requires input fields and variables that have a default value, and has no objects for the scalar
 * `JSON`, so the editor underlines valid variables. The replacements, by file.
 */
const PATCHES = {
  "graphql-language-service/esm/utils/getVariablesJSONSchema.js": [
    ["return { required, definition, definitions };", "return { required: required && definition.default === undefined, definition, definitions };"],
    ["['string', 'number', 'boolean', 'integer']", "['string', 'number', 'boolean', 'integer'].concat(baseType.name === 'JSON' ? ['object', 'array'] : [])"],
  ],
  "graphql-language-service/esm/utils/collectVariables.js": [
    ["for (const { variable, type } of", "for (const { variable, type, defaultValue } of"],
    ["typeFromAST(schema, type)", "typeFromAST(schema, defaultValue && type.kind === Kind.NON_NULL_TYPE ? type.type : type)"],
  ],
};
const patched = new Set();
const validVariables = {
  name: "valid-variables",
  setup(build) {
    for (const [file, replacements] of Object.entries(PATCHES)) {
      build.onLoad({ filter: new RegExp(`/${file}$`) }, ({ path }) => {
        let contents = readFileSync(path, "utf8");
        for (const [from, to] of replacements) {
          if (!contents.includes(from)) throw new Error(`${file} has changed: does the editor still underline valid variables?`);
          contents = contents.replace(from, to);
        }
        patched.add(file);
        return { contents, loader: "js" };
      });
    }
  },
};

/** Bundles entry points, and returns the names of what became of them. */
async function bundle(entryPoints, options) {
  const { metafile, outputFiles } = await esbuild.build({
    entryPoints,
    absWorkingDir: packages,
    plugins: [fromPackages, redocAlone, validVariables],
    outdir: result,
    entryNames: "[name]-[hash]",
    chunkNames: "part-[hash]",
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    jsx: "automatic",
    target: "es2022",
    loader: { ".ttf": "dataurl" },
    define: { "process.env.NODE_ENV": '"production"', WORKERS: "undefined", ...options.define },
    logLevel: "warning",
    ...options.esbuild,
  });
  for (const input of Object.keys(metafile.inputs)) inputs.add(resolve(packages, input));
  for (const { path, contents } of outputFiles) files.set(basename(path), contents);
  return Object.entries(metafile.outputs).map(([path, output]) => ({ ...output, name: basename(path) }));
}

const entries = Object.fromEntries(Object.entries(WORKERS).map(([label, path]) => [`${label}.worker`, path]));
const workers = (await bundle(entries, { esbuild: { format: "iife" } })).filter(({ entryPoint }) => entryPoint);
const workerNames = Object.fromEntries(Object.keys(WORKERS).map((label) => [label, `./${workers.find(({ name }) => name.startsWith(`${label}.worker-`)).name}`]));

const outputs = await bundle({ main: join(sources, "main.jsx") }, {
  define: { WORKERS: JSON.stringify(workerNames) },
  esbuild: { format: "esm", splitting: true },
});
const main = outputs.find(({ entryPoint, name }) => entryPoint && name.startsWith("main-") && name.endsWith(".js"));

const pages = (await bundle({ docs: join(sources, "docs.js"), redoc: join(sources, "redoc.js") }, { esbuild: { format: "esm" } })).filter(({ entryPoint }) => entryPoint);
const [docs, redoc] = ["docs", "redoc"].map((name) => pages.find((output) => output.name.startsWith(`${name}-`) && output.name.endsWith(".js")));

if (patched.size !== Object.keys(PATCHES).length) throw new Error(`expected to patch ${Object.keys(PATCHES)}, found only ${[...patched]}`);

/** The packages that the bundle has parts of, each once. */
function bundledPackages() {
  const folders = new Set();
  for (const input of inputs) {
    const [, folder] = /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input) ?? [];
    if (folder) folders.add(folder);
  }
  return [...folders].sort();
}

/** The licences of all that is bundled, which must go wherever the bundle goes. */
function licences() {
  const textsIn = (folder) => {
    const names = readdirSync(folder).filter((name) => /^(licen[cs]e|copying|notice|thirdpartynotices)/i.test(name));
    return names.map((name) => readFileSync(join(folder, name), "utf8").trim());
  };
  const parts = bundledPackages().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    if (!LICENCES.includes(license)) throw new Error(`${name} ${version} has the licence ${license}: may it be passed on?`);
    const texts = textsIn(LICENCE_IN[name] ? join(packages, "node_modules", LICENCE_IN[name]) : folder);
    if (texts.length === 0) throw new Error(`${name} ${version} has no licence text: whose does it share?`);
    return [`${name} ${version} (${license})`, ...texts].join("\n\n");
  });
  // What these files were bundled from before they came to us is told beside them.
  for (const input of [...inputs].filter((input) => existsSync(`${input}.LICENSE.txt`))) {
    parts.push(`${basename(input)}\n\n${readFileSync(`${input}.LICENSE.txt`, "utf8").trim()}`);
  }
  return parts.join(`\n\n${"-".repeat(80)}\n\n`);
}

const text = Buffer.from(licences());
const licencesName = `licences-${createHash("sha256").update(text).digest("hex").slice(0, 8)}.txt`;
files.set(licencesName, text);

// Monaco is loaded late, but its styles are in the page's style sheet already.
for (const name of files.keys()) if (name.endsWith(".css") && ![main, docs].some(({ cssBundle }) => name === basename(cssBundle))) files.delete(name);

const names = {
  "main.js": main.name,
  "main.css": basename(main.cssBundle),
  "docs.js": docs.name,
  "docs.css": basename(docs.cssBundle),
  "redoc.js": redoc.name,
  "licences.txt": licencesName,
};

mkdirSync(result, { recursive: true });
let total = 0;
for (const [name, contents] of files) {
  const compressed = gzipSync(contents, { level: 9 });
  total += compressed.length;
  console.log(String(compressed.length).padStart(8), String(contents.length).padStart(8), name);
  writeFileSync(join(result, `${name}.gz`), compressed);
}
for (const page of ["index.html", "docs.html", "redoc.html"]) {
  const text = readFileSync(join(sources, page), "utf8").replace(/\{\{(.*?)\}\}/g, (_, name) => names[name]);
  writeFileSync(join(result, page), text);
}
console.log(`${files.size} files, ${total} bytes compressed`);
