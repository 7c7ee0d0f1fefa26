"""uppy's browser bundle, of one version, from npm: nothing of it is installed, one file is taken out of the package."""

from __future__ import annotations

import hashlib
import subprocess
import tarfile
from pathlib import Path
from typing import Final

VERSION: Final = "6.0.1"
_SHA256: Final = "87be6ec113538a78d54bd85acdd13d0ae7a2e2ac055b5d87447851b9012b2f11"
_FILE: Final = "package/dist/uppy.min.mjs"
_KEPT: Final = Path(__file__).parents[1] / "out" / "uppy"


def bundle() -> bytes:
    """Fetched once. Raises RuntimeError when it is not the file that was measured before."""
    kept = _KEPT / f"uppy-{VERSION}.min.mjs"
    if not kept.exists():
        _KEPT.mkdir(parents=True, exist_ok=True)
        command = ["npm", "pack", f"uppy@{VERSION}", "--silent", "--pack-destination", str(_KEPT)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        with tarfile.open(_KEPT / f"uppy-{VERSION}.tgz") as package:
            member = package.extractfile(_FILE)
            assert member is not None
            kept.write_bytes(member.read())
    found = kept.read_bytes()
    if hashlib.sha256(found).hexdigest() != _SHA256:
        raise RuntimeError(f"{kept} is not uppy {VERSION} as it was measured")
    return found
