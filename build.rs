//! Puts the explorer and the documentation into the binary: GraphiQL, Swagger UI and ReDoc, bundled from `playground/` by npm
//! and esbuild, or where that can't be, our own small pages from `playground/small`.
//!
//! `HALLPASS_PLAYGROUND=embed` makes it an error when GraphiQL can't be bundled; releases and CI say so. `small` takes the
//! small page and asks no npm. Without it a warning tells which one it became.
//!
//! Packages are installed once for each lock file and bundled once for each state of the sources, in the target directory,
//! for all profiles. Nothing is written into the source tree.
#![expect(clippy::print_stderr, reason = "it is how a build script says why it failed")]

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

/// What decides how the page looks; only a change of these runs this script again.
const SOURCES: &[&str] = &["build.mjs", "package-lock.json", "package.json", "small", "src"];

/// The pages, by their names in Rust.
const PAGES: &[(&str, &str)] = &[("PAGE", "index.html"), ("DOCS", "docs.html"), ("REDOC", "redoc.html")];

/// Without the packages' own scripts: none needs them, and nobody reads them. By itself npm tries for over a minute when
/// there is no network.
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
    match embed() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
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
        fs::remove_dir_all(&files).map_err(|error| told(&files, &error))?;
    }
    fs::create_dir_all(&files).map_err(|error| told(&files, &error))?;
    let wanted = env::var_os("HALLPASS_PLAYGROUND").unwrap_or_default();
    match wanted.to_str() {
        Some("embed") => graphiql(&playground, &out, &files)
            .map_err(|why| format!("{why}\nGraphiQL can't be embedded, as HALLPASS_PLAYGROUND=embed wants it."))?,
        Some("small") => small(&playground, &files)?,
        Some("") => {
            if let Err(why) = graphiql(&playground, &out, &files) {
                // Cargo says it again at each build, so it had better be short.
                for line in why.lines().take(6) {
                    println!("cargo:warning={line}");
                }
                println!(
                    "cargo:warning=The small explorer is embedded instead of GraphiQL. With Node.js 20.11 or later on the PATH, \
                     and the network for once, `touch build.rs` and build again."
                );
                // An npm that turns up on another PATH is tried at once.
                println!("cargo:rerun-if-env-changed=PATH");
                small(&playground, &files)?;
            }
        }
        _ => return Err("HALLPASS_PLAYGROUND wants embed or small, or is left out.".to_owned()),
    }
    list(&files, &out.join("explorer.rs"))
}

/// Bundles GraphiQL.
fn graphiql(playground: &Path, out: &Path, files: &Path) -> Result<(), String> {
    // Cargo marks a target directory that it makes, for backup programs; else it is where it mostly is, seen from
    // `target/debug/build/hallpass-…/out`.
    let marked = out.ancestors().find(|folder| folder.join("CACHEDIR.TAG").exists());
    let target = marked.or_else(|| out.ancestors().nth(4)).unwrap_or(out);
    // esbuild is a program for one kind of machine.
    let host = env::var_os("HOST").unwrap_or_default();
    let locked = [playground.join("package-lock.json"), playground.join("package.json")];
    let packages = target.join("playground").join(hash(&locked, &host)?);
    once(&packages, |folder| {
        for file in &locked {
            let name = file.file_name().unwrap_or_default();
            fs::copy(file, folder.join(name)).map_err(|error| told(file, &error))?;
        }
        run("npm", NPM_CI, folder)
    })?;
    let script = playground.join("build.mjs");
    let bundle = packages.join(format!("bundle-{}", hash(&[script.clone(), playground.join("src")], &host)?));
    once(&bundle, |folder| run("node", &[&script, packages.as_path(), folder], playground))?;
    for file in entries(&bundle)? {
        let name = file.file_name().unwrap_or_default();
        fs::copy(&file, files.join(name)).map_err(|error| told(&file, &error))?;
    }
    Ok(())
}

/// Makes a folder by `work` unless it is there. Under another name until it is done, so that what has the name is whole, and
/// two builds at a time do not meet.
fn once(folder: &Path, work: impl FnOnce(&Path) -> Result<(), String>) -> Result<(), String> {
    if folder.exists() {
        return Ok(());
    }
    let unfinished = folder.with_extension(std::process::id().to_string());
    fs::create_dir_all(&unfinished).map_err(|error| told(&unfinished, &error))?;
    let done = work(&unfinished).and_then(|()| match fs::rename(&unfinished, folder) {
        Err(error) if !folder.exists() => Err(told(folder, &error)),
        _ => Ok(()),
    });
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished).map_err(|error| told(&unfinished, &error))?;
    }
    done
}

fn run(program: &str, arguments: &[impl AsRef<OsStr>], folder: &Path) -> Result<(), String> {
    let output = Command::new(program).args(arguments).current_dir(folder).output();
    let output = output.map_err(|error| match error.kind() {
        ErrorKind::NotFound => format!("{program} is not on the PATH."),
        _ => format!("{program} does not run: {error}"),
    })?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{program} failed:\n{}", String::from_utf8_lossy(&output.stderr).trim()))
}

/// The small pages. Swagger UI and ReDoc have one between them.
fn small(playground: &Path, files: &Path) -> Result<(), String> {
    let parts = ["src/operations.js", "src/session.js", "small/page.js", "small/page.css"];
    small_page(playground, files, "small/index.html", &parts, "/playground/assets", &["index.html"])?;
    let parts = ["small/docs.js", "small/page.css"];
    small_page(playground, files, "small/docs.html", &parts, "/docs/assets", &["docs.html", "redoc.html"])
}

/// A small page: as it is written, but for the names of its files, which get their content's hash.
fn small_page(
    playground: &Path,
    files: &Path,
    page: &str,
    parts: &[&str],
    address: &str,
    results: &[&str],
) -> Result<(), String> {
    let read = |part: &str| {
        let path = playground.join(part);
        fs::read_to_string(&path).map_err(|error| told(&path, &error))
    };
    let mut page = read(page)?;
    let mut named: Vec<(String, String)> = Vec::new();
    for part in parts {
        // A part imports only parts before it.
        let text = named.iter().fold(read(part)?, |text, (name, hashed)| text.replace(name, hashed));
        let (stem, extension) = part.rsplit('/').next().and_then(|name| name.split_once('.')).unwrap_or((part, ""));
        let mut content = DefaultHasher::new();
        content.write(text.as_bytes());
        let hashed = format!("{stem}-{:016x}.{extension}", content.finish());
        let path = files.join(&hashed);
        fs::write(&path, text).map_err(|error| told(&path, &error))?;
        page = page.replace(&format!("./{stem}.{extension}"), &format!("{address}/{hashed}"));
        named.push((format!("./{stem}.{extension}"), format!("./{hashed}")));
    }
    for result in results {
        let path = files.join(result);
        fs::write(&path, &page).map_err(|error| told(&path, &error))?;
    }
    Ok(())
}

/// The Rust that `src/http/explorer.rs` includes: the pages, and every other file by its name.
fn list(files: &Path, rust: &Path) -> Result<(), String> {
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
    fs::write(rust, text).map_err(|error| told(rust, &error))
}

/// One name for the content of files and folders.
fn hash(paths: &[PathBuf], salt: &OsStr) -> Result<String, String> {
    fn add(path: &Path, hasher: &mut DefaultHasher) -> Result<(), String> {
        if path.is_dir() {
            return entries(path)?.iter().try_for_each(|path| add(path, hasher));
        }
        hasher.write(path.file_name().unwrap_or_default().as_encoded_bytes());
        hasher.write(&fs::read(path).map_err(|error| told(path, &error))?);
        Ok(())
    }
    let mut hasher = DefaultHasher::new();
    hasher.write(salt.as_encoded_bytes());
    paths.iter().try_for_each(|path| add(path, &mut hasher))?;
    Ok(format!("{:016x}", hasher.finish()))
}

/// What is in a folder, sorted.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(folder).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    let mut entries: Vec<PathBuf> = entries.map_err(|error| told(folder, &error))?;
    entries.sort();
    Ok(entries)
}

fn told(path: &Path, error: &io::Error) -> String {
    format!("{}: {error}", path.display())
}
