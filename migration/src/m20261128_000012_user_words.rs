//! `user_words`: the words by which administrators search for users. And what user lists need besides: the time of creation in
//! `user_roles`, and indexes for their orders and filters.

use std::collections::BTreeSet;

use sea_orm_migration::prelude::*;
use unicode_normalization::UnicodeNormalization;

use crate::{
    Migration,
    schema::{QueryResult, Schema, Uuid},
};

/// Creates `user_words` and `user_roles.created_at`, and fills them from `users`.
#[derive(DeriveMigrationName)]
pub(crate) struct UserWords;

/// The columns that are searched.
const SOURCES: [&str; 4] = ["username_key", "email_key", "first_name", "last_name"];

/// Maximum length of a word in characters.
const MAX_WORD_LENGTH: usize = 100;

/// The indexes of `users`, as pairs of name and columns. Those on nullable times are ordered like the queries.
const INDEXES: [(&str, &[&str]); 3] = [
    ("users_created", &["created_at", "id"]),
    ("users_active", &["is_active", "created_at", "id"]),
    ("users_verified", &["email_verified_at", "created_at", "id"]),
];

/// The words of a user when this migration was written.
fn words(row: &QueryResult) -> Result<Vec<Vec<u8>>, DbErr> {
    let mut words = BTreeSet::new();
    for source in SOURCES {
        let Some(text) = row.try_get::<Option<String>>("", source)? else { continue };
        let text: String = text.nfkc().flat_map(char::to_lowercase).map(|c| if c == 'ς' { 'σ' } else { c }).collect();
        for token in text.split_whitespace() {
            let (local, domain) = match (source, token.rsplit_once('@')) {
                ("email_key", Some((local, domain))) => (local, Some(domain)),
                _ => (token, None),
            };
            let parts = local.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty());
            for word in parts.chain(domain).chain([token]) {
                words.insert(word.chars().take(MAX_WORD_LENGTH).collect::<String>().into_bytes());
            }
        }
    }
    Ok(words.into_iter().collect())
}

#[async_trait::async_trait]
impl Migration for UserWords {
    /// An older version writes no words, so searches would miss its changes.
    fn is_additive(&self) -> bool {
        false
    }

    async fn up(&self, schema: &Schema<'_>) -> Result<(), DbErr> {
        // Rows of an interrupted run may be outdated, because an older version may have changed names since.
        schema.drop_table("user_words").await?;
        let table = schema
            .keyed_table("user_words")
            .col(ColumnDef::new("user_id").uuid().not_null())
            // UTF-8. As text, its order would depend on the database's collation.
            .col(ColumnDef::new("word").var_binary(4 * 100).not_null())
            .primary_key(Index::create().col("user_id").col("word"))
            .foreign_key(
                ForeignKey::create()
                    .name("user_words_user_fkey")
                    .from("user_words", "user_id")
                    .to("users", "id")
                    .on_delete(ForeignKeyAction::Cascade),
            )
            .take();
        schema.create_table(table).await?;
        let values = |row: &QueryResult| -> Result<Vec<[Value; 2]>, DbErr> {
            let id: Uuid = row.try_get("", "id")?;
            Ok(words(row)?.into_iter().map(|word| [id.into(), word.into()]).collect())
        };
        schema.derive_rows("users", &SOURCES, "user_words", ["user_id", "word"], values).await?;
        schema.create_index("user_words", "user_words_word", &["word", "user_id"]).await?;
        schema.add_column("user_roles", schema.instant("created_at").take()).await?;
        let user = Query::select()
            .column("created_at")
            .from("users")
            .and_where(Expr::col(("users", "id")).equals(("user_roles", "user_id")))
            .take();
        let created_at = Expr::SubQuery(None, Box::new(user.into()));
        let update = Query::update()
            .table("user_roles")
            .value("created_at", created_at)
            .and_where(Expr::col("created_at").is_null())
            .take();
        schema.update(update).await?;
        schema.create_index("user_roles", "user_roles_created", &["role", "created_at", "user_id"]).await?;
        schema.drop_index("user_roles", "user_roles_role").await?;
        for (name, columns) in INDEXES {
            schema.create_index("users", name, columns).await?;
        }
        // Users who have never signed in come first.
        let columns = ["last_login_at", "created_at", "id"];
        schema.create_index_nulls_first("users", "users_last_login", columns).await?;
        schema.create_index("audit_log", "audit_log_action", &["action", "id"]).await?;
        schema.create_index("audit_log", "audit_log_address", &["ip_address", "id"]).await
    }

    async fn down(&self, schema: &Schema<'_>) -> Result<(), DbErr> {
        schema.drop_index("audit_log", "audit_log_address").await?;
        schema.drop_index("audit_log", "audit_log_action").await?;
        schema.drop_index("users", "users_last_login").await?;
        for (name, _) in INDEXES {
            schema.drop_index("users", name).await?;
        }
        schema.create_index("user_roles", "user_roles_role", &["role", "user_id"]).await?;
        schema.drop_index("user_roles", "user_roles_created").await?;
        schema.drop_column("user_roles", "created_at").await?;
        schema.drop_table("user_words").await
    }
}
