"""Creates exports of other systems with their own libraries. All users have the password of `accounts.mjs`.

profiles.py <folder>
"""

import base64
import csv
import json
import os
import sqlite3
import subprocess
import sys
import uuid
from pathlib import Path

import argon2.low_level
import bcrypt
import firebase_scrypt
from passlib.hash import pbkdf2_sha512
from passlib.hash import scrypt as passlib_scrypt
from werkzeug.security import generate_password_hash

PASSWORD = "correct horse battery"
folder = Path(sys.argv[1])
HASHERS = ["PBKDF2", "Argon2", "BCryptSHA256", "BCrypt", "Scrypt"]


def write(name, text):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def lines(rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


def bcrypt_hash(prefix):
    return bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(10, prefix)).decode()


def django():
    """A project of its own, whose `manage.py dumpdata` the manual runs."""
    hashers = [f"django.contrib.auth.hashers.{name}PasswordHasher" for name in HASHERS]
    write(
        "django/project/settings.py",
        "SECRET_KEY = 'x'\nUSE_TZ = True\nDEFAULT_AUTO_FIELD = 'django.db.models.AutoField'\n"
        "INSTALLED_APPS = ['django.contrib.contenttypes', 'django.contrib.auth']\n"
        "DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': 'db.sqlite3'}}\n"
        f"PASSWORD_HASHERS = {hashers!r}\n",
    )
    write("django/project/__init__.py", "")
    write(
        "django/manage.py",
        "import os, sys\nos.environ['DJANGO_SETTINGS_MODULE'] = 'project.settings'\n"
        "from django.core.management import execute_from_command_line\nexecute_from_command_line(sys.argv)\n",
    )
    write(
        "django/create.py",
        "from django.contrib.auth.hashers import make_password\n"
        "from django.contrib.auth.models import Group, User\n"
        "for hasher in ['pbkdf2_sha256', 'argon2', 'bcrypt_sha256', 'bcrypt', 'scrypt']:\n"
        f"    User.objects.create(username=f'{{hasher}}.user', email=f'{{hasher}}@example.org', first_name='Ada', password=make_password({PASSWORD!r}, hasher=hasher))\n"
        "mail = User.objects.create_user('mail@example.org', 'mail@example.org')\n"
        f"User.objects.create_superuser('root', '', {PASSWORD!r})\n"
        "mail.groups.add(Group.objects.create(name='editors'))\n",
    )
    manage = [sys.executable, "manage.py"]
    subprocess.run([*manage, "migrate", "-v", "0"], cwd=folder / "django", check=True)
    subprocess.run([*manage, "shell", "-c", (folder / "django/create.py").read_text()], cwd=folder / "django", check=True)
    with sqlite3.connect(folder / "django/db.sqlite3") as connection, open(folder / "django/table.csv", "w") as file:
        rows = connection.execute("select * from auth_user")
        writer = csv.writer(file)
        writer.writerow([column[0] for column in rows.description])
        writer.writerows(rows)


def supabase():
    """The tables of Supabase Auth that the query of the manual reads."""
    users = [
        ("ada@example.org", bcrypt_hash(b"2a"), True, {"full_name": "Ada King"}),
        ("ada@example.com", bcrypt_hash(b"2a"), False, {}),
        ("google@example.org", "", True, {"name": "Grace Hopper"}),
    ]
    sql = [
        "create schema auth;",
        "create table auth.users (id uuid primary key, email text, encrypted_password text, email_confirmed_at timestamptz,"
        " raw_user_meta_data jsonb, banned_until timestamptz, deleted_at timestamptz, is_anonymous boolean not null default false,"
        " is_sso_user boolean not null default false, phone text, created_at timestamptz, updated_at timestamptz, last_sign_in_at timestamptz);",
        "create table auth.identities (id uuid, user_id uuid, provider text, provider_id text, identity_data jsonb);",
    ]
    for number, (email, password, is_confirmed, metadata) in enumerate(users):
        user = uuid.uuid4()
        confirmed = "'2025-08-01 12:00:00.123456+00'" if is_confirmed else "null"
        sql.append(
            f"insert into auth.users (id, email, encrypted_password, email_confirmed_at, raw_user_meta_data, created_at) values"
            f" ('{user}', '{email}', '{password}', {confirmed}, '{json.dumps(metadata)}', '2025-08-0{number + 1} 12:00:00+00');"
        )
        provider = email.split("@")[0] if email.startswith("google") else "email"
        data = json.dumps({"sub": f"10{number}", "email": email})
        sql.append(f"insert into auth.identities values ('{uuid.uuid4()}', '{user}', '{provider}', '10{number}', '{data}');")
    sql.append(
        "insert into auth.users (id, email, banned_until, created_at)"
        f" values ('{uuid.uuid4()}', 'banned@example.org', '2999-01-01', '2025-08-09'), ('{uuid.uuid4()}', null, null, '2025-08-10');"
    )
    sql.append("update auth.users set is_anonymous = true where email is null;")
    write("supabase/setup.sql", "\n".join(sql))


def auth0():
    users, passwords = [], []
    for name, prefix in [("ada", b"2a"), ("bo", b"2b")]:
        oid = os.urandom(12).hex()
        email = f"{name}@example.org"
        users.append({
            "user_id": f"auth0|{oid}", "email": email, "email_verified": name == "ada", "name": email, "given_name": "Ada", "family_name": "King",
            "created_at": "2025-08-01T12:00:00.000Z", "updated_at": "2025-08-02T12:00:00.000Z",
            "identities": [{"user_id": oid, "provider": "auth0", "connection": "Username-Password-Authentication", "isSocial": False}],
        })
        passwords.append({
            "_id": {"$oid": oid}, "email_verified": name == "ada", "email": email, "passwordHash": bcrypt_hash(prefix),
            "password_set_date": {"$date": "2025-08-01T12:00:00.000Z"}, "tenant": "dev", "connection": "Username-Password-Authentication",
            "_tmp_is_unique": True,
        })
    users.append({
        "user_id": "google-oauth2|103", "email": "google@example.org", "email_verified": True, "name": "Grace Hopper", "created_at": "2025-08-01T12:00:00.000Z",
        "identities": [{"user_id": "103", "provider": "google-oauth2", "connection": "google-oauth2", "isSocial": True}],
    })
    write("auth0/users.ndjson", lines(users))
    write("auth0/passwords.ndjson", lines(reversed(passwords)))


def firebase():
    key, separator = base64.b64encode(os.urandom(64)).decode(), "Bw=="
    users = []
    for number in range(2):
        salt = base64.b64encode(os.urandom(11)).decode()
        derived = firebase_scrypt.generate_derived_key(PASSWORD, salt, separator, 8, 14)
        users.append({
            "localId": f"local{number}", "email": f"user{number}@example.org", "emailVerified": number == 0, "displayName": "Ada King", "salt": salt,
            "passwordHash": base64.b64encode(firebase_scrypt.encrypt(base64.b64decode(key), derived)).decode(),
            "createdAt": "1754049600000", "lastSignedInAt": "1754049601000", "disabled": False, "providerUserInfo": [],
        })
    users.append({
        "localId": "local2", "email": "google@example.org", "emailVerified": True, "createdAt": "1754049600000",
        "providerUserInfo": [{"providerId": "google.com", "rawId": "103", "email": "google@example.org"}],
    })
    write("firebase/users.json", json.dumps({"users": users}, indent=2))
    write("firebase/signer-key.txt", key)


def keycloak():
    def credential(algorithm, rounds, salt, digest, **parameters):
        text = lambda data: base64.b64encode(data).decode()
        return [{
            "id": str(uuid.uuid4()), "type": "password", "createdDate": 1754049600000,
            "secretData": json.dumps({"value": text(digest), "salt": text(salt), "additionalParameters": {}}),
            "credentialData": json.dumps({"hashIterations": rounds, "algorithm": algorithm, "additionalParameters": parameters}),
        }]

    from hashlib import pbkdf2_hmac

    salt = os.urandom(16)
    argon2_digest = argon2.low_level.hash_secret_raw(PASSWORD.encode(), salt, 5, 7168, 1, 32, argon2.low_level.Type.ID)
    credentials = {
        "argon2": credential("argon2", 5, salt, argon2_digest, hashLength=["32"], memory=["7168"], type=["id"], version=["1.3"], parallelism=["1"]),
        "sha512": credential("pbkdf2-sha512", 210000, salt, pbkdf2_hmac("sha512", PASSWORD.encode(), salt, 210000, 64)),
        "sha256": credential("pbkdf2-sha256", 27500, salt, pbkdf2_hmac("sha256", PASSWORD.encode(), salt, 27500, 64)),
        "sha1": credential("pbkdf2", 20000, salt, pbkdf2_hmac("sha1", PASSWORD.encode(), salt, 20000, 64)),
    }
    users = [
        {
            "id": str(uuid.uuid4()), "createdTimestamp": 1754049600000, "username": name, "enabled": True, "totp": False, "emailVerified": name == "argon2",
            "firstName": "Ada", "lastName": "King", "email": f"{name}@example.org", "credentials": credentials[name], "disableableCredentialTypes": [],
            "requiredActions": [], "realmRoles": ["default-roles-test", "offline_access", "uma_authorization", "editor"], "notBefore": 0, "groups": ["/staff"],
        }
        for name in credentials
    ]
    users.append({"id": str(uuid.uuid4()), "createdTimestamp": 1754049600000, "username": "service-account-app", "enabled": True, "serviceAccountClientId": "app"})
    realm = {"id": "test", "realm": "test", "roles": {"realm": [{"name": "users"}]}, "users": users, "clients": [{"clientId": "app"}]}
    write("keycloak/realm.json", json.dumps(realm, indent=2))


def authorizer():
    columns = (
        "key text, id uuid, email text, email_verified_at bigint, password text, signup_methods text, given_name text, family_name text, phone_number text,"
        " roles text, revoked_timestamp bigint, is_multi_factor_auth_enabled boolean, app_data text, updated_at bigint, created_at bigint"
    )
    sql = [f"create table authorizer_users ({columns});"]
    for name, verified, roles in [("ada", "1754049600", "user"), ("bo", "null", "user,editor")]:
        user = uuid.uuid4()
        sql.append(
            "insert into authorizer_users (key, id, email, email_verified_at, password, signup_methods, given_name, roles, updated_at, created_at) values"
            f" ('{user}', '{user}', '{name}@example.org', {verified}, '{bcrypt_hash(b'2a')}', 'basic_auth', 'Ada', '{roles}', 1754049601, 1754049600);"
        )
    write("authorizer/setup.sql", "\n".join(sql))


def table():
    """A table with hashes of Flask and passlib, as a spreadsheet writes it."""
    rows = [
        ("flask-scrypt", generate_password_hash(PASSWORD, "scrypt")),
        ("flask-pbkdf2", generate_password_hash(PASSWORD, "pbkdf2:sha256")),
        ("sha512", pbkdf2_sha512.hash(PASSWORD)),
        ("scrypt", passlib_scrypt.hash(PASSWORD)),
    ]
    text = "".join(f'{name};"{password}";ada@{name}.example.org\r\n' for name, password in rows)
    write("table/users.csv", f"\ufeffUserName;Hashed_Password;EMail\r\n{text}")


for create in [django, supabase, auth0, firebase, keycloak, authorizer, table]:
    create()
