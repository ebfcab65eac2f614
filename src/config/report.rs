//! What there is to say about settings: for the manual, and for `hallpass config`.

use std::sync::LazyLock;

use crate::config::Settings;

/// A variable, and where it was found. It has no `Debug`, because its value may be a secret.
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Where it was found.
    pub source: Source,
}

/// Where the value of a setting comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The environment of the process.
    Environment,
    /// The file `.env`.
    DotEnv,
    /// The file that `NAME_FILE` names.
    SecretFile,
    /// Nowhere: the setting has its default.
    Default,
}

/// A group of settings: a file in `src/config`, and a heading in the manual.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Section {
    /// The file's name without its extension.
    pub name: &'static str,
    /// The heading.
    pub title: &'static str,
}

/// A setting, as the manual describes it. Texts are Markdown; links are relative to `docs`.
#[derive(Clone, Debug)]
pub struct Declaration {
    /// The section that it belongs to.
    pub section: Section,
    /// Its name in the environment. That of a provider's setting begins with `<ID>`, which stands for the provider's id.
    pub name: &'static str,
    /// What it does.
    pub doc: &'static str,
    /// What it accepts.
    pub values: String,
    /// Its default.
    pub default: String,
    /// Its value in `.env.example`; empty if there is no value that everybody could use.
    pub example: String,
    /// Whether it is, or contains, a secret. It may then also be in the file that `NAME_FILE` names.
    pub is_secret: bool,
}

/// A setting and its effective value.
#[derive(Clone, Debug)]
pub struct EffectiveSetting {
    /// Its name in the environment.
    pub name: String,
    /// The setting.
    pub declaration: Declaration,
    /// The value as text, without secrets.
    pub value: String,
    /// Where the value comes from.
    pub source: Source,
}

/// All settings, in the order in which they are read.
static DECLARATIONS: LazyLock<Vec<Declaration>> = LazyLock::new(|| {
    let settings = Settings::read([]).map(|(_, settings)| settings).unwrap_or_default();
    settings.into_iter().map(|setting| setting.declaration).collect()
});

/// All settings, in the order in which they are read, except for those that each provider has.
#[must_use]
pub fn declarations() -> &'static [Declaration] {
    &DECLARATIONS
}

/// The setting of this name.
pub(super) fn find(name: &str) -> Option<&'static Declaration> {
    declarations().iter().find(|declaration| declaration.name == name)
}

/// Whether this variable is a setting, or names the file of one that is a secret.
#[must_use]
pub fn is_setting(variable: &str) -> bool {
    find(variable).is_some()
        || variable.strip_suffix("_FILE").and_then(find).is_some_and(|declaration| declaration.is_secret)
}
