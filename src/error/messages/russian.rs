//! In Russian. A single phrase has no full stop, as in the tutorials.

use std::borrow::Cow;

use crate::error::{ErrorCode, UnauthenticatedReason, messages::wait::Wait};

pub(super) const LINK_USED: &str =
    "Пароль уже изменён по этой ссылке. Войдите с новым паролем или запросите новую ссылку.";

/// The words for a code, with the bound that was broken or the seconds to wait.
pub(super) fn words(code: ErrorCode, number: u32) -> Cow<'static, str> {
    let characters = form(number, ["символ", "символа", "символов"]);
    match code {
        ErrorCode::InvalidInput => "Некоторые поля заполнены неверно. Исправьте их и повторите попытку.",
        ErrorCode::Required => "Заполните это поле",
        ErrorCode::TooLong => return format!("Здесь допускается максимум {number} {characters}").into(),
        ErrorCode::InvalidEmail => "Это не адрес электронной почты; он выглядит так: ada@example.org",
        ErrorCode::InvalidUsername => {
            "Имя пользователя должно содержать только латинские буквы, цифры, подчёркивания и дефисы и не начинаться с дефиса"
        }
        ErrorCode::UsernameTaken => "Имя пользователя уже занято",
        ErrorCode::EmailTaken => "Email уже зарегистрирован",
        ErrorCode::PasswordTooShort => {
            return format!("Пароль должен содержать минимум {number} {characters}").into();
        }
        ErrorCode::PasswordTooLong => {
            return format!("Пароль должен содержать максимум {number} {characters}").into();
        }
        ErrorCode::PasswordTooCommon => {
            "Такой пароль подбирают первым. Выберите другой: не из распространённых и не своё имя."
        }
        ErrorCode::InvalidCredentials => "Неверное имя пользователя или пароль",
        ErrorCode::WrongPassword => "Это не ваш пароль",
        ErrorCode::EmailNotVerified => {
            "Адрес электронной почты ещё не подтверждён. Откройте ссылку из письма или запросите новое письмо."
        }
        ErrorCode::EmailAlreadyVerified => {
            "Адрес электронной почты этой учётной записи подтверждён. Чтобы изменить его, войдите."
        }
        ErrorCode::MailDisabled => "Этот сервер не отправляет писем. Обратитесь к администратору.",
        ErrorCode::LinkInvalid => "Эта ссылка недействительна или уже использована. Запросите новую.",
        ErrorCode::LinkExpired => "Срок действия этой ссылки истёк. Запросите новую.",
        ErrorCode::AccountDisabled => "Неактивный пользователь",
        ErrorCode::RegistrationDisabled => "Регистрация здесь закрыта. Обратитесь к администратору.",
        ErrorCode::SessionNotFound => "Недействительный refresh токен",
        ErrorCode::SessionExpired => "Сеанс истёк. Войдите снова.",
        ErrorCode::SessionRevoked => "Сеанс завершён. Войдите снова.",
        ErrorCode::NotFound => "Этого нет, или оно принадлежит не вам",
        ErrorCode::RoleUnknown => "Такой роли нет. Выберите одну из тех, что есть на этом сервере.",
        ErrorCode::LastAdmin => "Это последний действующий администратор. Сначала назначьте другого.",
        ErrorCode::Unauthenticated => "Не удалось проверить учетные данные",
        ErrorCode::BadUserInput => "Здесь есть символ, который нельзя сохранить. Удалите его.",
        ErrorCode::BadRequest => "Это не запрос GraphQL",
        // Clients compare it.
        ErrorCode::PersistedQueryNotSupported => "PersistedQueryNotSupported",
        ErrorCode::GraphqlParseFailed => "В указанном месте документа GraphQL синтаксическая ошибка",
        ErrorCode::GraphqlValidationFailed => "В указанном месте документ GraphQL не соответствует схеме",
        ErrorCode::InternalServerError => {
            "На сервере произошла ошибка. Повторите попытку позже. Если ошибка повторится, сообщите администратору."
        }
        ErrorCode::RateLimited => {
            return format!("Слишком много попыток. Повторите через {}.", duration(number)).into();
        }
        ErrorCode::ServiceUnavailable => {
            return format!("Сервер сейчас не может ответить. Повторите попытку через {}.", duration(number)).into();
        }
    }
    .into()
}

pub(super) const fn reason(reason: UnauthenticatedReason) -> &'static str {
    match reason {
        UnauthenticatedReason::TokenMissing => "Не удалось проверить учетные данные",
        UnauthenticatedReason::TokenExpired => "Токен истёк",
        UnauthenticatedReason::TokenInvalid => "Неверный токен",
        UnauthenticatedReason::SessionRevoked => "Сеанс завершён. Войдите снова.",
    }
}

/// A time to wait, in the accusative: "1 час 30 минут".
fn duration(seconds: u32) -> String {
    let forms = [["час", "часа", "часов"], ["минуту", "минуты", "минут"], ["секунду", "секунды", "секунд"]];
    let parts = Wait::from_seconds(seconds).parts(forms);
    let parts: Vec<String> = parts.map(|(number, forms)| format!("{number} {}", form(number, forms))).collect();
    parts.join(" ")
}

/// The form of a noun beside a number: of one (1, 21, 101), of few (2, 23), of many (5, 11, 20).
fn form(number: u32, [one, few, many]: [&'static str; 3]) -> &'static str {
    match (number % 100, number % 10) {
        (11..=14, _) => many,
        (_, 1) => one,
        (_, 2..=4) => few,
        _ => many,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nouns_agree_with_their_numbers() {
        for (forms, numbers) in [
            ("символ", [1, 21, 101, 1001].as_slice()),
            ("символа", &[2, 3, 4, 22, 64, 102]),
            ("символов", &[0, 5, 8, 10, 11, 12, 13, 14, 19, 20, 100, 111, 112, 128]),
        ] {
            for number in numbers {
                let words = words(ErrorCode::PasswordTooShort, *number);
                assert_eq!(words, format!("Пароль должен содержать минимум {number} {forms}"));
            }
        }
    }

    #[test]
    fn waits_are_told_in_words() {
        for (seconds, expected) in [
            (1, "1 секунду"),
            (3, "3 секунды"),
            (30, "30 секунд"),
            (41, "41 секунду"),
            (60, "1 минуту"),
            (110, "2 минуты"),
            (660, "11 минут"),
            (1260, "21 минуту"),
            (3448, "58 минут"),
            (3600, "1 час"),
            (5400, "1 час 30 минут"),
            (7260, "2 часа 1 минуту"),
            (18_000, "5 часов"),
            (75_600, "21 час"),
            (86_400, "24 часа"),
        ] {
            for code in [ErrorCode::RateLimited, ErrorCode::ServiceUnavailable] {
                assert!(words(code, seconds).ends_with(&format!(" через {expected}.")), "{seconds}");
            }
        }
    }
}
