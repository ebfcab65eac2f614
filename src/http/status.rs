//! The HTTP status of an error, from the table of codes.

use axum::http::StatusCode;

use crate::error::ErrorCode;

/// The status of a REST response, of a page, and of a GraphQL request that was rejected before its document was parsed.
pub(super) fn status_of(code: ErrorCode) -> StatusCode {
    status(code.rest_status())
}

/// Converts a status from the table.
pub(super) fn status(number: u16) -> StatusCode {
    StatusCode::from_u16(number).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_server_faults_have_a_5xx_status() {
        for code in ErrorCode::ALL {
            let statuses = [code.rest_status(), code.oauth().0].map(StatusCode::from_u16).map(Result::unwrap);
            let is_server_fault = matches!(code, ErrorCode::InternalServerError | ErrorCode::ServiceUnavailable);
            for status in statuses {
                assert!(status.is_client_error() != is_server_fault, "{code}: {status}");
                assert!(status.is_server_error() == is_server_fault, "{code}: {status}");
            }
        }
    }
}
