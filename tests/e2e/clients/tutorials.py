"""Creates the users of three tutorial systems with the libraries of those tutorials: two tables in SQLite or PostgreSQL, and a
file for the system without a table. All users have the password of `accounts.mjs`.

tutorials.py <SQLAlchemy URL> <folder> [number of extra users in the table `users`]
"""

import json
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import argon2
import bcrypt
from passlib.context import CryptContext
from sqlalchemy import Boolean, Column, DateTime, Integer, String, create_engine, func
from sqlalchemy.orm import Session, declarative_base

PASSWORD = "correct horse battery"
pbkdf2 = CryptContext(schemes=["pbkdf2_sha256"], deprecated="auto")
bcrypt_hash = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(10)).decode()
argon2_hash = argon2.PasswordHasher().hash(PASSWORD)

url, folder = sys.argv[1:3]
more = int(sys.argv[3]) if len(sys.argv) > 3 else 0
Base = declarative_base()


class User(Base):
    """The table of the long guide."""

    __tablename__ = "users"

    id = Column(Integer, primary_key=True, index=True)
    email = Column(String, unique=True, index=True)
    username = Column(String, unique=True, index=True)
    hashed_password = Column(String)
    is_active = Column(Boolean, default=True)
    first_name = Column(String, nullable=True)
    last_name = Column(String, nullable=True)
    created_at = Column(DateTime(timezone=True), server_default=func.now())
    updated_at = Column(DateTime(timezone=True), onupdate=func.now())
    last_login = Column(DateTime(timezone=True), nullable=True)


class Login(Base):
    """The table that SQLModel names after a class `User`, with the columns needed to register and sign in."""

    __tablename__ = "user"

    id = Column(Integer, primary_key=True)
    username = Column(String, unique=True)
    hashed_password = Column(String)
    avatar = Column(String, nullable=True)


engine = create_engine(url)
Base.metadata.create_all(engine)
created = datetime(2025, 8, 1, 15, 0, 0, 123456, tzinfo=timezone(timedelta(hours=3)))
if engine.dialect.name == "sqlite":
    # SQLite stores no time zone. The application uses UTC.
    created = created.astimezone(timezone.utc)
with Session(engine) as session:
    session.add_all(
        [
            User(email="ada@example.org", username="ada", hashed_password=bcrypt_hash, first_name="Ада", last_name="Кинг", created_at=created, last_login=created),
            User(email="bo@example.org", username="bo", hashed_password=bcrypt_hash, is_active=False),
            User(email="not an address", username="иван", hashed_password=bcrypt_hash),
            Login(username="cy", hashed_password=argon2_hash, avatar="a.png"),
        ]
    )
    session.flush()
    session.add_all(User(email=f"user{number}@example.org", username=f"user{number}", hashed_password=bcrypt_hash) for number in range(more))
    session.commit()

fake_users_db = {
    "johndoe": {
        "username": "johndoe",
        "full_name": "John Doe",
        "email": "johndoe@example.com",
        "hashed_password": pbkdf2.hash(PASSWORD),
        "disabled": False,
    }
}
Path(folder, "johndoe.jsonl").write_text("".join(json.dumps(user) + "\n" for user in fake_users_db.values()))
