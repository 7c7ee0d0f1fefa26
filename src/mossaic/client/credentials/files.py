"""Providers over configuration files: Mossaic's profiles, ossutil's and the aliyun command line's."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from mossaic.client.credentials.aliyun_file import read_aliyun
from mossaic.client.credentials.fixed import Static
from mossaic.client.credentials.mossaic_file import read_mossaic
from mossaic.client.credentials.ossutil_file import read_ossutil
from mossaic.client.errors import CredentialsError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping

    from mossaic.client.credentials.entry import Entry
    from mossaic.client.credentials.pair import Credentials, Provider


class _File:
    """Reads its file when first asked, and again when the server refuses what stood in it."""

    def __init__(self, read: Callable[[], Entry]) -> None:
        self._read = read
        self._lock: Final = threading.Lock()
        self._provider: Provider | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    def look(self) -> str:
        """The place that has credentials, in words. Raises CredentialsError, Missing."""
        entry = self._read()
        entry.provider()
        return entry.place

    def get(self) -> Credentials:
        """Raises CredentialsError, Missing."""
        return self._opened().get()

    def renew(self, stale: Credentials) -> Credentials:
        provider = self._opened()
        if not isinstance(provider, Static):
            return provider.renew(stale)
        entry = self._read()
        fresh = entry.provider()
        with self._lock:
            self._provider = fresh
        pair = fresh.get()
        if pair.same_keys(stale):
            raise CredentialsError(
                f"the server refused the credentials of {entry.place}, and there are no newer ones"
            )
        return pair

    def _opened(self) -> Provider:
        with self._lock:
            if self._provider is None:
                self._provider = self._read().provider()
            return self._provider


class Profile(_File):
    """A profile of Mossaic's configuration file: `name`, else $MOSSAIC_PROFILE, else the file's `default_profile`, else
    `default`. `file`: else $MOSSAIC_CONFIG_FILE, else `mossaic/config.toml` in $XDG_CONFIG_HOME or `~/.config`.

    ```toml
    default_profile = "work"

    [profiles.work]
    endpoint = "https://oss.example.com"
    access_key_id = "..."
    access_key_secret = "..."
    # and region, bucket, security_token, signature ("v4", "v1"), addressing ("auto", "virtual", "path", "cname");
    # role_arn with session_name, duration_s, external_id, sts_endpoint; or anonymous = true
    ```
    """

    def __init__(
        self,
        name: str | None = None,
        file: str | os.PathLike[str] | None = None,
        *,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(lambda: read_mossaic(name, file, environ))


class Ossutil(_File):
    """ossutil's configuration, version 1 or 2: `file`, else $OSSUTIL_CONFIG_FILE, else `~/.ossutilconfig`; of several profiles
    the one in $OSSUTIL_PROFILE, else `default`. Modes AK, StsToken, RamRoleArn and Anonymous."""

    def __init__(
        self, file: str | os.PathLike[str] | None = None, *, environ: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(lambda: read_ossutil(file, environ))


class AliyunCli(_File):
    """A profile of the aliyun command line: `name`, else $ALIBABA_CLOUD_PROFILE, else the current one. `file`: else
    `~/.aliyun/config.json`. Modes AK, StsToken, RamRoleArn and Anonymous."""

    def __init__(
        self,
        name: str | None = None,
        file: str | os.PathLike[str] | None = None,
        *,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(lambda: read_aliyun(name, file, environ))
