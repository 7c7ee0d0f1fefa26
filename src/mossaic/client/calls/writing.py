"""Objects as files to write to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from mossaic.client.calls.multipart import Multipart
from mossaic.client.writer import ObjectWriter, Pipe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mossaic.client.calls.multipart import UploadKeywords


class Writing(Multipart):
    """Writing piece by piece."""

    def open_writer(self, name: str, **options: Unpack[UploadKeywords]) -> ObjectWriter:
        """A binary file whose bytes become the object `name` when it is closed, of any size, in bounded memory; best in a `with`.

        What is written is sent in parts while more is written: through a temporary file of one part for each that is under way, and
        at most a MiB ahead of it. Options as in `multipart_upload`; `progress` is called in another thread. `on_failure` decides what an
        exception in the `with` does with what was stored: "keep" (the default) or "abort". For text: `io.TextIOWrapper(writer)`.

        Raises ValueError for an option that cannot be; writing and closing raise what `multipart_upload` raises.
        """
        pipe = Pipe()

        def check() -> None:
            upload.check()

        def source() -> Iterator[bytes | memoryview]:
            yield from pipe.chunks(check)

        upload = self._new_upload(name, source(), options)
        return ObjectWriter(pipe, upload, abort=options.get("on_failure") == "abort")
