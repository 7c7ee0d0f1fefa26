"""Make the virtual environment and install Mossaic with one extra into it; `make` calls this when pyproject.toml is newer.

    make_venv.py FOLDER EXTRA [--exactly]

With --exactly the environment is of the Python that runs this; else it may be of the system's, where that is the same version in a
faster build.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

SYSTEM = "/usr/bin/python3"
# A build without profile-guided optimization (pyenv's default) takes half as long again for the same program.
WORTH_IT = 1.15
ROUNDS = 4
TIME = """
import timeit
class Thing:
    def __init__(self, number, text): self.number, self.text = number, text
def run():
    found = {}
    for number in range(1000):
        thing = Thing(number, f"{number}-{number & 7}")
        found[thing.text] = thing.number + sum(map(len, thing.text.split("-")))
print(min(timeit.repeat(run, number=5, repeat=30)))
"""


def main(folder: Path, extra: str, *, exactly: bool) -> None:
    python = folder / "bin" / "python"
    if not python.exists():
        maker = sys.executable if exactly else quickest()
        print(f"making {folder} with {maker} ...", flush=True)
        make(folder, maker)
    print(f"installing mossaic[{extra}] ...", flush=True)
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-e", f".[{extra}]"],
        check=True,
    )
    (folder / f".{extra}").touch()
    if extra == "dev":
        (folder / ".server").touch()


def make(folder: Path, maker: str) -> None:
    if maker != sys.executable:
        subprocess.run([maker, "-m", "venv", folder], check=True)
        return
    try:
        venv.create(folder, with_pip=True)
    except (subprocess.CalledProcessError, ImportError):
        shutil.rmtree(folder, ignore_errors=True)
        install_venv_package()
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)


def quickest() -> str:
    """The Python to use: this one, or the system's when it is of the same version, complete, and clearly faster."""
    if not Path(SYSTEM).exists() or Path(SYSTEM).resolve() == Path(sys.executable).resolve():
        return sys.executable
    version = ask(SYSTEM, "import ensurepip, venv, sys; print(sys.version_info[:2])")
    if version != str(sys.version_info[:2]):
        return sys.executable
    # In turn, and the best of each counts: other work on the machine slows one measurement or another.
    said = [(ask(sys.executable, TIME), ask(SYSTEM, TIME)) for _ in range(ROUNDS)]
    ours, theirs = ([float(each) for each in column if each] for column in zip(*said, strict=True))
    if not ours or not theirs or min(ours) < min(theirs) * WORTH_IT:
        return sys.executable
    return SYSTEM


def ask(python: str, program: str) -> str | None:
    """What the program prints; None when it fails."""
    done = subprocess.run([python, "-c", program], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def install_venv_package() -> None:
    """Debian keeps ensurepip in a package of its own."""
    command = ["apt-get", "install", "-y", "-q", "--no-install-recommends", "python3-venv"]
    if shutil.which("apt-get") is None:
        sys.exit("this Python has no ensurepip: install it (Debian: python3-venv) and try again")
    prefix = [] if os.geteuid() == 0 else ["sudo"]
    subprocess.run([*prefix, "apt-get", "update", "-q"], check=False)
    subprocess.run([*prefix, *command], check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], exactly="--exactly" in sys.argv[3:])
