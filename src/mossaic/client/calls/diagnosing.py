"""The call behind `mossaic doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mossaic.client.calls.base import Calls
from mossaic.client.diagnosis import Finding, diagnose
from mossaic.client.paging import Paged

if TYPE_CHECKING:
    from collections.abc import Iterator


class Diagnosing(Calls):
    """Looks at what is between this client and a bucket."""

    def diagnose(
        self, prefix: str = "", *, origin: str = "https://www.example.com", bucket: str | None = None
    ) -> Paged[Finding]:
        """Name, connection and TLS, clock, signature, CORS for a page at `origin`, and what a part costs, one Finding each as they come.

        Some parts are sent to an upload below `prefix` that is aborted at once; no object is made. Raises ValueError: no bucket.
        """

        def pages() -> Iterator[list[Finding]]:
            for finding in diagnose(self._session, self._in(bucket), prefix, origin=origin):
                yield [finding]

        return Paged(pages())
