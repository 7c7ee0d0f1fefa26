"""What works without credentials for a while: signed URLs and forms for PostObject, in the signature version of the client."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal

from mossaic.client.callback import Callback
from mossaic.client.calls.base import Calls
from mossaic.client.results import PostForm
from mossaic.protocol.limits import MAX_OBJECT_SIZE, MAX_PRESIGN_V4_S
from mossaic.protocol.operation import Level, Operation
from mossaic.protocol.shapes import Empty, OnObject
from mossaic.protocol.signing import post, v4

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mossaic.client.credentials import Credentials

Method = Literal["GET", "PUT", "HEAD", "DELETE", "POST"]
Lifetime = int | timedelta

HOUR_S: Final = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class _Terms:
    """What a form may upload; `Signing.sign_post_policy` tells what they mean."""

    name: str | None
    prefix: str | None
    min_size: int
    max_size: int
    fields: Mapping[str, str]
    conditions: Sequence[object]
    callback: Callback | Mapping[str, Any] | None  # Any: ali-oss's values are of several types


class Signing(Calls):
    """The signing calls. They make no request, but may wait for credentials."""

    def sign_url(  # noqa: PLR0913  # a call's options are keywords
        self,
        name: str,
        *,
        method: Method | str = "GET",
        expires: Lifetime = HOUR_S,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        version_id: str | None = None,
        callback: Callback | Mapping[str, Any] | None = None,  # Any: ali-oss's values are of several types
        bucket: str | None = None,
    ) -> str:
        """A URL that does `method` on an object for whoever has it, for `expires` seconds (or a timedelta): V4 at most seven days. It ends
        with temporary credentials, if those do first.

        `headers`: who uses the URL has to send these, with these values (Content-Type, Content-MD5, x-oss-*). `query`: further
        parameters, signed as well (`x-oss-process`, `response-content-disposition`, `x-oss-traffic-limit`, `partNumber` with `uploadId`).
        `callback`: for PUT.

        Raises CredentialsError; ValueError for a lifetime that cannot be, or no credentials to sign with.
        """
        seconds = self._lifetime(expires)
        asked = dict(query or {})
        if version_id is not None:
            asked["versionId"] = version_id
        if callback is not None:
            told = Callback.of(callback).to_headers()
            asked |= {header.removeprefix("x-oss-"): text for header, text in told.items()}
        self._credentials()
        return self._session.presign(
            _any(method.upper()),
            OnObject(**self._at(name, bucket)),
            expires_s=seconds,
            headers=headers,
            query=asked,
        )

    def sign_post_policy(  # noqa: PLR0913  # a call's options are keywords
        self,
        name: str | None = None,
        *,
        prefix: str | None = None,
        expires: Lifetime = HOUR_S,
        min_size: int = 0,
        max_size: int = MAX_OBJECT_SIZE,
        fields: Mapping[str, str] | None = None,
        conditions: Sequence[object] = (),
        callback: Callback | Mapping[str, Any] | None = None,  # Any: ali-oss's values are of several types
        bucket: str | None = None,
    ) -> PostForm:
        """A form with which a browser uploads one object without credentials, for `expires` seconds (or a timedelta).

        `name`: the key; or `prefix`: any key that begins so, by default with the file's own name behind it. `min_size`, `max_size`: bytes, both
        inclusive. `fields`: further fields of the form (Content-Type, x-oss-meta-*, success_action_status, …), bound to these values.
        `conditions`: further conditions as OSS has them, like `["starts-with", "$Content-Type", "image/"]`. `callback`: a Callback, or
        ali-oss's object.

        Raises CredentialsError; ValueError for terms that cannot be, or no credentials to sign with.
        """
        terms = _Terms(
            name=name,
            prefix=prefix,
            min_size=min_size,
            max_size=max_size,
            fields=fields or {},
            conditions=conditions,
            callback=callback,
        )
        where = self._in(bucket)
        now = datetime.fromtimestamp(self._session.signer.clock.now(), UTC)
        until = now + timedelta(seconds=self._lifetime(expires))
        said = _said(terms)
        who = self._credentials()
        signing = self._form_signing(who, now)
        policy = _policy(terms, until, {"bucket": where, **said, **signing})
        place = self._session.endpoint.place(where, None)
        scheme = "https" if place.origin.secure else "http"
        return PostForm(
            url=f"{scheme}://{place.host}{place.path}",
            fields={**said, **signing, **self._signed(policy, who, now)},
            expires_at=until,
        )

    def _credentials(self) -> Credentials:
        who = self._session.provider.get()
        if not who.access_key_id:
            raise ValueError("an anonymous client cannot sign")
        return who

    def _lifetime(self, expires: Lifetime) -> int:
        seconds = int(expires.total_seconds()) if isinstance(expires, timedelta) else expires
        most = MAX_PRESIGN_V4_S if self._session.signer.version == "v4" else None
        if seconds < 1 or (most is not None and seconds > most):
            raise ValueError(f"expires must be 1 … {most or 'any number of'} seconds, not {seconds}")
        return seconds

    def _form_signing(self, who: Credentials, now: datetime) -> dict[str, str]:
        """The fields that say who signs and how; with V4 the policy has to bind them."""
        token = {"x-oss-security-token": who.security_token} if who.security_token else {}
        if self._session.signer.version == "v1":
            return {"OSSAccessKeyId": who.access_key_id, **token}
        return {
            "x-oss-signature-version": v4.NAME,
            "x-oss-credential": f"{who.access_key_id}/{self._scope(now)}",
            "x-oss-date": now.strftime("%Y%m%dT%H%M%SZ"),
            **token,
        }

    def _signed(self, policy: str, who: Credentials, now: datetime) -> dict[str, str]:
        secret = who.access_key_secret
        if self._session.signer.version == "v1":
            return {"policy": policy, "Signature": post.signature_v1(secret, policy)}
        return {"policy": policy, "x-oss-signature": post.signature_v4(secret, self._scope(now), policy)}

    def _scope(self, now: datetime) -> v4.Scope:
        return v4.Scope(day=now.strftime("%Y%m%d"), region=self._session.signer.region)


def _any(method: str) -> Operation[OnObject, Empty]:
    """Whatever a method does to an object; its query says the rest."""
    return Operation(
        name="SignedUrl", method=method, level=Level.OBJECT, takes=OnObject, gives=Empty, action=""
    )


def _said(terms: _Terms) -> dict[str, str]:
    """The fields of the form but for its signature. Raises ValueError."""
    if (terms.name is None) == (terms.prefix is None):
        raise ValueError("a form is for one name or for one prefix")
    if not 0 <= terms.min_size <= terms.max_size:
        raise ValueError(f"sizes of {terms.min_size} to {terms.max_size} bytes cannot be")
    key = terms.name if terms.name is not None else f"{terms.prefix}${{filename}}"
    if not key:
        raise ValueError("the name of an object must not be empty")
    fields = {"key": key, **terms.fields}
    if terms.callback is not None:
        asked = Callback.of(terms.callback)
        fields["callback"] = asked.to_headers()["x-oss-callback"]
        fields |= {name if name.startswith("x:") else f"x:{name}": text for name, text in asked.vars.items()}
    return fields


def _policy(terms: _Terms, until: datetime, bound: Mapping[str, str]) -> str:
    """Base64 JSON. `bound`: the fields that must be as they are; the key may be any with the prefix."""
    fixed = {name: text for name, text in bound.items() if name not in ("key", "OSSAccessKeyId")}
    key: list[object] = (
        ["eq", "$key", terms.name] if terms.prefix is None else ["starts-with", "$key", terms.prefix]
    )
    conditions: list[object] = [{name: text} for name, text in fixed.items()]
    conditions += [key, ["content-length-range", terms.min_size, terms.max_size], *terms.conditions]
    expiration = until.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    document = json.dumps({"expiration": expiration, "conditions": conditions}, ensure_ascii=False)
    return b64encode(document.encode()).decode("ascii")
