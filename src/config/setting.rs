//! The declaration of one setting: its name, its text in the manual, what it accepts, and its default.
//!
//! A setting is declared where it is read, and nowhere else:
//!
//! ```text
//! let cost = Setting::new("BCRYPT_COST", "The cost of bcrypt.").number(10..=15).read_or(vars, 12);
//! ```

use std::{fmt::Display, ops::RangeInclusive, str::FromStr};

use secrecy::SecretString;

use crate::config::vars::{DefaultText, Vars};

/// Parses a value; `None` if it is not accepted.
type Parse<T> = Box<dyn Fn(&str) -> Option<T>>;
/// Parses a secret. The error says what is wrong, without the secret.
type ParseSecret<T> = Box<dyn Fn(&SecretString) -> Result<T, String>>;
/// Writes a value as text.
type Show<T> = Box<dyn Fn(&T) -> String>;

/// The part of a name that stands for the id of a provider.
pub(super) const ID: &str = "<ID>";

/// A setting of which the name and the text in the manual are known, but not yet what it accepts.
#[derive(Clone)]
pub(super) struct Setting {
    /// Its name in the manual.
    pub(super) name: &'static str,
    /// The id of the provider that it belongs to.
    provider: Option<String>,
    /// What it does: sentences in Markdown. Links are relative to `docs`.
    pub(super) doc: &'static str,
    /// The value in `.env.example`, if it is not the default.
    pub(super) example: Option<&'static str>,
}

impl Setting {
    /// Names and describes the setting. `doc` is its text in the manual.
    pub(super) fn new(name: &'static str, doc: &'static str) -> Self {
        Self { name, provider: None, doc, example: None }
    }

    /// Sets the provider that the setting belongs to. [`ID`] in the name stands for its id. Without an id, the setting is only
    /// declared.
    pub(super) fn of_provider(mut self, id: &str) -> Self {
        self.provider = Some(id.to_owned()).filter(|id| !id.is_empty());
        self
    }

    /// Its name in the environment.
    pub(super) fn variable(&self) -> String {
        match &self.provider {
            Some(id) => self.name.replace(ID, &id.to_ascii_uppercase().replace('-', "_")),
            None => self.name.to_owned(),
        }
    }

    /// Sets the value in `.env.example`, for a setting without a default or with one that depends on the machine.
    pub(super) fn example(mut self, example: &'static str) -> Self {
        self.example = Some(example);
        self
    }

    /// Accepts whole numbers of a range.
    pub(super) fn number<N>(self, range: RangeInclusive<N>) -> Parser<N>
    where
        N: FromStr + PartialOrd + Display + 'static,
    {
        let values = format!("{} to {}", range.start(), range.end());
        let parser = self.text(values, move |text| text.parse().ok().filter(|number| range.contains(number)));
        Parser { expected: format!("a whole number from {}", parser.values), ..parser }
    }

    /// Accepts `true` and `false`.
    pub(super) fn flag(self) -> Parser<bool> {
        self.one_of(&[("true", true), ("false", false)])
    }

    /// Accepts some words, in any case.
    pub(super) fn one_of<T: Copy + PartialEq>(self, words: &'static [(&'static str, T)]) -> Parser<T> {
        let names: Vec<String> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
        let values = match names.split_last() {
            Some((last, others)) if !others.is_empty() => format!("{} or {last}", others.join(", ")),
            _ => names.concat(),
        };
        self.parsed(
            values,
            |text| words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text)).map(|(_, value)| *value),
            |value| {
                words.iter().find(|(_, known)| known == value).map_or_else(String::new, |(word, _)| (*word).to_owned())
            },
        )
    }

    /// Accepts items that are separated by commas. `values` describes the list.
    pub(super) fn list<T: Display + 'static>(
        self,
        values: &str,
        parse: impl Fn(&str) -> Option<T> + 'static,
    ) -> Parser<Vec<T>> {
        self.parsed(
            values,
            move |text| text.split(',').map(|item| parse(item.trim())).collect(),
            |items: &Vec<T>| join(items),
        )
    }

    /// Accepts what `parse` does. `values` describes that, in Markdown, so that it can follow the word "expected".
    pub(super) fn text<T: Display + 'static>(
        self,
        values: impl Into<String>,
        parse: impl Fn(&str) -> Option<T> + 'static,
    ) -> Parser<T> {
        self.parsed(values, parse, ToString::to_string)
    }

    /// As [`Self::text`]; `show` writes a default in the form that `parse` accepts.
    pub(super) fn parsed<T>(
        self,
        values: impl Into<String>,
        parse: impl Fn(&str) -> Option<T> + 'static,
        show: impl Fn(&T) -> String + 'static,
    ) -> Parser<T> {
        let values = values.into();
        let expected = values.replace('`', "");
        Parser { setting: self, values, expected, parse: Box::new(parse), show: Box::new(show) }
    }

    /// A secret, which may also be in the file that `NAME_FILE` names. `parse` returns what is wrong with it, without its
    /// value.
    pub(super) fn secret<T, E: Display>(
        self,
        values: impl Into<String>,
        parse: impl Fn(&SecretString) -> Result<T, E> + 'static,
    ) -> SecretParser<T> {
        let parse = move |secret: &SecretString| parse(secret).map_err(|mistake| mistake.to_string());
        let show = |_: &T| "(secret)".to_owned();
        SecretParser { setting: self, values: values.into(), parse: Box::new(parse), show: Box::new(show) }
    }
}

/// The items of a list, as [`Setting::list`] reads them.
pub(super) fn join<T: Display>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

/// A setting that is no secret, so that its value may be shown.
pub(super) struct Parser<T> {
    /// Its name and text.
    pub(super) setting: Setting,
    /// What it accepts, in Markdown.
    pub(super) values: String,
    /// What it accepts, as plain text.
    pub(super) expected: String,
    /// How a value is read.
    pub(super) parse: Parse<T>,
    /// How the default is written.
    show: Show<T>,
}

impl<T> Parser<T> {
    /// Reads the setting, which has the same default everywhere.
    pub(super) fn read_or(self, vars: &mut Vars, default: T) -> T {
        let shown = DefaultText::literal((self.show)(&default));
        vars.read(self, shown).unwrap_or(default)
    }

    /// Reads the setting, whose default depends on other settings or on the machine. `described` says so in the manual.
    pub(super) fn read_or_computed(self, vars: &mut Vars, default: T, described: &str) -> T {
        let shown = DefaultText::computed((self.show)(&default), described);
        vars.read(self, shown).unwrap_or(default)
    }

    /// As [`Self::read_or_computed`], for a setting that may have no default.
    pub(super) fn read_or_missing(self, vars: &mut Vars, default: Option<T>, described: &str) -> Option<T> {
        let shown = default.as_ref().map_or_else(|| "(none)".to_owned(), &*self.show);
        vars.read(self, DefaultText::described(shown, described)).or(default)
    }

    /// Reads the setting, which has no default.
    pub(super) fn read_optional(self, vars: &mut Vars) -> Option<T> {
        vars.read(self, DefaultText::none())
    }
}

/// A setting that is, or contains, a secret.
pub(super) struct SecretParser<T> {
    /// Its name and text.
    pub(super) setting: Setting,
    /// What it accepts, in Markdown.
    pub(super) values: String,
    /// How a value is read.
    pub(super) parse: ParseSecret<T>,
    /// How a value is shown.
    pub(super) show: Show<T>,
}

impl<T> SecretParser<T> {
    /// Shows those parts of the value that are no secret, instead of `(secret)`.
    pub(super) fn show(mut self, show: impl Fn(&T) -> String + 'static) -> Self {
        self.show = Box::new(show);
        self
    }

    /// Reads the setting. `default` is only shown.
    pub(super) fn read(self, vars: &mut Vars, default: DefaultText) -> Option<T> {
        vars.read_secret(self, default)
    }

    /// Reads the setting, which has no default.
    pub(super) fn read_optional(self, vars: &mut Vars) -> Option<T> {
        self.read(vars, DefaultText::none())
    }
}
