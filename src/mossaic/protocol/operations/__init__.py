"""The operation table: every row of every family, and what OSS has beyond it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mossaic.protocol.operations import (
    bucket,
    form,
    listing,
    multipart,
    not_provided,
    object,  # noqa: A004  # named like the same room on every floor
    service,
    settings,
)

if TYPE_CHECKING:
    from mossaic.protocol.operation import AnyOperation, NotProvided

TABLE: Final[tuple[AnyOperation, ...]] = (
    *service.ROWS,
    *bucket.ROWS,
    *settings.ROWS,
    *listing.ROWS,
    *object.ROWS,
    *multipart.ROWS,
    *form.ROWS,
)
NOT_PROVIDED: Final[tuple[NotProvided, ...]] = not_provided.ROWS
