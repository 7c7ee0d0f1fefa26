"""The account's own key pair: from the settings, or random ones made on the first start and kept beside the data."""

from __future__ import annotations

import json
import os
import secrets
from typing import TYPE_CHECKING, Final, cast

from mossaic.model.identity import Secret
from mossaic.quick import dataclass

if TYPE_CHECKING:
    from pathlib import Path

    from mossaic.config import Settings

FILE_NAME: Final = "root-key.json"


class RootKeyError(Exception):
    """The pair is incomplete or its file cannot be used; the text says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RootKey:
    """`fresh`: made just now, so the operator has not seen it yet. `file`: where it is kept, None when it came from the settings."""

    access_key_id: str
    secret: Secret
    fresh: bool = False
    file: Path | None = None


def find(settings: Settings) -> RootKey:
    """Raises RootKeyError."""
    given = (settings.access_key_id, settings.access_key_secret)
    if all(given):
        return RootKey(access_key_id=given[0], secret=Secret(given[1]))
    if any(given):
        raise RootKeyError("access_key_id and access_key_secret belong together: set both or none")
    file = settings.data_dir / FILE_NAME
    if file.exists():
        return _read(file)
    return _make(file)


def _read(file: Path) -> RootKey:
    try:
        kept = cast("dict[str, str]", json.loads(file.read_text("utf-8")))
        return RootKey(
            access_key_id=kept["access_key_id"], secret=Secret(kept["access_key_secret"]), file=file
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RootKeyError(
            f"{file} cannot be read ({error}); restore it, or remove it to get a new pair"
        ) from None


def _make(file: Path) -> RootKey:
    """Created with mode 0600 from the first moment; a second process that starts at the same time reads the first one's."""
    access_key_id, secret = f"MSC{secrets.token_hex(10).upper()}", secrets.token_urlsafe(30)
    text = json.dumps({"access_key_id": access_key_id, "access_key_secret": secret}, indent=2) + "\n"
    scratch = file.with_name(f".{FILE_NAME}.{secrets.token_hex(4)}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        try:
            os.link(scratch, file)  # fails when it is there: never replaces a pair that is in use
        except FileExistsError:
            return _read(file)
        finally:
            scratch.unlink()
    except OSError as error:
        raise RootKeyError(f"{file} cannot be written: {error.strerror}") from None
    return RootKey(access_key_id=access_key_id, secret=Secret(secret), fresh=True, file=file)
