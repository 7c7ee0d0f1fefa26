"""Upload callbacks: checked before the upload changes anything, sent after it is committed, answered within five seconds.

Crash story: the object is committed before its callback is sent; a crash in between leaves the object without a callback, as a
client that went away does. The client sees a broken connection and may upload or Complete again.
"""

from __future__ import annotations

import asyncio
import base64
import json
import time
from dataclasses import field, replace
from datetime import UTC, datetime
from importlib import import_module
from typing import TYPE_CHECKING, Final, Protocol

from mossaic.model import callback as rules
from mossaic.ports import CallbackReply, CallbackRequest
from mossaic.protocol.errors import CALLBACK_FAILED, INVALID_ARGUMENT, OssError
from mossaic.protocol.limits import MAX_CALLBACK_ANSWER
from mossaic.quick import dataclass
from mossaic.service.callback_log import (
    MAX_KEPT_ANSWER,
    CallbackLog,
    CallbackRecord,
    CallbackTry,
    new_record_id,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mossaic.model.callback import CallbackSpec, Target
    from mossaic.ports import CallbackSender, Identities
    from mossaic.service.callback_key import CallbackKey

_KEY_SETTING: Final = "callback_key"
Failure = tuple[str, str | None]  # a message and its EC


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A callback that may be sent: each target with the one address that was resolved and checked. `upload_id` is for the log."""

    spec: CallbackSpec
    targets: tuple[tuple[Target, str], ...]
    upload_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Delivery:
    """A callback on its way; `tries` grows."""

    prepared: Prepared
    body: bytes
    public_key_url: str
    tries: list[CallbackTry] = field(default_factory=list[CallbackTry])


class CallbackRules(Protocol):
    """Which receivers may be called besides public ones, the seconds for all of them together, and the URL under which
    they find our public key (empty: the endpoint that the client used)."""

    @property
    def allow_loopback(self) -> bool: ...

    @property
    def allow_private(self) -> bool: ...

    @property
    def timeout_s(self) -> float: ...

    @property
    def public_url(self) -> str: ...


class CallbackService:
    """Prepares callbacks and sends them; holds the key that signs them."""

    def __init__(
        self,
        *,
        sender: CallbackSender,
        identities: Identities,
        settings: CallbackRules,
        log: CallbackLog | None = None,
    ) -> None:
        self.log = CallbackLog(0) if log is None else log
        self._sender = sender
        self._identities = identities
        self._settings = settings
        self._key: CallbackKey | None = None
        self._key_lock = asyncio.Lock()

    async def prepare(
        self, callback: str | None, callback_var: str | None, *, upload_id: str | None = None
    ) -> Prepared | None:
        """Check the parameters and resolve the receivers, once. Raises OssError INVALID_ARGUMENT."""
        spec = rules.parse(callback, callback_var)
        return None if spec is None else await self._prepared(spec, upload_id)

    async def _prepared(self, spec: CallbackSpec, upload_id: str | None) -> Prepared:
        targets = tuple([(target, await self._resolve(target)) for target in spec.targets])
        return Prepared(spec=spec, targets=targets, upload_id=upload_id)

    async def _resolve(self, target: Target) -> str:
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                addresses = await self._sender.resolve(target.host, target.port)
        except (OSError, TimeoutError):
            raise _refused(target, "The callback host cannot be resolved.") from None
        for address in addresses:
            if rules.may_call(
                address,
                allow_loopback=self._settings.allow_loopback,
                allow_private=self._settings.allow_private,
            ):
                return address
        raise _refused(target, "Private address is forbidden to callback.")

    async def send(
        self,
        prepared: Prepared,
        values: Mapping[str, str | int],
        *,
        endpoint: str,
        headers: Mapping[str, str],
    ) -> bytes:
        """The receiver's JSON. `headers` (ETag and the like) go with the refusal too, for the object is stored;
        `endpoint` is where receivers find our key when no public URL is set.

        Raises OssError CALLBACK_FAILED.
        """
        delivery = self._delivery(prepared, rules.fill(prepared.spec, values), endpoint)
        outcome = await self._deliver(delivery)
        self.log.add(
            CallbackRecord(
                at=datetime.now(UTC),
                bucket=str(values.get("bucket", "")),
                key=str(values.get("object", "")),
                upload_id=prepared.upload_id,
                operation=str(values.get("operation", "")),
                spec=prepared.spec,
                body=delivery.body,
                public_key_url=delivery.public_key_url,
                tries=tuple(delivery.tries),
                ok=isinstance(outcome, bytes),
            )
        )
        if isinstance(outcome, bytes):
            return outcome
        message, ec = outcome
        raise OssError(CALLBACK_FAILED, message, ec=ec, headers=headers)

    async def replay(self, record: CallbackRecord, *, endpoint: str) -> CallbackRecord:
        """Send the same body to the same receivers again, resolved, checked and signed anew; what came of it, also when it failed.

        Raises OssError INVALID_ARGUMENT (a receiver that may not be called, or no longer).
        """
        prepared = await self._prepared(record.spec, record.upload_id)
        delivery = self._delivery(prepared, record.body, endpoint)
        outcome = await self._deliver(delivery)
        again = replace(
            record,
            id=new_record_id(),
            at=datetime.now(UTC),
            public_key_url=delivery.public_key_url,
            tries=tuple(delivery.tries),
            ok=isinstance(outcome, bytes),
            replay_of=record.id,
        )
        self.log.add(again)
        return again

    def _delivery(self, prepared: Prepared, body: bytes, endpoint: str) -> _Delivery:
        public_url = self._settings.public_url.rstrip("/") or endpoint
        return _Delivery(prepared=prepared, body=body, public_key_url=f"{public_url}/-/callback-key.pem")

    async def _deliver(self, delivery: _Delivery) -> bytes | Failure:
        """One receiver after the other until one answers as it must; each try is noted."""
        failure: Failure = ("No receiver was named.", None)
        await self.key()  # the first one is made here, which no receiver has to answer for
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                for target, address in delivery.prepared.targets:
                    outcome = await self._try(delivery, target, address)
                    if isinstance(outcome, bytes):
                        return outcome
                    failure = outcome
        except TimeoutError:
            failure = (f"Callback timed out, limit {int(self._settings.timeout_s * 1000)} ms.", None)
        return failure

    async def _try(self, delivery: _Delivery, target: Target, address: str) -> bytes | Failure:
        request = await self._request(delivery, target, address)
        started = time.perf_counter()
        reply: CallbackReply | None = None
        error: str | None = "No answer came in time."  # what is noted when the deadline ends this
        try:
            reply = await self._sender.send(request, max_body=MAX_CALLBACK_ANSWER)
            outcome = _judge(reply)
            error = None if isinstance(outcome, bytes) else outcome[0]
        except ValueError as wrong:
            error = f"The receiver's answer cannot be taken: {wrong}"
            outcome = (error, "0007-00000205")
        except TimeoutError:
            raise
        except OSError as lost:
            error = f"The receiver cannot be reached: {lost.strerror or type(lost).__name__}."
            outcome = ("Error status : -1. The receiver cannot be reached.", None)
        finally:
            answer = b"" if reply is None else reply.body
            delivery.tries.append(
                CallbackTry(
                    target=target,
                    address=address,
                    headers=request.headers,
                    status=None if reply is None else reply.status,
                    answer=answer[:MAX_KEPT_ANSWER],
                    truncated=len(answer) > MAX_KEPT_ANSWER,
                    ms=round((time.perf_counter() - started) * 1000, 1),
                    error=error,
                )
            )
        return outcome

    async def _request(self, delivery: _Delivery, target: Target, address: str) -> CallbackRequest:
        key, spec, body = await self.key(), delivery.prepared.spec, delivery.body
        signature = key.sign(rules.signed_text(target, body))
        default_port = 443 if target.secure else 80
        name = f"[{target.host}]" if ":" in target.host else target.host
        return CallbackRequest(
            url=target.path + target.query,
            address=address,
            port=target.port,
            headers=(
                ("Host", spec.host or (name if target.port == default_port else f"{name}:{target.port}")),
                ("Connection", "close"),
                ("Content-Length", str(len(body))),
                ("Content-Type", spec.body_type),
                ("User-Agent", "aliyun-oss-callback"),
                ("Authorization", base64.b64encode(signature).decode()),
                ("x-oss-pub-key-url", base64.b64encode(delivery.public_key_url.encode()).decode()),
                ("x-oss-signature-version", "1.0"),
            ),
            body=body,
            timeout_s=self._settings.timeout_s,
            server_name=target.host if target.secure else None,
        )

    async def key(self) -> CallbackKey:
        """The key that signs; made on first use and kept with the metadata."""
        async with self._key_lock:
            if self._key is None:
                keys = await asyncio.to_thread(import_module, "mossaic.service.callback_key")
                pem = await self._identities.setting(_KEY_SETTING)
                if pem is None:
                    made = await asyncio.to_thread(keys.new_pem)
                    pem = await self._identities.put_setting(_KEY_SETTING, made)
                made_of: CallbackKey = keys.CallbackKey(pem)
                self._key = made_of
                return made_of
        return self._key

    async def public_key(self) -> bytes:
        """PEM of the public half (SubjectPublicKeyInfo)."""
        return (await self.key()).public_pem()


def _refused(target: Target, message: str) -> OssError:
    return OssError(
        INVALID_ARGUMENT, message, ec="0007-00000004", ArgumentName="callback", ArgumentValue=target.url
    )


def _judge(reply: CallbackReply) -> bytes | Failure:
    """The JSON to pass on, or what was wrong with the answer and its EC."""
    if reply.status != 200:
        return f"Error status : {reply.status}.", "0007-00000203"
    try:
        json.loads(reply.body.decode())
    except (ValueError, RecursionError):
        return "The receiver's answer is not JSON.", "0007-00000205"
    return reply.body
