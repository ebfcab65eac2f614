//! The variables that settings are read from, and the report of what was read.

use std::collections::HashMap;

use secrecy::SecretString;

use crate::config::{
    SettingsError,
    report::{Declaration, EffectiveSetting, Section, Source, Variable},
    setting::{Parser, SecretParser, Setting},
};

/// The variables, the settings that were read from them so far, and the mistakes found.
pub(super) struct Vars {
    /// By name.
    variables: HashMap<String, (String, Source)>,
    /// That of the settings that are being read.
    section: Section,
    settings: Vec<EffectiveSetting>,
    mistakes: Vec<String>,
}

/// How the default of a setting is shown.
pub(super) struct DefaultText {
    /// Its value here.
    value: String,
    /// In the manual, in Markdown.
    described: String,
    /// In `.env.example`.
    example: String,
}

impl DefaultText {
    /// A value that is the same everywhere. The manual shows the items of a list one by one, so that lines can break.
    pub(super) fn literal(value: String) -> Self {
        Self { described: format!("`{}`", value.replace(',', "`, `")), example: value.clone(), value }
    }

    /// A value that depends on other settings or on the machine.
    pub(super) fn computed(value: String, described: &str) -> Self {
        Self { described: described.to_owned(), example: value.clone(), value }
    }

    /// No value.
    pub(super) fn none() -> Self {
        Self { value: "(none)".to_owned(), described: "none".to_owned(), example: String::new() }
    }

    /// A value that cannot be written in `.env`, such as a secret that is generated.
    pub(super) fn described(value: String, described: &str) -> Self {
        Self { value, described: described.to_owned(), example: String::new() }
    }

    /// Shows the value in another form.
    pub(super) fn shown_as(self, value: String) -> Self {
        Self { value, ..self }
    }
}

impl Vars {
    /// The first of several variables of one name counts. An empty one means that the setting is not set.
    pub(super) fn new(variables: impl IntoIterator<Item = Variable>) -> Self {
        let mut first = HashMap::new();
        for Variable { name, value, source } in variables {
            first.entry(name).or_insert((value, source));
        }
        first.retain(|_, (value, _)| !value.is_empty());
        Self { variables: first, section: Section::default(), settings: Vec::new(), mistakes: Vec::new() }
    }

    /// Begins a section; the settings that are read next belong to it.
    pub(super) fn section(&mut self, name: &'static str, title: &'static str) {
        self.section = Section { name, title };
    }

    /// Reports a mistake: a sentence that starts with the setting's name and contains no secret.
    pub(super) fn mistake(&mut self, mistake: impl Into<String>) {
        self.mistakes.push(mistake.into());
    }

    /// Corrects the shown default of a setting that depends on settings that are read after it.
    pub(super) fn show_default(&mut self, name: &str, value: &str) {
        let defaults = self.settings.iter_mut().filter(|setting| setting.source == Source::Default);
        defaults.filter(|setting| setting.name == name).for_each(|setting| value.clone_into(&mut setting.value));
    }

    /// Whether a setting that was read has a value that is not its default, even if that is a mistake.
    pub(super) fn is_set(&self, name: &str) -> bool {
        self.settings.iter().any(|setting| setting.name == name && setting.source != Source::Default)
    }

    /// Reads a setting that is no secret; `None` if it is not set or wrong.
    pub(super) fn read<T>(&mut self, parser: Parser<T>, default: DefaultText) -> Option<T> {
        let Parser { setting, values, expected, parse, .. } = parser;
        let name = setting.variable();
        let found = self.variables.get(&name).map(|(text, source)| (text.trim().to_owned(), *source));
        let value = found.as_ref().and_then(|(text, _)| {
            let value = parse(text);
            if value.is_none() {
                self.mistakes.push(format!("{name}: expected {expected}, got \"{text}\""));
            }
            value
        });
        self.record(&setting, values, default, found, false);
        value
    }

    /// Reads a secret; `None` if it is not set or wrong.
    pub(super) fn read_secret<T>(&mut self, parser: SecretParser<T>, default: DefaultText) -> Option<T> {
        let SecretParser { setting, values, parse, show } = parser;
        let name = setting.variable();
        let found = match self.find_secret(&name) {
            Ok(None) => None,
            Ok(Some((secret, source))) => {
                Some((parse(&secret).map_err(|mistake| format!("{name}: {mistake}")), source))
            }
            Err(mistake) => Some((Err(mistake), Source::SecretFile)),
        };
        let shown = found.as_ref().map(|(value, source)| (value.as_ref().map(&*show).unwrap_or_default(), *source));
        self.record(&setting, values, default, shown, true);
        let (value, _) = found?;
        value.map_err(|mistake| self.mistakes.push(mistake)).ok()
    }

    /// A secret: from `NAME`, or from the file that `NAME_FILE` names, without the line break at its end.
    fn find_secret(&self, name: &str) -> Result<Option<(SecretString, Source)>, String> {
        let file = format!("{name}_FILE");
        let (path, secret) = match (self.variables.get(name), self.variables.get(&file)) {
            (Some(_), Some(_)) => return Err(format!("{name}: expected only one of {name} and {file}, got both")),
            (Some((value, source)), None) => return Ok(Some((value.as_str().into(), *source))),
            (None, Some((path, _))) => (path, std::fs::read_to_string(path)),
            (None, None) => return Ok(None),
        };
        let text = secret.map_err(|error| format!("{file}: cannot read \"{path}\": {error}"))?;
        let secret = text.trim_end_matches(['\r', '\n']);
        if secret.is_empty() {
            return Err(format!("{file}: expected a file with the secret, got \"{path}\", which is empty"));
        } else if text.starts_with('\u{feff}') {
            return Err(format!("{file}: expected a file without a byte order mark, got \"{path}\""));
        } else if secret.trim() != secret {
            return Err(format!("{file}: expected no white space around the secret, got \"{path}\""));
        }
        Ok(Some((secret.into(), Source::SecretFile)))
    }

    /// Adds a setting to the report. `found` is its value, as it may be shown, and where it was found.
    fn record(
        &mut self,
        setting: &Setting,
        values: String,
        default: DefaultText,
        found: Option<(String, Source)>,
        is_secret: bool,
    ) {
        let variable = setting.variable();
        let Setting { name, doc, example, .. } = *setting;
        let (value, source) = found.unwrap_or((default.value, Source::Default));
        let declaration = Declaration {
            section: self.section,
            name,
            doc,
            values,
            default: default.described,
            example: example.map_or(default.example, str::to_owned),
            is_secret,
        };
        self.settings.push(EffectiveSetting { name: variable, declaration, value, source });
    }

    /// The declarations of the settings that were read.
    pub(super) fn declarations(self) -> Vec<Declaration> {
        self.settings.into_iter().map(|setting| setting.declaration).collect()
    }

    /// The settings with the report, if no mistake was found while they were read.
    pub(super) fn finish<T>(self, settings: T) -> Result<(T, Vec<EffectiveSetting>), SettingsError> {
        if self.mistakes.is_empty() { Ok((settings, self.settings)) } else { Err(SettingsError(self.mistakes)) }
    }
}
