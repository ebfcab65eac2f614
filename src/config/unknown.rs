//! Names that are no settings, but were probably meant to be.

use crate::config::{
    Declaration, provider_declarations,
    report::{declarations, find, is_setting},
    setting::ID,
};

/// Names of at least this length may differ by more than one letter.
const LONG_NAME: usize = 9;

/// Finds misspelled settings in `.env`, which is Hallpass's own: any similar name counts. `is_set` tells whether a setting
/// has a value; if the similar one has, the unknown name is another program's.
///
/// Returns one sentence for each, starting with the name.
pub fn unknown_in_file<'a>(
    names: impl IntoIterator<Item = &'a str>,
    is_set: impl Fn(&str) -> bool,
) -> impl Iterator<Item = String> {
    let unknown = names.into_iter().filter(|name| !is_setting(name));
    unknown.filter_map(move |name| {
        let upper = name.to_ascii_uppercase();
        let limit = |known: &str| if known.len() < LONG_NAME { 1 } else { 2 };
        let known = known_names().chain(provider_names(&upper, &is_set));
        let similar = known.map(|known| (distance(&upper, &known), known));
        let closest = similar.filter(|(distance, known)| *distance <= limit(known)).min();
        let meant = closest.map(|(_, known)| known).or_else(|| with_suffix(name, "_FILE"))?;
        (meant != name && !is_set(&meant)).then(|| sentence(name, &meant))
    })
}

/// Finds misspelled settings in the environment, which all programs share: only a known name with one more character, or
/// with `_FILE` where the setting is no secret, and only while that setting has no value.
///
/// Returns one sentence for each, starting with the name.
pub fn unknown_in_environment<'a>(
    names: impl IntoIterator<Item = &'a str>,
    is_set: impl Fn(&str) -> bool,
) -> impl Iterator<Item = String> {
    let unknown = names.into_iter().filter(|name| !is_setting(name));
    unknown.filter_map(move |name| {
        let mut known = known_names().chain(provider_names(name, &is_set));
        let longer = known.find(|known| name.strip_prefix(&**known).is_some_and(|rest| rest.len() == 1));
        let meant = longer.or_else(|| with_suffix(name, "_FILE"))?;
        (!is_set(&meant)).then(|| sentence(name, &meant))
    })
}

fn sentence(name: &str, meant: &str) -> String {
    let why = if name.strip_suffix("_FILE") == Some(meant) { " Only secrets are read from files." } else { "" };
    format!("{name}: unknown, did you mean {meant}?{why}")
}

fn with_suffix(name: &str, suffix: &str) -> Option<String> {
    find(name.strip_suffix(suffix)?).map(|known| known.name.to_owned())
}

fn known_names() -> impl Iterator<Item = String> {
    declarations().iter().flat_map(names)
}

/// The names of the settings of all providers whose id may begin this name. A provider is known by its client id.
fn provider_names(name: &str, is_set: impl Fn(&str) -> bool) -> impl Iterator<Item = String> {
    let ids = name.match_indices('_').filter_map(move |(end, _)| name.get(..end));
    let known = ids.filter(move |id| is_set(&format!("{id}_CLIENT_ID")));
    known.flat_map(|id| provider_declarations().iter().flat_map(names).map(move |name| name.replace(ID, id)))
}

fn names(declaration: &Declaration) -> impl Iterator<Item = String> {
    let file = declaration.is_secret.then(|| format!("{}_FILE", declaration.name));
    std::iter::once(declaration.name.to_owned()).chain(file)
}

/// How many letters were left out, added or swapped with their neighbour. Another letter in the place of one counts twice:
/// `API_URL` is no `APP_URL`.
fn distance(left: &str, right: &str) -> usize {
    // Rows of the usual table: the one above, and the one above that.
    let mut rows: [Vec<usize>; 2] = [Vec::new(), (0..=right.len()).collect()];
    let mut last = 0;
    for (index, letter) in left.bytes().enumerate() {
        let [before, above] = &rows;
        let at = |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX / 2);
        let mut row = vec![index + 1];
        let mut previous = 0;
        for (column, other) in right.bytes().enumerate() {
            let same = at(above, column) + if letter == other { 0 } else { 2 };
            let is_swapped = index > 0 && column > 0 && letter == previous && last == other;
            let swapped = if is_swapped { at(before, column - 1) + 1 } else { usize::MAX };
            let one_more = at(above, column + 1).min(at(&row, column)) + 1;
            row.push(same.min(one_more).min(swapped));
            previous = other;
        }
        last = letter;
        let [_, above] = rows;
        rows = [above, row];
    }
    let [_, row] = rows;
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_file(name: &str) -> Option<String> {
        unknown_in_file([name], |_| false).next()
    }

    fn in_environment(name: &str) -> Option<String> {
        unknown_in_environment([name], |_| false).next()
    }

    #[test]
    fn a_misspelled_setting_in_the_file_is_found() {
        for (name, meant) in [
            ("DATABSE_URL", "DATABASE_URL"),
            ("DATABASE_URLS", "DATABASE_URL"),
            ("DATABASE_URI", "DATABASE_URL"),
            ("database_url", "DATABASE_URL"),
            ("SECRETKEY", "SECRET_KEY"),
            ("SECRET_KEY_FIEL", "SECRET_KEY_FILE"),
            ("LSITEN", "LISTEN"),
            ("ROLE", "ROLES"),
            ("SMPT_URL", "SMTP_URL"),
            ("ALLOWED_ORIGIN", "ALLOWED_ORIGINS"),
            ("REQUIRE_EMIAL", "REQUIRE_EMAIL"),
        ] {
            assert_eq!(in_file(name), Some(format!("{name}: unknown, did you mean {meant}?")));
        }
    }

    #[test]
    fn settings_and_names_of_other_programs_are_left_alone() {
        for name in known_names() {
            assert_eq!((in_file(&name), in_environment(&name)), (None, None));
        }
        for name in [
            "PATH",
            "HOME",
            "API_URL",
            "APP_NAME",
            "RULES",
            "LISTEN_FDS",
            "LISTEN_PID",
            "SECRET_KEY_BASE",
            "RUST_LOG_STYLE",
            "POSTGRES_PASSWORD",
            "DATABASE_URL_TEST",
            "SMTP_SSL",
            "SMTP_USER",
            "LOG_LEVEL",
            "ALLOWED_HOSTS",
            "DEBUG",
            "É",
            "",
        ] {
            assert_eq!((in_file(name), in_environment(name)), (None, None), "{name}");
        }
    }

    #[test]
    fn the_environment_is_asked_for_extended_names_only() {
        for (name, expected) in [
            ("DATABASE_URLS", Some("DATABASE_URLS: unknown, did you mean DATABASE_URL?")),
            ("SMTP_URL_", Some("SMTP_URL_: unknown, did you mean SMTP_URL?")),
            ("SECRET_KEY_FILES", Some("SECRET_KEY_FILES: unknown, did you mean SECRET_KEY_FILE?")),
            ("DATABSE_URL", None),
            ("DATABASE_URL_2", None),
            ("database_url", None),
        ] {
            assert_eq!(in_environment(name).as_deref(), expected);
        }
    }

    #[test]
    fn a_file_for_a_setting_that_is_no_secret_is_found() {
        let expected = "LISTEN_FILE: unknown, did you mean LISTEN? Only secrets are read from files.";
        assert_eq!(in_file("LISTEN_FILE").as_deref(), Some(expected));
        assert_eq!(in_environment("LISTEN_FILE").as_deref(), Some(expected));
    }

    #[test]
    fn settings_of_a_provider_with_a_client_id_are_known() {
        let is_set = |name: &str| name == "ACME_EU_CLIENT_ID";
        let in_file = |name| unknown_in_file([name], is_set).next();
        for (name, meant) in [
            ("ACME_EU_TRUST_EMIAL", "ACME_EU_TRUST_EMAIL"),
            ("ACME_EU_CLIENTSECRET", "ACME_EU_CLIENT_SECRET"),
            ("ACME_EU_CLIENT_SECRET_FIEL", "ACME_EU_CLIENT_SECRET_FILE"),
            ("ACME_EU_SCOPE", "ACME_EU_SCOPES"),
        ] {
            assert_eq!(in_file(name), Some(format!("{name}: unknown, did you mean {meant}?")));
        }
        for name in ["ACME_EU_CLIENT_ID", "ACME_EU_SCOPES", "ACME_EU_CLIENT_SECRET_FILE", "ACME_SCOPE", "OTHER_SCOPE"] {
            assert_eq!(in_file(name), None, "{name}");
        }
        let in_environment = unknown_in_environment(["ACME_EU_SCOPES1", "ACME_EU_SCOPE"], is_set);
        assert_eq!(in_environment.collect::<Vec<_>>(), ["ACME_EU_SCOPES1: unknown, did you mean ACME_EU_SCOPES?"]);
    }

    #[test]
    fn beside_the_right_name_another_is_not_reported() {
        assert_eq!(unknown_in_file(["EMAIL_FROM"], |name| name == "MAIL_FROM").next(), None);
        assert_eq!(unknown_in_environment(["DATABASE_URLS"], |name| name == "DATABASE_URL").next(), None);
    }
}
