"""CORS rules of a bucket: what may be configured, which rule a request meets, and the headers that follow.

The first rule that matches origin, method and requested headers wins; rules are never merged (OSS API: PutBucketCors).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from mossaic.model import documents
from mossaic.protocol.errors import CORS_RULE_BEYOND_LIMIT, INVALID_ARGUMENT, MALFORMED_XML, OssError
from mossaic.protocol.limits import MAX_CORS_BODY, MAX_CORS_RULES
from mossaic.protocol.operations.settings import CorsConfiguration, CorsRule

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mossaic.model.bucket import Bucket

METHODS: Final = ("GET", "PUT", "DELETE", "POST", "HEAD")
MAX_AGE_S: Final = 999_999_999
_TOKEN: Final = re.compile(r"[!#$%&'+.^_`|~0-9A-Za-z*-]+")
_ORIGIN: Final = re.compile(r"[\x21-\x7e]+")
_NONE: Final = CorsConfiguration()

# What browser clients have to see: ali-oss fails without ETag, and resumes by version id, CRC and append position.
BROWSER_EXPOSES: Final = (
    "ETag",
    "x-oss-request-id",
    "x-oss-version-id",
    "x-oss-hash-crc64ecma",
    "x-oss-next-append-position",
    "x-oss-object-type",
    "x-oss-storage-class",
    "x-oss-server-time",
    "Content-MD5",
    "Date",
)


def load(bucket: Bucket) -> CorsConfiguration:
    """The bucket's rules; none when it has no configuration."""
    return documents.load(bucket, documents.CORS, CorsConfiguration) or _NONE


def browser_rules(origins: Sequence[str] = ("*",)) -> CorsConfiguration:
    """One rule that lets browser clients of those origins do everything their credentials allow."""
    return CorsConfiguration(
        rules=(
            CorsRule(
                allowed_origins=tuple(origins),
                allowed_methods=METHODS,
                allowed_headers=("*",),
                expose_headers=BROWSER_EXPOSES,
                max_age_s=3600,
            ),
        )
    )


def checked(configuration: CorsConfiguration) -> str:
    """The text to store. Raises OssError: MALFORMED_XML, CORS_RULE_BEYOND_LIMIT, INVALID_ARGUMENT."""
    if not configuration.rules:
        raise OssError(MALFORMED_XML, ErrorDetail="CORSRule is missing")
    if len(configuration.rules) > MAX_CORS_RULES:
        raise OssError(CORS_RULE_BEYOND_LIMIT)
    for rule in configuration.rules:
        _check(rule)
    text = documents.dump(configuration, CorsConfiguration)
    if len(text.encode()) > MAX_CORS_BODY:
        raise OssError(MALFORMED_XML, ErrorDetail=f"the document is larger than {MAX_CORS_BODY} bytes")
    return text


def _check(rule: CorsRule) -> None:
    for name, values in (("AllowedOrigin", rule.allowed_origins), ("AllowedMethod", rule.allowed_methods)):
        if not values:
            raise OssError(MALFORMED_XML, ErrorDetail=f"{name} is missing")
    # Control characters and blanks would end up in our own headers: only what the patterns allow is stored.
    _check_each("AllowedOrigin", rule.allowed_origins, lambda text: _one_star(_ORIGIN, text))
    _check_each("AllowedMethod", rule.allowed_methods, lambda text: text in METHODS)
    _check_each("AllowedHeader", rule.allowed_headers, lambda text: _one_star(_TOKEN, text))
    _check_each("ExposeHeader", rule.expose_headers, lambda text: "*" not in text and _one_star(_TOKEN, text))
    if rule.max_age_s is not None and not 0 <= rule.max_age_s <= MAX_AGE_S:
        raise _refused("MaxAgeSeconds", str(rule.max_age_s))


def _one_star(pattern: re.Pattern[str], text: str) -> bool:
    return pattern.fullmatch(text) is not None and text.count("*") <= 1


def _check_each(name: str, values: Sequence[str], fits: Callable[[str], bool]) -> None:
    for value in values:
        if not fits(value):
            raise _refused(name, value)


def _refused(name: str, value: str) -> OssError:
    return OssError(INVALID_ARGUMENT, ArgumentName=name, ArgumentValue=value)


def match(
    configuration: CorsConfiguration, origin: str, method: str, requested: Sequence[str]
) -> CorsRule | None:
    """The first rule that allows `method` from `origin` with all the `requested` header names."""
    for rule in configuration.rules:
        if (
            method in rule.allowed_methods
            and fits_origin(rule, origin)
            and all(_header_allowed(rule, name) for name in requested)
        ):
            return rule
    return None


def fits_origin(rule: CorsRule, origin: str) -> bool:
    return any(_fits(pattern, origin) for pattern in rule.allowed_origins)


def _header_allowed(rule: CorsRule, name: str) -> bool:
    return any(_fits(pattern, name) for pattern in rule.allowed_headers)


def _fits(pattern: str, text: str) -> bool:
    """`pattern` has at most one `*`, any run of characters. Schemes, hosts and header names know no case."""
    head, star, tail = pattern.lower().partition("*")
    text = text.lower()
    if not star:
        return text == head
    return len(text) >= len(head) + len(tail) and text.startswith(head) and text.endswith(tail)


def headers(
    configuration: CorsConfiguration, rule: CorsRule | None, origin: str, requested: Sequence[str]
) -> list[tuple[str, str]]:
    """The headers of an answer to a request that met `rule`, or none."""
    if rule is None:
        return [("Vary", "Origin")] if configuration.response_vary else []
    # A rule for everybody needs no echo: the answer is the same for all origins and may be cached for all.
    for_all = rule.allowed_origins == ("*",)
    found = [
        ("Access-Control-Allow-Origin", "*" if for_all else origin),
        ("Access-Control-Allow-Methods", ", ".join(rule.allowed_methods)),
    ]
    allowed = [name for name in requested if _TOKEN.fullmatch(name) and _header_allowed(rule, name)]
    if allowed:
        found.append(("Access-Control-Allow-Headers", ", ".join(allowed)))
    if rule.expose_headers:
        found.append(("Access-Control-Expose-Headers", ", ".join(rule.expose_headers)))
    if rule.max_age_s is not None:
        found.append(("Access-Control-Max-Age", str(rule.max_age_s)))
    if configuration.response_vary or not for_all:
        found.append(("Vary", "Origin"))
    return found
