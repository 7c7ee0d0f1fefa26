"""Whole folders, up and down."""

from __future__ import annotations

import os
from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, TypedDict, Unpack, cast

from mossaic.client.calls.downloading import Downloading
from mossaic.client.calls.listing import Listing
from mossaic.client.calls.multipart import Multipart
from mossaic.client.calls.objects import Objects
from mossaic.client.folder.down import FolderDownload
from mossaic.client.folder.entry import FolderOptions, Stored
from mossaic.client.folder.service import Service
from mossaic.client.folder.up import FolderUpload
from mossaic.client.http import Scope
from mossaic.client.http.scope import current_scope
from mossaic.client.upload.parallel import MOST_ASKED
from mossaic.client.upload.throttle import Throttle
from mossaic.protocol.operations.listing import ObjectEntry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any, Self

    from mossaic.client.callback import Callback
    from mossaic.client.calls.downloading import DownloadKeywords
    from mossaic.client.calls.multipart import UploadKeywords
    from mossaic.client.download.handle import Download
    from mossaic.client.folder.entry import BatchProgress, BatchResult, FolderEvent, Skip, Symlinks
    from mossaic.client.object_options import Acl, StorageClass
    from mossaic.client.options import Checksum
    from mossaic.client.transfer.handle import Transfer
    from mossaic.client.transfer.task import Parallel
    from mossaic.client.upload.handle import Upload
    from mossaic.client.upload.plan import PartSize


class FolderKeywords(TypedDict, total=False):
    """How a folder is moved; `Client.upload_folder` tells what these mean."""

    include: Sequence[str]
    exclude: Sequence[str]
    jobs: Parallel
    skip: Skip
    delete: bool
    dry_run: bool
    progress: Callable[[BatchProgress], None] | None
    on_event: Callable[[FolderEvent], None] | None
    bandwidth: float | None
    deadline: float | None
    bucket: str | None
    part_size: PartSize | None
    parallel: Parallel | None
    resume: Literal["auto", "verify", "never"]
    checksum: Checksum | None


class FolderUploadKeywords(FolderKeywords, total=False):
    """With those of every object."""

    symlinks: Symlinks
    empty_folders: bool
    headers: Mapping[str, str] | None
    meta: Mapping[str, str] | None
    mime: str | None
    tags: Mapping[str, str] | None
    storage_class: StorageClass | str | None
    acl: Acl | str | None
    forbid_overwrite: bool | None
    callback: Callback | Mapping[str, Any] | None  # Any: as ali-oss has it
    server_side_encryption: str | None
    traffic_limit: int | None
    on_failure: Literal["keep", "abort"]


_OF_THE_FOLDER = FolderOptions.__dataclass_fields__.keys() | {"bandwidth", "bucket"}


class Folders(Objects, Listing, Multipart, Downloading):
    """Folders, whole."""

    def upload_folder(
        self, path: str | os.PathLike[str], prefix: str = "", **options: Unpack[FolderUploadKeywords]
    ) -> BatchResult:
        """Upload all files below the folder `path` to keys below `prefix`, several at once, but for those that are there already.

        A key is the prefix, which gets a slash at its end unless it is empty, and the file's path below the folder, with "/". Memory
        does not grow with the number of files: names are held of one folder a level.

        `include`, `exclude`: patterns such as "*.jpg", "build/", "docs/**/*.md"; a file is taken when one of `include` matches it, or
        there are none, and none of `exclude` does. `skip`: "same" leaves out what has the same size and bytes (by MD5 or CRC-64, which are
        computed only when sizes agree); "newer" what is not newer than the object; "never" nothing. `delete`: objects below
        the prefix that have no file any more are deleted, but for those that the patterns leave out or whose folder cannot be read.
        `symlinks`: "follow", or "skip". `empty_folders`: keep them as objects of no bytes whose key ends with a slash.

        `jobs`: files at the same time, 1 … 256, each over one connection (more with `parallel`), or "auto" (4 to 16). `bandwidth`: bytes
        a second of all together. `deadline`: seconds for all. `dry_run`: changes nothing and counts what would be done; `plan_upload_folder`
        tells it one by one. `progress` hears a `BatchProgress` some ten times a second, in this thread; `on_event` hears a `FolderEvent` of
        every file at once, in any thread. All other options are those of `multipart_upload`, for every file.

        A file that fails does not stop the others; see `failures` of the result. Interrupted, the same call goes on: what is there is
        skipped, and files that were begun are resumed.

        Raises BatchCancelled, NoSuchBucket, AccessDenied (to list), CredentialsError, DeadlineExceeded; NetworkError when 16 files in a row
        fail for it; OSError when the folder cannot be read; ValueError, TypeError for an option that cannot be.
        """
        return self.plan_upload_folder(path, prefix, **options).run()

    def plan_upload_folder(
        self, path: str | os.PathLike[str], prefix: str = "", **options: Unpack[FolderUploadKeywords]
    ) -> FolderUpload:
        """What `upload_folder` would do: iterate over it for an `Entry` of every file, in the order of keys; `run()` does it.

        Raises NotADirectoryError, ValueError and TypeError for an option that cannot be; going over it and `run()` raise as `upload_folder`.
        """
        folder = _folder(path)
        if not os.path.isdir(folder):  # noqa: PTH112  # a path as it was given
            raise NotADirectoryError(f"{folder} is not a folder")
        return self._for_folder(options)._upload_of(folder, prefix, options)  # noqa: SLF001  # a copy of self

    def download_folder(
        self, prefix: str, path: str | os.PathLike[str], **options: Unpack[FolderKeywords]
    ) -> BatchResult:
        """Download all objects below `prefix` into the folder `path`, which is made if it is not there. Options as in `upload_folder`
        and, for every file, in `download`.

        `skip`: "newer" leaves out objects that are not newer than the file. `delete`: files that have no object are deleted; symbolic links
        and what is behind them are left alone. A key that ends with a slash makes a folder. Keys that would leave the folder (`..`, an absolute
        path, over a symbolic link) or cannot be file names are failures.

        Raises as `upload_folder`.
        """
        return self.plan_download_folder(prefix, path, **options).run()

    def plan_download_folder(
        self, prefix: str, path: str | os.PathLike[str], **options: Unpack[FolderKeywords]
    ) -> FolderDownload:
        """What `download_folder` would do: iterate over it for an `Entry` of every file, in the order of keys; `run()` does it.

        Raises NotADirectoryError, ValueError and TypeError for an option that cannot be; going over it and `run()` raise as
        `download_folder`.
        """
        folder = _folder(path)
        if os.path.exists(folder) and not os.path.isdir(folder):  # noqa: PTH110, PTH112  # as above
            raise NotADirectoryError(f"{folder} is not a folder")
        return self._for_folder(options)._download_of(folder, prefix, options)  # noqa: SLF001  # a copy of self

    # --- what a batch stands on ---------------------------------------------------------------------------------------

    def _for_folder(self, options: FolderKeywords) -> Self:
        """A client whose calls end with the batch and share its bandwidth."""
        throttle = Throttle(options.get("bandwidth"), parent=self._throttle)
        other = copy(self)
        vars(other).update(
            _bucket=self._in(options.get("bucket")),
            _ask=replace(self._ask, scope=Scope(parent=self._ask.scope or current_scope.get())),
            _throttle=throttle,
            _owns_session=False,
        )
        return other

    def _upload_of(self, folder: str, prefix: str, options: FolderUploadKeywords) -> FolderUpload:
        each = cast("UploadKeywords", _each(options))

        def transfer(key: str, file: str, left_s: float | None) -> Upload:
            return self._new_upload(key, file, {**each, "deadline": left_s})

        service, scope = self._service(prefix, transfer), self._ask.scope
        assert scope is not None
        return FolderUpload(folder, service, _options(options), scope=scope, throttle=self._throttle)

    def _download_of(self, folder: str, prefix: str, options: FolderKeywords) -> FolderDownload:
        each = cast("DownloadKeywords", _each(options))
        self._incoming = Throttle(options.get("bandwidth"))  # what the client sends may have another limit

        def transfer(key: str, file: str, left_s: float | None) -> Download:
            return self._new_download(key, file, {**each, "deadline": left_s}, sync_folder=False)

        service, scope = self._service(prefix, transfer), self._ask.scope
        assert scope is not None
        return FolderDownload(folder, service, _options(options), scope=scope, throttle=self._incoming)

    def _service(
        self, prefix: str, transfer: Callable[[str, str, float | None], Transfer[Any]]
    ) -> Service:  # Any: of either way
        scope = self._ask.scope
        assert scope is not None
        below = prefix if not prefix or prefix.endswith("/") else prefix + "/"

        def objects() -> Iterator[Stored]:
            for entry in self.list_objects(below):
                if isinstance(entry, ObjectEntry):
                    yield Stored(
                        relative=entry.key[len(below) :],
                        key=entry.key,
                        size=entry.size,
                        etag=entry.etag,
                        modified_at=entry.modified_at,
                        is_symlink=entry.type == "Symlink",
                    )

        return Service(
            prefix=below,
            objects=objects,
            head=self.head,
            delete=self.delete_many,
            put_folder=lambda key: self.put(key, b""),
            check=scope.check,
            transfer=transfer,
        )


def _folder(path: str | os.PathLike[str]) -> str:
    given = os.fspath(path)
    if not isinstance(given, str):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers without types
        raise TypeError("a folder is named by text, not by bytes")
    return os.path.abspath(given)  # noqa: PTH100  # keeps symbolic links


def _each(options: FolderKeywords) -> dict[str, object]:
    """The options of every file. One connection each, unless more are asked for."""
    return {"parallel": 1} | {
        name: value for name, value in options.items() if name not in _OF_THE_FOLDER and value is not None
    }


def _options(options: FolderKeywords) -> FolderOptions:
    """Raises ValueError."""
    given = {name: value for name, value in options.items() if name in _OF_THE_FOLDER}
    given.pop("bandwidth", None)
    given.pop("bucket", None)
    for name in ("include", "exclude"):
        patterns = given.get(name, ())
        given[name] = (patterns,) if isinstance(patterns, str) else tuple(cast("Sequence[str]", patterns))
    made = FolderOptions(**given)  # type: ignore[arg-type]  # the TypedDict has typed them
    if made.skip not in ("same", "newer", "never"):
        raise ValueError(f"skip is 'same', 'newer' or 'never', not {made.skip!r}")
    if made.symlinks not in ("follow", "skip"):
        raise ValueError(f"symlinks is 'follow' or 'skip', not {made.symlinks!r}")
    if made.jobs != "auto" and not 1 <= made.jobs <= MOST_ASKED:
        raise ValueError(f"jobs must be 1 to {MOST_ASKED} or 'auto', not {made.jobs!r}")
    return made
