//! `user_words`: the words by which administrators search for users. Only [`user`] writes them, together with the user.

use std::collections::BTreeSet;

use sea_orm::{ExprTrait, QueryOrder, QuerySelect, QueryTrait, entity::prelude::*, sea_query::SelectStatement};
use unicode_normalization::UnicodeNormalization;

use crate::entity::{bulk, user};

/// Maximum length of a word in characters. Longer words are cut.
const MAX_LENGTH: usize = 100;

/// Maximum number of rows of one statement. SQLite binds at most 32,766 values.
const MAX_ROWS: usize = 10_000;

/// A row of `user_words`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "user_words")]
pub struct Model {
    /// The user.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: Uuid,
    /// The folded word, see `fold`. UTF-8, which all databases sort and compare in the same way.
    #[sea_orm(primary_key, auto_increment = false)]
    pub word: Vec<u8>,
}

/// The rows of a user are deleted with the user.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Folds text, so that words are compared without regard to case and to the encoding of accents.
fn fold(text: &str) -> String {
    text.nfkc().flat_map(char::to_lowercase).map(|c| if c == 'ς' { 'σ' } else { c }).collect()
}

/// Splits a search into terms. A user matches if each term is the beginning of one of the user's words.
#[must_use]
pub fn terms(search: &str) -> Vec<String> {
    let folded = fold(search);
    let terms: BTreeSet<String> = folded.split_whitespace().map(cut).collect();
    terms.into_iter().collect()
}

fn cut(word: &str) -> String {
    word.chars().take(MAX_LENGTH).collect()
}

/// The words of a user: username, address, its domain and names, each as a whole and divided at punctuation.
fn words(user: &user::Model) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    let mut add = |text: &str, is_address: bool| {
        let text = fold(text);
        for token in text.split_whitespace() {
            let (divided, domain) = match token.rsplit_once('@') {
                Some((local, domain)) if is_address => (local, Some(domain)),
                _ => (token, None),
            };
            let parts = divided.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty());
            words.extend(parts.chain(domain).chain([token]).map(cut));
        }
    };
    add(&user.username_key, false);
    add(user.email_key.as_deref().unwrap_or_default(), true);
    for name in [&user.first_name, &user.last_name].into_iter().flatten() {
        add(name, false);
    }
    words
}

/// Matches the rows whose word begins with `term`.
fn begins_with(term: &str) -> Expr {
    let first = term.as_bytes().to_vec();
    // This byte occurs in no UTF-8 text.
    let end = [term.as_bytes(), &[0xff]].concat();
    Column::Word.gte(first).and(Column::Word.lt(end))
}

/// Selects, as `id`, the ids of the users with a word that begins with `term`, in the order of the index, which makes the
/// databases use it. An id may occur more than once.
pub(super) fn holders(term: &str) -> SelectStatement {
    Entity::find()
        .select_only()
        .column_as(Column::UserId, "id")
        .filter(begins_with(term))
        .order_by_asc(Column::Word)
        .into_query()
}

/// Whether the user of a query on `users` has a word that begins with `term`.
pub(super) fn has_word(term: &str) -> Expr {
    let own = Expr::col((Entity, Column::UserId)).equals((user::Entity, user::Column::Id));
    let words = Entity::find().select_only().expr(Expr::val(1)).filter(own).filter(begins_with(term));
    Expr::exists(words.into_query())
}

/// Writes the words of new users.
pub(super) async fn insert(
    db: &impl ConnectionTrait,
    users: impl IntoIterator<Item = &user::Model>,
) -> Result<(), DbErr> {
    let rows: Vec<ActiveModel> = users
        .into_iter()
        .flat_map(|user| words(user).into_iter().map(|word| Model { user_id: user.id, word: word.into_bytes() }))
        .map(|row| ActiveModel::from(row).reset_all())
        .collect();
    for rows in rows.chunks(MAX_ROWS) {
        bulk::insert(db, rows.iter().cloned()).await?;
    }
    Ok(())
}

/// Replaces the words of a user if they have changed.
pub(super) async fn replace(db: &impl ConnectionTrait, before: &user::Model, after: &user::Model) -> Result<(), DbErr> {
    let (before, after_words) = (words(before), words(after));
    if before == after_words {
        return Ok(());
    }
    Entity::delete_many().filter(Column::UserId.eq(after.id)).exec(db).await?;
    insert(db, [after]).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn search_ignores_case_in_all_scripts() {
        assert_eq!(terms("  ÉMILE ΟΔΥΣΣΕΎΣ Ёлка"), terms("émile οδυσσεύς ёЛКА"));
        assert_eq!(terms("e\u{301}mile"), terms("\u{e9}mile"), "a combining accent");
        assert!(terms(" \t ").is_empty());
    }
}
