"""What schemathesis holds every answer against: errors are the client's, in the shape that the schema promises."""

import schemathesis

OURS = {"INTERNAL_SERVER_ERROR", "SERVICE_UNAVAILABLE"}
SHAPE = {"code", "errors", "hint", "reason", "requestId", "retryAfter"}


@schemathesis.check
def clean_errors(ctx, response, case):
    assert response.status_code < 500, "the server failed"
    body = response.json()
    assert "data" in body or body["errors"], "neither data nor errors"
    for error in body.get("errors", []):
        extensions = error["extensions"]
        assert set(extensions) == SHAPE, f"not ErrorExtensions: {extensions}"
        assert extensions["code"] not in OURS, f"not the client's mistake: {error}"
        assert extensions["requestId"] == response.headers["x-request-id"][0]
