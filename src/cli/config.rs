//! `hallpass config`.

use anyhow::Result;

use crate::{
    cli::output::{one_line, print},
    config::{EffectiveSetting, Source},
};

/// Prints a line for each setting: its name, where its value comes from, and the value.
pub(super) fn run(settings: &[EffectiveSetting]) -> Result<()> {
    let rows = settings.iter().map(|setting| (&*setting.name, source(setting), one_line(&setting.value)));
    let rows: Vec<_> = rows.collect();
    let name_width = rows.iter().map(|(name, ..)| name.len()).max().unwrap_or_default();
    let source_width = rows.iter().map(|(_, source, _)| source.len()).max().unwrap_or_default();
    let lines =
        rows.iter().map(|(name, source, value)| format!("{name:name_width$}  {source:source_width$}  {value}\n"));
    print(lines.collect::<String>())
}

fn source(setting: &EffectiveSetting) -> String {
    match setting.source {
        Source::Environment => "environment".to_owned(),
        Source::DotEnv => ".env".to_owned(),
        Source::SecretFile => format!("{}_FILE", setting.name),
        Source::Default => "default".to_owned(),
    }
}
