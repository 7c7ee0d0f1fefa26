"""The composition root: settings → stores → services → pipeline → server, and the life of one process."""

from __future__ import annotations

import asyncio
import logging
import signal
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from mossaic.gateway.admit import Admission, AdmissionSettings
from mossaic.gateway.console import ApiEndpoint, Assets, Console, ConsoleFacts
from mossaic.gateway.http import HttpLimits, Listener, Server, serve
from mossaic.gateway.pipeline import Pipeline
from mossaic.gateway.route import Router
from mossaic.gateway.sts import StsEndpoint
from mossaic.model import cors
from mossaic.model.names import bucket_name
from mossaic.ports import StoreError
from mossaic.protocol.addressing import Domains
from mossaic.protocol.errors import OssError
from mossaic.protocol.signing import v4
from mossaic.protocol.signing.request import Pair, Resource, SignedRequest
from mossaic.root_key import RootKeyError
from mossaic.root_key import find as find_root_key
from mossaic.service.buckets import BucketService, NewBucket
from mossaic.service.callback_log import CallbackLog
from mossaic.service.callbacks import CallbackService
from mossaic.service.copying import CopyService
from mossaic.service.identity import IdentityService, Root, account_id
from mossaic.service.intake import Intake
from mossaic.service.link_limits import LinkLimits
from mossaic.service.listing import ListingService
from mossaic.service.multipart import MultipartService
from mossaic.service.objects import ObjectService
from mossaic.service.requests import RequestService
from mossaic.service.services import Services
from mossaic.service.sessions import KeySessions
from mossaic.service.sts import StsService
from mossaic.service.sweeper import Sweeper
from mossaic.service.token import Tokens
from mossaic.stores.blobs import FileBlobs
from mossaic.stores.callbacks import HttpCallbackSender
from mossaic.stores.sql import SqliteMetadata
from mossaic.telemetry import AccessLog, Metrics, set_up_logging

if TYPE_CHECKING:
    from collections.abc import Callable

    from mossaic.config import Settings
    from mossaic.gateway.record import RequestRecord
    from mossaic.root_key import RootKey

_log = logging.getLogger("mossaic")


class StartError(Exception):
    """The service cannot start; the text says why and what to do."""


class SystemClock:
    """`ports.Clock` on the machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass(slots=True, kw_only=True)
class App:
    """One process of the service. `open` it, then `run` it or use its stores and `close` it."""

    settings: Settings
    root_key: RootKey
    metadata: SqliteMetadata
    blobs: FileBlobs
    clock: SystemClock

    @classmethod
    def open(cls, settings: Settings) -> App:
        """Open the stores. Raises StartError."""
        set_up_logging(settings.log.level)
        folder = settings.data_dir
        try:
            folder.mkdir(parents=True, exist_ok=True)
            key = find_root_key(settings)
            metadata = SqliteMetadata.open(
                folder / "metadata.db", sync=settings.store.sync, reader_grace_s=settings.sweep.reader_grace_s
            )
            blobs = FileBlobs(folder / "blobs", sync=settings.store.sync)
        except RootKeyError as error:
            raise StartError(str(error)) from None
        except (OSError, StoreError) as error:
            raise StartError(f"cannot open the data directory {folder}: {error}") from None
        return cls(settings=settings, root_key=key, metadata=metadata, blobs=blobs, clock=SystemClock())

    async def close(self) -> None:
        await self.metadata.close()

    async def probe(self) -> dict[str, str]:
        """Store → what is wrong with it, "" when it works."""
        found = {"metadata": "", "blobs": ""}
        try:
            await self.metadata.probe()
        except (StoreError, OSError) as error:
            found["metadata"] = str(error) or type(error).__name__
        try:
            await asyncio.to_thread(self.blobs.probe)
        except (StoreError, OSError) as error:
            found["blobs"] = str(error) or type(error).__name__
        return found

    def presign(self, method: str, endpoint: str, bucket: str, key: str, *, seconds: int) -> str:
        """A path-style URL with a V4 signature of the account's own key."""
        timestamp = self.clock.now().strftime("%Y%m%dT%H%M%SZ")
        query = v4.presigned(
            Pair(access_key_id=self.root_key.access_key_id, secret=self.root_key.secret.reveal()),
            SignedRequest(method=method),
            Resource(bucket=bucket, key=key),
            v4.Scope(day=timestamp[:8], region=self.settings.region, product="oss"),
            v4.Validity(timestamp=timestamp, expires_s=seconds),
        )
        return f"{endpoint}/{bucket}/{quote(key)}?{urlencode(query, quote_via=quote)}"

    async def run(self, announce: Callable[[str], None]) -> None:
        """Serve until SIGTERM or SIGINT; `announce` gets the endpoint once requests are answered. Raises StartError."""
        stop = _stop_signal()  # before the first connection is taken: a stop is a clean one from then on
        settings = self.settings
        owner = await account_id(self.metadata, settings.account_id or None)
        access_log = _open_access_log(settings.log.access)
        metrics = Metrics()
        services = self._services(owner)
        server = await self._listen(self._pipeline(services, owner, metrics, access_log))
        endpoint = self._endpoint(server)
        _gauges(metrics, server)
        if settings.demo_bucket:
            await _make_demo_bucket(services.buckets, settings.demo_bucket)
        sweeper = Sweeper(
            metadata=self.metadata,
            blobs=self.blobs,
            clock=self.clock,
            settings=settings.sweep,
            receipts_s=settings.upload.replay_s,
        )
        sweeping = asyncio.create_task(sweeper.run(), name="sweeper")
        announce(endpoint)
        preparing = asyncio.create_task(asyncio.to_thread(self.blobs.prepare), name="blob-folders")
        await stop.wait()
        _log.info("stopping: requests in flight have %s s to finish", settings.http.shutdown_s)
        await server.close(settings.http.shutdown_s)
        sweeping.cancel()
        await asyncio.gather(sweeping, preparing, return_exceptions=True)
        access_log.close()
        await self.close()

    def _services(self, owner: str) -> Services:
        settings = self.settings
        intake = Intake(self.blobs, inline_up_to=settings.store.inline_bytes, etags=settings.store.etag)
        callbacks = CallbackService(
            sender=HttpCallbackSender(),
            identities=self.metadata,
            settings=settings.callback,
            log=CallbackLog(settings.console.callbacks if settings.console.enabled else 0),
        )
        limits = LinkLimits(metadata=self.metadata, clock=self.clock)
        objects = ObjectService(
            metadata=self.metadata, blobs=self.blobs, intake=intake, clock=self.clock, limits=limits
        )
        return Services(
            buckets=BucketService(
                metadata=self.metadata,
                clock=self.clock,
                owner_id=owner,
                region=settings.region,
                quota=settings.max_buckets,
            ),
            objects=objects,
            multipart=MultipartService(
                metadata=self.metadata,
                blobs=self.blobs,
                intake=intake,
                clock=self.clock,
                limits=limits,
                replay_s=settings.upload.replay_s,
            ),
            copying=CopyService(
                metadata=self.metadata,
                blobs=self.blobs,
                objects=objects,
                clock=self.clock,
                etags=settings.store.etag,
            ),
            listing=ListingService(metadata=self.metadata),
            callbacks=callbacks,
            intake=intake,
            requests=RequestService(metadata=self.metadata, tokens=Tokens(self.metadata), limits=limits),
        )

    def _pipeline(self, services: Services, owner: str, metrics: Metrics, access_log: AccessLog) -> Pipeline:
        settings = self.settings
        tokens = Tokens(self.metadata)
        root = Root(account_id=owner, access_key_id=self.root_key.access_key_id, secret=self.root_key.secret)
        identity = IdentityService(self.metadata, tokens, root)
        sts = StsService(store=self.metadata, tokens=tokens, account_id=owner)
        sessions = KeySessions(
            identity=identity,
            tokens=tokens,
            session_s=settings.console.session_s,
            max_s=settings.console.session_max_s,
        )

        def observe(record: RequestRecord) -> None:
            access_log.write(record)
            metrics.observe(record)

        async def ready() -> str:
            return "; ".join(
                f"{name}: {problem}" for name, problem in (await self.probe()).items() if problem
            )

        admission = Admission(
            identity=identity,
            metadata=self.metadata,
            clock=self.clock,
            settings=AdmissionSettings(region=settings.region, strict_region=settings.strict_region),
        )
        return Pipeline(
            services=services,
            admission=admission,
            sts=StsEndpoint(service=sts, identity=identity, clock=self.clock),
            console=Console(
                ready=ready,
                metrics=metrics.page,
                callback_key=services.callbacks.public_key,
                assets=Assets(settings.console.connect) if settings.console.enabled else None,
                api=self._api(services, admission, sessions) if settings.console.enabled else None,
            ),
            domains=Domains(
                bases=settings.domains,
                cnames=dict(pair.split("=", 1) for pair in settings.cnames if "=" in pair),
            ),
            clock=self.clock,
            observe=observe,
            router=Router(),
        )

    def _api(self, services: Services, admission: Admission, sessions: KeySessions) -> ApiEndpoint:
        settings = self.settings
        facts = ConsoleFacts(
            region=settings.region,
            public_endpoint=settings.public_endpoint.rstrip("/"),
            session_s=settings.console.session_s,
            session_max_s=settings.console.session_max_s,
        )
        return ApiEndpoint(
            services=services, admission=admission, clock=self.clock, facts=facts, sessions=sessions
        )

    async def _listen(self, pipeline: Pipeline) -> Server:
        http = self.settings.http
        host, port = self.settings.host_port
        limits = HttpLimits(
            max_head_bytes=http.max_head_bytes,
            max_connections=http.max_connections,
            max_threads=http.threads,
            head_timeout_s=http.head_timeout_s,
            body_idle_s=http.body_idle_s,
            keepalive_s=http.keepalive_s,
            write_idle_s=http.write_idle_s,
        )
        try:
            return await serve(
                Listener(host=host, port=port, tls=self._tls()),
                pipeline,
                limits=limits,
                refused=pipeline.refused,
            )
        except OSError as error:
            raise StartError(f"cannot listen on {self.settings.listen}: {error.strerror or error}") from None

    def _tls(self) -> ssl.SSLContext | None:
        tls = self.settings.tls
        if not tls.certificate:
            return None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        try:
            context.load_cert_chain(tls.certificate, tls.key or None)
        except OSError as error:
            raise StartError(f"cannot use the certificate {tls.certificate}: {error}") from None
        return context

    def _endpoint(self, server: Server) -> str:
        if self.settings.public_endpoint:
            return self.settings.public_endpoint.rstrip("/")
        host, port = server.addresses[0][:2]
        scheme = "https" if self.settings.tls.certificate else "http"
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def _open_access_log(target: str) -> AccessLog:
    try:
        return AccessLog(target)
    except OSError as error:
        raise StartError(f"cannot write the access log {target}: {error.strerror}") from None


async def _make_demo_bucket(buckets: BucketService, name: str) -> None:
    """A bucket that browsers may use from any page; one that is there stays as it is."""
    try:
        if await buckets.find(bucket_name(name)) is None:
            rules = cors.checked(cors.browser_rules())
            await buckets.create(NewBucket(name=name, documents={"cors": rules}))
    except OssError as error:
        raise StartError(f"cannot make the demo bucket {name!r}: {error.message}") from None


def _gauges(metrics: Metrics, server: Server) -> None:
    metrics.gauge("mossaic_connections", "Open connections.", lambda: float(server.connections))
    metrics.gauge("mossaic_leases", "Connections handed to worker threads.", lambda: float(server.leases))


def _stop_signal() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop
