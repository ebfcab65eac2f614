//! `docs/configuration.md` and `.env.example` are generated from the declarations of the settings.

use std::{collections::HashSet, fmt::Write, path::PathBuf};

use hallpass::config::{Declaration, Settings, declarations, provider_declarations};

const UPDATE: &str = "UPDATE_DOCS=1 cargo test --test api configuration::";
const END: &str = "\n<!-- end of the generated table -->\n";

fn path(file: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), file].iter().collect()
}

/// Checks that a file has the generated content, or writes it if `UPDATE_DOCS` is set.
fn expect(file: &str, generated: &str) {
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path(file), generated).unwrap();
    }
    let is_current = std::fs::read_to_string(path(file)).unwrap() == generated;
    assert!(is_current, "{file} differs from the declarations in src/config. Generate it again:\n\n    {UPDATE}\n");
}

/// The settings of each section, in the order of their declaration; those that each provider has are the last of their section.
fn sections() -> impl Iterator<Item = Vec<Declaration>> {
    declarations().chunk_by(|one, next| one.section == next.section).map(|settings| {
        let section = settings[0].section;
        let of_providers = provider_declarations().iter().filter(|declaration| declaration.section == section);
        settings.iter().chain(of_providers).cloned().collect()
    })
}

fn table(settings: &[Declaration]) -> String {
    let mut table = "| Name | Default | Values | What it does |\n|---|---|---|---|\n".to_owned();
    for Declaration { name, default, values, doc, is_secret, .. } in settings {
        let file = if *is_secret { format!(" or `{name}_FILE`") } else { String::new() };
        writeln!(table, "| `{name}`{file} | {default} | {values} | {doc} |").unwrap();
    }
    table
}

#[test]
fn tables_in_the_manual_are_current() {
    let file = "docs/configuration.md";
    let mut page = std::fs::read_to_string(path(file)).unwrap();
    for settings in sections() {
        let section = settings[0].section;
        let begin = format!("\n<!-- generated from src/config/{}.rs -->\n", section.name);
        let (before, rest) = page.split_once(&begin).unwrap_or_else(|| panic!("{file} lacks the line{begin}"));
        let (_, after) = rest.split_once(END).unwrap_or_else(|| panic!("{file} lacks {END}"));
        assert!(before.contains(&format!("\n## {}\n", section.title)), "{file} lacks the heading {}", section.title);
        page = format!("{before}{begin}\n{}{END}{after}", table(&settings));
    }
    expect(file, &page);
}

#[test]
fn example_env_file_is_current() {
    let mut example = "\
# Generated from src/config. Copy this file to .env and uncomment what you want to change; docs/configuration.md describes each
# setting. The environment takes precedence. A secret may also be in a file: NAME_FILE=/run/secrets/name.
"
    .to_owned();
    for settings in sections() {
        writeln!(example, "\n# {}", settings[0].section.title).unwrap();
        for Declaration { name, example: value, .. } in settings {
            let name = name.replace("<ID>", "ACME");
            let quote = match value.as_str() {
                json if json.contains('"') => "'",
                spaced if spaced.contains([' ', '#']) => "\"",
                _ => "",
            };
            writeln!(example, "# {name}={quote}{value}{quote}").unwrap();
        }
    }
    expect(".env.example", &example);
}

#[test]
fn settings_are_declared_once_and_described_in_sentences() {
    let names: HashSet<_> = declarations().iter().map(|declaration| declaration.name).collect();
    assert_eq!(names.len(), declarations().len());
    assert!(names.len() > 40);
    for Declaration { name, doc, values, default, .. } in declarations().iter().chain(provider_declarations()) {
        assert!(doc.ends_with('.') && doc.starts_with(|c: char| c.is_uppercase() || c == '`'), "{name}: {doc}");
        assert!(!values.is_empty() && !default.is_empty(), "{name}");
        assert!(![doc, values.as_str(), default].iter().any(|cell| cell.contains(['|', '\n'])), "{name}");
    }
}

#[test]
fn settings_of_providers_have_names_of_their_own() {
    assert_eq!(provider_declarations().len(), 6);
    for declaration in provider_declarations() {
        let suffix = declaration.name.strip_prefix("<ID>").unwrap();
        for id in declarations().iter().filter_map(|other| other.name.strip_suffix(suffix)) {
            let id = id.to_lowercase().replace('_', "-");
            let mistakes = Settings::from_vars([("OIDC_PROVIDERS".to_owned(), id.clone())]).unwrap_err().0;
            let is_refused = mistakes.iter().any(|mistake| mistake.contains("expected other ids"));
            assert!(is_refused, "{id}{suffix}: a provider could have the name of another setting");
        }
    }
}

#[test]
fn every_section_has_a_file() {
    for settings in sections() {
        let file = format!("src/config/{}.rs", settings[0].section.name);
        let source = std::fs::read_to_string(path(&file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(source.contains(settings[0].section.title), "{file}");
    }
}
