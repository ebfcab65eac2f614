//! Reads a password from a prompt that does not show it, or from a pipe. Never from an argument, which all users of the
//! machine can see.

use std::io::{BufRead, IsTerminal};

use anyhow::{Context, Result, bail};
use tokio::signal::unix::{SignalKind, signal};

use crate::config::{ExposeSecret, SecretString};

/// Maximum number of bytes that are read; the longest password has 512.
const MAX_LINE_LENGTH: u64 = 4096;

/// Asks twice on a terminal, otherwise reads the first line of standard input. The domain checks the password.
pub(super) fn read() -> Result<SecretString> {
    if std::io::stdin().is_terminal() { ask() } else { first_line(std::io::stdin().lock()) }
}

fn ask() -> Result<SecretString> {
    // Ctrl-C must not end the process before the terminal's echo is restored.
    let _caught = signal(SignalKind::interrupt())?;
    let ask = |prompt: &str| rpassword::prompt_password(prompt).map(SecretString::from).context("no password was read");
    let password = ask("Password: ")?;
    if password.expose_secret() != ask("Repeat the password: ")?.expose_secret() {
        bail!("the passwords differ; nothing was changed");
    }
    Ok(password)
}

fn first_line(input: impl BufRead) -> Result<SecretString> {
    let mut line = String::new();
    // The error may contain the input.
    if input.take(MAX_LINE_LENGTH).read_line(&mut line).is_err() {
        bail!("no password was read: standard input is not UTF-8");
    }
    let Some(password) = line.lines().next() else {
        bail!("no password was read: write it to the first line of standard input");
    };
    Ok(password.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(input: &[u8]) -> Result<String, String> {
        first_line(input).map(|password| password.expose_secret().to_owned()).map_err(|error| error.to_string())
    }

    #[test]
    fn password_is_the_first_line_unchanged() {
        for input in ["  pass word ", "  pass word \n", "  pass word \r\n", "  pass word \nanother line\n"] {
            assert_eq!(read(input.as_bytes()).unwrap(), "  pass word ");
        }
        assert_eq!(read("пароль\t\u{b}\u{85}\n".as_bytes()).unwrap(), "пароль\t\u{b}\u{85}");
        assert_eq!(read(b"\nsecond").unwrap(), "");
        assert!(read(b"").unwrap_err().contains("first line"));
        assert!(read(b"\xff\xfe\n").unwrap_err().contains("not UTF-8"));
        assert_eq!(read(&[b'x'; 5000]).unwrap().len(), 4096);
    }
}
