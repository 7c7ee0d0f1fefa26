"""What the service loads when it starts: each module costs every start some milliseconds."""

from __future__ import annotations

import subprocess
import sys


def test_the_service_starts_without_the_sdk() -> None:
    listed = subprocess.run(
        [sys.executable, "-c", "import sys, mossaic.app; print(*sorted(sys.modules))"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()

    assert [name for name in listed if name.startswith(("mossaic.client", "mossaic.compat", "rich"))] == []
