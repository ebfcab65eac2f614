//! `GET /users` and `GET /users/{id}`, for administrators.

use std::{num::IntErrorKind, sync::Arc};

use axum::{
    Json,
    extract::{Request, State},
    http::{HeaderValue, header::LINK},
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use crate::{
    Error,
    domain::{
        page::{self, MAX_PAGE, Range},
        users::{
            administration::{self, Administrator, Filter, ListOrder},
            registration::Account,
        },
    },
    error::ErrorCode,
    http::{
        Server,
        form::{BadForm, Form},
        rest::{
            Call, ErrorFormat, ErrorResponse,
            docs::{RestError, UserErrors},
            error_response::UNCACHED,
            json,
            models::{Invalid, Problem, User},
        },
    },
    language::Language,
};

/// The list in cursors. The newest user comes first.
const LIST: &str = "users by CreatedAt Desc";
const NEWEST_FIRST: (ListOrder, bool) = (ListOrder::CreatedAt, true);

/// Which users to list.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct ListRequest {
    /// Maximum number of users: 1 to 100. Without it, 50.
    #[param(value_type = Option<u8>, minimum = 1, maximum = 100, nullable = false)]
    limit: Option<String>,
    /// Words separated by spaces. Each must be the beginning of the username, the address, its domain, a name, or a word in one
    /// of them. Case-insensitive. At most 200 characters.
    #[param(nullable = false)]
    search: Option<String>,
    /// Users who have this role.
    #[param(nullable = false)]
    role: Option<String>,
    /// The position in the list, from the link to the next page.
    #[param(nullable = false)]
    after: Option<String>,
}

/// List users, newest first.
///
/// Requires the role `admin`. Users who are created or deleted meanwhile neither repeat nor hide others on later pages.
#[utoipa::path(
    get,
    path = "/users",
    operation_id = "listUsers",
    tag = "Administration",
    params(ListRequest),
    responses(
        (
            status = 200,
            description = "A page of the list",
            body = [User],
            headers(("Link" = String, description = "The next page (RFC 8288): `<?limit=50&after=…>; rel=\"next\"`, \
                relative to the URL of the request. Omitted on the last page")),
        ),
        (status = 403, description = "The role `admin`, or the second factor that it requires, is missing", body = RestError),
        (status = 422, description = "Some parameters are invalid; see `detail`", body = Invalid),
        UserErrors,
    ),
    security(("OAuth2PasswordBearer" = []))
)]
pub(in crate::http) async fn list(State(server): State<Arc<Server>>, request: Request) -> Response {
    let call = Call::of(&server, &request);
    let result = async {
        let administrator = administrator(&call).await?;
        let (request, range) = ListRequest::read(&call)?;
        let (limit, filter) = (range.limit, request.filter());
        let listed = administration::page(&call.context, &administrator, &filter, NEWEST_FIRST, range);
        let page = call.within(listed).await?;
        let last = page.rows.last().filter(|_| page.has_next);
        let link = last.map(|user| {
            let cursor = page::cursor(&call.server.app, LIST, &NEWEST_FIRST.0.key(user))?;
            Ok::<_, Error>([(LINK, request.link_to(limit, &cursor)?)])
        });
        let link = link.transpose()?;
        let users: Vec<User> = page.rows.into_iter().map(|user| user_of(&call, user)).collect();
        Ok((UNCACHED, link, Json(users)).into_response())
    };
    call.respond(ErrorFormat::Rest, result.await)
}

/// The user with this id.
///
/// Requires the role `admin`.
#[utoipa::path(
    get,
    path = "/users/{id}",
    operation_id = "getUser",
    tag = "Administration",
    params(("id" = String, Path, description = "The user's id", example = "019b7c4e-5a70-7c3e-9d1a-5f3f0c7be21d")),
    responses(
        (status = 200, description = "The user", body = User),
        (status = 403, description = "The role `admin`, or the second factor that it requires, is missing", body = RestError),
        (status = 404, description = "There is no user with this id", body = RestError),
        UserErrors,
    ),
    security(("OAuth2PasswordBearer" = []))
)]
pub(in crate::http) async fn user(State(server): State<Arc<Server>>, request: Request) -> Response {
    let call = Call::of(&server, &request);
    // No user has an id of another form.
    let id = request.uri().path().rsplit('/').next().and_then(|id| id.parse().ok());
    let result = async {
        let administrator = administrator(&call).await?;
        let id = id.ok_or(Error::NotFound)?;
        let found = call.within(administration::find_by_id(&call.context, &administrator, id)).await?;
        Ok((UNCACHED, Json(user_of(&call, found.ok_or(Error::NotFound)?))).into_response())
    };
    call.respond(ErrorFormat::Rest, result.await)
}

async fn administrator(call: &Call<'_>) -> Result<Administrator, ErrorResponse> {
    let principal = call.principal().await?;
    Ok(administration::of_principal(&call.context, principal)?)
}

fn user_of(call: &Call<'_>, user: Account) -> User {
    User::at(call.context.now(), user, call.context.settings())
}

impl ListRequest {
    /// Reads the parameters, and the part of the list that they name.
    ///
    /// # Errors
    /// All parameters that are invalid.
    fn read(call: &Call<'_>) -> Result<(Self, Range), ErrorResponse> {
        const NO_FIELD: Option<&str> = None;
        let language = call.language();
        let form = Form::parse(call.query.as_bytes()).map_err(|BadForm(message)| {
            ErrorResponse::Fields(vec![Problem::new("query", NO_FIELD, message, "value_error")])
        })?;
        let request: Self = form.read().map_err(|errors| json::invalid_fields("query", errors, language))?;
        let mut problems = Vec::new();
        let mut range = Range::first(page::DEFAULT_PAGE);
        match request.limit.as_deref().map(parse_limit) {
            Some(Ok(limit)) => range.limit = limit,
            Some(Err(kind)) => {
                let message = match language {
                    Language::English => format!("Use a number from 1 to {MAX_PAGE}."),
                    Language::Russian => format!("Укажите число от 1 до {MAX_PAGE}."),
                };
                problems.push(Problem::new("query", Some("limit"), message, kind));
            }
            None => {}
        }
        if request.search.as_deref().is_some_and(administration::is_search_too_long) {
            let message = ErrorCode::TooLong.message(language, administration::MAX_SEARCH);
            problems.push(Problem::new("query", Some("search"), message, "string_too_long"));
        }
        if let Some(cursor) = &request.after {
            range.after = page::open_cursor(&call.server.app, LIST, cursor);
            if range.after.is_none() {
                let message = match language {
                    Language::English => "This is not a cursor of this list. Start again without it.",
                    Language::Russian => "Это не курсор этого списка. Начните заново без него.",
                };
                problems.push(Problem::new("query", Some("after"), message, "value_error"));
            }
        }
        if problems.is_empty() { Ok((request, range)) } else { Err(ErrorResponse::Fields(problems)) }
    }

    fn filter(&self) -> Filter {
        Filter {
            terms: self.search.as_deref().map(administration::search_terms).unwrap_or_default(),
            role: self.role.clone(),
            ..Filter::default()
        }
    }

    /// The link to the next page. It is relative, so that it is valid behind a proxy that changes the host or the path.
    fn link_to(&self, limit: u64, after: &str) -> Result<HeaderValue, Error> {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("limit", &limit.to_string());
        for (name, value) in [("search", self.search.as_deref()), ("role", self.role.as_deref())] {
            if let Some(value) = value {
                query.append_pair(name, value);
            }
        }
        query.append_pair("after", after);
        HeaderValue::try_from(format!("<?{}>; rel=\"next\"", query.finish())).map_err(Error::internal)
    }
}

/// Parses `limit`.
///
/// # Errors
/// Pydantic's name of the error.
fn parse_limit(limit: &str) -> Result<u64, &'static str> {
    match limit.parse::<i64>() {
        Ok(number) if number < 1 => Err("greater_than_equal"),
        Ok(number) => u64::try_from(number).ok().filter(|number| *number <= MAX_PAGE).ok_or("less_than_equal"),
        Err(error) => Err(match error.kind() {
            IntErrorKind::PosOverflow => "less_than_equal",
            IntErrorKind::NegOverflow => "greater_than_equal",
            _ => "int_parsing",
        }),
    }
}
