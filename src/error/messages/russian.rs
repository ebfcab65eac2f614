//! Numbers in Russian.

use crate::error::messages::wait::Wait;

/// The message of [`Error::LinkUsed`](crate::Error::LinkUsed).
pub(super) const LINK_USED: &str =
    "Пароль уже изменён по этой ссылке. Войдите с новым паролем или запросите новую ссылку.";

/// The message of [`Error::ReauthenticationRequired`](crate::Error::ReauthenticationRequired) if the second factor is needed.
pub(super) const SECOND_FACTOR_TOO_OLD: &str =
    "Вы вошли слишком давно. Подтвердите вход вторым фактором и повторите попытку.";

/// A number of characters: "8 символов".
pub(super) fn characters(number: u32) -> String {
    format!("{number} {}", form(number, ["символ", "символа", "символов"]))
}

/// A time to wait, in the accusative: "1 час 30 минут".
pub(super) fn duration(seconds: u32) -> String {
    let forms = [["час", "часа", "часов"], ["минуту", "минуты", "минут"], ["секунду", "секунды", "секунд"]];
    let parts = Wait::from_seconds(seconds).parts(forms);
    let parts: Vec<String> = parts.map(|(number, forms)| format!("{number} {}", form(number, forms))).collect();
    parts.join(" ")
}

/// The form of a noun after a number: one (1, 21, 101), few (2, 23) or many (5, 11, 20).
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
                assert_eq!(characters(*number), format!("{number} {forms}"));
            }
        }
    }

    #[test]
    fn durations_have_one_or_two_units() {
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
            assert_eq!(duration(seconds), expected, "{seconds}");
        }
    }
}
