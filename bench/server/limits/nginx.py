"""nginx with sendfile, one worker, everything cached and no log: the limit for GET where it is installed."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from bench.server.service import free_port

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

_CONFIGURATION: Final = """daemon off; master_process off; pid {folder}/pid; error_log {folder}/errors;
{user}events {{ worker_connections 512; }}
http {{
  access_log off; sendfile on; tcp_nopush on; tcp_nodelay on; etag off;
  keepalive_requests 100000000; keepalive_timeout 600; default_type application/octet-stream;
  open_file_cache max=8000 inactive=600s; open_file_cache_valid 600s;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{port}; root {folder}/files; }}
}}
"""
_PATIENCE_S: Final = 10.0


@contextmanager
def nginx(folder: Path) -> Generator[int | None]:
    """The port that serves FOLDER/files; None when nginx is not installed or does not start."""
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if program is None:
        yield None
        return
    port = free_port()
    (folder / "files").mkdir(parents=True, exist_ok=True)
    user = "user root;\n" if os.geteuid() == 0 else ""
    configuration = folder / "nginx.conf"
    configuration.write_text(_CONFIGURATION.format(folder=folder, user=user, port=port))
    process = subprocess.Popen(
        [program, "-c", str(configuration), "-e", str(folder / "errors")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield port if _is_up(process, port) else None
    finally:
        process.terminate()
        process.wait(_PATIENCE_S)


def _is_up(process: subprocess.Popen[bytes], port: int) -> bool:
    until = time.perf_counter() + _PATIENCE_S
    while time.perf_counter() < until and process.poll() is None:
        with suppress(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), 1).close()
            return True
        time.sleep(0.01)
    return False
