//! `./.env`, read without changing the process's environment.

use std::{io::ErrorKind, path::Path};

/// The variables of a file in dotenv's format; none where there is no file.
///
/// # Errors
/// A sentence that does not show the line, which may hold a secret.
pub(super) fn read(path: impl AsRef<Path>) -> Result<Vec<(String, String)>, String> {
    let path = path.as_ref();
    let lines = match dotenvy::from_path_iter(path) {
        Ok(lines) => lines,
        Err(dotenvy::Error::Io(error)) if error.kind() == ErrorKind::NotFound => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(format!("{} can't be read: {error}", path.display())),
    };
    let mut variables: Vec<(String, String)> = Vec::new();
    for line in lines {
        variables.push(line.map_err(|_| {
            let after = variables.last().map_or("at its start".to_owned(), |(name, _)| format!("after {name}"));
            format!(
                "{} has a line {after} that is not NAME=value; put quotes around values with spaces or #",
                path.display()
            )
        })?);
    }
    Ok(variables)
}
