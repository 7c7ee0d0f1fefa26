"""Policies: reading and checking a document, and deciding what its statements say of one request.

OSS API: "RAM policy", "Bucket policy", "Authentication process of OSS". A set of statements says DENY when any Deny statement
matches, else ALLOW when any Allow statement matches, else nothing (SILENT).
"""

from __future__ import annotations

import json
from dataclasses import field
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Final, cast

from mossaic.model.glob import matches
from mossaic.model.identity import PrincipalKind
from mossaic.model.policy_condition import Condition, condition_key, is_operator, is_value
from mossaic.protocol.errors import INVALID_POLICY_DOCUMENT, OssError
from mossaic.protocol.limits import MAX_POLICY_BODY
from mossaic.quick import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mossaic.model.identity import Principal

MAX_STATEMENTS: Final = 100
_FIELDS: Final = {"Effect", "Action", "Resource", "Principal", "Condition", "Sid"}
_SERVICES: Final = ("oss", "ram", "sts", "mossaic")  # the last: what the web page asks for


class Effect(Enum):
    ALLOW = "Allow"
    DENY = "Deny"
    SILENT = "silent"


class PolicyKind(Enum):
    """Which fields a document must have: RAM (also session policies) no Principal, BUCKET a list of ids, TRUST a map and no
    Resource."""

    RAM = "RAM policy"
    BUCKET = "bucket policy"
    TRUST = "trust policy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """`principals`: ids of a bucket policy, ARNs of a trust policy; None in a RAM policy."""

    effect: Effect
    actions: tuple[str, ...]
    resources: tuple[str, ...] = ()
    principals: tuple[str, ...] | None = None
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    statements: tuple[Statement, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """May `principal` do `action` (`oss:GetObject`) on `resource` (`acs:oss:<region>:<owner id>:<bucket>/<key>`).

    `context`: request properties by normalized condition key (`acs:sourceip`); only the server fills it, never a header of
    the same name. `owner_id`: the account that owns the bucket.
    """

    principal: Principal
    action: str
    resource: str
    owner_id: str = ""
    context: Mapping[str, str] = field(default_factory=dict[str, str])


class Source(Enum):
    """Which policies decided."""

    SESSION = "session policy"
    RAM = "RAM policy"
    BUCKET = "bucket policy"
    NONE = "no policy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    effect: Effect
    source: Source = Source.NONE


def decide(
    question: Question, *, ram: Sequence[Policy], bucket: Policy | None = None, boundary: Policy | None = None
) -> Decision:
    """All policies together. A session policy can only narrow: without its Allow the answer is DENY whatever the others say."""
    if boundary is not None and evaluate([boundary], question) is not Effect.ALLOW:
        return Decision(effect=Effect.DENY, source=Source.SESSION)
    by_ram = evaluate(ram, question)
    by_bucket = Effect.SILENT if bucket is None else evaluate([bucket], question)
    for effect in (Effect.DENY, Effect.ALLOW):
        if by_ram is effect:
            return Decision(effect=effect, source=Source.RAM)
        if by_bucket is effect:
            return Decision(effect=effect, source=Source.BUCKET)
    return Decision(effect=Effect.SILENT)


def evaluate(policies: Iterable[Policy], question: Question) -> Effect:
    """What one set of policies says."""
    said = {
        statement.effect
        for policy in policies
        for statement in policy.statements
        if applies(statement, question)
    }
    if Effect.DENY in said:
        return Effect.DENY
    return Effect.ALLOW if Effect.ALLOW in said else Effect.SILENT


def applies(statement: Statement, question: Question) -> bool:
    action = question.action.lower()
    return (
        any(matches(pattern, action) for pattern in statement.actions)
        and (not statement.resources or any(_covers(each, question.resource) for each in statement.resources))
        and (statement.principals is None or _names(statement, question))
        and all(condition.holds(question.context) for condition in statement.conditions)
    )


def trusts(trust: Policy, caller_arn: str, question: Question) -> bool:
    """Whether a role's trust policy lets `caller_arn` (`acs:ram::<account>:root|user/…|role/…`) assume it."""
    account = ":".join(caller_arn.split(":")[:4]) + ":root"

    def named(statement: Statement) -> bool:
        # A trusted account (`:root`) stands for all of its identities.
        return any(each in ("*", caller_arn, account) for each in statement.principals or ())

    said = {
        statement.effect
        for statement in trust.statements
        if named(statement)
        and any(matches(pattern, question.action.lower()) for pattern in statement.actions)
        and all(condition.holds(question.context) for condition in statement.conditions)
    }
    return Effect.ALLOW in said and Effect.DENY not in said


def uses(policies: Iterable[Policy], key: str) -> bool:
    """Whether any condition is about `key`, or about a tag when `key` ends in a slash."""
    return any(
        condition.key.startswith(key)
        for policy in policies
        for statement in policy.statements
        for condition in statement.conditions
    )


# --- matching ---------------------------------------------------------------------------------------------------------


def _covers(pattern: str, resource: str) -> bool:
    """`acs:oss:*:*:bucket/prefix*` against a resource. A pattern without `/` is for the bucket itself, not its objects."""
    if pattern == "*":
        return True
    wanted, given = pattern.split(":", 4), resource.split(":", 4)
    if len(wanted) != 5 or not all(matches(*pair) for pair in zip(wanted[:4], given[:4], strict=True)):
        return False
    if given[1] == "oss" and "/" in given[4] and "/" not in wanted[4]:
        return wanted[4] == "*"
    return matches(wanted[4], given[4])


def _names(statement: Statement, question: Question) -> bool:
    principal = question.principal
    everybody = "*" in (statement.principals or ())
    if everybody and not statement.conditions:
        # OSS: Principal * without Condition does not apply to the bucket owner.
        return not (principal.kind is PrincipalKind.ACCOUNT and principal.account_id == question.owner_id)
    return everybody or any(_is(principal, each) for each in statement.principals or ())


def _is(principal: Principal, named: str) -> bool:
    match principal.kind:
        case PrincipalKind.ANONYMOUS:
            return False
        case PrincipalKind.ROLE:
            session = f"assumed-role/{principal.name}/{principal.session}"
            return matches(named, f"arn:sts::{principal.account_id}:{session}") or matches(
                named, principal.arn
            )
        case PrincipalKind.ACCOUNT | PrincipalKind.USER:
            return named == principal.principal_id


# --- documents --------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=2048)
def parse(text: str, kind: PolicyKind = PolicyKind.RAM) -> Policy:
    """Read and check a document of at most 16 KiB. Raises OssError INVALID_POLICY_DOCUMENT, saying what is wrong."""
    if len(text.encode("utf-8", "replace")) > MAX_POLICY_BODY:
        raise _wrong(f"the document is longer than {MAX_POLICY_BODY} bytes")
    try:
        given: object = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise _wrong("it is not JSON") from error
    document = _object(given, "it must be an object of Version and Statement")
    if not document.keys() <= {"Version", "Statement", "Id"}:
        raise _wrong("it must be an object of Version and Statement")
    if document.get("Version") != "1":
        raise _wrong('Version must be "1"')
    statements = _array(document.get("Statement"))
    if statements is None or not 1 <= len(statements) <= MAX_STATEMENTS:
        raise _wrong(f"Statement must be a list of 1 to {MAX_STATEMENTS} statements")
    return Policy(statements=tuple(_statement(each, kind) for each in statements))


def _statement(value: object, kind: PolicyKind) -> Statement:
    given = _object(value, "a statement must be an object")
    if not given.keys() <= _FIELDS:
        raise _wrong(f"a statement may have {', '.join(sorted(_FIELDS))}")
    if given.get("Effect") not in ("Allow", "Deny"):
        raise _wrong("Effect must be Allow or Deny")
    if kind is PolicyKind.TRUST and "Resource" in given:
        raise _wrong("a trust policy has no Resource")
    return Statement(
        effect=Effect(given["Effect"]),
        actions=tuple(_action(each) for each in _texts(given, "Action")),
        resources=()
        if kind is PolicyKind.TRUST
        else tuple(_resource(each) for each in _texts(given, "Resource")),
        principals=_principals(given, kind),
        conditions=_conditions(given.get("Condition", {})),
    )


def _action(text: str) -> str:
    service, colon, name = text.partition(":")
    if text == "*" or (colon and name and (service.lower() in _SERVICES or "*" in service)):
        return text.lower()
    raise _wrong(f"{text!r} is not an action, like oss:GetObject")


def _resource(text: str) -> str:
    pieces = text.split(":", 4)
    if text == "*" or (len(pieces) == 5 and pieces[0] in ("acs", "*") and pieces[4]):
        return text
    raise _wrong(f"{text!r} is not a resource, like acs:oss:*:*:bucket/*")


def _principals(given: Mapping[str, object], kind: PolicyKind) -> tuple[str, ...] | None:
    if kind is PolicyKind.RAM:
        if "Principal" in given:
            raise _wrong("only a bucket policy has a Principal")
        return None
    if kind is PolicyKind.BUCKET:
        return ("*",) if given.get("Principal") == [] else tuple(_texts(given, "Principal"))
    wanted = "Principal of a trust policy must be an object of RAM, Service or Federated"
    principal = _object(given.get("Principal"), wanted)
    if not principal or not principal.keys() <= {"RAM", "Service", "Federated"}:
        raise _wrong(wanted)
    # Mossaic has no services and no federations that could ask; those entries match nobody.
    return tuple(_texts(principal, "RAM")) if "RAM" in principal else ()


def _conditions(value: object) -> tuple[Condition, ...]:
    found: list[Condition] = []
    for operator, inner in _object(value, "Condition must be an object").items():
        keys = _object(inner, f"{operator!r} must be an object of keys")
        if not is_operator(operator) or not keys:
            raise _wrong(f"{operator!r} is not an operator with an object of keys")
        found += [_condition(operator, keys, name) for name in keys]
    return tuple(found)


def _condition(operator: str, keys: Mapping[str, object], name: str) -> Condition:
    key, values = condition_key(name), _texts(keys, name)
    if key is None:
        raise _wrong(f"the condition key {name!r} is not known")
    for value in values:
        if not is_value(operator, value):
            raise _wrong(f"{value!r} is not a value for {operator}")
    return Condition(operator=operator, key=key, values=tuple(values))


def _texts(given: Mapping[str, object], name: str) -> list[str]:
    """A text or a list of texts; OSS writes values as texts, but takes true and 10 where people write them so."""
    value = given.get(name)
    values = _array(value)
    texts = [_text(each, name) for each in ([value] if values is None else values)]
    if not texts:
        raise _wrong(f"{name} must be a text or a list of texts")
    return texts


def _text(value: object, name: str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int):  # bool is one
        return str(value).lower()
    raise _wrong(f"{name} must be a text or a list of texts")


def _object(value: object, otherwise: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise _wrong(otherwise)
    return cast("dict[str, object]", value)


def _array(value: object) -> list[object] | None:
    return cast("list[object]", value) if isinstance(value, list) else None


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Two fields of one name leave open which one counts: refused."""
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a name comes twice")
    return dict(pairs)


def _no_constant(text: str) -> None:
    raise ValueError(text)


def _wrong(what: str) -> OssError:
    return OssError(INVALID_POLICY_DOCUMENT, f"Invalid policy document: {what}.")
