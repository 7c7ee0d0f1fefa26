"""The composition root: settings → stores → services → pipeline → server, and the life of one process."""

from __future__ import annotations

import asyncio
import logging
import ssl
from dataclasses import field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode

from mossaic.board import Cell, Place
from mossaic.gateway.admit import Admission, AdmissionSettings
from mossaic.gateway.console import ApiEndpoint, Assets, Console, ConsoleFacts
from mossaic.gateway.http import Hooks, HttpLimits, Listener, Server, serve
from mossaic.gateway.pipeline import Pipeline
from mossaic.gateway.repeats import Repeats
from mossaic.gateway.route import Router
from mossaic.gateway.sts import StsEndpoint
from mossaic.model import cors
from mossaic.model.names import bucket_name
from mossaic.orders import Order, Orders
from mossaic.ports import StoreError
from mossaic.protocol.addressing import Domains
from mossaic.protocol.errors import OssError
from mossaic.protocol.signing import v4
from mossaic.protocol.signing.request import Pair, Resource, SignedRequest
from mossaic.quick import dataclass
from mossaic.root_key import RootKeyError
from mossaic.root_key import find as find_root_key
from mossaic.service.buckets import Account, BucketService, NewBucket
from mossaic.service.callback_log import CallbackLog
from mossaic.service.callbacks import CallbackService
from mossaic.service.copying import CopyService
from mossaic.service.identity import ACCOUNT_ID, IdentityService, Root, account_id, random_id
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
from mossaic.stores.lock import FileLock, Sharing
from mossaic.stores.sql import SqliteMetadata, make
from mossaic.team import Team
from mossaic.telemetry import AccessLog, Metrics, Recorder, set_up_logging

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mossaic.config import Settings
    from mossaic.root_key import RootKey

_log = logging.getLogger("mossaic")

_NEWS_S: Final = 1.0  # how often workers look at what others have told, and tell what they counted
_RETIRE_S: Final = 3_600.0  # how long a worker whose place is taken may go on with what it has begun
_FAIL_S: Final = 5.0  # how long one that cannot write may finish what it reads; nobody has its place before
_PATIENCE_S: Final = 5.0  # how long it then waits for one more request of each connection
_FOLDERS_S: Final = 1.0  # after the start of a new store until the folders of its blobs are made
_FEWEST_THREADS: Final = 16  # of a worker, where the setting allows it: some clients are slow


class StartError(Exception):
    """The service cannot start; the text says why and what to do."""


class Unfit(Exception):
    """The process can serve no longer; another one may. The text says why."""


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
    team: Team = field(default_factory=Team)

    @classmethod
    def open(cls, settings: Settings, team: Team | None = None) -> App:
        """Open the stores. Raises StartError."""
        team = team or Team()
        set_up_logging(settings.log.level)
        folder = settings.data_dir
        try:
            folder.mkdir(parents=True, exist_ok=True)
            key = find_root_key(settings)
            file = folder / "metadata.db"
            make(file, {ACCOUNT_ID: settings.account_id or random_id()})
            metadata = SqliteMetadata.open(
                file,
                sync=settings.store.sync,
                reader_grace_s=settings.sweep.reader_grace_s,
                sharing=Sharing(processes=team.processes, is_ready=not team.is_alone, bell=team.bell),
            )
            warm_bytes = team.share(settings.store.warm_bytes, least=0)
            blobs = FileBlobs(folder / "blobs", sync=settings.store.sync, warm_bytes=warm_bytes)
        except RootKeyError as error:
            raise StartError(str(error)) from None
        except (OSError, StoreError) as error:
            raise StartError(f"cannot open the data directory {folder}: {error}") from None
        return cls(
            settings=settings,
            root_key=key,
            metadata=metadata,
            blobs=blobs,
            clock=SystemClock(),
            team=team,
        )

    async def prepare(self) -> str:
        """Make what the first start makes, and close: for a parent whose workers are to find it. The account's id.

        Raises StartError."""
        try:
            owner = await account_id(self.metadata, self.settings.account_id or None)
            if self.settings.demo_bucket:
                await self._make_demo_bucket(self._services(owner).buckets)
        finally:
            await self.close()
        return owner

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
        """Serve until told to stop; `announce` gets the endpoint once requests are answered. Raises StartError, Unfit (workers)."""
        # Before the first connection is taken: a stop is a clean one from then on.
        orders = Orders(self.team.lifeline)
        settings = self.settings
        owner = self.team.owner or await account_id(self.metadata, settings.account_id or None)
        access_log = _open_access_log(settings.log.access)
        metrics = Metrics(self.team.place.others)
        metrics.add(self.team.place.read())  # of the worker that had this place before
        services = self._services(owner)
        tls = _tls(settings)
        server = await self._listen(self._pipeline(services, owner, metrics, access_log), tls)
        _gauges(metrics, self.team.place)
        if self.team.is_alone:
            await self._make_demo_bucket(services.buckets)
        background = [asyncio.create_task(self._sweep(), name="sweeper")]
        if not self.team.is_alone:
            background.append(asyncio.create_task(self._exchange_news(services, metrics), name="news"))
            background.append(asyncio.create_task(self._watch_store(orders), name="store"))
        announce(endpoint_of(settings, server.addresses))
        order = await self._next_order(orders, tls)
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)
        await self._close_server(server, order, orders)
        self._tell_counts(metrics)
        access_log.close()
        await self.close()
        if order is Order.FAIL:
            raise Unfit("a sync of the metadata has failed")

    async def _next_order(self, orders: Orders, tls: ssl.SSLContext | None) -> Order:
        """The one that ends it."""
        while (order := await orders.next()) is Order.REFRESH:
            if tls is None:
                _log.info("nothing is read anew: there is no certificate, and one process keeps its settings")
            else:
                _refresh(tls, self.settings)
        return order

    async def _close_server(self, server: Server, order: Order, orders: Orders) -> None:
        shutdown_s = self.settings.http.shutdown_s
        if order is Order.RETIRE:
            closing = asyncio.create_task(server.close(_RETIRE_S, patience_s=_PATIENCE_S))
        else:
            if self.team.is_alone:  # else the parent says it once
                say_stopping(shutdown_s)
            deadline_s = min(_FAIL_S, shutdown_s) if order is Order.FAIL else shutdown_s
            closing = asyncio.create_task(server.close(deadline_s))
        await asyncio.sleep(0)  # it listens no more
        if self.team.lock is not None:
            self.team.lock.close()  # whose parent was killed is not in the way of the next service
        left_s = shutdown_s if order is Order.RETIRE else 0.0
        while not closing.done():
            more = asyncio.create_task(orders.next())
            await asyncio.wait({closing, more}, return_when=asyncio.FIRST_COMPLETED)
            if more.done() and more.result() is Order.STOP:
                server.hasten(left_s)
                left_s = 0.0
            more.cancel()
        await closing

    async def _sweep(self) -> None:
        """In one process of the service at a time: who has the lock's file. It moves when that one ends, however it ends."""
        sweeper = Sweeper(
            metadata=self.metadata,
            blobs=self.blobs,
            clock=self.clock,
            settings=self.settings.sweep,
            receipts_s=self.settings.upload.replay_s,
        )
        if self.team.is_alone:
            await asyncio.gather(sweeper.run(), self._prepare_blobs())
            return
        lock = FileLock(self.settings.data_dir / "sweeper-turn")
        try:
            while not lock.take_at_once():  # noqa: ASYNC110  # no event comes from another process
                await asyncio.sleep(_NEWS_S)
            await asyncio.gather(sweeper.run(), self._prepare_blobs())
        finally:
            lock.close()

    async def _prepare_blobs(self) -> None:
        """Until it is done each blob makes its own folder, so it waits for the first requests: its syncs would be in their way."""
        if self.blobs.is_prepared:  # else a thread would be started for nothing
            return
        await asyncio.sleep(_FOLDERS_S)
        try:
            await asyncio.to_thread(self.blobs.prepare)
        except OSError as error:
            _log.warning("not all folders for blobs could be made: %s", error)  # blobs go on making theirs

    async def _watch_store(self, orders: Orders) -> None:
        """Without a parent it goes on: reads are better than nothing."""
        await self.metadata.broken()
        orders.give(Order.FAIL)

    async def _exchange_news(self, services: Services, metrics: Metrics) -> None:
        while True:
            try:
                self._tell_counts(metrics)
                await services.limits.look_again()
            except (StoreError, OSError) as error:
                _log.warning("the news of other workers were not read: %s", error)
            await asyncio.sleep(_NEWS_S)

    def _tell_counts(self, metrics: Metrics) -> None:
        if not self.team.is_alone:
            self.team.place.write(metrics.snapshot())

    def _services(self, owner: str) -> Services:
        settings = self.settings
        intake = Intake(self.blobs, inline_up_to=settings.store.inline_bytes, etags=settings.store.etag)
        callbacks = CallbackService(
            sender=HttpCallbackSender(),
            identities=self.metadata,
            settings=settings.callback,
            log=CallbackLog(settings.console.callbacks if settings.console.enabled else 0, self.team.journal),
        )
        place = self.team.place
        limits = LinkLimits(
            metadata=self.metadata, clock=self.clock, news=place.news(Cell.LINKS), tally=place.flights()
        )
        objects = ObjectService(
            metadata=self.metadata, blobs=self.blobs, intake=intake, clock=self.clock, limits=limits
        )
        return Services(
            buckets=BucketService(
                metadata=self.metadata,
                clock=self.clock,
                account=Account(owner_id=owner, region=settings.region, quota=settings.max_buckets),
                news=place.news(Cell.BUCKETS),
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
            limits=limits,
            requests=RequestService(
                metadata=self.metadata, tokens=Tokens(self.metadata), limits=limits, tally=place.guesses()
            ),
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

        records = Recorder(access_log, metrics)

        def page() -> bytes:
            # What was shown once is not taken back, whatever becomes of this process.
            self._tell_counts(metrics)
            return metrics.page()

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
            repeats=Repeats(services=services, admission=admission, clock=self.clock, records=records),
            sts=StsEndpoint(service=sts, identity=identity, clock=self.clock, leases=self.metadata),
            console=Console(
                ready=ready,
                metrics=page,
                callback_key=services.callbacks.public_key,
                assets=Assets(settings.console.connect) if settings.console.enabled else None,
                api=self._api(services, admission, sessions) if settings.console.enabled else None,
            ),
            domains=Domains(
                bases=settings.domains,
                cnames=dict(pair.split("=", 1) for pair in settings.cnames if "=" in pair),
            ),
            clock=self.clock,
            records=records,
            router=self.team.router or Router(),
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

    async def _listen(self, pipeline: Pipeline, tls: ssl.SSLContext | None) -> Server:
        http = self.settings.http
        host, port = self.settings.host_port
        limits = HttpLimits(
            max_head_bytes=http.max_head_bytes,
            max_connections=http.max_connections,
            max_threads=self.team.share(http.threads, least=min(http.threads, _FEWEST_THREADS)),
            head_timeout_s=http.head_timeout_s,
            body_idle_s=http.body_idle_s,
            keepalive_s=http.keepalive_s,
            write_idle_s=http.write_idle_s,
        )
        try:
            return await serve(
                Listener(host=host, port=port, tls=tls, sockets=self.team.sockets),
                pipeline,
                limits=limits,
                hooks=Hooks(pipeline.repeats.recognize, pipeline.refused),
                crowd=self.team.place.crowd(),
            )
        except OSError as error:
            raise StartError(f"cannot listen on {self.settings.listen}: {error.strerror or error}") from None

    async def _make_demo_bucket(self, buckets: BucketService) -> None:
        """A bucket that browsers may use from any page; one that is there stays as it is."""
        name = self.settings.demo_bucket
        try:
            if name and await buckets.find(bucket_name(name)) is None:
                rules = cors.checked(cors.browser_rules())
                await buckets.create(NewBucket(name=name, documents={"cors": rules}))
        except OssError as error:
            raise StartError(f"cannot make the demo bucket {name!r}: {error.message}") from None


def endpoint_of(settings: Settings, addresses: Sequence[tuple[str, int]]) -> str:
    """Under which URL the service is reached that listens on these addresses."""
    if settings.public_endpoint:
        return settings.public_endpoint.rstrip("/")
    host, port = addresses[0]
    scheme = "https" if settings.tls.certificate else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def say_stopping(seconds: float) -> None:
    """Once for the service, however many processes it has."""
    _log.info("stopping: requests in flight have %s s to finish", seconds)


def check_files(settings: Settings) -> None:
    """Whether the files that a process of the service needs can be used. Raises StartError."""
    _tls(settings)
    _open_access_log(settings.log.access).close()


def _tls(settings: Settings) -> ssl.SSLContext | None:
    if not settings.tls.certificate:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(settings.tls.certificate, settings.tls.key or None)
    except OSError as error:
        raise StartError(f"cannot use the certificate {settings.tls.certificate}: {error}") from None
    return context


def _refresh(tls: ssl.SSLContext, settings: Settings) -> None:
    """Give new connections the certificate that lies there now, unless it is no good: that is tried in a context of its own."""
    try:
        _tls(settings)
    except StartError as error:
        _log.error("the certificate stays as it was: %s", error)  # the trace would say nothing more
        return
    tls.load_cert_chain(settings.tls.certificate, settings.tls.key or None)
    _log.info("the certificate was read anew")


def _open_access_log(target: str) -> AccessLog:
    try:
        return AccessLog(target)
    except OSError as error:
        raise StartError(f"cannot write the access log {target}: {error.strerror}") from None


def _gauges(metrics: Metrics, place: Place) -> None:
    metrics.gauge("mossaic_workers", "Processes that serve.", lambda: float(place.total(Cell.LISTENS)))
    metrics.gauge("mossaic_connections", "Open connections.", lambda: float(place.total(Cell.CONNECTIONS)))
    metrics.gauge(
        "mossaic_leases", "Connections handed to worker threads.", lambda: float(place.total(Cell.LEASES))
    )
