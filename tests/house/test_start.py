"""What the service loads when it starts: each module costs every start some milliseconds."""

from __future__ import annotations

import subprocess
import sys

# Not the SDK; nothing that only some requests need; nothing that a few lines of ours stand in for.
LATER = (
    "mossaic.client",
    "mossaic.compat",
    "rich",
    "cryptography",
    "prometheus_client",
    "http.server",
    "importlib.resources",
    "zipfile",
)


def test_the_service_starts_without_what_it_may_never_need() -> None:
    listed = subprocess.run(
        [sys.executable, "-c", "import sys, mossaic.app; print(*sorted(sys.modules))"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()

    assert [name for name in listed if name.startswith(LATER)] == []
