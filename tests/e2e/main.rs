//! Tests of the binary: settings, exit codes, signals. Each test has its own folder and port.
#![expect(clippy::panic, clippy::unwrap_used, reason = "a panic fails the test")]

mod administration;
mod audit;
mod backups;
mod connections;
mod copies;
mod databases;
mod doctor;
mod health;
mod import_export;
mod keys;
mod log;
mod mail_preview;
mod metrics;
mod migrations;
mod output;
mod profiles;
mod second_factor;
mod sessions;
mod settings;
mod starting;
mod supervisor;
mod support;
mod user_list;
mod users;

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

const BINARY: &str = env!("CARGO_BIN_EXE_hallpass");

/// Timeout for things that happen immediately, on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// An empty folder. Deleted when dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("e2e_{name}_{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// A command that runs the binary in this folder, with only these environment variables.
    fn hallpass(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Command {
        let mut command = self.prepare(Command::new(BINARY), environment);
        command.args(arguments);
        command
    }

    fn prepare(&self, mut command: Command, environment: &[(&str, &str)]) -> Command {
        command.current_dir(&self.0).env_clear().envs(environment.iter().copied());
        command
    }

    /// Runs it to completion.
    fn run(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
        self.hallpass(arguments, environment).stdin(Stdio::null()).output().unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A server that has reported that it is ready. Killed when dropped.
struct Server {
    child: Child,
    /// The lines of its log, until it ends.
    log: Receiver<String>,
    port: u16,
}

impl Server {
    fn start(folder: &Folder, environment: &[(&str, &str)]) -> Self {
        Self::start_by(folder, environment, |binary| Command::new(binary))
    }

    /// Starts it with a custom command, which is given the binary.
    fn start_by(folder: &Folder, environment: &[(&str, &str)], command: impl Fn(&str) -> Command) -> Self {
        let server = Self::spawn(folder, environment, command);
        server.wait_for_line("ready at");
        server
    }

    /// Starts it without waiting until it is ready.
    fn spawn(folder: &Folder, environment: &[(&str, &str)], command: impl Fn(&str) -> Command) -> Self {
        let port = free_port();
        let listen = format!("127.0.0.1:{port}");
        let mut command = folder.prepare(command(BINARY), environment);
        let mut child = command.env("LISTEN", &listen).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (sender, log) = mpsc::channel();
        // A separate thread, because the test must not block on a line that never comes. It ends with the server.
        thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { child, log, port }
    }

    /// Reads the log up to a line that contains this text.
    fn wait_for_line(&self, text: &str) {
        let end = Instant::now() + PATIENCE;
        let mut read = Vec::new();
        loop {
            match self.log.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) if line.contains(text) => return,
                Ok(line) => read.push(line),
                Err(RecvTimeoutError::Timeout) => panic!("no line with `{text}` in {read:#?}"),
                Err(RecvTimeoutError::Disconnected) => panic!("the log ended without `{text}`: {read:#?}"),
            }
        }
    }

    /// Reads the rest of the log, until the server exits.
    fn last_lines(&self) -> String {
        let end = Instant::now() + PATIENCE;
        let mut read = Vec::new();
        loop {
            match self.log.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => read.push(line),
                Err(RecvTimeoutError::Disconnected) => return read.join("\n"),
                Err(RecvTimeoutError::Timeout) => panic!("the server is still running: {read:#?}"),
            }
        }
    }

    fn send(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn graphql(&self, body: &str) -> String {
        let length = body.len();
        self.send(&format!(
            "POST /graphql HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        ))
    }

    fn me(&self, token: &str) -> String {
        self.send(&format!(
            "GET /graphql?query=%7Bme%7Busername%7D%7D HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\r\n"
        ))
    }

    fn signal(&self, signal: &str) {
        let kill = Command::new("kill").args([signal, &self.child.id().to_string()]).status();
        assert!(kill.unwrap().success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Standard error, without the line that names the database.
fn error_text(output: &Output) -> String {
    let text = stderr(output);
    match text.split_once('\n') {
        Some((line, rest)) if line.starts_with("database: ") => rest.to_owned(),
        _ => text,
    }
}

/// Asserts this exit code and one message, which contains `expected` and no internals.
fn assert_fails(output: &Output, code: i32, expected: &str) {
    let text = stderr(output);
    assert_eq!(output.status.code(), Some(code), "{text}");
    assert!(text.contains(expected), "{text}");
    assert!(text.lines().last().is_some_and(|line| !line.is_empty()), "{text}");
    assert!(!text.contains("panicked") && !text.contains("backtrace"), "{text}");
}

const REGISTER: &str = r#"{"query":"mutation { register(input: {username: \"ada\", password: \"correct horse\"}) { user { username } } }"}"#;
const LOGIN: &str =
    r#"{"query":"mutation { login(input: {username: \"ada\", password: \"correct horse\"}) { accessToken } }"}"#;
const FAST: (&str, &str) = ("BCRYPT_COST", "10");

#[test]
fn all_invalid_settings_are_reported() {
    let folder = Folder::new("wrong_settings");
    let output = folder.run(&[], &[("SECRET_KEY", "changeme"), ("LISTEN", "here"), ("BCRYPT_COST", "99")]);
    assert_fails(
        &output,
        2,
        "LISTEN: expected an IP address and port, such as 127.0.0.1:8000 or [::]:8000, got \"here\"",
    );
    let text = stderr(&output);
    assert!(
        text.contains("SECRET_KEY: expected at least 32 bytes")
            && text.contains("BCRYPT_COST: expected a whole number from 10 to 15, got \"99\""),
        "{text}"
    );
    assert!(!text.contains("changeme"), "{text}");
    assert_eq!(text.lines().count(), 4, "{text}");
}

#[test]
fn public_address_requires_a_key() {
    let folder = Folder::new("public");
    let output = folder.run(&[], &[("LISTEN", "0.0.0.0:0"), ("PUBLIC_URL", "https://accounts.example.org")]);
    assert_fails(&output, 2, "make one with `openssl rand -hex 32`");
}

#[test]
fn malformed_env_file_is_reported_without_secrets() {
    let folder = Folder::new("broken_env");
    fs::write(folder.0.join(".env"), "LISTEN=127.0.0.1:0\nSECRET_KEY hunter2\n").unwrap();
    let output = folder.run(&[], &[]);
    assert_fails(&output, 2, ".env: expected NAME=value in the line after LISTEN");
    assert!(!stderr(&output).contains("hunter2"));
}

#[test]
fn environment_overrides_the_env_file() {
    let folder = Folder::new("env");
    fs::write(folder.0.join(".env"), "LISTEN=from-file\nBCRYPT_COST=from-file\n").unwrap();
    let output = folder.run(&[], &[("LISTEN", "from-environment")]);
    assert_fails(&output, 2, "got \"from-environment\"");
    assert!(stderr(&output).contains("got \"from-file\""));
}

#[test]
fn taken_port_is_reported_before_anything_is_created() {
    let folder = Folder::new("taken_port");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap().to_string();
    let output = folder.run(&[], &[("LISTEN", &listen)]);
    assert_fails(&output, 1, &format!("can't listen on {listen}"));
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 0);
}

#[test]
fn missing_database_is_reported() {
    let folder = Folder::new("no_database");
    let key = ("SECRET_KEY", "5f3c9a7e1b2d4f60718293a4b5c6d7e8");
    let port = free_port();
    for scheme in ["postgres", "mysql"] {
        let url = format!("{scheme}://root:hunter2@127.0.0.1:{port}/hallpass");
        let output = folder.run(&[], &[("LISTEN", "127.0.0.1:0"), ("DATABASE_URL", &url), key]);
        assert_fails(&output, 1, "the database can't be opened, look at DATABASE_URL");
        assert!(!stderr(&output).contains("hunter2"));
    }
}

#[test]
fn read_only_folder_is_reported() {
    let folder = Folder::new("read_only");
    // Root can write everywhere, except below a path that is not a folder.
    fs::write(folder.0.join("file"), "").unwrap();
    let output = folder.run(&[], &[("LISTEN", "127.0.0.1:0"), ("DATABASE_URL", "sqlite://file/hallpass.db")]);
    assert_fails(&output, 1, "file/hallpass.db");
    let output = folder.run(&[], &[("LISTEN", "127.0.0.1:0"), ("DATABASE_URL", "sqlite://no/such/folder.db")]);
    let path = folder.0.join("no/such/folder.db");
    assert_fails(&output, 1, path.to_str().unwrap());
    // Not even root can create files there.
    let output = folder.run(&[], &[("LISTEN", "127.0.0.1:0"), ("DATABASE_URL", "sqlite:///sys/hallpass.db")]);
    assert_fails(&output, 1, "cannot open the file /sys/hallpass.db");
    assert_fails(&output, 1, "must be able to write to its folder");
    fs::write(folder.0.join("hallpass.key"), "cut off").unwrap();
    let output = folder.run(&[], &[("LISTEN", "127.0.0.1:0")]);
    assert_fails(&output, 1, "hallpass.key");
}

#[test]
fn file_that_is_not_a_database_is_reported() {
    let folder = Folder::new("no_sqlite");
    fs::write(folder.0.join("hallpass.db"), "not a database, but long enough to look like one".repeat(100)).unwrap();
    let output = folder.run(&[], &[("LISTEN", "127.0.0.1:0")]);
    assert_fails(&output, 1, "database");
}

#[test]
fn usage_errors_exit_with_2_and_help_with_0() {
    let folder = Folder::new("usage");
    assert_eq!(folder.run(&["serv"], &[]).status.code(), Some(2));
    for argument in ["--help", "--version"] {
        assert_eq!(folder.run(&[argument], &[]).status.code(), Some(0));
    }
    let secret = [("SECRET_KEY", "hunter2hunter2hunter2hunter2hunter2")];
    let help = folder.run(&["--help"], &secret);
    assert!(!String::from_utf8(help.stdout).unwrap().contains("hunter2"));
}

#[test]
fn schema_command_needs_no_settings() {
    let folder = Folder::new("schema");
    let output = folder.run(&["schema"], &[("LISTEN", "nonsense")]);
    assert_eq!(output.status.code(), Some(0));
    let published = fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/schema.graphql")).unwrap();
    assert!(output.stdout == published, "regenerate it with `cargo run -q -- schema > schema.graphql`");
}

#[test]
fn completions_and_manual_pages_need_no_settings() {
    let folder = Folder::new("generated");
    let without_settings = [("LISTEN", "nonsense")];
    for shell in ["bash", "zsh", "fish"] {
        let output = folder.run(&["completions", shell], &without_settings);
        assert_eq!(output.status.code(), Some(0), "{shell}");
        assert!(String::from_utf8(output.stdout).unwrap().contains("set-password"), "{shell}");
    }
    assert_eq!(folder.run(&["man", "new/man1"], &without_settings).status.code(), Some(0));
    for (page, text) in [("hallpass.1", "hallpass\\-serve"), ("hallpass-user-add.1", "\\-\\-role")] {
        let page = fs::read_to_string(folder.0.join("new/man1").join(page)).unwrap();
        assert!(page.contains(text), "{page}");
    }
    fs::write(folder.0.join("file"), "").unwrap();
    assert_fails(&folder.run(&["man", "file/man1"], &[]), 1, "The manual pages can't be written to file/man1");
}

#[test]
fn accounts_and_tokens_survive_a_restart() {
    let folder = Folder::new("restart");
    let port = free_port().to_string();
    // Tokens contain the public URL, so it must be the same after the restart.
    let environment = [FAST, ("PUBLIC_URL", &format!("http://localhost:{port}"))];
    let first = Server::start(&folder, &environment);
    assert!(first.graphql(REGISTER).contains(r#"{"username":"ada"}"#));
    let login = first.graphql(LOGIN);
    let token = login.split(r#""accessToken":""#).nth(1).unwrap().split('"').next().unwrap().to_owned();
    // Kills it: acknowledged writes must be durable.
    drop(first);

    let second = Server::start(&folder, &environment);
    let me = second.me(&token);
    assert!(me.contains(r#"{"data":{"me":{"username":"ada"}}}"#), "{me}");
    assert!(second.graphql(LOGIN).contains("accessToken"));

    for private in ["hallpass.key", "hallpass.db", "hallpass.db-wal"] {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(folder.0.join(private)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{private}");
    }
}

#[test]
fn shutdown_leaves_a_checkpointed_database() {
    for signal in ["-TERM", "-INT"] {
        let folder = Folder::new(&format!("stop{signal}"));
        let mut server = Server::start(&folder, &[FAST]);
        assert!(server.graphql(REGISTER).contains("ada"));
        server.signal(signal);
        let rest = server.last_lines();
        assert_eq!(server.child.wait().unwrap().code(), Some(0));
        assert!(rest.contains("shutting down"), "{rest}");
        assert!(!folder.0.join("hallpass.db-wal").exists(), "{signal}");
    }
}
