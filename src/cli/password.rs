//! Where the password of an account comes from: a prompt that does not show it, or a pipe. Never an argument, which
//! everybody on the machine can see.

use std::io::{BufRead, IsTerminal};

use anyhow::{Context, Result, bail};
use tokio::signal::unix::{SignalKind, signal};

use crate::config::{ExposeSecret, SecretString};

/// Bytes of a line that are read; the longest password has 512.
const MAX_LINE_LENGTH: u64 = 4096;

/// Asks twice on a terminal, else reads the first line of standard input. What the password must be is checked elsewhere.
pub(super) fn read() -> Result<SecretString> {
    if std::io::stdin().is_terminal() { ask() } else { first_line(std::io::stdin().lock()) }
}

fn ask() -> Result<SecretString> {
    // Ctrl-C must not end the process before the terminal shows again what is typed.
    let _caught = signal(SignalKind::interrupt())?;
    let ask = |prompt: &str| rpassword::prompt_password(prompt).map(SecretString::from).context("no password was read");
    let password = ask("Password: ")?;
    if password.expose_secret() != ask("The same again: ")?.expose_secret() {
        bail!("these were two different passwords; nothing was changed");
    }
    Ok(password)
}

fn first_line(input: impl BufRead) -> Result<SecretString> {
    let mut line = String::new();
    // The error may quote what was typed.
    if input.take(MAX_LINE_LENGTH).read_line(&mut line).is_err() {
        bail!("no password was read: standard input is not UTF-8");
    }
    let Some(password) = line.lines().next() else {
        bail!("no password was read: give it in the first line of standard input");
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
    fn a_password_is_the_first_line_as_it_is() {
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
