//! The form of `/accept-invitation`, which creates an account. The user signs in afterwards, where the app does it.
//!
//! A form that must be corrected is shown again in the response, with everything that was entered except for the password.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{StatusCode, header::LOCATION},
    response::{IntoResponse, Response},
};
use minijinja::{Value, context};

use crate::{
    Error,
    config::Settings,
    domain::{
        Client, Context, Viewer,
        identity::{MAX_NAME_LENGTH, PASSWORD_LENGTH, USERNAME_LENGTH},
        users::acceptance::{self, Acceptance},
    },
    error::Field,
    http::{
        Server,
        form::Form,
        middleware::peer,
        pages::{
            link_result::{Action, LinkResult, TEMPLATE},
            links::{read_form, rejected_page, with_error},
            page, texts,
        },
        status::status_of,
    },
    language::Language,
};

/// The values that the form shows again.
#[derive(Clone, Debug, Default)]
pub(super) struct Entered {
    username: String,
    first_name: String,
    last_name: String,
}

pub(in crate::http) async fn accept(State(server): State<Arc<Server>>, request: Request) -> Response {
    let client = peer::client(&server.app.settings, &request);
    match read_form(&server, request).await {
        Ok(form) => submit(&server, client, form).await,
        Err(status) => rejected_page(&server.app.settings, status, Action::Accept, client.language),
    }
}

async fn submit(server: &Server, client: Client, mut form: Form) -> Response {
    let language = client.language;
    let context = Context::of_request(&server.app, Viewer::Anonymous, client);
    let mut take = |name| form.take(name).unwrap_or_default();
    let (token, password) = (take("token"), take("password"));
    let entered = Entered { username: take("username"), first_name: take("first_name"), last_name: take("last_name") };
    let acceptance = Acceptance {
        token: token.clone().into(),
        username: entered.username.clone(),
        password: password.into(),
        first_name: Some(entered.first_name.clone()),
        last_name: Some(entered.last_name.clone()),
    };
    let redirect = |result: LinkResult| {
        (StatusCode::SEE_OTHER, [(LOCATION, result.address(&server.app.settings, Action::Accept))]).into_response()
    };
    let Err(error) = server.in_time(acceptance::accept_only(&context, acceptance)).await else {
        return redirect(LinkResult::Done);
    };
    let is_taken = error.problems().iter().any(|problem| problem.field == Field::Token);
    let response = if let Some(result) = LinkResult::of(&error).or(is_taken.then_some(LinkResult::Taken)) {
        redirect(result)
    } else {
        let status = status_of(error.code());
        // Without the address if the database is unreachable.
        let invitation = acceptance::find(&context, &token.clone().into()).await;
        let address = invitation.map(|invitation| invitation.email).unwrap_or_default();
        form_page(&server.app.settings, status, language, &token, &address, &entered, Some(&error))
    };
    with_error(response, &error)
}

/// The page with the form. `error` is shown at the fields that it names, or above them.
pub(super) fn form_page(
    settings: &Settings,
    status: StatusCode,
    language: Language,
    token: &str,
    address: &str,
    entered: &Entered,
    error: Option<&Error>,
) -> Response {
    let (texts, labels) = (Action::Accept.texts(language), texts::accept_form(language));
    let problems = error.map(Error::problems).unwrap_or_default();
    let problem_of = |field: Field| {
        let problem = problems.iter().find(|problem| problem.field == field);
        problem.map(|problem| problem.message(language).into_owned())
    };
    let first_problem = problems.first().map_or(Field::Username, |problem| problem.field);
    let has_focus = |field: Field| first_problem == field;
    let name = |field: Field, label: &str, autocomplete: &str, value: &str| {
        context! {
            name => field.snake_case(), label, type => "text", autocomplete, value, most => MAX_NAME_LENGTH,
            optional => labels.optional, problem => problem_of(field), has_focus => has_focus(field), hint => "",
        }
    };
    let fields = vec![
        context! {
            name => "username", label => labels.username, type => "text", autocomplete => "username",
            value => &entered.username, most => USERNAME_LENGTH.end(), is_username => true,
            problem => problem_of(Field::Username), has_focus => has_focus(Field::Username), hint => labels.username_hint,
        },
        context! {
            name => "password", label => texts.password, type => "password", autocomplete => "new-password", value => "",
            least => PASSWORD_LENGTH.start(), most => PASSWORD_LENGTH.end(), problem => problem_of(Field::Password),
            has_focus => has_focus(Field::Password), hint => texts.hint,
        },
        name(Field::FirstName, labels.first_name, "given-name", &entered.first_name),
        name(Field::LastName, labels.last_name, "family-name", &entered.last_name),
    ];
    let problem = error.filter(|_| problems.is_empty()).map(|error| error.message(language).into_owned());
    let paragraphs: Vec<Value> = [texts.intro, address].map(Value::from).into();
    let values = context! {
        language => language.tag(), title => texts.title, paragraphs, token, problem, fields,
        action => settings.server.path(Action::Accept.path()), button => texts.button,
    };
    page(settings, status, language, TEMPLATE, values)
}
