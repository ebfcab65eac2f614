"""Tests Python clients and services: oauth_clients.py <issuer> <algorithm>. HS256 requires HALLPASS_KEY."""

import os
import sys

import jwt
import requests
from authlib.integrations.requests_client import OAuth2Session as AuthlibSession
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer
from fastapi.testclient import TestClient
from oauthlib.oauth2 import InvalidGrantError, LegacyApplicationClient
from requests_oauthlib import OAuth2Session

issuer, algorithm = sys.argv[1:]
ada = {"username": "testuser", "password": "password123"}


def check(what: str, is_true: bool) -> None:
    print("ok  " if is_true else "FAIL", what)
    if not is_true:
        sys.exit(1)


# The tutorial's script: register, sign in and request a protected route.
data = {"email": "test@example.com", "username": "test2", "password": "password123"}
response = requests.post(f"{issuer}/register", json=data)
check("requests: register", response.status_code == 200 and response.json()["username"] == "test2")
response = requests.post(f"{issuer}/token", data={"username": "test2", "password": "password123"})
headers = {"Authorization": f"Bearer {response.json().get('access_token')}"}
response = requests.get(f"{issuer}/protected", headers=headers)
check("requests: protected", response.status_code == 200 and "test2" in response.json()["message"])

# requests-oauthlib, which parses responses with oauthlib according to RFC 6749.
session = OAuth2Session(client=LegacyApplicationClient(client_id="app"))
token = session.fetch_token(f"{issuer}/token", **ada)
check("requests-oauthlib: the password grant", session.get(f"{issuer}/users/me").json()["username"] == "testuser")
fresh = session.refresh_token(f"{issuer}/token")
check("requests-oauthlib: the refresh grant", fresh["refresh_token"] != token["refresh_token"])
check("requests-oauthlib: the refreshed token works", session.get(f"{issuer}/users/me").status_code == 200)
try:
    OAuth2Session(client=LegacyApplicationClient(client_id="app")).fetch_token(
        f"{issuer}/token", username="testuser", password="wrong"
    )
    check("oauthlib: a wrong password", False)
except InvalidGrantError as error:
    check("oauthlib: a wrong password is InvalidGrantError", "incorrect" in error.description)

# Authlib
client = AuthlibSession("app", token_endpoint_auth_method="none")
token = client.fetch_token(f"{issuer}/token", grant_type="password", **ada)
check("Authlib: the password grant", client.get(f"{issuer}/users/me").json()["username"] == "testuser")
client.refresh_token(f"{issuer}/token", refresh_token=token["refresh_token"])
check("Authlib: the refresh grant", client.get(f"{issuer}/users/me").status_code == 200)
service = AuthlibSession("api", os.environ["CLIENT_SECRET"])
introspected = service.introspect_token(f"{issuer}/introspect", token=client.token["access_token"]).json()
check("Authlib: introspection", introspected["active"] is True and introspected["username"] == "testuser")
revoked = client.revoke_token(f"{issuer}/revoke", token=client.token["access_token"])
check("Authlib: revocation", revoked.status_code == 200)
check("Authlib: a revoked token is rejected", client.get(f"{issuer}/users/me").status_code == 401)

# A FastAPI service that verifies Hallpass's tokens locally.
app = FastAPI()
bearer = OAuth2PasswordBearer(tokenUrl=f"{issuer}/token")
keys = jwt.PyJWKClient(f"{issuer}/.well-known/jwks.json")


def current_user(token: str = Depends(bearer)) -> str:
    try:
        key = os.environ["HALLPASS_KEY"] if algorithm == "HS256" else keys.get_signing_key_from_jwt(token)
        claims = jwt.decode(token, key, algorithms=[algorithm], issuer=issuer, audience=issuer)
    except jwt.PyJWTError:
        raise HTTPException(401, "no", {"WWW-Authenticate": "Bearer"})
    return claims["preferred_username"]


@app.get("/mine")
def mine(user: str = Depends(current_user)) -> dict[str, str]:
    return {"user": user}


tokens = requests.post(f"{issuer}/token", data=ada).json()
own = TestClient(app)
answer = own.get("/mine", headers={"Authorization": f"Bearer {tokens['access_token']}"})
check("FastAPI's OAuth2PasswordBearer: a valid token", answer.json() == {"user": "testuser"})
for bad in ["nonsense", tokens["refresh_token"]]:
    answer = own.get("/mine", headers={"Authorization": f"Bearer {bad}"})
    check("FastAPI's OAuth2PasswordBearer: an invalid token", answer.status_code == 401)
check("FastAPI's OAuth2PasswordBearer: no token", own.get("/mine").status_code == 401)
