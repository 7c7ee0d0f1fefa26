"""`mossaic request`: links made, listed and ended from the shell."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from tests.e2e.console.caller import Caller

if TYPE_CHECKING:
    from tests.e2e.cli.command import Command


def test_a_link_is_made_used_listed_and_ended(mossaic: Command, place: str) -> None:
    made = mossaic.ok(
        "request",
        "new",
        f"oss://{place}/in",
        "--title",
        "Photos",
        "--max-files",
        "3",
        "--max-size",
        "1M",
        "--max-total",
        "2M",
        "--ttl",
        "2h",
    )
    (url,) = made.lines
    request_id, secret = re.fullmatch(r"http.*/-/drop/#(\w+)\.([\w-]+)", url).groups()  # type: ignore[union-attr]
    assert f"mossaic request rm {request_id}" in made.err

    anybody = Caller(server=mossaic.server)
    opened = anybody.api("POST", "requests/open", {"id": request_id, "secret": secret}).json
    assert anybody.by(opened).send("PUT", place, opened["folder"] + "a", body=b"hello").status == 200

    listed = mossaic.ok("request", "ls", f"oss://{place}")
    assert secret not in listed.out
    assert "1/3" in listed.out
    assert "5 B/2.0 MiB" in listed.out
    (record,) = mossaic.ok("request", "ls", "--json", f"oss://{place}").records()
    assert (record["id"], record["prefix"], record["max_object_bytes"]) == (request_id, "in/", 1 << 20)

    assert mossaic.ok("request", "rm", "--plain", url).rows() == [["revoked", request_id]]
    assert mossaic.ok("request", "ls", "--plain", f"oss://{place}").rows()[0][1] == "revoked"
    assert anybody.api("POST", "requests/open", {"id": request_id, "secret": secret}).status == 403


def test_json_has_the_url_once(mossaic: Command, place: str) -> None:
    (record,) = mossaic.ok("request", "new", "--json", f"oss://{place}").records()

    assert record["url"].split("#")[1].startswith(record["id"] + ".")
    assert "url" not in json.dumps(mossaic.ok("request", "ls", "--json", f"oss://{place}").records())


def test_what_cannot_be_is_told(mossaic: Command, place: str) -> None:
    mossaic.fails(2, "request", "new", f"oss://{place}", "--max-files", "0")
    assert "no such upload-request link" in mossaic.fails(1, "request", "rm", "unknown").err
