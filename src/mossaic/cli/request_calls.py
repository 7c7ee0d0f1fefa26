"""The service's calls for upload-request links: Mossaic's own, so no rows of OSS's table and no methods of the SDK's Client."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, Final, cast

from mossaic.protocol.operation import Level, Operation
from mossaic.protocol.shape import shape
from mossaic.protocol.wire import Payload, Query, Target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mossaic.client.client import Client

_KEY: Final = "api/requests"


@shape
class _Place:
    """Signed as an object of a bucket that cannot exist."""

    bucket: Annotated[str, Target("bucket")] = "-"
    key: Annotated[str, Target("key")] = _KEY


@shape
class _Create(_Place):
    document: Annotated[bytes, Payload("application/json")]


@shape
class _List(_Place):
    of: Annotated[str, Query("bucket")]


@shape
class _Revoke(_Place):
    request_id: Annotated[str, Query("id")]


@shape
class _Answer:
    document: Annotated[bytes, Payload("application/json")]


_CREATE: Final = Operation(
    name="CreateUploadRequest",
    method="POST",
    level=Level.OBJECT,
    takes=_Create,
    gives=_Answer,
    action="mossaic:PutUploadRequest",
)
_LIST: Final = Operation(
    name="ListUploadRequests",
    method="GET",
    level=Level.OBJECT,
    takes=_List,
    gives=_Answer,
    action="mossaic:ListUploadRequests",
)
_REVOKE: Final = Operation(
    name="DeleteUploadRequest",
    method="DELETE",
    level=Level.OBJECT,
    takes=_Revoke,
    gives=_Answer,
    action="mossaic:DeleteUploadRequest",
)


def create(client: Client, wish: Mapping[str, object]) -> dict[str, Any]:  # Any: JSON
    """`{"request": …, "url": …}`."""
    return _read(client.call(_CREATE, _Create(document=json.dumps(wish).encode())).value)


def links(client: Client, bucket: str) -> list[dict[str, Any]]:  # Any: as above
    """Newest first."""
    return cast("list[dict[str, Any]]", _read(client.call(_LIST, _List(of=bucket)).value)["requests"])


def revoke(client: Client, request_id: str) -> dict[str, Any]:  # Any: as above
    """The link as it is then."""
    return cast(
        "dict[str, Any]", _read(client.call(_REVOKE, _Revoke(request_id=request_id)).value)["request"]
    )


def _read(answer: _Answer) -> dict[str, Any]:  # Any: as above
    return cast("dict[str, Any]", json.loads(answer.document))
