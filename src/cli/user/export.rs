//! `hallpass user export`.

use std::{
    io::{self, BufWriter, ErrorKind, Write},
    path::PathBuf,
};

use anyhow::{Context as _, Result};
use chrono::{DateTime, SecondsFormat, Utc};
use csv::{Terminator, Writer, WriterBuilder};
use serde::Serialize;
use uuid::Uuid;

use crate::{
    cli::user::{PAGE, source::Format},
    domain::{
        Context, identities,
        users::administration::{self, Administrator},
    },
    entity::{identity, user::Model},
    security::private_file::Draft,
};

/// What to export, and to where.
#[derive(Clone, Debug, clap::Args)]
pub struct ExportArguments {
    /// Include password hashes, so that users can sign in after an import. Anyone who has them can try to guess the
    /// passwords.
    #[arg(long)]
    with_hashes: bool,
    /// The format. By default, the extension of the file decides, otherwise JSON Lines.
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// A new file that only its owner can read. By default, standard output.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// A user, in the format that [`super::import`] reads.
#[derive(Serialize)]
struct Exported<'a> {
    id: Uuid,
    username: &'a str,
    email: Option<&'a str>,
    email_verified_at: Option<String>,
    pending_email: Option<&'a str>,
    first_name: Option<&'a str>,
    last_name: Option<&'a str>,
    has_password: bool,
    is_active: bool,
    roles: Vec<String>,
    /// Roles that are not in `ROLES`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unknown_roles: Vec<String>,
    created_at: String,
    updated_at: String,
    last_login: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    identities: Vec<ExportedIdentity<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hashed_password: Option<&'a str>,
}

/// An account at a provider.
#[derive(Serialize)]
struct ExportedIdentity<'a> {
    provider: &'a str,
    issuer: &'a str,
    subject: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    linked_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_at: Option<String>,
}

/// The columns of CSV, except for the hash.
const COLUMNS: [&str; 15] = [
    "id",
    "username",
    "email",
    "email_verified_at",
    "pending_email",
    "first_name",
    "last_name",
    "has_password",
    "is_active",
    "roles",
    "unknown_roles",
    "created_at",
    "updated_at",
    "last_login",
    "identities",
];

pub(super) async fn run(context: &Context, administrator: &Administrator, arguments: ExportArguments) -> Result<()> {
    let ExportArguments { with_hashes, format, output } = arguments;
    let format = Format::of(format, output.as_deref());
    let Some(path) = output else {
        return match write(context, administrator, with_hashes, format, BufWriter::new(io::stdout())).await {
            // The reader, such as `head`, has closed the pipe.
            Err(error) if is_broken_pipe(&error) => Ok(()),
            written => written.map(drop),
        };
    };
    let failed = || format!("{} cannot be created", path.display());
    if path.symlink_metadata().is_ok() {
        return Err(io::Error::from(ErrorKind::AlreadyExists)).with_context(failed);
    }
    let file = BufWriter::new(Draft::begin(&path).with_context(failed)?);
    let file = write(context, administrator, with_hashes, format, file).await?;
    file.into_inner().map_err(io::IntoInnerError::into_error).and_then(Draft::finish).with_context(failed)
}

/// The context of an error of the output.
const NOT_WRITTEN: &str = "the export is incomplete";

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}

async fn write<W: Write>(
    context: &Context,
    administrator: &Administrator,
    with_hashes: bool,
    format: Format,
    out: W,
) -> Result<W> {
    let mut sink = match format {
        Format::Jsonl => Sink::JsonLines(out),
        Format::Csv => Sink::csv(out, with_hashes).context(NOT_WRITTEN)?,
    };
    let mut last_id = None;
    loop {
        let users =
            administration::export(context, administrator, last_id, PAGE).await.context("the users can't be read")?;
        let ids: Vec<Uuid> = users.iter().map(|user| user.id).collect();
        let identities = identities::list_many(context, administrator, &ids).await;
        let identities = identities.context("the identities can't be read")?;
        for user in &users {
            let identities = identities.get(&user.id).map(Vec::as_slice).unwrap_or_default();
            sink.write(&exported(context, user, identities, with_hashes)).context(NOT_WRITTEN)?;
        }
        match users.last() {
            Some(user) => last_id = Some(user.id),
            None => return sink.end().context(NOT_WRITTEN),
        }
    }
}

fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

fn exported<'a>(
    context: &Context,
    user: &'a Model,
    identities: &'a [identity::Model],
    with_hashes: bool,
) -> Exported<'a> {
    Exported {
        id: user.id,
        username: &user.username,
        email: user.email.as_deref(),
        email_verified_at: user.email_verified_at.map(instant),
        pending_email: user.pending_email_at(context.now()),
        first_name: user.first_name.as_deref(),
        last_name: user.last_name.as_deref(),
        has_password: user.has_password,
        is_active: user.is_active,
        roles: context.settings().known_roles(&user.roles.0),
        unknown_roles: context.settings().unknown_roles(&user.roles.0),
        created_at: instant(user.created_at),
        updated_at: instant(user.updated_at),
        last_login: user.last_login_at.map(instant),
        identities: identities.iter().map(exported_identity).collect(),
        hashed_password: with_hashes.then(|| user.password_hash.export()),
    }
}

fn exported_identity(identity: &identity::Model) -> ExportedIdentity<'_> {
    ExportedIdentity {
        provider: &identity.provider_id,
        issuer: &identity.issuer,
        subject: &identity.subject,
        email: identity.email.as_deref(),
        linked_at: instant(identity.linked_at),
        last_used_at: identity.last_used_at.map(instant),
    }
}

enum Sink<W: Write> {
    JsonLines(W),
    Csv(Box<Writer<W>>),
}

impl<W: Write> Sink<W> {
    fn csv(out: W, with_hashes: bool) -> io::Result<Self> {
        let mut writer = WriterBuilder::new().terminator(Terminator::Any(b'\n')).from_writer(out);
        let names = COLUMNS.into_iter().chain(with_hashes.then_some("hashed_password"));
        writer.write_record(names).map_err(io_error)?;
        Ok(Self::Csv(Box::new(writer)))
    }

    fn write(&mut self, user: &Exported<'_>) -> io::Result<()> {
        match self {
            Self::JsonLines(out) => {
                serde_json::to_writer(&mut *out, user)?;
                out.write_all(b"\n")
            }
            Self::Csv(writer) => {
                let identities = match user.identities.as_slice() {
                    [] => String::new(),
                    identities => serde_json::to_string(identities)?,
                };
                let texts: [&str; 15] = [
                    &user.id.to_string(),
                    user.username,
                    user.email.unwrap_or_default(),
                    user.email_verified_at.as_deref().unwrap_or_default(),
                    user.pending_email.unwrap_or_default(),
                    user.first_name.unwrap_or_default(),
                    user.last_name.unwrap_or_default(),
                    if user.has_password { "true" } else { "false" },
                    if user.is_active { "true" } else { "false" },
                    &user.roles.join(","),
                    &user.unknown_roles.join(","),
                    &user.created_at,
                    &user.updated_at,
                    user.last_login.as_deref().unwrap_or_default(),
                    &identities,
                ];
                writer.write_record(texts.into_iter().chain(user.hashed_password)).map_err(io_error)
            }
        }
    }

    fn end(self) -> io::Result<W> {
        match self {
            Self::JsonLines(mut out) => out.flush().map(|()| out),
            Self::Csv(writer) => writer.into_inner().map_err(csv::IntoInnerError::into_error),
        }
    }
}

/// Converts an error and keeps its kind, which the conversion of the crate loses.
fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        kind => io::Error::other(format!("{kind:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_closed_pipe_is_recognized_in_both_formats() {
        let user = Exported {
            id: Uuid::nil(),
            username: "ada",
            email: None,
            email_verified_at: None,
            pending_email: None,
            first_name: None,
            last_name: None,
            has_password: true,
            is_active: true,
            roles: Vec::new(),
            unknown_roles: Vec::new(),
            created_at: String::new(),
            updated_at: String::new(),
            last_login: None,
            identities: Vec::new(),
            hashed_password: None,
        };
        for mut sink in [Sink::JsonLines(Closed), Sink::csv(Closed, false).unwrap()] {
            // The CSV writer buffers, so the error may come late.
            let error = (0..1000).find_map(|_| sink.write(&user).err()).unwrap();
            assert!(is_broken_pipe(&anyhow::Error::from(error).context(NOT_WRITTEN)));
        }
    }
}
