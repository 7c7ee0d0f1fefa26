"""A real `mossaic serve` process for end-to-end tests, its access log, its command line, and a callback receiver."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.client
import http.server
import json
import os
import random
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

from mossaic.protocol.checksum import crc64, crc64_etag

REGION = "cn-hangzhou"
ACCOUNT_ID = "1234567890123456"
ACCESS_KEY_ID = "e2eRootKeyId"
ACCESS_KEY_SECRET = "e2eRootKeySecret0123456789"  # a fixed pair of throw-away servers
START_S = 60.0  # a busy machine; a second is the rule
STOP_S = 15.0
LOG_S = 10.0
PART = 102_400  # the smallest part OSS allows, in bytes

OPTIONAL_TOOLS = frozenset({"go", "java", "mvn", "ossutil"})


def need_tool(name: str) -> str:
    """Path of a program; without it the test is skipped by name, or fails under CI unless README calls it optional."""
    found = shutil.which(name)
    if found:
        return found
    reason = f"{name} is not installed"
    if os.environ.get("CI") == "true" and name not in OPTIONAL_TOOLS:
        pytest.fail(f"{reason}, and CI needs it (scripts/setup-tests.sh installs it)")
    pytest.skip(reason)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def noise(size: int, *, seed: int = 1) -> bytes:
    """`size` bytes that look random and are the same in every run."""
    return random.Random(seed).randbytes(size)


EVERYWHERE = dict(pair.split("=", 1) for pair in os.environ.get("E2E_SETTINGS", "").split())


def object_etag(data: bytes) -> str:
    """The ETag of a part or of an object in one piece, as this run's `store.etag` makes it."""
    if EVERYWHERE.get("STORE_ETAG") == "crc64":
        return crc64_etag(crc64(data), len(data))
    return hashlib.md5(data).hexdigest().upper()


def multipart_etag(data: bytes, part_size: int) -> str:
    """OSS's multipart ETag: MD5 over the parts' upper-case hex ETags, a dash, the count. The clients never compute it."""
    parts = [data[at : at + part_size] for at in range(0, len(data), part_size)]
    text = "".join(object_etag(part) for part in parts)
    return f"{hashlib.md5(text.encode()).hexdigest().upper()}-{len(parts)}"


@dataclass(kw_only=True)
class Server:
    """One `mossaic serve` process over a data directory that outlives restarts."""

    data: Path
    log: Path
    port: int
    env: dict[str, str]
    certificate: Path | None = None  # PEM; the server then speaks TLS
    process: subprocess.Popen[bytes] | None = None
    access_key_id: str = ACCESS_KEY_ID
    access_key_secret: str = ACCESS_KEY_SECRET
    region: str = REGION
    account_id: str = ACCOUNT_ID
    options: tuple[str, ...] = ()  # more of the command line
    _marks: int = field(default=0, repr=False)

    @property
    def endpoint(self) -> str:
        return f"{'https' if self.certificate else 'http'}://127.0.0.1:{self.port}"

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def output(self) -> str:
        """What the process printed, for failure messages."""
        return self._output_file.read_text(errors="replace") if self._output_file.exists() else ""

    @property
    def _output_file(self) -> Path:
        return self.log.with_suffix(".out")

    def start(self) -> Server:
        command = [sys.executable, "-m", "mossaic", "serve", "--listen", self.host, "--data", str(self.data)]
        command += self.options
        with self._output_file.open("ab") as out:
            self.process = subprocess.Popen(
                command, env=self.env, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT
            )
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            if self._ready():
                return self
            time.sleep(0.02)
        self.kill()
        raise RuntimeError(f"mossaic serve did not become ready in {START_S} s:\n{self.output[-4000:]}")

    def _ready(self) -> bool:
        with contextlib.suppress(OSError):
            return self.request("GET", "/-/readyz")[0] == 200
        return False

    def stop(self) -> int | None:
        """SIGTERM and wait; the exit code, or None when nothing ran."""
        if self.process is None:
            return None
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(STOP_S)
            raise
        finally:
            self.process = None

    def kill(self) -> None:
        """SIGKILL to the process and its workers: what a power cut does."""
        if self.process is not None:
            self.process.send_signal(signal.SIGSTOP)  # so that it replaces nobody meanwhile
            workers = [] if self.env.get("MOSSAIC_WORKERS") == "1" else children_of(self.process.pid)
            self.process.kill()
            for worker in workers:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(worker, signal.SIGKILL)
            self.process.wait(STOP_S)
            self.process = None

    def restart(self) -> Server:
        self.stop()
        return self.start()

    def request(
        self, method: str, target: str, *, headers: dict[str, str] | None = None, body: bytes | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """One plain HTTP exchange; header names come back in lower case."""
        connection = self._connection()
        try:
            connection.request(method, target, body=body, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        if self.certificate is None:
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        trust = ssl.create_default_context(cafile=str(self.certificate))
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=10, context=trust)

    def cli(self, *arguments: str) -> str:
        """Run a `mossaic` command against this data directory; its standard output."""
        command = [sys.executable, "-m", "mossaic", *arguments, "--data", str(self.data)]
        done = subprocess.run(command, env=self.env, capture_output=True, text=True, timeout=60, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(arguments)} -> {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def log_lines(self, *, bucket: str | None = None, operation: str | None = None) -> list[dict[str, Any]]:
        """Access log lines so far, oldest first, narrowed to a bucket or an operation.

        Every answer received before this call is included: a marked request is made and awaited in the log.
        """
        self._marks += 1
        mark = f"/log-mark-{os.getpid()}-{self._marks}-{secrets.token_hex(4)}/x"
        self.request("GET", mark)
        deadline = time.monotonic() + LOG_S
        while time.monotonic() < deadline:
            lines = _read_log(self.log)
            if any(line.get("path") == mark for line in lines):
                return [
                    line
                    for line in lines
                    if not str(line.get("path", "")).startswith("/log-mark-")
                    and (bucket is None or line.get("bucket") == bucket)
                    and (operation is None or line.get("operation") == operation)
                ]
            time.sleep(0.02)
        raise AssertionError(f"the access log did not show {mark} within {LOG_S} s")

    def parts_put(self, bucket: str, key: str | None = None) -> list[int]:
        """Part numbers of every UploadPart request for `bucket`, answered with 200, in order of the log."""
        return [
            int(line["part_number"])
            for line in self.log_lines(bucket=bucket, operation="UploadPart")
            if line["status"] == 200 and (key is None or line["key"] == key)
        ]

    def make_user(self, name: str, policy: dict[str, Any] | None = None) -> tuple[str, str]:
        """A RAM user with a key pair (id, secret); `policy` is attached when given."""
        self.cli("user", "create", name)
        if policy is not None:
            self.cli("policy", "create", f"{name}-policy", "--document", json.dumps(policy))
            self.cli("user", "attach", name, f"{name}-policy")
        made = json.loads(self.cli("key", "create", "--user", name))
        return made["access_key_id"], made["access_key_secret"]

    def make_role(self, name: str, policy: dict[str, Any]) -> str:
        """A role any user of the account may assume, holding `policy`; the role's ARN."""
        trust = statement("Allow", "sts:AssumeRole")
        trust["Statement"][0]["Principal"] = {"RAM": [f"acs:ram::{self.account_id}:root"]}
        self.cli("role", "create", name, "--trust", json.dumps(trust))
        self.cli("policy", "create", f"{name}-policy", "--document", json.dumps(policy))
        self.cli("role", "attach", name, f"{name}-policy")
        return f"acs:ram::{self.account_id}:role/{name}"


def children_of(parent: int) -> list[int]:
    """Process ids; without those that have ended and that nobody has waited for."""
    listed = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid=,stat="], check=True, capture_output=True, text=True
    )
    rows = [line.split() for line in listed.stdout.splitlines()]
    return [int(pid) for pid, of, stat in rows if int(of) == parent and not stat.startswith("Z")]


def statement(
    effect: str, action: str | list[str], resource: str | list[str] | None = None
) -> dict[str, Any]:
    """A policy of one statement; no Resource when None (trust policies have none)."""
    row: dict[str, Any] = {"Effect": effect, "Action": action}
    if resource is not None:
        row["Resource"] = resource
    return {"Version": "1", "Statement": [row]}


def _read_log(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    text = path.read_text(errors="replace")
    whole = text[: text.rfind("\n") + 1]  # the last line may still be in the writing
    return [json.loads(line) for line in whole.split("\n") if line.startswith("{")]


def build_server(directory: Path, **settings: str) -> Server:
    """A server not yet started. `settings` are MOSSAIC_* variables without the prefix, e.g. UPLOAD_REPLAY_S="0".

    It has as many workers as MOSSAIC_TEST_WORKERS says, one without that.
    E2E_SETTINGS="STORE_ETAG=crc64 ..." in the environment sets more of them for every server of a run, where a test does not.
    """
    directory.mkdir(parents=True, exist_ok=True)
    log = directory / "access.log"
    env = {name: value for name, value in os.environ.items() if not name.startswith("MOSSAIC_")}
    env |= {
        "MOSSAIC_ACCESS_KEY_ID": ACCESS_KEY_ID,
        "MOSSAIC_ACCESS_KEY_SECRET": ACCESS_KEY_SECRET,
        "MOSSAIC_ACCOUNT_ID": ACCOUNT_ID,
        "MOSSAIC_LOG_ACCESS": str(log),
        "MOSSAIC_CALLBACK_ALLOW_LOOPBACK": "true",
        "MOSSAIC_MAX_BUCKETS": "10000",  # each test has its own bucket
        "MOSSAIC_WORKERS": os.environ.get("MOSSAIC_TEST_WORKERS", "1"),
    }
    env |= {f"MOSSAIC_{name}": value for name, value in (EVERYWHERE | settings).items()}
    certificate = settings.get("TLS_CERTIFICATE")
    return Server(
        data=directory / "data",
        log=log,
        port=free_port(),
        env=env,
        certificate=Path(certificate) if certificate else None,
    )


def self_signed(directory: Path) -> dict[str, str]:
    """A certificate for 127.0.0.1 made on the spot; the settings that make a server use it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mossaic test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, key_pem = directory / "tls.pem", directory / "tls.key"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return {"TLS_CERTIFICATE": str(pem), "TLS_KEY": str(key_pem)}


@dataclass(frozen=True, kw_only=True)
class Called:
    """One request a callback receiver got."""

    target: str
    headers: dict[str, str]
    body: bytes

    def form(self) -> dict[str, str]:
        return dict(urllib.parse.parse_qsl(self.body.decode(), keep_blank_values=True))

    def json(self) -> Any:
        return json.loads(self.body)

    def signature_holds(self) -> bool:
        """Check the RSA signature as a receiver would: fetch the key from the URL that the request names."""
        url = base64.b64decode(self.headers["x-oss-pub-key-url"]).decode()
        with urllib.request.urlopen(url, timeout=5) as answer:
            key = serialization.load_pem_public_key(answer.read())
        assert isinstance(key, rsa.RSAPublicKey)
        path, mark, query = self.target.partition("?")
        signed = urllib.parse.unquote_to_bytes(path) + (mark + query).encode() + b"\n" + self.body
        try:
            key.verify(
                base64.b64decode(self.headers["authorization"]),
                signed,
                padding.PKCS1v15(),
                hashes.MD5(),  # OSS's callback signature is RSA with MD5
            )
        except InvalidSignature:
            return False
        return True


class CallbackReceiver:
    """An application server on loopback: records what OSS posts, answers JSON (or what `answer` says).

    A target that ends in /fail is always answered with 404.
    """

    def __init__(self) -> None:
        self.calls: list[Called] = []
        self.status = 200
        self.answer = b'{"Status":"OK"}'
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.calls.append(Called(target=self.path, headers=headers, body=body))
                self.send_response(404 if self.path.endswith("/fail") else receiver.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(receiver.answer)))
                self.end_headers()
                self.wfile.write(receiver.answer)

            def log_message(self, *_: object) -> None:
                """Keep the test output quiet."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/hook"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


def callback_fields(url: str) -> dict[str, str]:
    """A callback with system variables and the custom variable `x:order`, in form encoding."""
    return {
        "callbackUrl": url,
        "callbackBody": "bucket=${bucket}&object=${object}&etag=${etag}&size=${size}&order=${x:order}",
        "callbackBodyType": "application/x-www-form-urlencoded",
    }


def b64_json(value: dict[str, str]) -> str:
    return base64.b64encode(json.dumps(value).encode()).decode()
