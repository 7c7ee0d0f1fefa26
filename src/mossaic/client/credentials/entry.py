"""What a configuration file says under one name, the same for every kind of file, and the provider that it describes."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from mossaic.client.credentials.assume import DEFAULT_SESSION_NAME, AssumeRole
from mossaic.client.credentials.fixed import Anonymous, Static
from mossaic.client.credentials.pair import Missing
from mossaic.client.errors import CredentialsError
from mossaic.protocol.sts import DEFAULT_SESSION_S

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mossaic.client.credentials.pair import Provider

_ALIYUN_STS: Final = "https://sts.aliyuncs.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """`place` says in words where this is written. None: nothing is said. `trouble`: why what is there is of no use to us."""

    place: str
    endpoint: str | None = None
    region: str | None = None
    bucket: str | None = None
    signature: str | None = None
    addressing: str | None = None
    access_key_id: str | None = None
    access_key_secret: str | None = field(default=None, repr=False)
    security_token: str | None = field(default=None, repr=False)
    anonymous: bool = False
    role_arn: str | None = None
    session_name: str | None = None
    external_id: str | None = field(default=None, repr=False)
    duration_s: int | None = None
    sts_endpoint: str | None = None
    trouble: str | None = None

    def provider(self) -> Provider:
        """Raises CredentialsError (half a pair, an unusable value), Missing."""
        if self.trouble is not None:
            raise Missing(f"{self.place}: {self.trouble}")
        if self.anonymous:
            return Anonymous()
        if self.access_key_id is None and self.access_key_secret is None:
            if self.role_arn is not None:
                raise CredentialsError(f"{self.place}: a role needs an access_key_id that may assume it")
            raise Missing(f"{self.place}: no access_key_id")
        try:
            own = Static(self.access_key_id or "", self.access_key_secret or "", self.security_token)
            return own if self.role_arn is None else self._role(own, self.role_arn)
        except ValueError as error:
            raise CredentialsError(f"{self.place}: {error}") from None

    def _role(self, own: Static, role_arn: str) -> AssumeRole:
        endpoint = self.sts_endpoint or sts_endpoint(self.endpoint)
        if endpoint is None:
            raise CredentialsError(f"{self.place}: role_arn needs an endpoint or an sts_endpoint")
        return AssumeRole(
            own,
            role_arn,
            endpoint=endpoint,
            session_name=self.session_name or DEFAULT_SESSION_NAME,
            duration_s=self.duration_s or DEFAULT_SESSION_S,
            external_id=self.external_id,
        )


def sts_endpoint(endpoint: str | None) -> str | None:
    """Where STS is for an endpoint of buckets: there, too, but for Alibaba Cloud's own."""
    if endpoint is None:
        return None
    host = urlsplit(endpoint if "://" in endpoint else f"//{endpoint}").hostname or ""
    return _ALIYUN_STS if host.endswith(".aliyuncs.com") else endpoint


# --- files ------------------------------------------------------------------------------------------------------------


def environment(environ: Mapping[str, str] | None) -> Mapping[str, str]:
    return os.environ if environ is None else environ


def home_file(environ: Mapping[str, str], *names: str) -> Path:
    home = environ.get("HOME")
    return Path(home, *names) if home else Path.home().joinpath(*names)


def given_file(text: str, environ: Mapping[str, str]) -> Path:
    """A file as named in a variable; a leading `~/` is the home directory."""
    return home_file(environ, text[2:]) if text.startswith("~/") else Path(text)


def read_text(path: Path) -> str:
    """Raises Missing (there is no such file), CredentialsError (it cannot be read)."""
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise Missing(f"{path}: no such file") from None
    except OSError as error:
        raise CredentialsError(f"{path} cannot be read: {error.strerror}") from None
    text = data.decode("utf-8-sig", "replace")
    if "\ufffd" in text:
        raise CredentialsError(f"{path} is not UTF-8 text")
    return text
