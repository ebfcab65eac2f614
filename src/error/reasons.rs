//! The table of the reasons of UNAUTHENTICATED. Everything else about a reason is derived from its row.

/// Passes the reasons of UNAUTHENTICATED to the macro `callback`. Their messages replace the message of the code.
macro_rules! unauthenticated_reasons {
    ($callback:ident) => {
        $callback! {
            /// No token was sent.
            TokenMissing {
                en: "Authentication required. Sign in.",
                ru: "Не удалось проверить учетные данные",
            }
            /// The token has expired. Refresh it and try again.
            TokenExpired {
                en: "The access token has expired. Refresh it, or sign in again.",
                ru: "Токен истёк",
            }
            /// The token was not issued by this server, or was altered.
            TokenInvalid {
                en: "The access token is invalid. Sign in again.",
                ru: "Неверный токен",
            }
            /// The session has ended, or the account is disabled or deleted. Do not refresh; the user must sign in again.
            SessionRevoked {
                en: "This session has ended. Sign in again.",
                ru: "Сеанс завершён. Войдите снова.",
            }
        }
    };
}

pub(crate) use unauthenticated_reasons;
