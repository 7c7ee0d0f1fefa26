"""The recorded requests of official clients as SignedRequest values with the readings of their addresses."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mossaic.protocol.addressing import Domains, parse_query, split
from mossaic.protocol.signing import claim, verify
from mossaic.protocol.signing.request import Resource, SignedRequest, header_text

FILE = Path(__file__).parents[2] / "wire" / "auth-vectors.json"
RECORDED: dict[str, Any] = json.loads(FILE.read_text())
VECTORS: list[dict[str, Any]] = RECORDED["vectors"]
CONFIG = RECORDED["server_config"]
DOMAINS = Domains(
    bases=(*CONFIG["service_domains"], "oss-*.aliyuncs.com", "localhost"), cnames=CONFIG["cname"]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    vector: dict[str, Any]
    request: SignedRequest
    host: str
    path: str
    secret: str
    now: datetime

    @property
    def resources(self) -> tuple[Resource, ...]:
        return tuple(
            Resource(bucket=address.bucket, key=address.key)
            for address in split(self.host, self.path, DOMAINS)
        )

    def with_header(self, name: str, value: str) -> Recorded:
        return replace(self, request=self.request._replace(headers={**self.request.headers, name: value}))

    def with_parameter(self, name: str, value: str) -> Recorded:
        query = tuple((known, value if known == name else old) for known, old in self.request.query)
        return replace(self, request=self.request._replace(query=query))

    def verified(self) -> Resource:
        found = claim.read(self.request)
        assert found is not None
        index = verify.verify(found, self.request, self.resources, self.secret, now=self.now)
        return self.resources[index]


def raw(value: str | dict[str, str]) -> str:
    """A header value as the server's HTTP layer gives it: bytes as Latin-1 text."""
    data = bytes.fromhex(value["hex"]) if isinstance(value, dict) else value.encode()
    return data.decode("latin-1").strip(" \t")


def headers_of(vector: dict[str, Any]) -> dict[str, str]:
    return {name.lower(): header_text(raw(value)) for name, value in vector["request"]["headers"]}


def recorded(vector: dict[str, Any]) -> Recorded:
    path, _, query = vector["request"]["target"].partition("?")
    return Recorded(
        vector=vector,
        request=SignedRequest(
            method=vector["request"]["method"],
            query=tuple((name, value) for name, value, _ in parse_query(query)),
            headers={"host": vector["request"]["host"], **headers_of(vector)},
        ),
        host=vector["request"]["host"],
        path=path,
        secret=vector["credentials"]["access_key_secret"],
        now=datetime.strptime(vector["clock"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC),
    )


OBJECT_STORAGE = [recorded(vector) for vector in VECTORS if vector["kind"].startswith(("v1-", "v2-", "v4-"))]
