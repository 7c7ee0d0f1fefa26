"""The floor: four threads with bare sockets, nothing signed, nothing checked, nothing kept."""

from __future__ import annotations

import mmap
import os
import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bench.clients.job import BUCKET, KEY, MIB

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.clients.job import Job


def sendall(job: Job) -> Callable[[], None]:
    """Every part is read into one buffer a thread and sent from there."""
    return lambda: _upload(job, _copy)


def sendfile(job: Job) -> Callable[[], None]:
    """The kernel moves the bytes; nobody could check them."""
    return lambda: _upload(job, _send_file)


def _upload(job: Job, send: Callable[[socket.socket, int, range, memoryview], None]) -> None:
    size = Path(job.path).stat().st_size
    starts = iter(range(0, size, job.part_size))
    first = _connected(job)
    begun = _asked(first, b"POST /%s/%s?uploads" % (BUCKET.encode(), KEY.encode()))
    upload_id = begun.split(b"<UploadId>")[1].split(b"<")[0]

    def work() -> None:
        connected, descriptor = _connected(job), os.open(job.path, os.O_RDONLY)
        room = memoryview(mmap.mmap(-1, MIB))  # on a page border: the kernel copies faster to there
        for start in starts:  # a range's iterator is safe under the GIL
            part = range(start, min(start + job.part_size, size))
            head = b"PUT /%s/%s?partNumber=%d&uploadId=%s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
            number = start // job.part_size + 1
            connected.sendall(head % (BUCKET.encode(), KEY.encode(), number, upload_id, len(part)))
            send(connected, descriptor, part, room)
            _answer(connected)

    threads = [threading.Thread(target=work) for _ in range(job.parallel)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    numbers = range(1, -(-size // job.part_size) + 1)
    listed = b"".join(b"<Part><PartNumber>%d</PartNumber></Part>" % number for number in numbers)
    _asked(first, b"POST /%s/%s?uploadId=%s" % (BUCKET.encode(), KEY.encode(), upload_id), listed)


def _copy(connected: socket.socket, descriptor: int, part: range, room: memoryview) -> None:
    done = part.start
    while done < part.stop:
        got = os.preadv(descriptor, [room[: min(len(room), part.stop - done)]], done)
        connected.sendall(room[:got])
        done += got


def _send_file(connected: socket.socket, descriptor: int, part: range, _room: memoryview) -> None:
    done = part.start
    while done < part.stop:
        done += os.sendfile(connected.fileno(), descriptor, done, part.stop - done)


def _connected(job: Job) -> socket.socket:
    where = urlsplit(job.endpoint)
    connected = socket.create_connection((where.hostname, where.port))
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connected


def _asked(connected: socket.socket, line: bytes, text: bytes = b"") -> bytes:
    connected.sendall(b"%s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (line, len(text), text))
    return _answer(connected)


def _answer(connected: socket.socket) -> bytes:
    got = b""
    while b"\r\n\r\n" not in got:
        got += connected.recv(65_536)
    head, _, body = got.partition(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    while len(body) < length:
        body += connected.recv(65_536)
    if b" 200 " not in head.split(b"\r\n")[0]:
        raise RuntimeError(got.decode("latin-1"))
    return body
