"""Signed HTTP requests as a page sends them, without a client that would know better: any header, any key, any body."""

from __future__ import annotations

import http.client
import json
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from mossaic.client.credentials import Credentials
from mossaic.client.signer import Clock, Signer
from mossaic.protocol.wire import Message
from tests.e2e.harness import REGION

if TYPE_CHECKING:
    from tests.e2e.harness import Server


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found

    def element(self, name: str) -> str:
        """The text of the first element of that name; "" without one."""
        return ET.fromstring(self.body).findtext(f".//{name}") or ""

    @property
    def code(self) -> str:
        """OSS's error code; "" for a success."""
        return self.element("Code") if self.status >= 300 else ""

    @property
    def ec(self) -> str:
        return self.element("EC")


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Signs with one set of credentials; without a key id requests are not signed."""

    server: Server
    access_key_id: str = ""
    secret: str = field(default="", repr=False)
    token: str | None = field(default=None, repr=False)

    @classmethod
    def root(cls, server: Server) -> Caller:
        return cls(server=server, access_key_id=server.access_key_id, secret=server.access_key_secret)

    def by(self, triple: dict[str, Any]) -> Caller:
        """As the holder of these temporary credentials."""
        return Caller(
            server=self.server,
            access_key_id=triple["accessKeyId"],
            secret=triple["accessKeySecret"],
            token=triple["securityToken"],
        )

    def api(self, method: str, name: str, given: dict[str, Any] | None = None, /, **query: str) -> Answer:
        body = b"" if given is None else json.dumps(given).encode()
        return self.send(method, "-", f"api/{name}", body=body, query=query)

    def send(
        self,
        method: str,
        bucket: str,
        key: str,
        *,
        body: bytes = b"",
        query: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
        declared: int | None = None,
    ) -> Answer:
        """`declared`: a Content-Length other than that of the body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=20)
        try:
            path, signed = self.signed(method, bucket, key, query=query or {}, headers=headers or {})
            signed["content-length"] = str(len(body) if declared is None else declared)
            connection.request(method, path, body=body, headers=signed)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(status=answer.status, headers=found, body=answer.read())
        finally:
            connection.close()

    def signed(
        self, method: str, bucket: str, key: str, *, query: dict[str, str], headers: dict[str, str]
    ) -> tuple[str, dict[str, str]]:
        """Target and headers of a signed request."""
        who = Credentials(
            access_key_id=self.access_key_id, access_key_secret=self.secret, security_token=self.token
        )
        lower = {name.lower(): value for name, value in headers.items()}
        message = Message(method=method, bucket=bucket, key=key or None, query=query, headers=lower)
        signed = Signer("v4", REGION, Clock()).headers(message, lower, who)
        text = urlencode(query, quote_via=quote, safe="")
        return f"/{bucket}/{quote(key, safe='/')}" + (f"?{text}" if text else ""), signed
