"""A key is a name in a table, never a path: nothing outside the data directory is read or written, whatever the key says.

Class: SeaweedFS CVE-2026-54917, RustFS GHSA-8r6f, -pq29, -f4vq; MinIO CVE-2026-42600, CVE-2023-28433; S3Scanner CVE-2021-32061.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes
from xml.sax.saxutils import escape

import pytest
import requests

from tests.e2e.form.test_post_object import policy, signed
from tests.e2e.harness import Server, noise
from tests.security.support import Asker, ask_raw

CANARY = b"this file lies outside of every bucket"
BIG = noise(40_000)  # more than lies inline, so that it becomes a file
KEYS = [
    "../outside.txt",
    "../../outside.txt",
    "../../../../../../../../etc/passwd",
    "..%2foutside.txt",
    "%2e%2e/outside.txt",
    "%2e%2e%2foutside.txt",
    "%252e%252e%252foutside.txt",
    "..%5coutside.txt",
    "..\\outside.txt",
    "a/../../outside.txt",
    "a/./b",
    "a//b",
    "a///",
    ".",
    "..",
    "...",
    "./x",
    "a/..",
    "x%0Ay",
    "x%0D%0Ay",
    "nul%01l",
    "C:%5CWindows%5Cwin.ini",
    "CON",
    "a" * 255,
    "a" * 256,
    "a/" * 511 + "a",  # 1023 bytes
    quote("é" * 511 + "a"),  # 1023 bytes of UTF-8
    "~root/.ssh/authorized_keys",
    "-rf",
    "$(id)",
    "%60id%60",
    "a;b|c&d",
    "'%22--",
    "x'%20OR%201=1--",
    "%25s%25n",
    "metadata.db",
    "blobs/00",
    ".uploads/x",
    "%F0%9F%92%A9",
    "a%E2%80%AEb",
    "%EF%BF%BD",
]
REFUSED = [
    "/etc/passwd",  # a key that begins with a slash
    "//outside.txt",
    "%2fetc/passwd",
    "%5cx",
    "a%00",
    "%00",
    "../outside.txt%00.png",
    "a" * 1024,
    "%C3%28",  # no UTF-8
    "%ff",
    "%ED%A0%80",  # a surrogate
    "%C0%AE%C0%AE/outside.txt",  # overlong dots
    "\xe9",  # a raw byte
]


@pytest.fixture(scope="module", autouse=True)
def outside(server: Server) -> Path:
    file = server.data.parent / "outside.txt"
    file.write_bytes(CANARY)
    return file


def test_the_corpus_is_not_cut_down() -> None:
    assert len(KEYS) >= 40
    assert len(REFUSED) >= 12


def assert_nothing_escaped(server: Server) -> None:
    """Beside the data directory there is what the test put there; inside it only our own names."""
    beside = {path.name for path in server.data.parent.iterdir()}
    assert beside == {"data", "outside.txt", "access.log", "access.out"}
    assert (server.data.parent / "outside.txt").read_bytes() == CANARY
    ours = re.compile(
        r"metadata\.db(-wal|-shm|-turn|-next|-copying)?|sweeper-turn|service-lock|blobs|blobs/folders-made|blobs(/[0-9a-f]{1,2})+(/[0-9a-f]{32})?"
    )
    for path in server.data.rglob("*"):
        name = path.relative_to(server.data).as_posix()
        assert ours.fullmatch(name), name


def decoded(raw: str) -> str:
    return unquote_to_bytes(raw).decode()


def test_a_key_is_stored_as_it_is_said(server: Server, root: Asker, bucket: str) -> None:
    for number, raw in enumerate(KEYS):
        content = BIG + str(number).encode()
        put = ask_raw(root, "PUT", f"/{bucket}/{raw}", content)
        assert put.status == 200, (raw, put.body)
        assert ask_raw(root, "GET", f"/{bucket}/{raw}").body == content, raw

    listed = root("GET", bucket, query={"encoding-type": "url", "max-keys": "1000"})
    found = {decoded(text) for text in re.findall(r"<Key>([^<]*)</Key>", listed.body.decode())}
    assert found == set(map(decoded, KEYS))
    assert_nothing_escaped(server)


def test_what_is_no_key_is_refused(server: Server, root: Asker, bucket: str) -> None:
    for raw in REFUSED:
        for method in ("PUT", "GET", "HEAD", "DELETE"):
            reply = ask_raw(root, method, f"/{bucket}/{raw}", BIG if method == "PUT" else b"")
            assert (reply.status, reply.code) == (400, "InvalidObjectName"), (raw, method, reply.body)

    assert b"<Contents>" not in root("GET", bucket).body
    assert_nothing_escaped(server)


@pytest.mark.parametrize(
    "name", ["..", ".", "%2e%2e", "..%2f..%2fetc", "a%2Fb", "%00", ".data", "A" * 64, "\xe9%ff", "a"]
)
def test_a_bucket_is_no_path_either(server: Server, root: Asker, name: str) -> None:
    for method in ("PUT", "GET", "DELETE"):
        reply = ask_raw(root, method, f"/{name}")
        assert 400 <= reply.status < 500, (method, reply.status)
        assert CANARY not in reply.body

    assert_nothing_escaped(server)


def test_a_copy_source_reads_only_objects(server: Server, root: Asker, bucket: str) -> None:
    for raw in [*KEYS, *REFUSED]:
        for source in (f"/{bucket}/{raw}", f"{bucket}/{raw}", f"/../{raw}", raw):
            reply = root("PUT", bucket, "copied", headers={"x-oss-copy-source": source.replace("\\", "%5c")})
            assert reply.status in (400, 404), (source, reply.status, reply.body)

    assert root("HEAD", bucket, "copied").status == 404
    assert_nothing_escaped(server)


def test_a_batch_deletes_only_objects(server: Server, root: Asker, bucket: str) -> None:
    outside = server.data.parent / "outside.txt"
    for raw in KEYS:
        key = escape(decoded(raw))
        if any(ord(character) < 0x20 for character in key):
            key = re.sub(r"[\x00-\x1f]", lambda found: f"&#{ord(found[0])};", key)
        body = f"<Delete><Object><Key>{key}</Key></Object></Delete>".encode()
        reply = root("POST", bucket, query={"delete": ""}, body=body)
        assert reply.status == 200, (raw, reply.body)
    for key in ("&#0;", "/etc/passwd", "\\x", "a&#0;b", ""):
        body = f"<Delete><Object><Key>{key}</Key></Object></Delete>".encode()
        assert root("POST", bucket, query={"delete": ""}, body=body).status == 400, key

    assert outside.read_bytes() == CANARY


def test_a_form_stores_only_objects(server: Server, root: Asker, bucket: str) -> None:
    rights = signed(server, policy(["starts-with", "$key", ""]))
    for raw in KEYS:
        reply = requests.post(
            f"{server.endpoint}/{bucket}/",
            data={"key": decoded(raw), **rights},
            files={"file": BIG},
            timeout=20,
        )
        assert reply.status_code == 204, (raw, reply.text)
    for filename in ("../../outside.txt", "..\\..\\outside.txt", "/etc/passwd", "..", "a\0b"):
        reply = requests.post(
            f"{server.endpoint}/{bucket}/",
            data={"key": "up/${filename}", **rights},
            files={"file": (filename, BIG)},
            timeout=20,
        )
        assert reply.status_code in (204, 400), (filename, reply.text)

    listed = root("GET", bucket, query={"prefix": "up/", "encoding-type": "url"}).body.decode()
    assert set(re.findall(r"<Key>([^<]*)</Key>", listed)) <= {
        "up/outside.txt",
        "up/passwd",
        "up/..",
        "up/a%00b",
    }
    assert_nothing_escaped(server)


def test_a_prefix_lists_only_objects(server: Server, root: Asker, bucket: str) -> None:
    for raw in [*KEYS, "/", "//", "%00", "%", "_", "*", "a' OR '1'='1"]:
        for name in ("prefix", "marker"):
            reply = root(
                "GET", bucket, query={name: unquote_to_bytes(raw).decode("utf-8", "surrogateescape")}
            )
            assert reply.status == 200, (raw, reply.body)
            assert b"<Contents>" not in reply.body, raw
    for name in ("prefix", "marker"):
        assert root("GET", bucket, query={name: "\udcff"}).status == 400


def test_a_link_leads_only_to_objects(server: Server, root: Asker, bucket: str) -> None:
    for target in ("../outside.txt", "/etc/passwd", "..%2f..%2foutside.txt", "%00", "file:///etc/passwd"):
        made = root("PUT", bucket, "link", query={"symlink": ""}, headers={"x-oss-symlink-target": target})
        assert made.status in (200, 400), target
        reply = root("GET", bucket, "link")
        assert reply.status in (400, 404), (target, reply.body)
        assert CANARY not in reply.body
        root("DELETE", bucket, "link")
