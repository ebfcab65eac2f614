//! Keycloak: the export of a realm, or a file of users of an export to a directory.

use super::{Fields, Mapped, Profile};
use crate::domain::users::import::{Column, Record, RecordError};

const UNSUPPORTED: RecordError = RecordError::new(
    "credentials",
    "Unsupported password: expected pbkdf2, pbkdf2-sha256, pbkdf2-sha512 or argon2 of the type id.",
);

impl Profile {
    pub(super) fn keycloak(&mut self, user: &Fields) -> Mapped {
        if user.is_set("serviceAccountClientId") {
            self.notes.count("service accounts");
            return Ok(None);
        }
        let mut record = Record::default();
        let columns = [
            ("id", Column::Id),
            ("username", Column::Username),
            ("email", Column::Email),
            ("emailVerified", Column::EmailVerified),
            ("firstName", Column::FirstName),
            ("lastName", Column::LastName),
            ("enabled", Column::IsActive),
        ];
        user.copy(&mut record, columns);
        user.copy_time(&mut record, ("createdTimestamp", Column::CreatedAt), 1000)?;
        let mut hash = None;
        for credential in user.objects("credentials") {
            if credential.text("type").as_deref() == Some("password") {
                hash = Some(password(&credential).ok_or(UNSUPPORTED)?);
            } else {
                self.notes.count("second factors and passkeys");
            }
        }
        self.set_password(&mut record, hash);
        let is_own = |role: &String| {
            role.starts_with("default-roles-") || matches!(role.as_str(), "offline_access" | "uma_authorization")
        };
        self.set_roles(&mut record, user.texts("realmRoles").into_iter().filter(|role| !is_own(role)));
        let mut identities = Vec::new();
        for identity in user.objects("federatedIdentities") {
            let provider = identity.text("identityProvider");
            identities.extend(provider.map(|provider| (provider, identity.text("userId"), None)));
        }
        self.set_identities(&mut record, identities);
        for (name, what) in [
            ("attributes", "users with attributes"),
            ("clientRoles", "users with roles of clients"),
            ("groups", "users with groups"),
            ("requiredActions", "users with required actions"),
        ] {
            self.notes.count_if(user.is_set(name), what);
        }
        Ok(Some(record))
    }
}

/// The hash of a password in passlib's or the PHC format. `None` if it is of another algorithm.
fn password(credential: &Fields) -> Option<String> {
    let (secret, data) = (credential.object("secretData"), credential.object("credentialData"));
    let base64 = |name| Some(secret.text(name)?.trim_end_matches('=').to_owned());
    let (salt, digest, rounds) = (base64("salt")?, base64("value")?, data.text("hashIterations")?);
    let algorithm = data.text("algorithm")?;
    match algorithm.as_str() {
        "pbkdf2" | "pbkdf2-sha256" | "pbkdf2-sha512" => {
            Some(format!("${algorithm}${rounds}${}${}", salt.replace('+', "."), digest.replace('+', ".")))
        }
        "argon2" => {
            let parameters = data.object("additionalParameters");
            let one = |name| parameters.texts(name).into_iter().next();
            if one("type")? != "id" || one("version")? != "1.3" {
                return None;
            }
            let (memory, lanes) = (one("memory")?, one("parallelism")?);
            Some(format!("$argon2id$v=19$m={memory},t={rounds},p={lanes}${salt}${digest}"))
        }
        _ => None,
    }
}
