//! Public messages for documents that do not match the schema.
//!
//! The engine's messages repeat values from the document, which may be a password in the wrong place. These messages
//! state the violated rule and the name of the field, argument, variable, fragment, directive or type in the document.
//! Other names of the schema are included only if introspection is on. Values are never included.

use std::collections::HashSet;

/// The start of the engine's message, another part of it, and the public message. `{n}` is the nth quoted text, which
/// is a name from the document in these messages. `{argument}` is the first name of a path, which starts with an
/// argument.
const TEXTS: &[(&str, &str, &str)] = &[
    ("Unknown argument \"", "on field", "The argument `{0}` does not exist on the field `{1}`"),
    ("Unknown argument \"", "on directive", "The argument `{0}` does not exist on the directive `@{1}`"),
    ("Unknown type", "", "The type `{0}` does not exist"),
    ("Unknown directive", "", "The directive `@{0}` does not exist"),
    ("Unknown fragment", "", "The fragment `{0}` is not defined in the document"),
    ("Invalid value for argument", "", "The value of the argument `{argument}` does not fit its type here"),
    ("Duplicate directive", "", "The directive `@{0}` may be used only once here"),
    ("Directive \"", "may not be used on", "The directive `@{0}` can't be used here"),
    ("There can only be one argument", "", "The argument `{0}` is given twice"),
    ("There can only be one variable", "", "The variable `${0}` is declared twice"),
    ("Cannot spread fragment", "", "The fragment `{0}` spreads itself"),
    ("Variable \"$", "is not defined", "The variable `${0}` is not declared"),
    ("Variable \"$", "is not used", "The variable `${0}` is declared, but not used"),
    ("Variable \"", "non-input type", "The variable `${0}` must be of an input type"),
    ("Variable \"", "used in position", "The type of the variable `${0}` does not fit the place where it is used"),
    ("Fragment \"", "is never used", "The fragment `{0}` is never used"),
    ("Fragment \"", "non composite type", "The fragment `{0}` is on a type that has no fields"),
    ("Fragment \"", "cannot be spread", "The fragment `{0}` is on a different type than the selection that spreads it"),
    ("Fragment cannot condition", "", "A fragment can't be on `{0}`, which has no fields"),
    ("Fragment cannot be spread", "", "A fragment on `{1}` can't be used here"),
    ("Fields \"", "are different fields", "Two different fields are named `{0}`. Give one of them an alias"),
    ("Fields \"", "", "Two fields `{0}` have different arguments. Give one of them an alias"),
    ("Field \"", "must have a selection", "The field `{0}` has subfields. Select some of them in braces"),
    ("Field \"", "has no subfields", "The field `{0}` has no subfields. Remove the braces"),
];

/// Translates the engine's messages.
pub(in crate::graphql) struct Messages {
    names: HashSet<String>,
}

impl Messages {
    /// `names` are the names of the schema that may be public. The argument of the specification's directives always
    /// is.
    pub(in crate::graphql) fn new(names: Vec<String>) -> Self {
        Self { names: names.into_iter().chain(["if".to_owned()]).collect() }
    }

    /// Returns the public message for a message of the engine.
    pub(in crate::graphql) fn of(&self, engine: &str) -> String {
        let quoted: Vec<&str> = engine.split('"').skip(1).step_by(2).collect();
        let name = |index: usize| quoted.get(index).map(|text| name_in(text)).unwrap_or_default();
        let public = |index: usize| self.names.get(name(index));
        let text = if engine.starts_with("Unknown field") {
            let parent = public(1).map(|parent| format!(" on {parent}"));
            format!("The field `{}` does not exist{}", name(0), parent.unwrap_or_default())
        } else if engine.ends_with("is required but not provided") {
            let owner = if engine.starts_with("Field") { "field `" } else { "directive `@" };
            match public(1) {
                Some(argument) => format!("The argument `{argument}` of the {owner}{}` is missing", name(0)),
                None => format!("A required argument of the {owner}{}` is missing", name(0)),
            }
        } else {
            let found = TEXTS.iter().find(|(start, part, _)| engine.starts_with(start) && engine.contains(part));
            let text = found.map_or("The document does not fit the schema here", |(_, _, text)| *text);
            let argument = quoted.first().and_then(|path| path.split('.').next()).map(name_in).unwrap_or_default();
            text.replace("{0}", name(0)).replace("{1}", name(1)).replace("{argument}", argument)
        };
        match self.suggestion(engine) {
            Some(name) => format!("{text}. Did you mean `{name}`?"),
            None => format!("{text}."),
        }
    }

    fn suggestion<'a>(&self, engine: &'a str) -> Option<&'a str> {
        let (_, rest) = engine.rsplit_once("Did you mean \"")?;
        let (name, _) = rest.split_once('"')?;
        self.names.contains(name).then_some(name)
    }
}

/// Returns a name without its sigil. A text that is not a name may be a value and is replaced.
fn name_in(quoted: &str) -> &str {
    let name = quoted.trim_start_matches(['$', '@']);
    if name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') { name } else { "…" }
}
