"""AsyncClient: one line for each call of Client. They run in threads of its own; nothing here says again what Client says."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, Self

from mossaic.client.aio.carry import Awaited, Derived, Iterated, Made, Opened, Started, made_like
from mossaic.client.aio.results import AsyncBatch, AsyncDownload, AsyncUpload, AsyncWriter
from mossaic.client.aio.work import Work
from mossaic.client.client import Client
from mossaic.client.http.scope import current_scope

if TYPE_CHECKING:
    from types import TracebackType

    from mossaic.client.http import Scope

WORKERS: Final = 32


class AsyncClient:
    """Client for asyncio: the same calls with the same parameters, awaited; listings with `async for`, `get` with `async with`.

    A call runs in a thread, of which there are at most 32 (`over` makes another number). When the task that awaits it is
    cancelled the call is cut off at once, and has ended when CancelledError arrives. Data may be an asynchronous iterable of bytes;
    `progress` and `on_event` are called in the event loop.
    """

    @made_like(Client.__init__)
    def __init__(self, *given: Any, **named: Any) -> None:  # Any: those of Client
        self._client = Client(*given, **named)
        self._executor = ThreadPoolExecutor(WORKERS, "mossaic")
        self._owns = True

    @classmethod
    def over(cls, client: Client, *, workers: int = WORKERS) -> Self:
        """An AsyncClient that stands on `client`, and closes it. `workers`: how many calls may run at the same time."""
        return cls._made(client, ThreadPoolExecutor(workers, "mossaic"), owns=True)

    def beside(self, client: Client) -> Self:
        """The same over another client: threads are shared, and closing it does nothing."""
        return self._made(client, self._executor, owns=False)

    @classmethod
    def _made(cls, client: Client, executor: ThreadPoolExecutor, *, owns: bool) -> Self:
        made = cls.__new__(cls)
        vars(made).update(_client=client, _executor=executor, _owns=owns)
        return made

    @property
    def blocking(self) -> Client:
        """The Client it stands on."""
        return self._client

    @property
    def bucket(self) -> str | None:
        return self._client.bucket

    @property
    def endpoint(self) -> str:
        return self._client.endpoint

    @property
    def scope(self) -> Scope | None:
        return self._client.scope

    def work(self) -> Work:
        """For one call."""
        return Work(self._executor, self._client.scope or current_scope.get())

    async def close(self) -> None:
        """Close the connections and end the threads. Calls that still run are not waited for; those that have not begun are cancelled."""
        if self._owns:
            self._executor.shutdown(wait=False, cancel_futures=True)
            self._client.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"Async{self._client!r}"

    from_profile = Made(Client.from_profile)
    with_bucket = Derived(Client.with_bucket)
    with_options = Derived(Client.with_options)
    call = Awaited(Client.call)

    # objects
    put = Awaited(Client.put)
    append = Awaited(Client.append)
    copy = Awaited(Client.copy)
    rename = Awaited(Client.rename)
    get = Opened(Client.get)
    get_bytes = Awaited(Client.get_bytes)
    head = Awaited(Client.head)
    get_meta = Awaited(Client.get_meta)
    exists = Awaited(Client.exists)
    delete = Awaited(Client.delete)
    delete_many = Awaited(Client.delete_many)

    # what hangs on an object
    put_acl = Awaited(Client.put_acl)
    get_acl = Awaited(Client.get_acl)
    put_tags = Awaited(Client.put_tags)
    get_tags = Awaited(Client.get_tags)
    delete_tags = Awaited(Client.delete_tags)
    symlink = Awaited(Client.symlink)
    get_symlink = Awaited(Client.get_symlink)
    restore = Awaited(Client.restore)

    # listings
    list_objects = Iterated(Client.list_objects)
    list_versions = Iterated(Client.list_versions)
    list_buckets = Iterated(Client.list_buckets)

    # buckets
    put_bucket = Awaited(Client.put_bucket)
    create_bucket = Awaited(Client.create_bucket)
    delete_bucket = Awaited(Client.delete_bucket)
    bucket_info = Awaited(Client.bucket_info)
    bucket_stat = Awaited(Client.bucket_stat)
    bucket_location = Awaited(Client.bucket_location)
    put_bucket_acl = Awaited(Client.put_bucket_acl)
    get_bucket_acl = Awaited(Client.get_bucket_acl)
    put_versioning = Awaited(Client.put_versioning)
    get_versioning = Awaited(Client.get_versioning)
    describe_regions = Awaited(Client.describe_regions)

    # their documents
    put_cors = Awaited(Client.put_cors)
    get_cors = Awaited(Client.get_cors)
    delete_cors = Awaited(Client.delete_cors)
    put_lifecycle = Awaited(Client.put_lifecycle)
    get_lifecycle = Awaited(Client.get_lifecycle)
    delete_lifecycle = Awaited(Client.delete_lifecycle)
    put_bucket_tags = Awaited(Client.put_bucket_tags)
    get_bucket_tags = Awaited(Client.get_bucket_tags)
    delete_bucket_tags = Awaited(Client.delete_bucket_tags)
    put_bucket_policy = Awaited(Client.put_bucket_policy)
    get_bucket_policy = Awaited(Client.get_bucket_policy)
    delete_bucket_policy = Awaited(Client.delete_bucket_policy)
    get_bucket_policy_status = Awaited(Client.get_bucket_policy_status)

    # signing, which may wait for credentials
    sign_url = Awaited(Client.sign_url)
    sign_post_policy = Awaited(Client.sign_post_policy)

    # uploads
    multipart_upload = Awaited(Client.multipart_upload)
    start_upload = Started(Client.start_upload, AsyncUpload)
    resume_upload = Awaited(Client.resume_upload)
    checkpoint_of = Awaited(Client.checkpoint_of)
    init_multipart_upload = Awaited(Client.init_multipart_upload)
    upload_part = Awaited(Client.upload_part)
    upload_part_copy = Awaited(Client.upload_part_copy)
    complete_multipart_upload = Awaited(Client.complete_multipart_upload)
    abort_multipart_upload = Awaited(Client.abort_multipart_upload)
    list_parts = Iterated(Client.list_parts)
    list_uploads = Iterated(Client.list_uploads)
    diagnose = Iterated(Client.diagnose)
    abort_stale_uploads = Awaited(Client.abort_stale_uploads)
    open_writer = Started(Client.open_writer, AsyncWriter)

    # downloads
    download = Awaited(Client.download)
    start_download = Started(Client.start_download, AsyncDownload)

    # folders
    upload_folder = Awaited(Client.upload_folder)
    download_folder = Awaited(Client.download_folder)
    plan_upload_folder = Started(Client.plan_upload_folder, AsyncBatch)
    plan_download_folder = Started(Client.plan_download_folder, AsyncBatch)
