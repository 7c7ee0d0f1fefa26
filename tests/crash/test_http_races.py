"""Races over HTTP with real threads: whatever is asked at the same moment, one order of events explains every answer."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import oss2
import pytest

from tests.crash.support import Store, blob_files, fsck, until
from tests.e2e.harness import build_server, noise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROUNDS = 60
SIZE = 20_000  # bytes: more than lies inline, so that every part is a file


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Not synced: what is tested is order, and syncs would leave fewer rounds. Whole and sound at the end."""
    folder = tmp_path_factory.mktemp("races")
    server = build_server(folder, STORE_SYNC="false", SWEEP_READER_GRACE_S="0").start()
    store = Store.on(server)
    yield store
    for upload in oss2.MultipartUploadIterator(store.client):
        store.client.abort_multipart_upload(upload.key, upload.upload_id)
    # every part of these races is a file, and so is every object that was put in one piece
    held = sum(int(one.etag.partition("-")[2] or 1) for one in oss2.ObjectIterator(store.client))
    until(lambda: len(blob_files(server)) == held, "replaced, unlisted and aborted bytes are freed")
    assert server.stop() == 0
    code, report = fsck(server)
    assert code == 0, report
    assert "0 blobs (0 bytes) are unreferenced" in report


class Threads:
    """Runs calls at the same moment, each with a client of its own; an OSS error is its code."""

    def __init__(self, store: Store, count: int) -> None:
        self._pool = ThreadPoolExecutor(count)
        self._clients = [store.again() for _ in range(count)]
        for client in self._clients:
            client.object_exists("warm-up")  # connected

    def at_once(self, *calls: Callable[[oss2.Bucket], Any]) -> list[Any]:
        barrier = threading.Barrier(len(calls))

        def run(call: Callable[[oss2.Bucket], Any], client: oss2.Bucket) -> Any:
            barrier.wait(20)
            try:
                return call(client)
            except oss2.exceptions.ServerError as error:
                return error.code

        return list(self._pool.map(run, calls, self._clients))

    def close(self) -> None:
        self._pool.shutdown()


@pytest.fixture
def threads(shared: Store) -> Iterator[Threads]:
    made = Threads(shared, 8)
    yield made
    made.close()


def test_of_complete_and_abort_exactly_one_wins(shared: Store, threads: Threads) -> None:
    won = set()
    for number in range(ROUNDS):
        key, data = f"abort-{number}", noise(SIZE, seed=number)
        upload_id = shared.begin(key)
        part = shared.part(key, upload_id, 1, data)

        def complete(
            client: oss2.Bucket, key: str = key, upload_id: str = upload_id, part: Any = part
        ) -> None:
            client.complete_multipart_upload(key, upload_id, [part])

        def abort(
            client: oss2.Bucket, key: str = key, upload_id: str = upload_id, late: int = number % 3
        ) -> None:
            for _ in range(late):  # else the abort, which is less work, would win nearly always
                client.object_exists("something-else")
            client.abort_multipart_upload(key, upload_id)

        completed, aborted = threads.at_once(complete, abort)

        assert [completed, aborted].count("NoSuchUpload") == 1, (completed, aborted)
        exists = shared.client.object_exists(key)
        assert exists == (aborted == "NoSuchUpload")
        assert not exists or shared.get(key) == data
        with pytest.raises(oss2.exceptions.NoSuchUpload):
            shared.client.list_parts(key, upload_id)
        won.add(exists)
    assert won == {True, False}, "one side always wins: this is no race"


def test_two_equal_completes_have_one_effect_and_one_answer(shared: Store, threads: Threads) -> None:
    for number in range(ROUNDS):
        key, data = f"equal-{number}", noise(SIZE, seed=number)
        upload_id = shared.begin(key)
        part = shared.part(key, upload_id, 1, data)

        def complete(
            client: oss2.Bucket, key: str = key, upload_id: str = upload_id, part: Any = part
        ) -> str:
            etag: str = client.complete_multipart_upload(key, upload_id, [part]).etag
            return etag

        answers = threads.at_once(*[complete] * 4)

        assert len(set(answers)) == 1, answers
        assert shared.client.head_object(key).etag == answers[0]
        assert shared.get(key) == data


def test_of_two_different_completes_exactly_one_wins(shared: Store, threads: Threads) -> None:
    for number in range(ROUNDS):
        key = f"different-{number}"
        upload_id = shared.begin(key)
        parts = [shared.part(key, upload_id, n, noise(SIZE, seed=number + n)) for n in (1, 2)]

        def complete(
            client: oss2.Bucket, part: Any, key: str = key, upload_id: str = upload_id
        ) -> str | None:
            client.complete_multipart_upload(key, upload_id, [part])
            return None

        answers = threads.at_once(
            lambda client, complete=complete, part=parts[0]: complete(client, part),
            lambda client, complete=complete, part=parts[1]: complete(client, part),
        )

        assert set(answers) == {None, "NoSuchUpload"}
        winner = answers.index(None) + 1
        assert shared.get(key) == noise(SIZE, seed=number + winner)


def test_the_same_part_in_parallel_is_one_of_them(shared: Store, threads: Threads) -> None:
    for number in range(ROUNDS // 2):
        key = f"same-{number}"
        upload_id = shared.begin(key)
        bodies = [noise(SIZE, seed=number * 8 + n) for n in range(8)]

        etags = threads.at_once(
            *(
                lambda client, key=key, upload_id=upload_id, body=body: (
                    client.upload_part(key, upload_id, 1, body).etag
                )
                for body in bodies
            )
        )

        kept = shared.parts(key, upload_id)[1]
        assert kept in etags
        shared.client.complete_multipart_upload(key, upload_id, [oss2.models.PartInfo(1, kept)])
        assert shared.get(key) == bodies[etags.index(kept)]


def test_a_part_during_complete_is_in_or_out(shared: Store, threads: Threads) -> None:
    for number in range(ROUNDS):
        key, first, second = f"during-{number}", noise(SIZE, seed=1), noise(SIZE, seed=2)
        upload_id = shared.begin(key)
        part = shared.part(key, upload_id, 1, first)

        def complete(
            client: oss2.Bucket, key: str = key, upload_id: str = upload_id, part: Any = part
        ) -> None:
            client.complete_multipart_upload(key, upload_id, [part])

        def put(client: oss2.Bucket, key: str = key, upload_id: str = upload_id, body: bytes = second) -> Any:
            return oss2.models.PartInfo(1, client.upload_part(key, upload_id, 1, body).etag)

        completed, late = threads.at_once(complete, put)

        if (
            completed is None
        ):  # the list was true when it happened, so the part came after: to a closed upload
            assert late == "NoSuchUpload"
            assert shared.get(key) == first
        else:
            assert completed == "InvalidPart"
            assert not shared.client.object_exists(key)
            shared.client.complete_multipart_upload(key, upload_id, [late])
            assert shared.get(key) == second


@pytest.mark.parametrize("way", ["put", "complete"])
def test_with_forbid_overwrite_one_of_eight_wins(shared: Store, threads: Threads, way: str) -> None:
    forbid = {"x-oss-forbid-overwrite": "true"}
    for number in range(ROUNDS // 3):
        key = f"forbid-{way}-{number}"
        bodies = [noise(SIZE, seed=number * 8 + n) for n in range(8)]
        uploads = []
        if way == "complete":
            ids = [shared.begin(key) for _ in bodies]
            uploads = [(one, shared.part(key, one, 1, body)) for one, body in zip(ids, bodies, strict=True)]

        def put(client: oss2.Bucket, body: bytes, key: str = key) -> None:
            client.put_object(key, body, headers=forbid)

        def complete(client: oss2.Bucket, upload: tuple[str, Any], key: str = key) -> None:
            client.complete_multipart_upload(key, upload[0], [upload[1]], headers=forbid)

        if way == "put":
            answers = threads.at_once(*(lambda c, put=put, body=body: put(c, body) for body in bodies))
        else:
            answers = threads.at_once(*(lambda c, do=complete, one=one: do(c, one) for one in uploads))

        assert answers.count(None) == 1
        assert answers.count("FileAlreadyExists") == 7
        assert shared.get(key) == bodies[answers.index(None)]


def test_writers_and_deleters_of_one_key_leave_one_of_them(shared: Store, threads: Threads) -> None:
    for number in range(ROUNDS // 2):
        key = f"last-{number}"
        bodies = [noise(SIZE, seed=number * 8 + n) for n in range(7)]
        calls = [lambda client, key=key, body=body: client.put_object(key, body) for body in bodies]
        calls.append(lambda client, key=key: client.delete_object(key))

        answers = threads.at_once(*calls)

        assert not [one for one in answers if isinstance(one, str)], answers
        if shared.client.object_exists(key):
            assert shared.get(key) in bodies
