//! Parses the JSON of `ACCESS_TOKEN_CLAIMS`.

use super::{Claim, ClaimValue, RESERVED, UserField, json::Json};

/// How deep objects may be nested: the claim, and one object in it.
const MAX_DEPTH: usize = 2;
/// Maximum length of the setting.
const MAX_LENGTH: usize = 8192;

/// Parses the setting.
///
/// # Errors
/// What is wrong, for the operator.
pub(super) fn parse(text: &str) -> Result<Vec<Claim>, String> {
    if text.len() > MAX_LENGTH {
        return Err(format!("expected at most {MAX_LENGTH} bytes, got {}", text.len()));
    }
    let json = serde_json::from_str(text).map_err(|error| format!("expected JSON: {error}"))?;
    let Json::Object(members) = json else {
        return Err(r#"expected a JSON object such as {"groups": "$roles"}"#.to_owned());
    };
    if let Some((name, _)) = members.iter().find(|(name, _)| RESERVED.contains(&name.as_str())) {
        return Err(format!("\"{name}\" is a claim that only Hallpass may set; choose another name"));
    }
    let claims = parse_members("", members, 1)?;
    match claims.iter().find(|(name, _)| name == "email") {
        Some((_, value)) if *value != ClaimValue::Field(UserField::Email) => {
            Err(r#""email" must be "$email", because services take it for the verified address of the user"#.to_owned())
        }
        _ => Ok(claims),
    }
}

/// Parses the members of an object. `path` is where it is, for error messages.
fn parse_members(path: &str, members: Vec<(String, Json)>, depth: usize) -> Result<Vec<Claim>, String> {
    if members.is_empty() {
        return Err(format!("{}expected at least one claim", at(path)));
    }
    let mut claims: Vec<Claim> = Vec::new();
    for (name, value) in members {
        let path = if path.is_empty() { name.clone() } else { format!("{path} / {name}") };
        if name.is_empty() || name.starts_with('$') || name.chars().any(char::is_control) {
            return Err(format!("{}expected the name of a claim", at(&path)));
        }
        if claims.iter().any(|(known, _)| *known == name) {
            return Err(format!("{}expected each claim once", at(&path)));
        }
        claims.push((name, parse_value(&path, value, depth)?));
    }
    Ok(claims)
}

fn parse_value(path: &str, value: Json, depth: usize) -> Result<ClaimValue, String> {
    Ok(match value {
        Json::Text(text) => parse_text(path, text)?,
        Json::Number(number) => ClaimValue::Number(number),
        Json::Flag(flag) => ClaimValue::Flag(flag),
        Json::List(_) => return Err(format!(r#"{}expected no list; use "$roles" or {{"$roles": …}}"#, at(path))),
        Json::Object(members) if members.iter().any(|(name, _)| name.starts_with('$')) => parse_rule(path, members)?,
        Json::Object(_) if depth == MAX_DEPTH => return Err(format!("{}expected no further object", at(path))),
        Json::Object(members) => ClaimValue::Object(parse_members(path, members, depth + 1)?),
    })
}

fn parse_text(path: &str, text: String) -> Result<ClaimValue, String> {
    Ok(match text.as_str() {
        "$id" => ClaimValue::Field(UserField::Id),
        "$username" => ClaimValue::Field(UserField::Username),
        "$email" => ClaimValue::Field(UserField::Email),
        "$name" => ClaimValue::Field(UserField::Name),
        "$first_name" => ClaimValue::Field(UserField::FirstName),
        "$last_name" => ClaimValue::Field(UserField::LastName),
        "$roles" => ClaimValue::Roles,
        unknown if unknown.starts_with('$') => {
            return Err(format!(
                "{}expected $id, $username, $email, $name, $first_name, $last_name or $roles, got \"{unknown}\"",
                at(path)
            ));
        }
        _ => ClaimValue::Text(text),
    })
}

/// Parses `{"$roles": {…}}` and `{"$role": […], "$else": "…"}`.
fn parse_rule(path: &str, members: Vec<(String, Json)>) -> Result<ClaimValue, String> {
    let expected = || {
        format!(
            r#"{}expected {{"$roles": {{"<role>": "<name>"}}}} or {{"$role": ["<role>", {{"<role>": "<name>"}}], "$else": "<name>"}}"#,
            at(path)
        )
    };
    let mut members = members.into_iter();
    let (first, second) = (members.next(), members.next());
    if members.next().is_some() {
        return Err(expected());
    }
    match (first, second) {
        (Some((name, Json::Object(roles))), None) if name == "$roles" => {
            let roles: Option<_> = roles.into_iter().map(named_role).collect();
            distinct(path, roles.ok_or_else(expected)?).map(ClaimValue::MappedRoles)
        }
        (Some((name, Json::List(roles))), otherwise) if name == "$role" => {
            let otherwise = match otherwise {
                None => None,
                Some((name, Json::Text(text))) if name == "$else" && !text.starts_with('$') => Some(text),
                Some(_) => return Err(expected()),
            };
            let roles: Option<_> = roles.into_iter().map(listed_role).collect();
            let roles = distinct(path, roles.ok_or_else(expected)?)?;
            Ok(ClaimValue::FirstRole { roles, otherwise })
        }
        _ => Err(expected()),
    }
}

/// A member of `$roles`: the role and its new name.
fn named_role((role, name): (String, Json)) -> Option<(String, String)> {
    match name {
        Json::Text(name) if !name.starts_with('$') => Some((role, name)),
        _ => None,
    }
}

/// An item of `$role`: a role, or an object with a role and its new name.
fn listed_role(item: Json) -> Option<(String, String)> {
    match item {
        Json::Text(role) => Some((role.clone(), role)),
        Json::Object(members) if members.len() == 1 => members.into_iter().next().and_then(named_role),
        _ => None,
    }
}

/// Checks that each role is listed once.
fn distinct(path: &str, roles: Vec<(String, String)>) -> Result<Vec<(String, String)>, String> {
    if roles.is_empty() {
        return Err(format!("{}expected at least one role", at(path)));
    }
    let is_repeated = |index: usize, role: &String| roles.iter().take(index).any(|(earlier, _)| earlier == role);
    match roles.iter().enumerate().find(|(index, (role, _))| is_repeated(*index, role)) {
        Some((_, (role, _))) => Err(format!("{}expected each role once, got \"{role}\" twice", at(path))),
        None => Ok(roles),
    }
}

fn at(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!("\"{path}\": ") }
}
