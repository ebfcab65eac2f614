//! The form of a new account.

use axum::response::Response;
use minijinja::{Value, context};

use super::{Visit, texts::texts, view::View};
use crate::{
    config::Settings,
    domain::{
        identity::{MAX_EMAIL_LENGTH, PASSWORD_LENGTH, USERNAME_LENGTH},
        users::registration::{self, Registered, Registration},
    },
    error::{Field, InputError},
    http::{form::Form, pages},
    language::Language,
};

/// The values that the form shows again.
#[derive(Clone, Debug, Default)]
pub(super) struct Entered {
    username: String,
    email: String,
}

impl Entered {
    /// The fields of the form, with their problems.
    pub(super) fn fields(&self, settings: &Settings, language: Language, problems: &[InputError]) -> Vec<Value> {
        let labels = pages::texts::accept_form(language);
        let password = pages::texts::accept(language);
        let problem = |field| {
            let problem = problems.iter().find(|problem| problem.field == field);
            problem.map(|problem| problem.message(language).into_owned())
        };
        let has_focus = |field| problems.first().map_or(Field::Username, |problem| problem.field) == field;
        let optional = (!settings.registration.require_email).then_some(labels.optional);
        vec![
            context! {
                name => "username", label => labels.username, type => "text", autocomplete => "username",
                value => &self.username, most => USERNAME_LENGTH.end(), is_username => true,
                problem => problem(Field::Username), has_focus => has_focus(Field::Username), hint => labels.username_hint,
            },
            context! {
                name => "email", label => texts(language).email, type => "email", autocomplete => "email",
                value => &self.email, most => MAX_EMAIL_LENGTH, optional, problem => problem(Field::Email),
                has_focus => has_focus(Field::Email), hint => "",
            },
            context! {
                name => "password", label => password.password, type => "password", autocomplete => "new-password",
                value => "", least => PASSWORD_LENGTH.start(), most => PASSWORD_LENGTH.end(),
                problem => problem(Field::Password), has_focus => has_focus(Field::Password), hint => password.hint,
            },
        ]
    }
}

impl Visit<'_> {
    pub(super) async fn register(self, mut form: Form) -> Response {
        let mut take = |name| form.take(name).unwrap_or_default();
        let entered = Entered { username: take("username"), email: take("email") };
        let registration = Registration {
            username: entered.username.clone(),
            password: take("password").into(),
            email: Some(entered.email.clone()),
            first_name: None,
            last_name: None,
        };
        let registered = registration::register(&self.context, registration, self.new_session());
        match self.server.in_time(Box::pin(registered)).await {
            Ok(Registered::SignedIn(sign_in)) => self.finished(*sign_in),
            Ok(Registered::Unverified(_)) => self.show(&View::Message(&texts(self.context.client.language).registered)),
            Err(error) => self.fail(&View::Register(&entered, error.problems()), &error),
        }
    }
}
