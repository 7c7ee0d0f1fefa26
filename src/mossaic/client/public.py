"""Every name that `import mossaic` offers. `mossaic/__init__.py` loads this file when the first of them is used."""

from __future__ import annotations

from mossaic.client import credentials, errors, store
from mossaic.client.aio import AsyncClient
from mossaic.client.callback import Callback
from mossaic.client.calls.uploads import UploadInfo
from mossaic.client.checkpoint import Checkpoint, PartRecord, SourceIdentity
from mossaic.client.client import Client
from mossaic.client.credentials import Credentials
from mossaic.client.errors import *  # noqa: F403  # the classes named by OSS code, and those above them
from mossaic.client.http import Scope
from mossaic.client.object_options import ObjectOptions
from mossaic.client.options import Retry, Retrying, Timeout
from mossaic.client.upload.handle import Upload
from mossaic.client.upload.progress import Progress
from mossaic.client.upload.task import Event, UploadResult
from mossaic.client.upload.wire import Part, UploadRef

__all__ = [
    "AsyncClient",
    "Callback",
    "Checkpoint",
    "Client",
    "Credentials",
    "Event",
    "ObjectOptions",
    "Part",
    "PartRecord",
    "Progress",
    "Retry",
    "Retrying",
    "Scope",
    "SourceIdentity",
    "Timeout",
    "Upload",
    "UploadInfo",
    "UploadRef",
    "UploadResult",
    "credentials",
    "errors",
    "store",
]
__all__ += errors.__all__
