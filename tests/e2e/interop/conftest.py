"""Fixtures: a bucket, a file, and a shell; ali-oss in Node has the flow of saved.js."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.ali_oss.driver import VERSIONS, AliOss
from tests.e2e.ali_oss.support import client_options, new_bucket_name, oss2_bucket, source_file
from tests.e2e.interop.shell import SAVED, SIZE, Shell

if TYPE_CHECKING:
    from pathlib import Path

    import oss2

    from tests.e2e.ali_oss.support import Source
    from tests.e2e.harness import Server


@pytest.fixture
def bucket(server: Server) -> oss2.Bucket:
    made = oss2_bucket(server, new_bucket_name())
    made.create_bucket()
    return made


@pytest.fixture(params=VERSIONS)
def ali_oss(
    request: pytest.FixtureRequest, server: Server, bucket: oss2.Bucket, monkeypatch: pytest.MonkeyPatch
) -> AliOss:
    version: str = request.param
    monkeypatch.setenv("NODE_OPTIONS", f'--require "{SAVED}"')
    signature = "V1" if version == "6.18" else "V4"
    return AliOss(version=version, options=client_options(server, bucket.bucket_name, signature=signature))


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return source_file(tmp_path, SIZE)


@pytest.fixture
def shell(server: Server, tmp_path: Path) -> Shell:
    return Shell(server=server, home=tmp_path / "home")
