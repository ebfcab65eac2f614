//! Reading variables one by one while collecting what is wrong with them.

use std::{collections::HashMap, fmt::Display, ops::RangeInclusive, str::FromStr};

use secrecy::SecretString;

use crate::config::SettingsError;

/// The variables, and the mistakes found in them so far.
pub(super) struct Vars {
    values: HashMap<String, String>,
    mistakes: Vec<String>,
}

impl Vars {
    /// The first of several variables of one name counts; an empty one is as good as none.
    pub(super) fn new(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut values = HashMap::new();
        for (name, value) in variables {
            values.entry(name).or_insert(value);
        }
        values.retain(|_, value| !value.is_empty());
        Self { values, mistakes: Vec::new() }
    }

    pub(super) fn mistake(&mut self, mistake: String) {
        self.mistakes.push(mistake);
    }

    pub(super) fn is_set(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// A setting that is no secret: its value may be shown.
    pub(super) fn get<T>(&mut self, name: &str, default: T, wanted: &str, parse: impl FnOnce(&str) -> Option<T>) -> T {
        let Some(text) = self.values.get(name) else {
            return default;
        };
        if let Some(value) = parse(text.trim()) {
            value
        } else {
            self.mistakes.push(format!("{name}: expected {wanted}, got \"{text}\""));
            default
        }
    }

    pub(super) fn number<N: FromStr + PartialOrd + Display>(
        &mut self,
        name: &str,
        default: N,
        range: RangeInclusive<N>,
    ) -> N {
        let wanted = format!("a whole number from {} to {}", range.start(), range.end());
        self.get(name, default, &wanted, |text| text.parse().ok().filter(|n| range.contains(n)))
    }

    pub(super) fn optional_number(&mut self, name: &str, range: RangeInclusive<u32>) -> Option<u32> {
        self.is_set(name).then(|| self.number(name, *range.start(), range))
    }

    pub(super) fn flag(&mut self, name: &str, default: bool) -> bool {
        self.get(name, default, "true or false", |text| text.to_ascii_lowercase().parse().ok())
    }

    /// A secret: from `NAME`, or from the file that `NAME_FILE` names, without the line break at its end.
    pub(super) fn secret(&mut self, name: &str) -> Option<SecretString> {
        let twin = format!("{name}_FILE");
        match (self.values.get(name), self.values.get(&twin)) {
            (Some(_), Some(_)) => {
                self.mistakes.push(format!("{name}: expected only one of {name} and {twin}, got both"));
                None
            }
            (Some(value), None) => Some(value.clone().into()),
            (None, Some(path)) => match std::fs::read_to_string(path) {
                Ok(text) if text.trim_end_matches(['\r', '\n']).is_empty() => {
                    self.mistakes
                        .push(format!("{twin}: expected a file with the secret, got \"{path}\", which is empty"));
                    None
                }
                Ok(text) if text.starts_with('\u{feff}') => {
                    self.mistakes.push(format!("{twin}: expected a file without a byte order mark, got \"{path}\""));
                    None
                }
                Ok(text) => {
                    let secret = text.trim_end_matches(['\r', '\n']);
                    if secret.trim() == secret {
                        return Some(secret.into());
                    }
                    self.mistakes.push(format!("{twin}: expected no white space around the secret, got \"{path}\""));
                    None
                }
                Err(error) => {
                    self.mistakes.push(format!("{twin}: cannot read \"{path}\": {error}"));
                    None
                }
            },
            (None, None) => None,
        }
    }

    /// A setting that holds a secret: what is wrong with it is told by `parse`, without its value.
    pub(super) fn parse_secret<T, E: Display>(
        &mut self,
        name: &str,
        secret: &SecretString,
        parse: impl FnOnce(&SecretString) -> Result<T, E>,
    ) -> Option<T> {
        parse(secret).map_err(|mistake| self.mistakes.push(format!("{name}: {mistake}"))).ok()
    }

    /// The settings, if no mistake was found while they were read.
    pub(super) fn finish<T>(self, settings: T) -> Result<T, SettingsError> {
        if self.mistakes.is_empty() { Ok(settings) } else { Err(SettingsError(self.mistakes)) }
    }
}
