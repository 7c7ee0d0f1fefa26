"""Code written for oss2 and alibabacloud-oss-v2, with one line changed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import alibabacloud_oss_v2 as oss
import oss2
import pytest

from mossaic.compat.oss2 import resumable_download, resumable_upload
from mossaic.compat.v2 import Uploader
from tests.e2e.harness import PART, CallbackReceiver, Server, b64_json, build_server, callback_fields, noise
from tests.faults.proxy import FaultProxy, Rule

BUCKET = "shims"
PARTS = 12


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    started = build_server(tmp_path_factory.mktemp("shims")).start()
    bucket_of(started, started.endpoint).create_bucket()
    yield started
    started.stop()


@pytest.fixture
def proxy(server: Server) -> Iterator[FaultProxy]:
    made = FaultProxy(server.port)
    yield made
    made.close()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "big.bin").write_bytes(noise(PARTS * PART - 9))
    return tmp_path / "big.bin"


def bucket_of(server: Server, endpoint: str, auth: type = oss2.AuthV4) -> oss2.Bucket:
    made = auth(server.access_key_id, server.access_key_secret)
    return oss2.Bucket(made, endpoint, BUCKET, region="cn-hangzhou", connect_timeout=20)


def v2_client(server: Server, endpoint: str) -> oss.Client:
    config = oss.config.load_default()
    config.region, config.endpoint = "cn-hangzhou", endpoint
    config.credentials_provider = oss.credentials.StaticCredentialsProvider(
        server.access_key_id, server.access_key_secret
    )
    return oss.Client(config)


def later_parts_are_stored(server: Server) -> None:
    deadline = time.monotonic() + 30
    while len(server.parts_put(BUCKET, "gap")) < 3:
        assert time.monotonic() < deadline


@pytest.mark.parametrize("auth", [oss2.Auth, oss2.AuthV4])
def test_an_upload_for_oss2(server: Server, source: Path, tmp_path: Path, auth: type) -> None:
    bucket, told = bucket_of(server, server.endpoint, auth), []

    result = resumable_upload(
        bucket, "v", str(source), store=oss2.ResumableStore(root=str(tmp_path)), headers={"x-oss-meta-a": "1"},
        part_size=PART, num_threads=4, progress_callback=lambda consumed, total: told.append((consumed, total)),
    )  # fmt: skip

    head = bucket.head_object("v")
    assert (result.etag, result.crc, result.status) == (
        head.etag,
        int(head.headers["x-oss-hash-crc64ecma"]),
        200,
    )
    assert head.headers["x-oss-meta-a"] == "1"
    assert told[-1] == (source.stat().st_size, source.stat().st_size)
    assert [consumed for consumed, _ in told] == sorted(consumed for consumed, _ in told)


def test_an_interrupted_upload_for_oss2_goes_on_and_its_callback_is_sent(
    server: Server, proxy: FaultProxy, source: Path, tmp_path: Path
) -> None:
    store, receiver = oss2.ResumableStore(root=str(tmp_path)), CallbackReceiver()
    fields = callback_fields(receiver.url)
    headers = {"x-oss-callback": b64_json(fields), "x-oss-callback-var": b64_json({"x:order": "7"})}
    refused = (403, {}, b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>")
    proxy.add(Rule(pattern="PUT .*partNumber", skip=5, times=1000, answer=refused))
    with pytest.raises(oss2.exceptions.AccessDenied):
        resumable_upload(
            bucket_of(server, proxy.endpoint),
            "again",
            source,
            store=store,
            headers=headers,
            part_size=PART,
            num_threads=2,
        )
    before = server.parts_put(BUCKET, "again")
    proxy.clear()

    resumable_upload(
        bucket_of(server, proxy.endpoint),
        "again",
        source,
        store=store,
        headers=headers,
        part_size=PART,
        num_threads=2,
    )
    receiver.close()

    assert before
    assert sorted(server.parts_put(BUCKET, "again")) == list(range(1, PARTS + 1))
    assert [call.form()["order"] for call in receiver.calls] == ["7"]


def test_errors_are_those_of_oss2(server: Server, proxy: FaultProxy, source: Path, tmp_path: Path) -> None:
    bucket = bucket_of(server, server.endpoint)
    bucket.put_object("there", b"x")

    with pytest.raises(oss2.exceptions.ServerError) as refused:
        resumable_upload(bucket, "there", source, headers={"x-oss-forbid-overwrite": "true"}, part_size=PART)
    with pytest.raises(oss2.exceptions.NoSuchKey):
        resumable_download(bucket, "not-there", tmp_path / "out")

    assert (refused.value.status, refused.value.code) == (409, "FileAlreadyExists")
    assert refused.value.request_id


def test_a_download_for_oss2(server: Server, source: Path, tmp_path: Path) -> None:
    bucket = bucket_of(server, server.endpoint)
    bucket.put_object_from_file("down", str(source))

    resumable_download(bucket, "down", tmp_path / "out", part_size=PART, num_threads=3)

    assert (tmp_path / "out").read_bytes() == source.read_bytes()


def test_an_upload_for_v2(server: Server, source: Path) -> None:
    told: list[tuple[int, int, int]] = []
    client = v2_client(server, server.endpoint)
    request = oss.PutObjectRequest(
        bucket=BUCKET, key="v2", metadata={"a": "1"}, tagging="k=v", cache_control="no-cache", storage_class="IA",
        forbid_overwrite=True, progress_fn=lambda more, so_far, total: told.append((more, so_far, total)),
    )  # fmt: skip

    result = Uploader(client, part_size=PART, parallel_num=4).upload_file(request, str(source))

    head = client.head_object(oss.HeadObjectRequest(bucket=BUCKET, key="v2"))
    assert (result.etag, result.hash_crc64, result.status_code) == (head.etag, head.hash_crc64, 200)
    assert (head.metadata["a"], head.cache_control, head.storage_class, head.tagging_count) == (
        "1",
        "no-cache",
        "IA",
        1,
    )
    assert sum(more for more, _, _ in told) == source.stat().st_size


def test_an_interrupted_upload_for_v2_uses_parts_after_a_gap(
    server: Server, proxy: FaultProxy, source: Path, tmp_path: Path
) -> None:
    refused = (403, {}, b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>")
    proxy.add(
        Rule(
            pattern="PUT .*partNumber=1(&|$)",
            times=1000,
            answer=refused,
            call=lambda _: later_parts_are_stored(server),
        )
    )
    request = oss.PutObjectRequest(bucket=BUCKET, key="gap")
    with pytest.raises(oss.exceptions.BaseError) as failed:
        Uploader(
            v2_client(server, proxy.endpoint), part_size=PART, parallel_num=4, checkpoint_dir=str(tmp_path)
        ).upload_file(request, source)
    before = server.parts_put(BUCKET, "gap")
    proxy.clear()

    Uploader(v2_client(server, proxy.endpoint), part_size=2 * PART, checkpoint_dir=str(tmp_path)).upload_file(
        request, source
    )

    assert isinstance(failed.value.unwrap(), oss.exceptions.ServiceError)
    assert before
    assert 1 not in before
    assert sorted(server.parts_put(BUCKET, "gap")) == list(range(1, PARTS + 1)), (
        "the part size of the first run stays"
    )
    assert bucket_of(server, server.endpoint).list_multipart_uploads(prefix="gap").upload_list == []


def test_a_reader_for_v2(server: Server, source: Path) -> None:
    class Reader:
        def __init__(self) -> None:
            self._data = source.read_bytes()

        def read(self, size: int = -1) -> bytes:
            taken, self._data = self._data[:size], self._data[size:]
            return taken

    Uploader(v2_client(server, server.endpoint), part_size=PART).upload_from(
        oss.PutObjectRequest(bucket=BUCKET, key="reader"), Reader()
    )

    assert bucket_of(server, server.endpoint).get_object("reader").read() == source.read_bytes()
