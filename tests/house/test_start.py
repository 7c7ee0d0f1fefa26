"""What the service loads and makes before its first request: each module and class costs every start a part of a millisecond."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

# Not the SDK; nothing that only some requests need; nothing that a few lines of ours stand in for.
LATER = (
    "mossaic.client",
    "mossaic.compat",
    "bz2",
    "cryptography",
    "difflib",
    "email",
    "gzip",
    "http.server",
    "importlib.resources",
    "lzma",
    "mossaic.gateway.console.callbacks",
    "mossaic.gateway.console.cors_test",
    "mossaic.gateway.console.requests",
    "mimetypes",
    "pickle",
    "prometheus_client",
    "rich",
    "shutil",
    "tempfile",
    "tomllib",
    "zipfile",
)
_START = """
import json, os, signal, sys
import mossaic.cli.main, mossaic.cli.serve
from mossaic.app import App
from mossaic.config import load
from mossaic.protocol.codec import plan
from mossaic.workers import run

def announce(endpoint):
    ours = [module for name, module in sys.modules.items() if name.startswith("mossaic.")]
    classes = {each for module in ours for each in vars(module).values() if "__declared__" in getattr(each, "__dict__", {})}
    used = [each for each in classes if type(vars(each)["__init__"]).__name__ == "function"]
    print(json.dumps({"modules": sorted(sys.modules), "plans": len(plan._PLANS), "classes": len(classes), "used": len(used)}))
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGTERM)

overrides = {"listen": "127.0.0.1:0", "data": sys.argv[1], "log.access": "off"}
run(App.open(load(environ={}, overrides=overrides).settings).run(announce))
"""


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What there is once the service says that it answers."""
    folder = tmp_path_factory.mktemp("start")
    said = subprocess.run(
        [sys.executable, "-c", _START, str(folder / "data")], check=True, capture_output=True, text=True
    ).stdout
    found: dict[str, object] = json.loads(said)
    return found


def test_the_service_starts_without_what_it_may_never_need(started: dict[str, object]) -> None:
    modules = started["modules"]

    assert isinstance(modules, list)
    assert [name for name in modules if name.startswith(LATER)] == []


def test_shapes_are_read_when_their_operation_is_asked_for(started: dict[str, object]) -> None:
    assert started["plans"] == 0


def test_few_classes_are_used_before_the_first_request(started: dict[str, object]) -> None:
    classes, used = started["classes"], started["used"]

    assert isinstance(classes, int)
    assert isinstance(used, int)
    assert classes > 200, "quick.dataclass makes them all"
    assert used * 4 < classes
