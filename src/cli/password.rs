//! Where the password of an account comes from: a prompt that does not show it, or a pipe. Never an argument, which
//! everybody on the machine can see.

use std::io::{BufRead, IsTerminal};

use tokio::signal::unix::{SignalKind, signal};

use crate::{
    cli::CommandError,
    config::{ExposeSecret, SecretString},
};

/// Bytes of a line that are read; the longest password has 512.
const MAX_LINE_LENGTH: u64 = 4096;

/// Asks twice on a terminal, else reads the first line of standard input. What the password must be is checked elsewhere.
pub(super) fn read() -> Result<SecretString, CommandError> {
    if std::io::stdin().is_terminal() { ask() } else { first_line(std::io::stdin().lock()) }
}

fn ask() -> Result<SecretString, CommandError> {
    // Ctrl-C must not end the process before the terminal shows again what is typed.
    let _caught = signal(SignalKind::interrupt()).map_err(CommandError::new)?;
    let ask = |prompt: &str| {
        let typed = rpassword::prompt_password(prompt).map(SecretString::from);
        typed.map_err(|error| CommandError::new(format_args!("no password was read: {error}")))
    };
    let password = ask("Password: ")?;
    if password.expose_secret() != ask("The same again: ")?.expose_secret() {
        return Err(CommandError::new("these were two different passwords; nothing was changed"));
    }
    Ok(password)
}

fn first_line(input: impl BufRead) -> Result<SecretString, CommandError> {
    let mut line = String::new();
    // The error would be about what was typed.
    let read = input.take(MAX_LINE_LENGTH).read_line(&mut line);
    read.map_err(|_| CommandError::new("no password was read: standard input is not UTF-8"))?;
    let Some(password) = line.lines().next() else {
        return Err(CommandError::new("no password was read: give it in the first line of standard input"));
    };
    Ok(password.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(input: &[u8]) -> Result<String, String> {
        first_line(input).map(|password| password.expose_secret().to_owned()).map_err(|failure| failure.message)
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
