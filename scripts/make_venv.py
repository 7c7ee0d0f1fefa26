"""Make the virtual environment and install Mossaic with one extra into it; `make` calls this when pyproject.toml is newer."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path


def main(folder: Path, extra: str) -> None:
    python = folder / "bin" / "python"
    if not python.exists():
        print(f"making {folder} ...", flush=True)
        try:
            venv.create(folder, with_pip=True)
        except (subprocess.CalledProcessError, ImportError):
            shutil.rmtree(folder, ignore_errors=True)
            install_venv_package()
            subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    print(f"installing mossaic[{extra}] ...", flush=True)
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-e", f".[{extra}]"],
        check=True,
    )
    (folder / f".{extra}").touch()
    if extra == "dev":
        (folder / ".server").touch()


def install_venv_package() -> None:
    """Debian keeps ensurepip in a package of its own."""
    command = ["apt-get", "install", "-y", "-q", "--no-install-recommends", "python3-venv"]
    if shutil.which("apt-get") is None:
        sys.exit("this Python has no ensurepip: install it (Debian: python3-venv) and try again")
    prefix = [] if os.geteuid() == 0 else ["sudo"]
    subprocess.run([*prefix, "apt-get", "update", "-q"], check=False)
    subprocess.run([*prefix, *command], check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
