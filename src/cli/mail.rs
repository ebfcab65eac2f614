//! `hallpass mail preview`.

use std::{fmt::Write, fs, path::PathBuf};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};

use crate::{
    cli::output::{note_line, one_line, print},
    config::Settings,
    language::Language,
    mail::{self, TEMPLATES},
};

/// Which mails are shown, and where.
#[derive(Args, Clone, Debug)]
pub struct PreviewArguments {
    /// The name of the mail, such as `reset_password`; all if omitted.
    #[arg(value_parser = clap::builder::PossibleValuesParser::new(TEMPLATES))]
    pub name: Option<String>,
    /// The language; all if omitted.
    #[arg(long, value_enum)]
    pub language: Option<PreviewLanguage>,
    /// Write two files for each mail into this folder, plain text and HTML, instead of printing the plain text. Existing files
    /// are replaced.
    #[arg(long)]
    pub output: Option<PathBuf>,
}

/// A language by its tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PreviewLanguage {
    /// English.
    En,
    /// Russian.
    Ru,
}

impl From<PreviewLanguage> for Language {
    fn from(language: PreviewLanguage) -> Self {
        match language {
            PreviewLanguage::En => Self::English,
            PreviewLanguage::Ru => Self::Russian,
        }
    }
}

/// Prints or writes the mails with sample values.
pub(super) fn preview(settings: &Settings, arguments: &PreviewArguments) -> Result<()> {
    let language = arguments.language.map(Language::from);
    let mut previews = mail::previews(settings)?;
    previews.retain(|preview| {
        arguments.name.as_deref().is_none_or(|name| name == preview.template)
            && language.is_none_or(|language| language == preview.language)
    });
    let mut printed = String::new();
    for preview in &previews {
        let name = format!("{}.{}", preview.template, preview.language.tag());
        let subject = one_line(&preview.text.subject);
        let text = format!("Subject: {subject}\n\n{}", preview.text.plain);
        match &arguments.output {
            Some(folder) => {
                let write = |extension, text: &str| {
                    let path = folder.join(format!("{name}.{extension}"));
                    fs::write(&path, text).with_context(|| format!("{} cannot be written", path.display()))
                };
                fs::create_dir_all(folder).with_context(|| format!("{} cannot be created", folder.display()))?;
                write("txt", &text)?;
                write("html", &preview.text.html)?;
            }
            None => write!(printed, "== {name}\n{text}\n")?,
        }
    }
    match &arguments.output {
        Some(folder) => note_line(format_args!("{} mails are in {}", previews.len(), folder.display())),
        None => print(printed)?,
    }
    Ok(())
}
