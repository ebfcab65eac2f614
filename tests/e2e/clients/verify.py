"""Verifies the access token on standard input with PyJWT: verify.py <issuer> <algorithm>."""

import sys

import jwt

issuer, algorithm = sys.argv[1:]
token = sys.stdin.read()
key = jwt.PyJWKClient(f"{issuer}/.well-known/jwks.json").get_signing_key_from_jwt(token)
claims = jwt.decode(
    token, key, algorithms=[algorithm], issuer=issuer, audience=issuer, options={"require": ["exp", "iat", "sub", "jti"]}
)
assert jwt.get_unverified_header(token)["typ"] == "at+jwt"
assert claims["preferred_username"] == "ada"
