//! The settings of a command: from the environment, and from `./.env`.

use std::ffi::OsString;

use anyhow::Result;

use crate::{
    cli::dotenv,
    config::{
        EffectiveSetting, Settings, SettingsError, Source, Variable, is_setting, unknown_in_environment,
        unknown_in_file,
    },
};

/// The settings of a command.
pub(super) struct Loaded {
    pub(super) settings: Settings,
    /// Each setting with its effective value, and where it comes from.
    pub(super) effective: Vec<EffectiveSetting>,
    /// Warnings about the environment.
    pub(super) warnings: Vec<String>,
}

/// Reads the settings.
///
/// An unknown name in `.env` is an error: the setting would silently have its default, which may be less secure. In the
/// environment it may belong to another program, so it is only a warning.
pub(super) fn read(environment: impl Iterator<Item = (OsString, OsString)>) -> Result<Loaded> {
    let from_file = dotenv::read(".env").map_err(|message| SettingsError(vec![message]))?;
    let (mut variables, mut mistakes) = decode(environment);
    let in_file = from_file.into_iter().map(|(name, value)| Variable { name, value, source: Source::DotEnv });
    variables.extend(in_file);
    let names = |source| variables.iter().filter(move |v| v.source == source).map(|variable| variable.name.as_str());
    let is_set =
        |setting: &str| variables.iter().any(|variable| variable.name == setting && !variable.value.is_empty());
    let unknown = unknown_in_file(names(Source::DotEnv), is_set);
    mistakes.extend(unknown.map(|mistake| format!(".env: {mistake}")));
    let warnings = unknown_in_environment(names(Source::Environment), is_set).collect();
    match Settings::read(variables) {
        Ok((settings, effective)) if mistakes.is_empty() => Ok(Loaded { settings, effective, warnings }),
        Ok(_) => Err(SettingsError(mistakes).into()),
        Err(SettingsError(more)) => Err(SettingsError(mistakes.into_iter().chain(more).collect()).into()),
    }
}

/// The variables in UTF-8, and a mistake for each setting that is not.
fn decode(environment: impl Iterator<Item = (OsString, OsString)>) -> (Vec<Variable>, Vec<String>) {
    let (mut variables, mut mistakes) = (Vec::new(), Vec::new());
    for (name, value) in environment {
        let Ok(name) = name.into_string() else { continue };
        match value.into_string() {
            Ok(value) => variables.push(Variable { name, value, source: Source::Environment }),
            Err(_) if is_setting(&name) => mistakes.push(format!("{name}: expected text in UTF-8")),
            Err(_) => {}
        }
    }
    (variables, mistakes)
}
