"""A schemathesis check: all errors are client errors, and their extensions have the fields that the schema declares."""

import schemathesis

SERVER_ERRORS = {"INTERNAL_SERVER_ERROR", "SERVICE_UNAVAILABLE"}
FIELDS = {"code", "errors", "hint", "mfa", "reason", "requestId", "retryAfter"}


@schemathesis.check
def clean_errors(ctx, response, case):
    assert response.status_code < 500, "the server failed"
    body = response.json()
    assert "data" in body or body["errors"], "neither data nor errors"
    for error in body.get("errors", []):
        extensions = error["extensions"]
        assert set(extensions) == FIELDS, f"not ErrorExtensions: {extensions}"
        assert extensions["code"] not in SERVER_ERRORS, f"not a client error: {error}"
        assert extensions["requestId"] == response.headers["x-request-id"][0]
