//! Reads the definitions of an exported schema.
//!
//! The engine's parser would read them too, but would take half of the time of the start.

use std::collections::{HashMap, HashSet};

use async_graphql::parser::types::Type;

use crate::graphql::executor::{
    input_types::{InputField, InputType, base_name},
    lexer::{Token, tokens},
    schema_types::Field,
};

/// A definition of a schema that the checks of documents need.
#[cfg_attr(test, derive(Debug, PartialEq))]
pub(super) enum Definition {
    Input(String, InputType),
    Object(String, HashMap<String, Field>),
    Directive(String, Vec<InputField>),
}

/// Reads a schema, which must be well-formed.
pub(super) fn definitions(sdl: &str) -> impl Iterator<Item = Definition> {
    let mut reader = Reader { words: words(sdl), at: 0 };
    std::iter::from_fn(move || reader.definition())
}

/// The names, numbers, strings and punctuators of a schema.
fn words(sdl: &str) -> Vec<&str> {
    let mut words: Vec<Token<'_>> = Vec::new();
    for token in tokens(sdl) {
        // The lexer splits numbers, and names such as `nullable`.
        match words.last_mut() {
            Some(last) if last.end() == token.start && is_part(last.text) && is_part(token.text) => {
                last.text = sdl.get(last.start..token.end()).unwrap_or_default();
            }
            _ => words.push(token),
        }
    }
    words.into_iter().map(|word| word.text).collect()
}

/// Whether a token may be a part of a name or number.
fn is_part(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'+' | b'-'))
}

/// An input type with the directive `@oneOf`.
fn one_of(fields: Vec<InputField>) -> InputType {
    let non_null = |of_type| Type { nullable: false, ..of_type };
    InputType::OneOf(fields.into_iter().map(|f| InputField { field_type: non_null(f.field_type), ..f }).collect())
}

struct Reader<'a> {
    words: Vec<&'a str>,
    at: usize,
}

impl<'a> Reader<'a> {
    /// The next word, or an empty one at the end.
    fn peek(&self) -> &'a str {
        self.words.get(self.at).copied().unwrap_or_default()
    }

    fn next(&mut self) -> &'a str {
        let word = self.peek();
        self.at += 1;
        word
    }

    fn next_is(&mut self, word: &str) -> bool {
        let is_next = self.peek() == word;
        self.at += usize::from(is_next);
        is_next
    }

    fn name(&mut self) -> String {
        self.next().to_owned()
    }

    /// Reads up to and including the next definition.
    fn definition(&mut self) -> Option<Definition> {
        loop {
            return Some(match self.next() {
                "" => return None,
                "scalar" => Definition::Input(self.name(), InputType::Scalar),
                "enum" => Definition::Input(self.name(), InputType::Enum(self.enum_values())),
                "input" => {
                    let name = self.name();
                    let directives = self.at;
                    self.skip_to_block();
                    let is_one_of = self.words.get(directives..self.at).is_some_and(|words| words.contains(&"oneOf"));
                    let create = if is_one_of { one_of } else { InputType::Object };
                    Definition::Input(name, create(self.input_fields("}")))
                }
                "type" | "interface" => Definition::Object(self.name(), self.fields()),
                "directive" => {
                    self.next_is("@");
                    let name = self.name();
                    let arguments = if self.next_is("(") { self.input_fields(")") } else { Vec::new() };
                    Definition::Directive(name, arguments)
                }
                // A description, a union, the root types, or the rest of a directive.
                "{" | "(" => {
                    self.skip_group();
                    continue;
                }
                _ => continue,
            });
        }
    }

    fn enum_values(&mut self) -> HashSet<String> {
        self.skip_to_block();
        let mut values = HashSet::new();
        while self.has_more("}") {
            values.insert(self.name());
            self.skip_directives();
        }
        values
    }

    fn fields(&mut self) -> HashMap<String, Field> {
        self.skip_to_block();
        let mut fields = HashMap::new();
        while self.has_more("}") {
            let name = self.name();
            let arguments = if self.next_is("(") { self.input_fields(")") } else { Vec::new() };
            self.next_is(":");
            if let Some(field_type) = self.field_type() {
                fields.insert(name, Field { arguments, type_name: base_name(&field_type).to_owned() });
            }
            self.skip_directives();
        }
        fields
    }

    /// Reads input fields or arguments up to and including `end`.
    fn input_fields(&mut self, end: &str) -> Vec<InputField> {
        let mut fields = Vec::new();
        while self.has_more(end) {
            let name = self.name();
            self.next_is(":");
            let field_type = self.field_type();
            let has_default = self.next_is("=");
            if has_default && matches!(self.next(), "[" | "{") {
                self.skip_group();
            }
            self.skip_directives();
            fields.extend(field_type.map(|field_type| InputField { name, field_type, has_default }));
        }
        fields
    }

    fn field_type(&mut self) -> Option<Type> {
        let mut text = String::new();
        while self.peek() == "[" {
            text += self.next();
        }
        text += self.next();
        while matches!(self.peek(), "]" | "!") {
            text += self.next();
        }
        Type::new(&text)
    }

    /// Skips a description and returns whether there is something before `end`. Otherwise, skips `end`.
    fn has_more(&mut self, end: &str) -> bool {
        while self.peek().starts_with('"') {
            self.next();
        }
        !self.next_is(end) && !self.peek().is_empty()
    }

    /// Skips directives, with their arguments.
    fn skip_directives(&mut self) {
        while self.next_is("@") {
            self.next();
            if self.next_is("(") {
                self.skip_group();
            }
        }
    }

    /// Skips interfaces and directives up to and including the brace that opens the block.
    fn skip_to_block(&mut self) {
        loop {
            match self.next() {
                "" | "{" => return,
                "(" => self.skip_group(),
                _ => {}
            }
        }
    }

    /// Skips the rest of a group whose opening bracket has been read.
    fn skip_group(&mut self) {
        let mut depth = 1;
        while depth > 0 {
            match self.next() {
                "" => return,
                "{" | "(" | "[" => depth += 1,
                "}" | ")" | "]" => depth -= 1,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::{
        Positioned,
        parser::{
            parse_schema,
            types::{InputValueDefinition, InterfaceType, ObjectType, TypeKind, TypeSystemDefinition},
        },
    };

    use super::*;

    /// The definitions according to the engine's parser.
    fn expected(sdl: &str) -> Vec<Definition> {
        let inputs = |fields: Vec<Positioned<InputValueDefinition>>| {
            let fields = fields.into_iter().map(|field| InputField {
                name: field.node.name.node.to_string(),
                field_type: field.node.ty.node,
                has_default: field.node.default_value.is_some(),
            });
            fields.collect::<Vec<_>>()
        };
        let definitions = parse_schema(sdl).unwrap().definitions;
        let definitions = definitions.into_iter().filter_map(|definition| match definition {
            TypeSystemDefinition::Schema(_) => None,
            TypeSystemDefinition::Directive(directive) => {
                Some(Definition::Directive(directive.node.name.node.to_string(), inputs(directive.node.arguments)))
            }
            TypeSystemDefinition::Type(definition) => {
                let name = definition.node.name.node.to_string();
                let is_one_of = definition.node.directives.iter().any(|found| found.node.name.node == "oneOf");
                Some(match definition.node.kind {
                    TypeKind::Scalar => Definition::Input(name, InputType::Scalar),
                    TypeKind::Enum(kind) => {
                        let values = kind.values.into_iter().map(|value| value.node.value.node.to_string());
                        Definition::Input(name, InputType::Enum(values.collect()))
                    }
                    TypeKind::InputObject(kind) if is_one_of => Definition::Input(name, one_of(inputs(kind.fields))),
                    TypeKind::InputObject(kind) => Definition::Input(name, InputType::Object(inputs(kind.fields))),
                    TypeKind::Object(ObjectType { fields, .. }) | TypeKind::Interface(InterfaceType { fields, .. }) => {
                        let fields = fields.into_iter().map(|field| {
                            let type_name = base_name(&field.node.ty.node).to_owned();
                            (
                                field.node.name.node.to_string(),
                                Field { arguments: inputs(field.node.arguments), type_name },
                            )
                        });
                        Definition::Object(name, fields.collect())
                    }
                    TypeKind::Union(_) => return None,
                })
            }
        });
        definitions.collect()
    }

    #[test]
    fn the_schema_is_read_as_by_the_engine() {
        let sdl = crate::graphql::sdl();
        assert!(expected(&sdl).len() > 40);
        assert_eq!(definitions(&sdl).collect::<Vec<_>>(), expected(&sdl));
    }

    #[test]
    fn every_kind_of_definition_is_read_as_by_the_engine() {
        let sdl = r#"
            """type In { a: Description }"""
            scalar Time @specifiedBy(url: "type X { y: Z }")
            # type Comment { a: Int }
            enum Color { RED @deprecated(reason: "}") "null and void" GREEN }
            interface Node { id(of: Int = 1): ID! }
            type Thing implements Node & Other @key(fields: "id", more: {a: [1]}) {
                "the id"
                id: ID!
                list(a: [[Int!]!]! = [[1], [2]] @a, b: In = {x: {y: [1]}, z: ")"} c: Float = -1.5e3, d: String = "\")"): [[Time!]]! @deprecated
                trueName(falseArgument: Boolean! = false): nullType
                last: Int
            }
            union Either = Thing | Other
            input In @oneOf { x: [String!] = ["}"] @a(b: {c: 1}) y: Color = RED """z""" z: Color! number: Int = 10 }
            directive @a(b: In) repeatable on FIELD | INPUT_FIELD_DEFINITION
            directive @bare on FIELD
            schema @a { query: Thing mutation: Other }
            input Last { x: Int }
        "#;
        assert_eq!(expected(sdl).len(), 8);
        assert_eq!(definitions(sdl).collect::<Vec<_>>(), expected(sdl));
    }
}
