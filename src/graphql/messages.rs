//! Public texts for documents that do not fit the schema.
//!
//! The engine's own texts repeat what the client wrote, a password in a wrong place included. Ours say which rule was
//! broken; the location says where; and of the engine's text only names that the schema has are taken over.

use std::collections::HashSet;

/// How the engine's texts start, and what we say instead.
const TEXTS: &[(&str, &str)] = &[
    ("Unknown field", "This field does not exist"),
    ("Unknown argument", "This argument does not exist"),
    ("Unknown type", "This type does not exist"),
    ("Unknown directive", "This directive does not exist"),
    ("Unknown fragment", "This fragment is not defined in the document"),
    ("Invalid value for argument", "The value of this argument does not fit its type"),
    ("Invalid default value", "The default value of this variable does not fit its type"),
    ("Duplicate directive", "This directive may stand here once only"),
    ("Directive \"@", "A required argument of this directive is missing"),
    ("Directive \"", "This directive may not stand here"),
    ("There can only be one argument", "This argument is given twice"),
    ("There can only be one variable", "This variable is declared twice"),
    ("Cannot spread fragment", "This fragment spreads itself"),
    ("Variable \"$", "This variable is not declared, or declared and not used"),
    ("Variable \"", "The type of this variable does not fit the place where it is used"),
    ("Fragment \"", "This fragment is never used, or can't be spread here"),
    ("Fragment cannot", "This fragment can't be spread here"),
    ("Fields \"", "Two fields of one name differ; give one of them an alias"),
];

/// Makes the texts.
pub(super) struct Messages {
    names: HashSet<String>,
}

impl Messages {
    /// `names` are all names in the schema.
    pub(super) fn new(names: Vec<String>) -> Self {
        Self { names: names.into_iter().collect() }
    }

    /// The public text for one of the engine's.
    pub(super) fn of(&self, engine: &str) -> String {
        let name_after = |marker: &str| {
            let (_, rest) = engine.rsplit_once(marker)?;
            let (name, _) = rest.split_once('"')?;
            self.names.contains(name).then_some(name)
        };
        if engine.starts_with("Field \"") {
            return if engine.ends_with("must have a selection of subfields") {
                "This field has subfields: select some of them in braces.".to_owned()
            } else if engine.ends_with("has no subfields") {
                "This field has no subfields: leave the braces out.".to_owned()
            } else {
                match name_after("argument \"") {
                    Some(name) => format!("The required argument `{name}` is missing here."),
                    None => "A required argument is missing here.".to_owned(),
                }
            };
        }
        let text = TEXTS
            .iter()
            .find_map(|(start, text)| engine.starts_with(start).then_some(*text))
            .unwrap_or("The document does not fit the schema here");
        match (name_after("on type \""), name_after("Did you mean \"")) {
            (Some(parent), Some(name)) => format!("{text} on {parent}. Did you mean `{name}`?"),
            (Some(parent), None) => format!("{text} on {parent}."),
            (None, Some(name)) => format!("{text}. Did you mean `{name}`?"),
            (None, None) => format!("{text}."),
        }
    }
}
