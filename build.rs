//! Embeds the explorer and the documentation in the binary: GraphiQL, Swagger UI and ReDoc, bundled from `playground/`
//! by npm and esbuild. If bundling is not possible, embeds the small pages of `playground/small` instead.
//!
//! With `HALLPASS_PLAYGROUND=embed`, the build fails if GraphiQL cannot be bundled; releases and CI use this. With
//! `small`, the build embeds the small pages without running npm. Without the variable, a warning reports if the small
//! pages were used.
//!
//! Packages are installed once per lock file and bundled once per state of the sources, in the target directory, for
//! all profiles. The source tree is not modified.
#![expect(clippy::print_stderr, reason = "build scripts report failures on stderr")]

use std::{
    env,
    ffi::OsStr,
    fmt::Write as _,
    fs,
    hash::{DefaultHasher, Hasher},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

/// The files that determine the pages. Only a change of these reruns this script.
const SOURCES: &[&str] = &["build.mjs", "package-lock.json", "package.json", "small", "src", CLIENT];

/// The client package, which the explorer is bundled with.
const CLIENT: &str = "../clients/typescript/src";

/// The pages, by the names of their constants.
const PAGES: &[(&str, &str)] = &[("PAGE", "index.html"), ("DOCS", "docs.html"), ("REDOC", "redoc.html")];

/// The options of `npm ci`. Packages' install scripts are disabled, because none is needed and they are not reviewed.
/// The retry options shorten npm's default of over a minute without a network.
const NPM_CI: &[&str] = &[
    "ci",
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--loglevel=error",
    "--fetch-retries=3",
    "--fetch-retry-mintimeout=500",
    "--fetch-retry-maxtimeout=3000",
];

fn main() -> ExitCode {
    version();
    match embed() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

/// Sets `HALLPASS_VERSION`: the version, and the commit from the variable `HALLPASS_COMMIT`. Without it, a release build takes the
/// commit of the checkout, if this package is the root of one. Other builds do not, so that a commit does not rebuild them.
fn version() {
    let version = env!("CARGO_PKG_VERSION");
    println!("cargo:rerun-if-env-changed=HALLPASS_COMMIT");
    let given = env::var_os("HALLPASS_COMMIT").and_then(|commit| commit.into_string().ok());
    let commit = given.filter(|commit| !commit.is_empty()).or_else(commit_of_checkout);
    match commit {
        Some(commit) => println!("cargo:rustc-env=HALLPASS_VERSION={version} ({commit})"),
        None => println!("cargo:rustc-env=HALLPASS_VERSION={version}"),
    }
}

fn commit_of_checkout() -> Option<String> {
    if env::var_os("PROFILE")? != "release" {
        return None;
    }
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR")?);
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).current_dir(&root).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        (output.status.success() && !text.trim().is_empty()).then(|| text.trim().to_owned())
    };
    // A package in another repository, such as one with the files of a home folder, must not take that one's commit.
    let is_root = fs::canonicalize(git(&["rev-parse", "--show-toplevel"])?).ok()? == fs::canonicalize(&root).ok()?;
    // Git writes to it with every commit and checkout.
    let log = git(&["rev-parse", "--git-path", "logs/HEAD"]).filter(|path| root.join(path).exists())?;
    println!("cargo:rerun-if-changed={log}");
    is_root.then(|| git(&["rev-parse", "--short=12", "HEAD"])).flatten()
}

fn embed() -> Result<(), String> {
    let playground = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("playground");
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    for source in SOURCES {
        println!("cargo:rerun-if-changed=playground/{source}");
    }
    println!("cargo:rerun-if-env-changed=HALLPASS_PLAYGROUND");

    let files = out.join("assets");
    if files.exists() {
        fs::remove_dir_all(&files).map_err(|error| describe(&files, &error))?;
    }
    fs::create_dir_all(&files).map_err(|error| describe(&files, &error))?;
    let mode = env::var_os("HALLPASS_PLAYGROUND").unwrap_or_default();
    match mode.to_str() {
        Some("embed") => graphiql(&playground, &out, &files).map_err(|error| {
            format!("{error}\nGraphiQL cannot be embedded, which HALLPASS_PLAYGROUND=embed requires.")
        })?,
        Some("small") => small(&playground, &files)?,
        Some("") => {
            if let Err(error) = graphiql(&playground, &out, &files) {
                // Cargo repeats the warning on each build, so it is kept short.
                for line in error.lines().take(6) {
                    println!("cargo:warning={line}");
                }
                println!(
                    "cargo:warning=The small explorer is embedded instead of GraphiQL. To embed GraphiQL, install \
                     Node.js 20.11 or later, connect to the network, run `touch build.rs` and build again."
                );
                // Reruns this script if an npm on another PATH becomes available.
                println!("cargo:rerun-if-env-changed=PATH");
                small(&playground, &files)?;
            }
        }
        _ => return Err("HALLPASS_PLAYGROUND: expected embed or small, or unset.".to_owned()),
    }
    write_asset_list(&files, &out.join("explorer.rs"))
}

/// Bundles GraphiQL.
fn graphiql(playground: &Path, out: &Path, files: &Path) -> Result<(), String> {
    // Cargo creates a `CACHEDIR.TAG` in target directories that it creates. Otherwise, the usual location relative to
    // `target/debug/build/hallpass-…/out` is used.
    let tagged = out.ancestors().find(|folder| folder.join("CACHEDIR.TAG").exists());
    let target = tagged.or_else(|| out.ancestors().nth(4)).unwrap_or(out);
    // esbuild's package contains a binary for one platform.
    let host = env::var_os("HOST").unwrap_or_default();
    let manifests = [playground.join("package-lock.json"), playground.join("package.json")];
    let packages = target.join("playground").join(hash(&manifests, &host)?);
    create_once(&packages, |folder| {
        for file in &manifests {
            let name = file.file_name().unwrap_or_default();
            fs::copy(file, folder.join(name)).map_err(|error| describe(file, &error))?;
        }
        run("npm", NPM_CI, folder)
    })?;
    let script = playground.join("build.mjs");
    let sources = [script.clone(), playground.join("src"), playground.join(CLIENT)];
    let bundle = packages.join(format!("bundle-{}", hash(&sources, &host)?));
    create_once(&bundle, |folder| run("node", &[&script, packages.as_path(), folder], playground))?;
    for file in entries(&bundle)? {
        let name = file.file_name().unwrap_or_default();
        fs::copy(&file, files.join(name)).map_err(|error| describe(&file, &error))?;
    }
    Ok(())
}

/// Creates a folder with `work` unless it exists. `work` writes to a temporary folder that is renamed at the end, so
/// the folder is always complete and concurrent builds do not conflict.
fn create_once(folder: &Path, work: impl FnOnce(&Path) -> Result<(), String>) -> Result<(), String> {
    if folder.exists() {
        return Ok(());
    }
    let temporary = folder.with_extension(std::process::id().to_string());
    fs::create_dir_all(&temporary).map_err(|error| describe(&temporary, &error))?;
    let result = work(&temporary).and_then(|()| match fs::rename(&temporary, folder) {
        Err(error) if !folder.exists() => Err(describe(folder, &error)),
        _ => Ok(()),
    });
    if temporary.exists() {
        fs::remove_dir_all(&temporary).map_err(|error| describe(&temporary, &error))?;
    }
    result
}

fn run(program: &str, arguments: &[impl AsRef<OsStr>], folder: &Path) -> Result<(), String> {
    let output = Command::new(program).args(arguments).current_dir(folder).output();
    let output = output.map_err(|error| match error.kind() {
        ErrorKind::NotFound => format!("{program} is not on the PATH."),
        _ => format!("failed to run {program}: {error}"),
    })?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{program} failed:\n{}", String::from_utf8_lossy(&output.stderr).trim()))
}

/// Writes the small pages. Swagger UI and ReDoc share one page.
fn small(playground: &Path, files: &Path) -> Result<(), String> {
    let parts = [
        "src/operations.js",
        "src/passkey.js",
        "src/post.js",
        "src/signin.js",
        "small/session.js",
        "small/page.js",
        "small/page.css",
    ];
    small_page(playground, files, "small/index.html", &parts, "playground/assets", &["index.html"])?;
    let parts = ["small/docs.js", "small/page.css"];
    small_page(playground, files, "small/docs.html", &parts, "docs/assets", &["docs.html", "redoc.html"])
}

/// Writes a small page, with its files renamed to include a hash of their content.
fn small_page(
    playground: &Path,
    files: &Path,
    page: &str,
    parts: &[&str],
    base_path: &str,
    results: &[&str],
) -> Result<(), String> {
    let read = |part: &str| {
        let path = playground.join(part);
        fs::read_to_string(&path).map_err(|error| describe(&path, &error))
    };
    let mut page = read(page)?;
    let mut hashed_names: Vec<(String, String)> = Vec::new();
    for part in parts {
        // A part imports only earlier parts.
        let text = hashed_names.iter().fold(read(part)?, |text, (name, hashed)| text.replace(name, hashed));
        let (stem, extension) = part.rsplit('/').next().and_then(|name| name.split_once('.')).unwrap_or((part, ""));
        let mut content = DefaultHasher::new();
        content.write(text.as_bytes());
        let hashed = format!("{stem}-{:016x}.{extension}", content.finish());
        let path = files.join(&hashed);
        fs::write(&path, text).map_err(|error| describe(&path, &error))?;
        page = page.replace(&format!("./{stem}.{extension}"), &format!("{base_path}/{hashed}"));
        hashed_names.push((format!("./{stem}.{extension}"), format!("./{hashed}")));
    }
    for result in results {
        let path = files.join(result);
        fs::write(&path, &page).map_err(|error| describe(&path, &error))?;
    }
    Ok(())
}

/// Writes the Rust code that `src/http/explorer.rs` includes: the pages, and a list of all other files.
fn write_asset_list(files: &Path, rust: &Path) -> Result<(), String> {
    let included = |name: &str| format!("(concat!(env!(\"OUT_DIR\"), \"/assets/{name}\"))");
    let mut text = String::new();
    for (name, page) in PAGES {
        let _ = writeln!(text, "pub(super) const {name}: &str = include_str!{};", included(page));
    }
    text.push_str("const ASSETS: &[Asset] = &[\n");
    for file in entries(files)? {
        let name = file.file_name().and_then(OsStr::to_str).unwrap_or_default();
        if PAGES.iter().any(|(_, page)| *page == name) {
            continue;
        }
        let public = name.strip_suffix(".gz").unwrap_or(name);
        let is_gzipped = public != name;
        let bytes = included(name);
        let _ = writeln!(
            text,
            "    Asset {{ name: \"{public}\", is_gzipped: {is_gzipped}, bytes: include_bytes!{bytes} }},"
        );
    }
    text.push_str("];\n");
    fs::write(rust, text).map_err(|error| describe(rust, &error))
}

/// Hashes the content of files and folders.
fn hash(paths: &[PathBuf], salt: &OsStr) -> Result<String, String> {
    fn add(path: &Path, hasher: &mut DefaultHasher) -> Result<(), String> {
        if path.is_dir() {
            return entries(path)?.iter().try_for_each(|path| add(path, hasher));
        }
        hasher.write(path.file_name().unwrap_or_default().as_encoded_bytes());
        hasher.write(&fs::read(path).map_err(|error| describe(path, &error))?);
        Ok(())
    }
    let mut hasher = DefaultHasher::new();
    hasher.write(salt.as_encoded_bytes());
    paths.iter().try_for_each(|path| add(path, &mut hasher))?;
    Ok(format!("{:016x}", hasher.finish()))
}

/// Lists a folder, sorted.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(folder).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    let mut entries: Vec<PathBuf> = entries.map_err(|error| describe(folder, &error))?;
    entries.sort();
    Ok(entries)
}

fn describe(path: &Path, error: &io::Error) -> String {
    format!("{}: {error}", path.display())
}
