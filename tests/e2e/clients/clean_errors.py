"""A schemathesis check: all errors are client errors, and their extensions have the fields that the schema declares.
And values of the scalar `JSON`: any JSON, and objects that resemble the credential of a passkey."""

import base64

import graphql
import schemathesis
from hypothesis import strategies as st

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


def literal(value):
    """The GraphQL literal of a JSON value."""
    match value:
        case None:
            return graphql.NullValueNode()
        case bool():
            return graphql.BooleanValueNode(value=value)
        case int():
            return graphql.IntValueNode(value=str(value))
        case float():
            return graphql.FloatValueNode(value=repr(value))
        case str():
            return graphql.StringValueNode(value=value)
        case list():
            return graphql.ListValueNode(values=tuple(map(literal, value)))
    fields = [
        graphql.ObjectFieldNode(name=graphql.NameNode(value=name), value=literal(member)) for name, member in value.items()
    ]
    return graphql.ObjectValueNode(fields=tuple(fields))


text = st.text(st.characters(exclude_categories=["Cs"]))
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | text
names = st.from_regex("[_A-Za-z][_0-9A-Za-z]{0,9}", fullmatch=True)
json = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3), max_leaves=8)
base64url = st.binary(max_size=80).map(lambda data: base64.urlsafe_b64encode(data).rstrip(b"=").decode())
member = base64url | json
response = st.fixed_dictionaries(
    {"clientDataJSON": member},
    optional={
        "attestationObject": member,
        "authenticatorData": member,
        "signature": member,
        "userHandle": member,
        "transports": st.lists(text, max_size=3) | json,
    },
)
credential = st.fixed_dictionaries(
    {"id": member, "rawId": member, "type": st.just("public-key") | json, "response": response | json},
    optional={"authenticatorAttachment": json, "clientExtensionResults": json},
)
schemathesis.graphql.scalar("JSON", (credential | json).map(literal))
