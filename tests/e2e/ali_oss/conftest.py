"""Fixtures of the ali-oss tests in Node."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.e2e.ali_oss.driver import NODE, VARIANTS, AliOss
from tests.e2e.ali_oss.support import MIB, client_options, new_bucket_name, oss2_bucket, source_file

if TYPE_CHECKING:
    import oss2

    from tests.e2e.ali_oss.support import Source
    from tests.e2e.harness import Server


@pytest.fixture(scope="session", autouse=True)
def _node() -> None:
    # Required tools (CONTRIBUTING): a missing one is a failure, not a skip.
    assert shutil.which("node"), "node is not installed: run scripts/setup-tests.sh"
    assert (NODE / "node_modules").is_dir(), "run npm ci in tests/e2e/node (scripts/setup-tests.sh does)"


@pytest.fixture(params=VARIANTS, ids=["-".join(variant) for variant in VARIANTS])
def variant(request: pytest.FixtureRequest) -> tuple[str, str]:
    chosen: tuple[str, str] = request.param
    return chosen


@pytest.fixture
def bucket(server: Server) -> oss2.Bucket:
    made = oss2_bucket(server, new_bucket_name())
    made.create_bucket()
    return made


@pytest.fixture
def ali_oss(server: Server, bucket: oss2.Bucket, variant: tuple[str, str]) -> AliOss:
    version, signature = variant
    return AliOss(version=version, options=client_options(server, bucket.bucket_name, signature=signature))


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    """3.25 MiB: three whole parts of 1 MiB and a rest."""
    return source_file(tmp_path_factory.mktemp("source"), 3 * MIB + MIB // 4)
