"""Upload callbacks: what the server calls after an object was stored, and the two headers that ask for it (OSS API: "Callback")."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from mossaic.protocol.limits import MAX_CALLBACK_PARAMETER, MAX_CALLBACK_URLS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FORM: Final = "application/x-www-form-urlencoded"
JSON: Final = "application/json"

# ali-oss's callback object → ours. `callbackSNI` is how its newer releases spell it.
_ALI_OSS: Final = {
    "url": "url",
    "host": "host",
    "body": "body",
    "contentType": "content_type",
    "customValue": "vars",
    "callbackSNI": "sni",
}


@dataclass(frozen=True, slots=True)
class Callback:
    """Asks the server to POST `body` to `url` when the object is stored, and to answer with the reply it got.

    `url`: one URL or up to five, tried in order until one succeeds. `body`: a template with `${bucket}`, `${object}`,
    `${etag}`, `${size}`, `${mimeType}`, `${crc64}` and `${x:name}` for each of `vars`. `host`: the Host header, when it is not
    the URL's. `content_type`: a form (the default) or `application/json`. `vars`: your own variables, with or without the `x:` before
    the name. `sni`: whether the server name is sent to https targets.

    Raises ValueError for no URL, more than five, an empty body, another content type or parameters longer than 5 KiB.
    """

    url: str | Sequence[str]
    body: str
    _: KW_ONLY
    host: str | None = None
    content_type: str = FORM
    vars: Mapping[str, str] = field(default_factory=dict[str, str])
    sni: bool = False

    def __post_init__(self) -> None:
        if not 1 <= len(self.urls) <= MAX_CALLBACK_URLS or not all(self.urls):
            raise ValueError(f"a callback has one to {MAX_CALLBACK_URLS} URLs, not {self.url!r}")
        if not self.body:
            raise ValueError("a callback's body must not be empty")
        if self.content_type.lower() not in (FORM, JSON):
            raise ValueError(f"a callback's content type is {FORM} or {JSON}, not {self.content_type!r}")
        for name, text in self.to_headers().items():
            if len(text) > MAX_CALLBACK_PARAMETER:
                raise ValueError(f"{name} has {len(text)} bytes; {MAX_CALLBACK_PARAMETER} are allowed")

    @property
    def urls(self) -> tuple[str, ...]:
        return tuple(self.url.split(";")) if isinstance(self.url, str) else tuple(self.url)

    @classmethod
    def of(
        cls, given: Callback | Mapping[str, Any]
    ) -> Callback:  # Any: ali-oss's values are of several types
        """`given` as it is, or made from ali-oss's object: `{url, body, host, contentType, customValue, callbackSNI}`.

        Raises ValueError (unknown or missing names, and what the class refuses).
        """
        if isinstance(given, Callback):
            return given
        unknown = set(given) - set(_ALI_OSS)
        if unknown or not {"url", "body"} <= set(given):
            wrong = f"unknown: {', '.join(sorted(unknown))}" if unknown else "url and body are needed"
            raise ValueError(f"not a callback as ali-oss has it ({wrong})")
        fields = {_ALI_OSS[name]: value for name, value in given.items() if value is not None}
        return cls(**fields)

    def to_headers(self) -> dict[str, str]:
        """`x-oss-callback` and, with variables, `x-oss-callback-var`: base64 of JSON."""
        asked: dict[str, str | bool] = {
            "callbackUrl": ";".join(map(_url, self.urls)),
            "callbackBody": self.body,
            "callbackBodyType": self.content_type,
        }
        if self.host:
            asked["callbackHost"] = self.host
        if self.sni:
            asked["callbackSNI"] = True
        headers = {"x-oss-callback": _encoded(asked)}
        if self.vars:
            named = {name if name.startswith("x:") else f"x:{name}": str(v) for name, v in self.vars.items()}
            headers["x-oss-callback-var"] = _encoded(named)
        return headers


def _url(text: str) -> str:
    """Fit for a request line, as ali-oss's encodeURI does; what is percent-encoded already stays."""
    return quote(text.strip(), safe="%/?:@!$&'()*+,;=-._~#[]")


def _encoded(value: Mapping[str, str | bool] | Mapping[str, str]) -> str:
    return b64encode(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()).decode("ascii")
