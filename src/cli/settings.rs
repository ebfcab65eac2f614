//! The settings of a command: from the environment, and from `./.env`.

use std::ffi::OsString;

use crate::{
    cli::{CommandError, dotenv},
    config::{NAMES, Settings, SettingsError, unknown_in_environment, unknown_in_file},
};

/// Reads the settings. Also returns warnings about the environment.
///
/// A misspelled name in `.env` is refused: the setting would silently have its default, which may be less secure. In the
/// environment it may belong to another program, so it is a warning.
pub(super) fn read(
    environment: impl Iterator<Item = (OsString, OsString)>,
) -> Result<(Settings, Vec<String>), CommandError> {
    let from_file = dotenv::read(".env").map_err(|message| refused(vec![message]))?;
    let (environment, mut mistakes) = decode(environment);
    let names = |variables: &[(String, String)]| variables.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    let (names_in_file, names_in_environment) = (names(&from_file), names(&environment));
    let variables: Vec<(String, String)> = environment.into_iter().chain(from_file).collect();
    let is_set = |setting: &str| variables.iter().any(|(name, value)| name == setting && !value.is_empty());
    let in_file = unknown_in_file(names_in_file.iter().map(String::as_str), is_set);
    mistakes.extend(in_file.map(|mistake| format!(".env: {mistake}")));
    let warnings = unknown_in_environment(names_in_environment.iter().map(String::as_str), is_set).collect();
    match Settings::from_vars(variables) {
        Ok(settings) if mistakes.is_empty() => Ok((settings, warnings)),
        Ok(_) => Err(refused(mistakes)),
        Err(SettingsError(more)) => Err(refused(mistakes.into_iter().chain(more).collect())),
    }
}

fn refused(mistakes: Vec<String>) -> CommandError {
    CommandError::usage(&SettingsError(mistakes).to_string())
}

/// The variables that are text, and what is wrong with settings that are not.
fn decode(environment: impl Iterator<Item = (OsString, OsString)>) -> (Vec<(String, String)>, Vec<String>) {
    let (mut variables, mut mistakes) = (Vec::new(), Vec::new());
    for (name, value) in environment {
        let Ok(name) = name.into_string() else { continue };
        match value.into_string() {
            Ok(value) => variables.push((name, value)),
            Err(_) if NAMES.contains(&name.strip_suffix("_FILE").unwrap_or(&name)) => {
                mistakes.push(format!("{name}: expected text in UTF-8"));
            }
            Err(_) => {}
        }
    }
    (variables, mistakes)
}
