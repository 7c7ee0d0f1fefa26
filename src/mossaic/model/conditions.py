"""Conditional requests: If-Match and its relatives, on reads and on the source of a copy (OSS API: GetObject, CopyObject)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from mossaic.protocol.codec.values import http_text, read_http_time
from mossaic.protocol.errors import NOT_IMPLEMENTED, NOT_MODIFIED, PRECONDITION_FAILED, OssError
from mossaic.quick import dataclass

if TYPE_CHECKING:
    from datetime import datetime

READ: Final = "If-"
COPY: Final = "x-oss-copy-source-if-"


class HasConditions(Protocol):
    """An input shape with the four conditions, as header text."""

    @property
    def if_match(self) -> str | None: ...
    @property
    def if_none_match(self) -> str | None: ...
    @property
    def if_modified_since(self) -> str | None: ...
    @property
    def if_unmodified_since(self) -> str | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """The four conditions. `prefix` is how their headers begin, for error messages; `always_412`: UploadPartCopy has no 304."""

    if_match: str | None = None
    if_none_match: str | None = None
    if_modified_since: str | None = None
    if_unmodified_since: str | None = None
    prefix: str = READ
    always_412: bool = False

    @classmethod
    def of(cls, asked: HasConditions, *, prefix: str = READ, always_412: bool = False) -> Conditions:
        return cls(
            if_match=asked.if_match,
            if_none_match=asked.if_none_match,
            if_modified_since=asked.if_modified_since,
            if_unmodified_since=asked.if_unmodified_since,
            prefix=prefix,
            always_412=always_412,
        )

    def check(self, *, etag: str, modified_at: datetime) -> None:
        """Compare with an object; the two that answer 412 come first. Unreadable dates count as absent.

        If-None-Match outranks If-Modified-Since (RFC 9110): within one second the ETag knows more than the date, and a
        browser that sends both would keep the old content.

        Raises OssError: PRECONDITION_FAILED with `Condition`, NOT_MODIFIED with the object's ETag and Last-Modified.
        """
        moment = modified_at.replace(microsecond=0)
        if self.if_match is not None and not names_etag(self.if_match, etag):
            raise self._failed("Match")
        until = _date(self.if_unmodified_since)
        if until is not None and moment > until:
            raise self._failed("Unmodified-Since")
        if self.if_none_match is not None:
            if names_etag(self.if_none_match, etag):
                raise self._unchanged("None-Match", etag, modified_at)
            return
        since = _date(self.if_modified_since)
        if since is not None and moment <= since:
            raise self._unchanged("Modified-Since", etag, modified_at)

    def _failed(self, name: str) -> OssError:
        shown = name if self.prefix == READ else name.lower()
        return OssError(PRECONDITION_FAILED, Condition=self.prefix + shown)

    def _unchanged(self, name: str, etag: str, modified_at: datetime) -> OssError:
        if self.always_412:
            return self._failed(name)
        return OssError(NOT_MODIFIED, headers={"ETag": f'"{etag}"', "Last-Modified": http_text(modified_at)})


def refuse_on_write(asked: HasConditions) -> None:
    """OSS has no conditional writes; ignoring a condition would pretend that it held.

    Raises OssError NOT_IMPLEMENTED with `Header`.
    """
    given = {
        "If-Match": asked.if_match,
        "If-None-Match": asked.if_none_match,
        "If-Modified-Since": asked.if_modified_since,
        "If-Unmodified-Since": asked.if_unmodified_since,
    }
    for name, value in given.items():
        if value is not None:
            raise OssError(NOT_IMPLEMENTED, Header=name)


def range_still_applies(if_range: str | None, *, etag: str, modified_at: datetime) -> bool:
    """Whether the object is still the one whose rest a client wants (RFC 9110, If-Range: an ETag or a date)."""
    if if_range is None:
        return True
    date = _date(if_range)
    if date is not None:
        return modified_at.replace(microsecond=0) == date
    return not if_range.strip().startswith("W/") and _bare(if_range) == etag.upper()


def names_etag(text: str, etag: str) -> bool:
    """Whether a list of ETags, quoted or bare, in any letter case, names this one; `*` names every one."""
    return any(each in {"*", etag.upper()} for each in map(_bare, text.split(",")))


def _bare(text: str) -> str:
    return text.strip().removeprefix("W/").strip('"').upper()


def _date(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return read_http_time(text)
    except ValueError:
        return None
