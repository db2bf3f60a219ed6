"""Users and sign-ins as the outside sees them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr, StringConstraints

from steinmetz.erp.kit.fields import Text, Version
from steinmetz.erp.kit.roles import Role
from steinmetz.erp.kit.schemas import Input, Schema, example
from steinmetz.realtime import Event
from steinmetz.realtime.events import Done

MAX_EMAIL_CHARS = 254
MAX_TOKEN_CHARS = 4_096


def _email(text: str) -> str:
    """Lower case. One ``@`` between two parts, no blanks: whether it can be reached, only a letter tells."""
    name, _, host = text.partition("@")
    if not name or not host or "@" in host or any(character.isspace() for character in text):
        raise ValueError("an e-mail address looks like name@example.com")
    address = text.lower()
    if len(address) > MAX_EMAIL_CHARS:  # lower case may be longer: that of a dotted capital I has two characters
        raise ValueError(f"an e-mail address has at most {MAX_EMAIL_CHARS} characters")
    return address


Email = Annotated[Text, StringConstraints(max_length=MAX_EMAIL_CHARS), AfterValidator(_email)]
Name = Annotated[Text, StringConstraints(min_length=1, max_length=120)]
Locale = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[A-Z]{2})?$")]
Password = Annotated[SecretStr, Field(max_length=200)]
"""Not stripped: the blanks of a password are the user's business."""


class UserView(Schema):
    id: int
    email: str
    name: str
    role: Role
    locale: str
    is_active: bool
    created_at: datetime
    version: int


class UserListView(UserView):
    last_sign_in_at: datetime | None
    """Of the sign-ins that have not ended for good."""


class RoleView(Schema):
    role: Role
    reads_as: list[Role]
    writes_as: list[Role]


class SignInView(Schema):
    access_token: str
    expires_in: int
    """Seconds."""
    user: UserView


class LoginInput(Input):
    """Who signs in."""

    model_config = example(email="clerk@steinmetz.example", password="steinmetz-demo")

    email: Annotated[Text, StringConstraints(max_length=MAX_EMAIL_CHARS)]
    password: Password


class PasswordInput(Input):
    """A new password, by its owner."""

    model_config = example(currentPassword="steinmetz-demo", newPassword="sieben Zwerge im Walzwerk")

    current_password: Password
    new_password: Password


class NewUserInput(Input):
    """A new user."""

    model_config = example(
        email="jana.berger@steinmetz.example",
        name="Jana Berger",
        role="clerk",
        locale="de",
        password="sieben Zwerge im Walzwerk",
    )

    email: Email
    name: Name
    role: Role
    locale: Locale = "de"
    password: Password


class UserChangeInput(Input):
    """What is left out stays as it is."""

    model_config = example(version=3, role="manager", locale="en")

    version: Version
    name: Name | None = None
    role: Role | None = None
    locale: Locale | None = None


class VersionInput(Input):
    """Nothing to say but which state is meant."""

    model_config = example(version=3)

    version: Version


class SetPasswordInput(Input):
    """A new password, by an administrator."""

    model_config = example(newPassword="sieben Zwerge im Walzwerk")

    new_password: Password


class SocketRenewal(Input):
    """The socket event ``auth:refresh``."""

    model_config = example(token="eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI3In0.c2lnbmF0dXJl")

    token: Annotated[str, Field(min_length=1, max_length=MAX_TOKEN_CHARS)]


REFRESH = Event(
    "auth:refresh", SocketRenewal, ack=Done, about="A newer token of mine keeps the connection past the old one"
)
