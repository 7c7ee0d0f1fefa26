"""The proxy's own promises, where a test of the SDK would only now and then notice that one is broken."""

from __future__ import annotations

import contextlib
import socket

from tests.faults.proxy import FaultProxy, Rule, error


def test_after_an_early_answer_nothing_more_of_the_connection_is_passed_on(
    proxy: FaultProxy,
) -> None:
    proxy.add(Rule(pattern="/first", early=True, answer=error(503, "ServiceUnavailable")))

    with socket.create_connection(
        ("127.0.0.1", int(proxy.endpoint.rpartition(":")[2])), timeout=10
    ) as client:
        client.sendall(b"PUT /first HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody")
        while client.recv(65536):
            pass
        with contextlib.suppress(OSError):  # the connection may be gone before the request
            client.sendall(b"GET /never-to-arrive HTTP/1.1\r\nHost: x\r\n\r\n")
    assert proxy.idle()

    assert [seen.target for seen in proxy.seen] == ["/first"]
