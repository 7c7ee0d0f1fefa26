"""The use cases of one running service, put together by `mossaic.app`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mossaic.quick import dataclass

if TYPE_CHECKING:
    from mossaic.service.buckets import BucketService
    from mossaic.service.callbacks import CallbackService
    from mossaic.service.copying import CopyService
    from mossaic.service.intake import Intake
    from mossaic.service.link_limits import LinkLimits
    from mossaic.service.listing import ListingService
    from mossaic.service.multipart import MultipartService
    from mossaic.service.objects import ObjectService
    from mossaic.service.requests import RequestService


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    buckets: BucketService
    objects: ObjectService
    multipart: MultipartService
    copying: CopyService
    listing: ListingService
    callbacks: CallbackService
    intake: Intake
    limits: LinkLimits
    requests: RequestService
