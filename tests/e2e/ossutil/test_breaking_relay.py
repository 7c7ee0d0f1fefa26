"""The relay of the ossutil tests does what they need: it is tried with oss2, which is always here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import oss2
import pytest

from tests.e2e.harness import PART, noise
from tests.e2e.ossutil.breaking_relay import BreakingRelay

if TYPE_CHECKING:
    from tests.e2e.harness import Server


def test_parts_pass_until_the_network_dies(server: Server, bucket: str) -> None:
    relay = BreakingRelay(server.port, allow_parts=1)
    auth = oss2.AuthV4(server.access_key_id, server.access_key_secret)
    client = oss2.Bucket(auth, relay.endpoint, bucket, region=server.region)

    try:
        upload_id = client.init_multipart_upload("k").upload_id
        client.upload_part("k", upload_id, 1, noise(PART))
        with pytest.raises(oss2.exceptions.RequestError):
            client.upload_part("k", upload_id, 2, noise(PART))
        listed = client.list_parts("k", upload_id).parts
    finally:
        relay.close()

    assert [part.part_number for part in listed] == [1]
