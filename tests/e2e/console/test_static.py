"""The page's files as browsers get them, and the way to them from the front door."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import TYPE_CHECKING

from tests.e2e.console.caller import Caller
from tests.security.support import Asker

if TYPE_CHECKING:
    from tests.e2e.harness import Server

PAGE = Path(__file__).parents[3] / "src/mossaic/page"
BUNDLE = "vendor/aliyun-oss-sdk.min.js"
TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".html": "text/html",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
}
AS_A_BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
FILES = sorted(str(path.relative_to(PAGE)) for path in PAGE.rglob("*") if path.suffix in TYPES)


def address(name: str) -> str:
    return {"index.html": "/-/console/", "drop.html": "/-/drop/"}.get(name, f"/-/console/{name}")


def test_every_file_is_served_as_what_it_is(server: Server) -> None:
    for name in FILES:
        status, headers, body = server.request("GET", address(name))

        assert (status, body) == (200, (PAGE / name).read_bytes()), name
        assert headers["content-type"].startswith(TYPES[Path(name).suffix]), name
        assert headers["cache-control"] == "no-cache"


def test_a_file_that_is_known_is_not_sent_again(server: Server) -> None:
    _, first, _ = server.request("GET", address(BUNDLE))

    status, again, body = server.request("GET", address(BUNDLE), headers={"If-None-Match": first["etag"]})
    other, _, _ = server.request("GET", address(BUNDLE), headers={"If-None-Match": '"x"'})

    assert (status, body, again["etag"]) == (304, b"", first["etag"])
    assert other == 200


def test_a_browser_gets_it_packed(server: Server) -> None:
    _, plain, whole = server.request("GET", address(BUNDLE))

    status, headers, packed = server.request("GET", address(BUNDLE), headers={"Accept-Encoding": "gzip, br"})
    known, _, _ = server.request(
        "GET", address(BUNDLE), headers={"Accept-Encoding": "gzip", "If-None-Match": headers["etag"]}
    )

    assert (status, headers["content-encoding"], headers["vary"]) == (200, "gzip", "Accept-Encoding")
    assert gzip.decompress(packed) == whole
    assert len(packed) < len(whole) / 2
    assert headers["etag"] != plain["etag"]
    assert known == 304


def test_head_tells_the_length(server: Server) -> None:
    status, headers, body = server.request("HEAD", address(BUNDLE))

    assert (status, body) == (200, b"")
    assert int(headers["content-length"]) == (PAGE / BUNDLE).stat().st_size


def test_a_page_without_its_slash_is_found(server: Server) -> None:
    for page in (address(name) for name in FILES if name.endswith(".html")):
        status, headers, _ = server.request("GET", page.rstrip("/"))

        assert (status, headers["location"]) == (308, page)


def test_whoever_types_the_address_into_a_browser_comes_to_the_page(server: Server) -> None:
    status, headers, _ = server.request("GET", "/", headers=AS_A_BROWSER)

    assert (status, headers["location"]) == (302, "/-/console/")
    assert headers["cache-control"] == "no-store"


def test_clients_of_oss_see_no_page_at_the_root(server: Server) -> None:
    signed = Asker.root(server)("GET", headers=AS_A_BROWSER)
    unsigned = [
        server.request("GET", "/", headers={"Accept": accept})[0] for accept in ("*/*", "application/xml", "")
    ]
    listing, _, _ = server.request("GET", "/?max-keys=1", headers=AS_A_BROWSER)

    assert (signed.status, b"<ListAllMyBucketsResult" in signed.body) == (200, True)
    assert [*unsigned, listing] == [403, 403, 403, 403]


def test_a_service_without_the_page(make_server) -> None:
    server: Server = make_server(CONSOLE_ENABLED="false")

    gone = [
        server.request(method, path, headers=AS_A_BROWSER)[0]
        for method, path in (
            ("GET", "/-/console/"),
            ("GET", address(BUNDLE)),
            ("GET", "/-/api/service"),
            ("GET", "/"),
        )
    ]

    assert gone == [404, 404, 404, 403]
    assert Caller.root(server).api("POST", "session", {}).status == 405
    assert server.request("GET", "/-/callback-key.pem")[0] == 200
    assert "web page" not in server.output


def test_the_start_tells_where_the_page_is(server: Server) -> None:
    assert f"mossaic: the web page is {server.endpoint}/-/console/" in server.output


def test_other_origins_are_named_by_the_settings(make_server) -> None:
    server: Server = make_server(CONSOLE_CONNECT="https://oss.example.com,http://10.0.0.1:9280")

    _, headers, _ = server.request("GET", address(BUNDLE))

    assert (
        "connect-src 'self' https://oss.example.com http://10.0.0.1:9280;"
        in headers["content-security-policy"]
    )
