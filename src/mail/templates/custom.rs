//! The templates of `MAIL_TEMPLATES`: files that replace built-in ones. All are read and checked at start, so that a mistake
//! stops the server, not a mail.

use std::{fs, path::Path};

use super::{LAYOUT, Rendered, TEMPLATES, Templates, sample};
use crate::{language::Language, mail::Text};

const MAX_FILE_SIZE: usize = 64 * 1024;
const MAX_SUBJECT_LENGTH: usize = 200;

/// The variables of the layout.
const LAYOUT_VARIABLES: &[&str] =
    &["language", "subject", "paragraphs", "link", "code", "button", "instead", "brand", "logo", "color", "text_color"];

/// Markup in all values of a sample mail, to check that the layout escapes them.
const MARKUP: &str = "<x-escaped title=";

/// A template that replaces a built-in one.
pub(super) struct Replacement {
    /// The name of the file, and of the built-in template.
    pub(super) file: String,
    pub(super) source: String,
}

/// The variables of a template, besides the brand.
pub(super) fn variables(template: &str) -> &'static [&'static str] {
    match template {
        "sign_in" => &["username", "link", "code"],
        "verify_email" | "reset_password" | "choose_password" => &["username", "link"],
        "invitation" => &["link"],
        "account_deleted" => &[],
        _ => &["username"],
    }
}

/// The template and the language that a file replaces.
fn replaced(file: &str) -> Option<(&'static str, Language)> {
    let (name, language) = file.strip_suffix(".txt")?.rsplit_once('.')?;
    let template = TEMPLATES.iter().find(|template| **template == name)?;
    Some((template, Language::ALL.into_iter().find(|known| known.tag() == language)?))
}

/// Reads the files of the folder. Hidden ones are ignored: editors and Kubernetes create them.
///
/// # Errors
/// All files that cannot be used.
pub(super) fn read(folder: &Path) -> Result<Vec<Replacement>, Vec<String>> {
    let unreadable = |error: std::io::Error| vec![format!("cannot read the folder \"{}\": {error}", folder.display())];
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>).map_err(unreadable)?;
    let mut files: Vec<_> = entries.iter().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    files.sort();
    let (mut replacements, mut mistakes) = (Vec::new(), Vec::new());
    for file in files.into_iter().filter(|file| !file.starts_with('.')) {
        match read_file(folder, &file) {
            Ok(source) => replacements.push(Replacement { file, source }),
            Err(mistake) => mistakes.push(format!("{file}: {mistake}")),
        }
    }
    if mistakes.is_empty() { Ok(replacements) } else { Err(mistakes) }
}

fn read_file(folder: &Path, file: &str) -> Result<String, String> {
    if file != LAYOUT && replaced(file).is_none() {
        return Err(format!(
            "unknown template; expected {LAYOUT}, or one of {} with .en.txt or .ru.txt",
            TEMPLATES.join(", ")
        ));
    }
    let bytes = fs::read(folder.join(file)).map_err(|error| format!("cannot read the file: {error}"))?;
    if bytes.len() > MAX_FILE_SIZE {
        return Err(format!("expected at most {} kB", MAX_FILE_SIZE / 1024));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let line =
            1 + error.as_bytes().iter().take(error.utf8_error().valid_up_to()).filter(|byte| **byte == b'\n').count();
        format!("line {line}: expected text in UTF-8")
    })?;
    Ok(text.trim_start_matches('\u{feff}').replace("\r\n", "\n"))
}

/// Describes an error of the template engine. `file` is where it is if the error does not say so.
pub(super) fn describe(file: &str, error: &minijinja::Error) -> String {
    let file = error.name().unwrap_or(file);
    let line = error.line().map(|line| format!(", line {line}")).unwrap_or_default();
    let detail = error.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
    format!("{file}{line}: {}{detail}", error.kind())
}

/// Checks the templates that were replaced: their variables, and each mail that they are used for, with sample values.
pub(super) fn check(templates: &Templates, replacements: &[Replacement]) -> Vec<String> {
    let mut mistakes: Vec<String> =
        replacements.iter().flat_map(|replacement| check_source(templates, replacement)).collect();
    if !mistakes.is_empty() {
        return mistakes;
    }
    let is_layout_replaced = replacements.iter().any(|replacement| replacement.file == LAYOUT);
    for language in Language::ALL {
        for template in TEMPLATES {
            let file = format!("{template}.{}.txt", language.tag());
            let is_replaced = replacements.iter().any(|replacement| replacement.file == file);
            if is_replaced || is_layout_replaced {
                mistakes.extend(check_mail(templates, template, language, &file, is_replaced).err());
            }
        }
    }
    // A mistake in the layout is in every mail.
    let mut is_first = true;
    mistakes.retain(|mistake| !mistake.starts_with(LAYOUT) || std::mem::take(&mut is_first));
    mistakes
}

/// Checks a template without rendering it, because a mistake may be in a branch that the sample values do not reach.
fn check_source(templates: &Templates, replacement: &Replacement) -> Vec<String> {
    let Replacement { file, source } = replacement;
    let mut mistakes = Vec::new();
    for (position, tag) in source.match_indices("{%") {
        let (before, rest) = source.split_at(position + tag.len());
        if rest.trim_start_matches(['-', '+']).trim_start().starts_with("autoescape") {
            let line = 1 + before.matches('\n').count();
            mistakes
                .push(format!("{file}, line {line}: expected no autoescape, because all values are escaped in HTML"));
        }
    }
    let known: Vec<&str> = match replaced(file) {
        Some((template, _)) => variables(template).iter().copied().chain(["brand"]).collect(),
        None => LAYOUT_VARIABLES.to_vec(),
    };
    let Ok(template) = templates.environment.get_template(file) else { return mistakes };
    let mut used: Vec<String> = template.undeclared_variables(false).into_iter().collect();
    used.sort();
    for variable in used.iter().filter(|variable| !known.contains(&variable.as_str())) {
        let line = line_of(source, variable);
        mistakes
            .push(format!("{file}, line {line}: unknown variable {variable}; expected one of {}", known.join(", ")));
    }
    mistakes
}

/// The first line with a tag that contains this name.
fn line_of(source: &str, name: &str) -> usize {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let has_name = |text: &str| text.split(|c: char| !is_part(c)).any(|word| word == name);
    let position = source.lines().position(|line| line.contains('{') && has_name(line));
    1 + position.or_else(|| source.lines().position(has_name)).unwrap_or_default()
}

/// Renders a mail with sample values, and checks that it can be sent and serves its purpose.
fn check_mail(
    templates: &Templates,
    template: &'static str,
    language: Language,
    file: &str,
    is_replaced: bool,
) -> Result<(), String> {
    let variables = variables(template);
    let has = |name: &str| variables.contains(&name);
    let mail = sample(template, language, "https://example.org", "");
    let rendered = templates.render_parts(&mail).map_err(|error| describe(file, &error))?;
    if is_replaced {
        check_text(&rendered, &has).map_err(|mistake| format!("{file}{mistake}"))?;
    }
    let html = rendered.text.html.replace("&#x2f;", "/");
    for part in ["link", "code"].into_iter().filter(|name| has(name)) {
        let value = sample_value(part);
        if rendered.text.plain.contains(value) && !html.contains(value) {
            return Err(format!("{LAYOUT}: expected {{{{ {part} }}}}, which the mail {template} exists for"));
        }
    }
    if !rendered.paragraphs.iter().all(|paragraph| html.contains(&escaped(paragraph))) {
        return Err(format!("{LAYOUT}: expected all paragraphs, such as {{% for paragraph in paragraphs %}}"));
    }
    let probe = sample(template, language, "https://example.org", MARKUP);
    let Text { html, .. } = templates.render(&probe).map_err(|error| describe(file, &error))?;
    if html.contains(MARKUP) {
        return Err(format!("{LAYOUT}: expected all values to be escaped"));
    }
    Ok(())
}

/// The values of the sample mail that the checks look for.
fn sample_value(name: &str) -> &'static str {
    if name == "link" { "https://example.org/" } else { super::SAMPLE_CODE }
}

/// A text as HTML.
fn escaped(text: &str) -> String {
    let mut html = String::new();
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#x27;"),
            c => html.push(c),
        }
    }
    html
}

/// Checks subject, button and paragraphs. The result follows the name of the file.
fn check_text(rendered: &Rendered, has: &dyn Fn(&str) -> bool) -> Result<(), String> {
    let Rendered { head, paragraphs, text, button } = rendered;
    if head.is_empty() {
        return Err(", line 1: expected `subject: …`, an empty line, and the text of the mail".to_owned());
    }
    for (line, number) in head.lines().zip(1..) {
        if !line.starts_with("subject:") && !line.starts_with("button:") {
            return Err(format!(
                ", line {number}: expected `subject: …` or `button: …`, and an empty line before the text of the mail"
            ));
        }
    }
    if head.lines().filter(|line| line.starts_with("subject:")).count() != 1 || text.subject.is_empty() {
        return Err(", line 1: expected one line `subject: …`".to_owned());
    }
    if text.subject.chars().any(char::is_control) || text.subject.chars().count() > MAX_SUBJECT_LENGTH {
        return Err(format!(
            ": expected a subject of at most {MAX_SUBJECT_LENGTH} characters without control characters"
        ));
    }
    if text.subject.contains(sample_value("link")) || text.subject.contains(sample_value("code")) {
        return Err(
            ": expected no link and no code in the subject, because devices show it while they are locked".to_owned()
        );
    }
    if paragraphs.iter().all(String::is_empty) {
        return Err(": expected a text after the subject and an empty line".to_owned());
    }
    let parts: Vec<&str> = ["link", "code"].into_iter().filter(|name| has(name)).collect();
    let is_shown = |name: &&str| {
        paragraphs.iter().any(|paragraph| match *name {
            "link" => paragraph.starts_with(sample_value("link")) && !paragraph.contains(' '),
            name => paragraph == sample_value(name),
        })
    };
    if !parts.is_empty() && !parts.iter().any(&is_shown) {
        let names: Vec<String> = parts.iter().map(|name| format!("{{{{ {name} }}}}")).collect();
        return Err(format!(
            ": expected {} as a paragraph of its own, because the mail exists for it",
            names.join(" or ")
        ));
    }
    if has("link") && is_shown(&"link") && button.is_empty() {
        return Err(", line 2: expected a line `button: …` with the text of the button for the link".to_owned());
    }
    Ok(())
}
