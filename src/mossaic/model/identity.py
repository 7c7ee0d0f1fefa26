"""Who asks: the account, its RAM users, roles and their sessions, and the keys they sign with."""

from __future__ import annotations

from dataclasses import field
from enum import Enum
from typing import TYPE_CHECKING

from mossaic.quick import dataclass

if TYPE_CHECKING:
    from datetime import datetime


class PrincipalKind(Enum):
    ANONYMOUS = "anonymous"
    ACCOUNT = "account"
    USER = "user"
    ROLE = "role"


class Secret(str):
    """A secret that does not print itself: repr() and format() give ***, so it never reaches a log by accident."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"

    def __format__(self, spec: str) -> str:
        return "***"

    def reveal(self) -> str:
        """The text itself, as a plain str, for computing a signature."""
        return str.__str__(self)

    def __str__(self) -> str:
        return "***"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """Where a key session comes from: the access key of the sign-in, and when that was."""

    access_key_id: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A visit of an upload-request link. `folder` is the beginning of every key of `bucket` that the visit may write."""

    request_id: str
    visit: str
    bucket: str
    folder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who a request comes from. `policies` are policy documents (JSON text) attached to the user or role;
    `boundary` is the session policy of temporary credentials, which narrows them. `name` is the user or role name,
    `session` the role session name. `principal_id` is the numeric id of the account or user, or `<role id>:<session>`.

    Temporary credentials have `expires_at`; those of a key session `sign_in` besides and their key's identity in all else,
    those of an upload-request link `grant` and the identity of who made the link."""

    kind: PrincipalKind
    account_id: str = ""
    principal_id: str = ""
    name: str = ""
    session: str = ""
    access_key_id: str = ""
    policies: tuple[str, ...] = ()
    boundary: str | None = None
    expires_at: datetime | None = None
    sign_in: SignIn | None = None
    grant: Grant | None = None

    @property
    def is_owner(self) -> bool:
        """The account itself; its users and roles have what their policies give."""
        return self.kind is PrincipalKind.ACCOUNT

    @property
    def arn(self) -> str:
        if self.grant is not None:
            return f"acs:sts::{self.account_id}:upload-request/{self.grant.request_id}/{self.grant.visit}"
        match self.kind:
            case PrincipalKind.ACCOUNT:
                return f"acs:ram::{self.account_id}:root"
            case PrincipalKind.USER:
                return f"acs:ram::{self.account_id}:user/{self.name}"
            case PrincipalKind.ROLE:
                return f"acs:sts::{self.account_id}:assumed-role/{self.name}/{self.session}"
            case PrincipalKind.ANONYMOUS:
                return "anonymous"


ANONYMOUS = Principal(kind=PrincipalKind.ANONYMOUS)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessKey:
    """A long-lived key pair of the account (`user` None) or of a RAM user."""

    access_key_id: str
    secret: Secret
    user: str | None = None
    active: bool = True
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    name: str
    user_id: str
    created_at: datetime
    policies: tuple[str, ...] = ()  # names of attached policies


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """`trust` is the trust policy (JSON text); `max_session_s` bounds DurationSeconds."""

    name: str
    role_id: str
    trust: str
    created_at: datetime
    max_session_s: int = 3600
    policies: tuple[str, ...] = ()  # names of attached policies


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedPolicy:
    name: str
    document: str  # JSON text, validated when it was put
    created_at: datetime
    description: str = field(default="")
