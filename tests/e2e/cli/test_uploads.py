"""`mossaic uploads`: an upload that was killed is listed, shown, resumed, handed over, aborted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.e2e.harness import PART, noise

if TYPE_CHECKING:
    from pathlib import Path

    from mossaic.client.client import Client
    from mossaic.client.upload.wire import UploadRef
    from tests.e2e.cli.command import Command

PARTS = 12
STORED = 5

_KILLED = """
import os, signal, sys
from mossaic.client.client import Client

stored = 0
def hear(event):
    global stored
    stored += event.kind == "part"
    if stored == int(sys.argv[4]):
        os.kill(os.getpid(), signal.SIGKILL)

client = Client.from_profile(parallel=1)
client.multipart_upload(sys.argv[2], sys.argv[3], bucket=sys.argv[1], part_size=int(sys.argv[5]), on_event=hear)
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "big.bin"
    path.write_bytes(noise(PART * PARTS - 7))
    return path


@pytest.fixture
def begun(mossaic: Command, client: Client, place: str, file: Path) -> UploadRef:
    """An upload from this machine, killed after STORED parts; its journal stays."""
    done = subprocess.run(
        [sys.executable, "-c", _KILLED, place, "big", str(file), str(STORED), str(PART)],
        env=mossaic.env(), timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL
    (upload,) = client.list_uploads(bucket=place)
    return upload


def elsewhere(mossaic: Command) -> dict[str, str]:
    """The environment of another machine: it has no journals."""
    return {"MOSSAIC_STATE_DIR": str(mossaic.home / "other")}


def test_ls_shows_age_and_with_bytes_what_is_stored(mossaic: Command, begun: UploadRef, place: str) -> None:
    (record,) = mossaic.ok("uploads", "ls", "--json", "--bytes", f"oss://{place}").records()

    assert (record["upload_id"], record["url"]) == (begun.upload_id, f"oss://{place}/big")
    assert (record["parts"], record["bytes"]) == (STORED, STORED * PART)
    assert 0 <= record["age_s"] < 300
    assert mossaic.ok("uploads", "ls", "--older", "1h", "--plain", f"oss://{place}").out == ""
    assert begun.upload_id in mossaic.ok("uploads", "ls").out  # of all buckets


def test_show_draws_what_is_there(mossaic: Command, begun: UploadRef, place: str, file: Path) -> None:
    here = mossaic.ok("uploads", "show", "--json", f"oss://{place}/big").records()[0]
    assert here["map"] == "#" * STORED + "." * (PARTS - STORED)
    assert (here["file"], here["size"], here["part_size"]) == (str(file), file.stat().st_size, PART)
    assert [part["number"] for part in here["stored"]] == [1, 2, 3, 4, 5]

    there = mossaic.ok("uploads", "show", f"oss://{place}/big", begun.upload_id, **elsewhere(mossaic)).out
    assert "#####" in there
    assert "#####." not in there  # how much is to come is not known there
    told = mossaic.ok("uploads", "show", "--file", str(file), f"oss://{place}/big", **elsewhere(mossaic)).out
    assert "#####......." in told


@pytest.mark.parametrize("by", ["url", "id"])
def test_resume_sends_only_what_is_missing(
    mossaic: Command, client: Client, begun: UploadRef, place: str, file: Path, by: str
) -> None:
    before = len(mossaic.server.log_lines(bucket=place, operation="UploadPart"))

    done = mossaic.ok("uploads", "resume", "--json", f"oss://{place}/big" if by == "url" else begun.upload_id)

    last = done.records()[-1]
    assert (last["event"], last["resumed_bytes"]) == ("uploaded", STORED * PART)
    assert client.get_bytes("big", bucket=place) == file.read_bytes()
    after = len(mossaic.server.log_lines(bucket=place, operation="UploadPart"))
    assert after - before == PARTS - STORED


def test_resume_elsewhere_needs_the_file(
    mossaic: Command, client: Client, begun: UploadRef, place: str, file: Path
) -> None:
    other = elsewhere(mossaic)
    assert "name the FILE" in mossaic.fails(2, "uploads", "resume", begun.upload_id, **other).err

    mossaic.ok("uploads", "resume", f"oss://{place}/big", "big.bin", **other)

    assert client.get_bytes("big", bucket=place) == file.read_bytes()


def test_resume_with_another_file_makes_no_mixed_object(
    mossaic: Command, client: Client, begun: UploadRef, place: str, file: Path
) -> None:
    data = bytearray(file.read_bytes())
    data[PART] ^= 1  # in part 2, which is stored
    file.write_bytes(data)

    done = mossaic.ok("uploads", "resume", "--json", f"oss://{place}/big", "big.bin", **elsewhere(mossaic))

    assert done.records()[-1]["resumed_bytes"] == (STORED - 1) * PART
    assert client.get_bytes("big", bucket=place) == bytes(data)


def test_export_and_import_hand_an_upload_over(
    mossaic: Command, client: Client, begun: UploadRef, place: str, file: Path
) -> None:
    text = mossaic.ok("uploads", "export", f"oss://{place}/big").out
    checkpoint = json.loads(text)
    assert (checkpoint["uploadId"], checkpoint["fileSize"]) == (begun.upload_id, file.stat().st_size)
    assert [part["number"] for part in checkpoint["doneParts"]] == [1, 2, 3, 4, 5]
    assert mossaic.server.access_key_secret not in text

    copy = mossaic.home / "copy-on-another-machine"
    copy.write_bytes(file.read_bytes())
    file.unlink()
    done = mossaic.ok(
        "uploads", "import", "-", str(copy), "--json", stdin=text.encode(), **elsewhere(mossaic)
    )

    assert done.records()[-1]["resumed_bytes"] == STORED * PART
    assert client.get_bytes("big", bucket=place) == copy.read_bytes()


def test_import_takes_the_checkpoint_of_ali_oss(
    mossaic: Command, client: Client, begun: UploadRef, place: str, file: Path
) -> None:
    parts = [{"number": part.number, "etag": f'"{part.etag}"'} for part in client.list_parts(begun)]
    fields = {
        "file": {}, "name": "big", "fileSize": file.stat().st_size, "partSize": PART,
        "uploadId": begun.upload_id, "doneParts": parts,
    }  # fmt: skip
    (mossaic.home / "cp.json").write_text(json.dumps(fields))

    mossaic.ok("uploads", "import", "cp.json", "big.bin", "--to", f"oss://{place}", **elsewhere(mossaic))

    assert client.get_bytes("big", bucket=place) == file.read_bytes()


def test_export_from_the_server_alone_guesses_the_grid(
    mossaic: Command, begun: UploadRef, place: str
) -> None:
    done = mossaic.ok("uploads", "export", "-o", "cp.json", begun.upload_id, **elsewhere(mossaic))

    assert "--file FILE" in done.err
    checkpoint = json.loads((mossaic.home / "cp.json").read_text())
    assert (checkpoint["partSize"], checkpoint["fileSize"], len(checkpoint["parts"])) == (
        PART,
        None,
        STORED,
    )


def test_import_of_nonsense_says_what_is_wrong(mossaic: Command) -> None:
    assert "not a checkpoint" in mossaic.fails(1, "uploads", "import", "-", stdin=b'{"v":1}').err


def test_abort_of_one_frees_its_parts(mossaic: Command, client: Client, begun: UploadRef, place: str) -> None:
    mossaic.ok("uploads", "abort", f"oss://{place}/big", begun.upload_id)

    assert list(client.list_uploads(bucket=place)) == []
    done = mossaic.fails(1, "uploads", "abort", "--json", f"oss://{place}/big", begun.upload_id)
    assert done.error()["code"] == "NoSuchUpload"


def test_abort_of_many_is_asked_for(mossaic: Command, client: Client, place: str) -> None:
    for key in ("a/1", "a/2", "b"):
        client.init_multipart_upload(key, bucket=place)

    mossaic.fails(2, "uploads", "abort", f"oss://{place}")
    mossaic.fails(2, "uploads", "abort", "--all", f"oss://{place}")
    assert mossaic.ok("uploads", "abort", "--older", "1d", "-y", f"oss://{place}").out == ""
    assert len(mossaic.ok("uploads", "abort", "--all", "--dry-run", f"oss://{place}").lines) == 3
    mossaic.ok("uploads", "abort", "--all", "--yes", f"oss://{place}/a/")

    assert [upload.name for upload in client.list_uploads(bucket=place)] == ["b"]


def test_several_uploads_of_a_key_have_to_be_told_apart(mossaic: Command, client: Client, place: str) -> None:
    first = client.init_multipart_upload("k", bucket=place)
    second = client.init_multipart_upload("k", bucket=place)

    said = mossaic.fails(2, "uploads", "show", f"oss://{place}/k").err

    assert first.upload_id in said
    assert second.upload_id in said
    mossaic.ok("uploads", "show", f"oss://{place}/k", first.upload_id)
    assert "no unfinished upload" in mossaic.fails(1, "uploads", "show", f"oss://{place}/other").err


def test_ctrl_c_keeps_what_is_stored(
    mossaic: Command, client: Client, begun: UploadRef, place: str, file: Path
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "mossaic", "uploads", "resume", "--json", "--bwlimit", "100k", f"oss://{place}/big"],
        env=mossaic.env(), cwd=mossaic.home, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    for line in process.stdout:  # until it really sends
        if json.loads(line).get("sent", 0) > STORED * PART:
            break
    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)

    assert process.returncode == 130, err
    assert json.loads(err.splitlines()[-1])["code"] == "Interrupted"
    mossaic.ok("uploads", "resume", f"oss://{place}/big")
    assert client.get_bytes("big", bucket=place) == file.read_bytes()
