"""What every family of calls stands on: the session they share, the default bucket, how a call is made."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from dataclasses import replace
from typing import TYPE_CHECKING, TypedDict, TypeVar

from mossaic.client.exchange import PLAIN
from mossaic.protocol.codec import write_request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mossaic.client.exchange import Ask, Reply, Session
    from mossaic.client.http import Body
    from mossaic.client.options import Checksum
    from mossaic.client.upload.throttle import Throttle
    from mossaic.protocol.operation import Operation


class Place(TypedDict):
    """The fields of a shape that names an object."""

    bucket: str
    key: str


In = TypeVar("In")
Out = TypeVar("Out")


class Calls:
    """The state of a client. `_ask`: deadline, scope and retries of each of its calls. Nothing here changes after it was made."""

    _session: Session
    _bucket: str | None
    _ask: Ask
    _checksum: Checksum
    _throttle: Throttle

    def call(self, operation: Operation[In, Out], asked: In, ask: Ask = PLAIN) -> Reply[Out]:
        """Any row of `mossaic.protocol.operations`, with its shapes as they are: for what has no method of its own.

        Raises ServerError (by OSS code), NetworkError, ConnectionTimeoutError, DeadlineExceeded, Cancelled, CredentialsError.
        """
        mine = self._ask
        return self._session.do(
            operation,
            asked,
            replace(
                ask,
                deadline=mine.deadline if ask.deadline is None else ask.deadline,
                scope=ask.scope or mine.scope,
                retry=ask.retry or mine.retry,
                on_retry=ask.on_retry or mine.on_retry,
            ),
        )

    def _in(self, bucket: str | None) -> str:
        """Raises ValueError when no bucket is named, neither here nor for the client."""
        chosen = bucket or self._bucket
        if not chosen:
            raise ValueError("no bucket: name one in the call, or give the client one")
        return chosen

    def _at(self, name: str, bucket: str | None) -> Place:
        """Raises ValueError for an empty name: such a request would be one to the bucket itself."""
        if not name:
            raise ValueError("the name of an object must not be empty")
        return Place(bucket=self._in(bucket), key=name)

    def _asking(
        self,
        *,
        body: Callable[[], Body] | None = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Ask:
        return replace(self._ask, body=body, headers=headers or {}, query=query or {})

    def _do(
        self, operation: Operation[In, Out], asked: In, *, headers: Mapping[str, str] | None = None
    ) -> Reply[Out]:
        return self._session.do(operation, asked, self._asking(headers=headers) if headers else self._ask)

    def _send(self, operation: Operation[In, Out], asked: In) -> Reply[Out]:
        """A document that must arrive as it is: OSS wants the MD5 of a list of objects to delete, and takes it of others."""
        digest = hashlib.md5(write_request(operation, asked).body, usedforsecurity=False).digest()
        return self._do(operation, asked, headers={"content-md5": b64encode(digest).decode("ascii")})
