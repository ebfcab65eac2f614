//! [`ErrorCode`] and [`UnauthenticatedReason`], derived from the tables in `codes.rs` and `reasons.rs`.

use std::{borrow::Cow, fmt};

use serde::Serialize;

use crate::{
    error::{codes::error_codes, messages, reasons::unauthenticated_reasons},
    language::Language,
};

macro_rules! error_code {
    ($(
        $(#[doc = $doc:literal])+
        $code:ident {
            rest: $rest:literal, oauth: $oauth_status:literal $oauth_error:literal,
            en: $english:literal,
            ru: $russian:literal,
        }
    )+) => {
        /// The stable name of an [`Error`](crate::Error): `extensions.code` in GraphQL.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
        #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
        pub enum ErrorCode {
            $($(#[doc = $doc])+ $code,)+
        }

        impl ErrorCode {
            /// All codes, in the order in which they are published.
            pub const ALL: &[Self] = &[$(Self::$code),+];

            /// The row of the code in the table.
            const fn row(self) -> Row {
                match self {
                    $(Self::$code => Row {
                        description: concat!($($doc),+),
                        rest: $rest,
                        oauth: ($oauth_status, $oauth_error),
                        texts: Texts { english: $english, russian: $russian },
                    },)+
                }
            }
        }
    };
}
error_codes!(error_code);

macro_rules! unauthenticated_reason {
    ($(
        $(#[doc = $doc:literal])+
        $reason:ident { en: $english:literal, ru: $russian:literal, }
    )+) => {
        /// Why an access token is rejected.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum UnauthenticatedReason {
            $($(#[doc = $doc])+ $reason,)+
        }

        impl UnauthenticatedReason {
            /// All reasons, in the order in which they are published.
            pub const ALL: &[Self] = &[$(Self::$reason),+];

            /// The message for the user.
            const fn texts(self) -> Texts {
                match self {
                    $(Self::$reason => Texts { english: $english, russian: $russian },)+
                }
            }
        }
    };
}
unauthenticated_reasons!(unauthenticated_reason);

/// A row of the table.
struct Row {
    description: &'static str,
    rest: u16,
    oauth: (u16, &'static str),
    texts: Texts,
}

/// A message in each language.
struct Texts {
    english: &'static str,
    russian: &'static str,
}

impl Texts {
    /// The message in one language.
    const fn language(&self, language: Language) -> &'static str {
        match language {
            Language::English => self.english,
            Language::Russian => self.russian,
        }
    }
}

impl ErrorCode {
    /// What the code means, for developers of clients.
    #[must_use]
    pub const fn description(self) -> &'static str {
        self.row().description.trim_ascii_start()
    }

    /// The HTTP status of a REST response, and of a GraphQL request that is rejected before its document is parsed.
    #[must_use]
    pub const fn rest_status(self) -> u16 {
        self.row().rest
    }

    /// The HTTP status and the `error` of an OAuth response (RFC 6749 §5.2).
    #[must_use]
    pub const fn oauth(self) -> (u16, &'static str) {
        self.row().oauth
    }

    /// The message for the user. `number` is the limit that is violated or the number of seconds to wait, if the code has one.
    #[must_use]
    pub fn message(self, language: Language, number: u32) -> Cow<'static, str> {
        messages::render(self.row().texts.language(language), language, number)
    }
}

/// The public name, such as `NOT_FOUND`.
impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

impl UnauthenticatedReason {
    /// What is wrong with the access token, for the user.
    #[must_use]
    pub const fn message(self, language: Language) -> &'static str {
        self.texts().language(language)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_is_in_screaming_snake_case() {
        assert_eq!(ErrorCode::GraphqlParseFailed.to_string(), "GRAPHQL_PARSE_FAILED");
    }

    #[test]
    fn description_is_one_line() {
        assert_eq!(
            ErrorCode::InvalidInput.description(),
            "Several fields are invalid; `extensions.errors` has one entry for each. If only one is invalid, its own code \
             is used instead."
        );
    }
}
