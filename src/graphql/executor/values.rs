//! Validates the values and variables of a document. The engine's validation is incomplete: it accepts a string for an
//! enum, ignores that a default value may be null, and skips a value that contains an omitted variable.
//!
//! GraphQL specification, §5.6.1 "Values of Correct Type" and §5.8.5 "All Variable Usages Are Allowed". Each value is
//! checked once, regardless of how often its fragment is spread.

use std::{
    collections::{HashMap, HashSet},
    convert::Infallible,
};

use async_graphql::{
    Name, Pos, Positioned, ServerError, Value,
    parser::types::{
        BaseType, Directive, ExecutableDocument, OperationDefinition, OperationType, Selection, SelectionSet,
        VariableDefinition,
    },
};

use crate::{
    Error,
    graphql::executor::{
        document::error_at,
        input_types::{Checker, InputField, Root, Source, Usage, base_name, variable_placeholder},
        schema_types::SchemaTypes,
    },
};

/// Variables that may be omitted but must not be null, by operation. They have a default value and are used in a
/// non-null position.
pub(in crate::graphql) type NeverNull = HashMap<Option<Name>, Vec<Name>>;

/// Checks all values and variables of a document. `on_variables` are the directives on variables that `normalize`
/// removed.
///
/// # Errors
/// All violations.
pub(in crate::graphql) fn check(
    types: &SchemaTypes,
    document: &ExecutableDocument,
    on_variables: &[(Pos, &str)],
) -> Result<NeverNull, Vec<ServerError>> {
    let mut walk = Walk { types, errors: Vec::new() };
    for (pos, name) in on_variables {
        walk.directive_on_variable(name, *pos);
    }
    let mut operations: Vec<_> = document.operations.iter().collect();
    operations.sort_by_key(|(_, operation)| operation.pos);
    let scopes: Vec<Scope<'_>> = operations.iter().map(|(_, operation)| walk.operation(&operation.node)).collect();
    let mut fragments = HashMap::new();
    for (name, fragment) in &document.fragments {
        let mut scope = Scope::default();
        walk.directives(&fragment.node.directives, &mut scope);
        walk.selection_set(
            Some(&fragment.node.type_condition.node.on.node),
            &fragment.node.selection_set.node,
            &mut scope,
        );
        fragments.insert(name, scope);
    }
    let mut never_null = NeverNull::new();
    for ((name, operation), scope) in operations.into_iter().zip(&scopes) {
        let found = walk.usages(&operation.node.variable_definitions, scope, &fragments);
        if !found.is_empty() {
            never_null.insert(name.cloned(), found);
        }
    }
    if walk.errors.is_empty() { Ok(never_null) } else { Err(walk.errors) }
}

/// The variable usages and fragment spreads of an operation or a fragment.
#[derive(Default)]
struct Scope<'a> {
    usages: Vec<(Usage<'a>, Pos)>,
    spreads: Vec<&'a Name>,
}

struct Walk<'a> {
    types: &'a SchemaTypes,
    errors: Vec<ServerError>,
}

impl<'a> Walk<'a> {
    fn report(&mut self, pos: Pos, message: String) {
        self.errors.push(error_at(Some(pos), Error::ValidationFailed(message)));
    }

    fn operation(&mut self, operation: &'a OperationDefinition) -> Scope<'a> {
        let mut scope = Scope::default();
        for definition in &operation.variable_definitions {
            let VariableDefinition { name, var_type, default_value, directives } = &definition.node;
            let type_name = base_name(&var_type.node);
            if !self.types.inputs.contains_key(type_name) {
                // The engine would panic at a default value.
                let message = if self.types.is_object(type_name) {
                    format!("The variable `${}` must be of an input type.", name.node)
                } else {
                    format!("The type `{type_name}` does not exist.")
                };
                self.report(definition.pos, message);
            } else if let Some(value) = default_value {
                let root = Root::DefaultOf(&name.node);
                if let Err(message) =
                    Checker::new(self.types, Source::Document).check(root, &var_type.node, false, &value.node)
                {
                    self.report(definition.pos, message);
                }
            }
            for directive in directives {
                self.directive_on_variable(&directive.node.name.node, directive.pos);
            }
        }
        self.directives(&operation.directives, &mut scope);
        let root = match operation.ty {
            OperationType::Query => "Query",
            OperationType::Mutation => "Mutation",
            OperationType::Subscription => "Subscription",
        };
        self.selection_set(Some(root), &operation.selection_set.node, &mut scope);
        scope
    }

    /// Reports a directive on a variable. The engine does not check these, and the schema has none that is allowed
    /// there.
    fn directive_on_variable(&mut self, name: &str, pos: Pos) {
        let message = match self.types.directive(name) {
            Some(_) => format!("The directive `@{name}` can't be used on a variable."),
            None => format!("The directive `@{name}` does not exist."),
        };
        self.report(pos, message);
    }

    fn selection_set(&mut self, parent: Option<&str>, selection_set: &'a SelectionSet, scope: &mut Scope<'a>) {
        for selection in &selection_set.items {
            self.directives(selection.node.directives(), scope);
            match &selection.node {
                Selection::Field(field) => {
                    let known = parent.and_then(|parent| self.types.field(parent, &field.node.name.node));
                    let arguments = known.map_or(&[][..], |field| &field.arguments);
                    for (name, value) in &field.node.arguments {
                        let constant = value.node.clone().into_const_with(|name| Ok(variable_placeholder(&name)));
                        self.argument(arguments, &name.node, value.pos, constant, scope);
                    }
                    let inner = known.map(|field| &*field.type_name);
                    self.selection_set(inner, &field.node.selection_set.node, scope);
                }
                Selection::InlineFragment(fragment) => {
                    let condition = fragment.node.type_condition.as_ref().map(|condition| &*condition.node.on.node);
                    self.selection_set(condition.or(parent), &fragment.node.selection_set.node, scope);
                }
                Selection::FragmentSpread(spread) => scope.spreads.push(&spread.node.fragment_name.node),
            }
        }
    }

    fn directives(&mut self, directives: &'a [Positioned<Directive>], scope: &mut Scope<'a>) {
        for directive in directives {
            let arguments = self.types.directive(&directive.node.name.node).unwrap_or_default();
            for (name, value) in &directive.node.arguments {
                let constant = value.node.clone().into_const_with(|name| Ok(variable_placeholder(&name)));
                self.argument(arguments, &name.node, value.pos, constant, scope);
            }
        }
    }

    /// Checks the value of an argument. Unknown fields and arguments are reported by the engine's validation.
    fn argument(
        &mut self,
        known: &'a [InputField],
        name: &str,
        pos: Pos,
        value: Result<Value, Infallible>,
        scope: &mut Scope<'a>,
    ) {
        let Ok(value) = value;
        let Some(argument) = known.iter().find(|argument| argument.name == name) else { return };
        let mut checker = Checker::new(self.types, Source::Document);
        let result = checker.check(Root::Argument(name), &argument.field_type, argument.has_default, &value);
        scope.usages.extend(checker.usages.into_iter().map(|usage| (usage, pos)));
        if let Err(message) = result {
            self.report(pos, message);
        }
    }

    /// Checks the variables that an operation and its fragments use. Returns those that must not be null.
    fn usages(
        &mut self,
        definitions: &[Positioned<VariableDefinition>],
        operation: &Scope<'a>,
        fragments: &HashMap<&Name, Scope<'a>>,
    ) -> Vec<Name> {
        let mut never_null = Vec::new();
        let mut seen = HashSet::new();
        let mut scopes = vec![operation];
        while let Some(scope) = scopes.pop() {
            let spread = scope.spreads.iter().filter(|name| seen.insert(**name));
            scopes.extend(spread.filter_map(|name| fragments.get(name)));
            for (usage, pos) in &scope.usages {
                let definition = definitions.iter().find(|definition| definition.node.name.node == usage.variable);
                let is_known = |of: &&Positioned<VariableDefinition>| {
                    self.types.inputs.contains_key(base_name(&of.node.var_type.node))
                };
                let Some(definition) = definition.filter(is_known) else { continue };
                if !is_allowed(&definition.node, usage) {
                    self.report_usage(definition, usage, *pos);
                } else if definition.node.var_type.node.nullable && !usage.expected.nullable {
                    never_null.push(definition.node.name.node.clone());
                }
            }
        }
        never_null
    }

    fn report_usage(&mut self, definition: &Positioned<VariableDefinition>, usage: &Usage<'_>, pos: Pos) {
        let VariableDefinition { name, var_type, .. } = &definition.node;
        let message = if self.types.explain {
            let (declared, expected) = (&var_type.node, usage.expected);
            format!("The variable `${}` is of the type {declared}, but {expected} is expected here.", name.node)
        } else {
            format!("The type of the variable `${}` does not fit the place where it is used.", name.node)
        };
        let mut error = error_at(Some(pos), Error::ValidationFailed(message));
        error.locations.push(definition.pos);
        self.errors.push(error);
    }
}

/// `IsVariableUsageAllowed`
fn is_allowed(definition: &VariableDefinition, usage: &Usage<'_>) -> bool {
    let declared = &definition.var_type.node;
    let default = definition.default_value.as_ref().map(|value| &value.node);
    let is_never_missing = usage.has_default || default.is_some_and(|value| *value != Value::Null);
    if declared.nullable && !usage.expected.nullable && !is_never_missing {
        return false;
    }
    is_subtype(&declared.base, &usage.expected.base)
}

/// `AreTypesCompatible`. Nullability of the outer types is checked by the caller.
fn is_subtype(declared: &BaseType, expected: &BaseType) -> bool {
    match (declared, expected) {
        (BaseType::List(declared), BaseType::List(expected)) => {
            (expected.nullable || !declared.nullable) && is_subtype(&declared.base, &expected.base)
        }
        (BaseType::Named(declared), BaseType::Named(expected)) => declared == expected,
        _ => false,
    }
}
