"""Client: the families of calls joined, over one session."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from mossaic.client.calls.buckets import Buckets
from mossaic.client.calls.diagnosing import Diagnosing
from mossaic.client.calls.downloading import Downloading
from mossaic.client.calls.folders import Folders
from mossaic.client.calls.listing import Listing
from mossaic.client.calls.multipart import Multipart, Transfers
from mossaic.client.calls.object_settings import ObjectSettings
from mossaic.client.calls.objects import Objects
from mossaic.client.calls.settings import Settings
from mossaic.client.calls.signing import Signing
from mossaic.client.calls.uploads import Uploads
from mossaic.client.calls.writing import Writing
from mossaic.client.credentials import Anonymous, Credentials, Static, default
from mossaic.client.endpoint import parse_endpoint
from mossaic.client.errors import CredentialsError
from mossaic.client.exchange import PLAIN, Session
from mossaic.client.http import Pool
from mossaic.client.options import Retry, Timeout
from mossaic.client.profile import load_profile
from mossaic.client.signer import Clock, Signer
from mossaic.client.upload.throttle import Throttle

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    from mossaic.client.credentials import Provider
    from mossaic.client.http import Scope
    from mossaic.client.options import Addressing, Checksum, Retrying, SignatureVersion
    from mossaic.client.store import Store
    from mossaic.client.upload.plan import PartSize
    from mossaic.client.upload.task import Parallel

_TIMEOUT: Final = Timeout()
_RETRY: Final = Retry()
_FROM_PROFILE: Final = ("bucket", "region", "signature", "addressing", "credentials")


# A further family of calls is a class in `calls/`, named here and, one line a method, in `aio/client.py`.
class Client(
    Folders,
    Writing,
    Objects,
    Listing,
    Buckets,
    Settings,
    ObjectSettings,
    Signing,
    Multipart,
    Uploads,
    Downloading,
    Diagnosing,
):
    """An OSS service. Any number of threads may use one; close it, or use it in a `with`.

    Every call may raise ServerError (by OSS code), NetworkError, ConnectionTimeoutError, DeadlineExceeded, Cancelled and
    CredentialsError; its own errors stand with it.
    """

    def __init__(  # noqa: PLR0913  # a client's options are keywords
        self,
        endpoint: str,
        *,
        bucket: str | None = None,
        region: str | None = None,
        credentials: Credentials | Provider | None = None,
        signature: SignatureVersion = "v4",
        addressing: Addressing = "auto",
        timeout: Timeout = _TIMEOUT,
        retry: Retry = _RETRY,
        verify: bool | str | ssl.SSLContext = True,
        proxy: str | None = None,
        part_size: PartSize = "auto",
        parallel: Parallel = "auto",
        checksum: Checksum = "crc64",
        bandwidth: float | None = None,
        store: Store | None = None,
        user_agent: str | None = None,
    ) -> None:
        """`endpoint`: `[http[s]://]host[:port]`. `bucket`: of calls that name none. `region`: of V4 signatures, else from the endpoint.

        `credentials`: given, a provider, or None for the environment and the files that OSS users have. `addressing`: "auto" is path
        style for IP addresses and localhost, else `BUCKET.host`. `verify`: whom to trust with TLS: True (the system), a file
        of certificates, an SSLContext, or False. `proxy`: a URL; None asks the environment; "" is none.

        `part_size`, `parallel`, `store` (where unfinished uploads are written down): of multipart uploads. `checksum`: what is compared,
        CRC-64, MD5 as well, or "none". `bandwidth`: bytes a second for everything this client sends. `user_agent`: is put before ours.

        Raises ValueError for a value that cannot be. Nothing is asked of the service yet.
        """
        if isinstance(credentials, Credentials):
            credentials = _fixed(credentials)
        place = parse_endpoint(endpoint, addressing=addressing, region=region)
        self._session = Session(
            endpoint=place,
            provider=credentials or default(),
            pool=Pool(timeout=timeout, verify=verify, proxy=proxy),
            signer=Signer(signature, place.region, Clock()),
            retry=retry,
            bucket=bucket,
            user_agent=user_agent,
        )
        self._bucket = bucket
        self._ask = PLAIN
        self._checksum: Checksum = checksum
        self._throttle = Throttle(bandwidth)
        self._transfers = Transfers(part_size=part_size, parallel=parallel, store=store)
        self._owns_session = True

    @classmethod
    def from_profile(
        cls,
        name: str | None = None,
        **overrides: Any,  # Any: the parameters of Client, which checks them
    ) -> Self:
        """The service that the environment and the profile `name` (else the default one) describe; `overrides` are parameters of Client,
        `endpoint` among them.

        Raises CredentialsError (no such profile, a file that cannot be used, nobody names an endpoint), ValueError, TypeError.
        """
        found = load_profile(name)
        given: dict[str, Any] = {  # Any: as above
            field: value for field in _FROM_PROFILE if (value := getattr(found, field)) is not None
        }
        given |= overrides
        endpoint = given.pop("endpoint", None) or found.endpoint
        if not endpoint:
            raise CredentialsError(
                "no endpoint is named: set OSS_ENDPOINT, write one into the profile, or give endpoint=…"
            )
        return cls(endpoint, **given)

    def with_bucket(self, name: str) -> Self:
        """The same client with another default bucket; it shares everything else, and closing it does nothing."""
        return self.with_options(bucket=name)

    def with_options(
        self,
        *,
        bucket: str | None = None,
        deadline: float | None = None,
        retry: Retry | None = None,
        scope: Scope | None = None,
        on_retry: Callable[[Retrying], None] | None = None,
    ) -> Self:
        """The same client, whose calls behave otherwise: `deadline` is seconds for each whole call, retries included; `scope` cancels them;
        `on_retry` hears of every retry before its wait. What is None stays. Closing it does nothing."""
        mine = self._ask
        ask = replace(
            mine,
            deadline=mine.deadline if deadline is None else deadline,
            retry=retry or mine.retry,
            scope=scope or mine.scope,
            on_retry=on_retry or mine.on_retry,
        )
        other = copy(self)
        vars(other).update(_bucket=bucket or self._bucket, _ask=ask, _owns_session=False)
        return other

    @property
    def bucket(self) -> str | None:
        """The bucket of calls that name none."""
        return self._bucket

    @property
    def scope(self) -> Scope | None:
        """What cancels its calls, if it was given something."""
        return self._ask.scope

    @property
    def endpoint(self) -> str:
        """`scheme://host[:port]`."""
        return str(self._session.endpoint)

    def close(self) -> None:
        """Close the connections. Never raises; the second time nothing happens."""
        if self._owns_session:
            self._session.pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.endpoint!r}, bucket={self._bucket!r})"


def _fixed(pair: Credentials) -> Provider:
    if pair.anonymous:
        return Anonymous()
    return Static(pair.access_key_id, pair.access_key_secret, pair.security_token)
