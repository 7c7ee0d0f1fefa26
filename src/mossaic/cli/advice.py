"""What to do next after a failure: a table from code to words, and names that were perhaps meant."""

from __future__ import annotations

import errno
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from mossaic.cli.entries import name_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from mossaic.client.client import Client

# The client, where there is one, made for a quick question.
Asking: TypeAlias = "Callable[[], Client]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """What a command was about, as far as it got to know it."""

    endpoint: str | None = None
    bucket: str | None = None
    key: str | None = None
    asking: Asking | None = None

    @property
    def url(self) -> str:
        return f"oss://{self.bucket or 'BUCKET'}" + (f"/{self.key}" if self.key else "")

    @property
    def is_near(self) -> bool:
        """Whether the service is on this machine."""
        host = (self.endpoint or "").partition("://")[2]
        return host.startswith(("127.", "localhost", "[::1]"))


BY_CODE: Final = {
    "AccessDenied": (
        "these credentials may not do this: ask the owner of {bucket_url} for a policy or an ACL that allows it",
        "or use other credentials: `--profile NAME`, OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET",
    ),
    "SignatureDoesNotMatch": (
        "the access key secret is most likely wrong, or has a blank or a line end too much",
        "if it is right: does the service want the older signature? try `--signature v1`; is `--region` its region?",
    ),
    "InvalidAccessKeyId": (
        "the service at {endpoint} does not know this access key id: is it of this service, and enabled?",
        "on the server, `mossaic key list` shows the keys it knows",
    ),
    "RequestTimeTooSkewed": (
        "the clock of this machine is too far from the server's: set it (`timedatectl set-ntp true`)",
    ),
    "SecurityTokenExpired": (
        "the temporary credentials are over: get new ones (`mossaic sts mint …`) and run the same command again; what was uploaded is kept",
    ),
    "InvalidSecurityToken": (
        "the security token does not belong to this service or to this key: get a new set of all three values",
    ),
    "NoSuchBucket": ("make it with `mossaic mb {bucket_url}`, or see which there are with `mossaic ls`",),
    "BucketAlreadyExists": ("the name is taken by somebody else: choose another",),
    "BucketNotEmpty": (
        "see what is in it with `mossaic ls -r {bucket_url}` and `mossaic uploads ls {bucket_url}`",
        "`mossaic rb --force {bucket_url}` deletes all of it",
    ),
    "NoSuchKey": ("see what there is with `mossaic ls {folder_url}`",),
    "NoSuchVersion": ("see the versions with `mossaic ls --versions {url}`",),
    "NoSuchUpload": (
        "the upload was completed or aborted: `mossaic stat {url}` shows whether the object is there",
        "`mossaic uploads ls {bucket_url}` shows what is unfinished",
    ),
    "FileAlreadyExists": ("an object of that name is there and overwriting was forbidden",),
    "InvalidObjectState": ("the object is archived: restore it first",),
    "NoSuchCORSConfiguration": ("`mossaic cors set {bucket_url} --allow-origin '*'` lets browsers in",),
    "NoSuchLifecycle": ("`mossaic lifecycle abort-stale-after 7 {bucket_url}` sets a first rule",),
    "EntityTooLarge": ("send it in parts: `mossaic cp` does so by itself",),
    "InternalError": ("try again; if it stays, the request id tells the server's log what happened",),
    "ServiceUnavailable": ("the service is overloaded or going down: try again in a while",),
    "UnreadableAnswer": ("is {endpoint} an OSS service? something else may be answering there",),
}

_REFUSED: Final = (
    "is the service running? `make run` (or `mossaic serve`) starts one on this machine",
    "is the endpoint right? it is {endpoint}; `--endpoint`, OSS_ENDPOINT or the profile names another",
)
_REFUSED_FAR: Final = ("is the endpoint right, and is the service up? it is {endpoint}",)
_TIMED_OUT: Final = (
    "run the same command again: an upload goes on where it stopped",
    "on a slow line: `--timeout 300`, and for uploads a smaller part size",
)
_NOT_FOUND: Final = ("is the endpoint spelled right, and is there a network? it is {endpoint}",)
_TLS: Final = (
    "`--ca-file FILE` trusts the authority that signed the service's certificate; `--insecure` believes anybody",
    "does the service speak TLS at all? then the endpoint begins with https://, otherwise with http://",
)
_BROKEN: Final = ("run the same command again: an upload goes on where it stopped",)
_ROLE: Final = (
    "is the ARN right, does the role's trust policy name you, and may you do sts:AssumeRole? `mossaic role show NAME` on the server tells",
    "`--ttl` is 15m to the longest session of the role",
)
_BY_KIND: Final = {
    "ConnectionTimeoutError": _TIMED_OUT,
    "DeadlineExceeded": _TIMED_OUT,
    "CredentialsError": (
        "set OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET, or write a profile into ~/.config/mossaic/config.toml",
        "`make run` prints the key pair of the service that it starts",
    ),
    "SourceChanged": (
        "the file was written to while it was sent: run the same command again when it is at rest",
    ),
    "ChecksumMismatch": ("bytes were damaged on the way or in memory: run the same command again",),
    "UploadAborted": ("the upload id is gone: run the same command again to begin anew",),
    "UploadCancelled": _BROKEN,
    "Held": ("another process sends the same file to the same place: wait for it, or stop it",),
}
_BY_ERRNO: Final = {
    errno.ENOSPC: ("the disk is full: make room and run the same command again",),
    errno.EACCES: ("the file or its folder does not belong to this user",),
    errno.EMFILE: ("too many files are open: raise `ulimit -n`, or do less at the same time",),
}


def advice(error: BaseException, where: Where) -> tuple[str, ...]:
    """Lines that say what to do; none when nothing sensible is known."""
    code = getattr(error, "code", None)
    if isinstance(code, str):
        return (*_meant(code, where), *_filled(BY_CODE.get(code, ()), where))
    return _filled(_by_kind(error, where), where)


def _by_kind(error: BaseException, where: Where) -> tuple[str, ...]:
    from mossaic.client import errors  # noqa: PLC0415  # `mossaic ls --help` has no need of the client

    if isinstance(error, errors.NetworkError) and not isinstance(error, TimeoutError):
        return _of_network(str(error), where)
    if isinstance(error, errors.CredentialsError) and "refused" in str(error):
        return _ROLE
    for kind in type(error).__mro__:
        if kind.__name__ in _BY_KIND:
            return _BY_KIND[kind.__name__]
    if isinstance(error, OSError):
        return _BY_ERRNO.get(error.errno or 0, ())
    if isinstance(error, errors.MossaicError | ValueError | KeyboardInterrupt):
        return ()
    return ("this is a fault of mossaic: please report it, with what `--debug` prints",)


def _of_network(words: str, where: Where) -> tuple[str, ...]:
    if "refused" in words:
        return _REFUSED if where.is_near else _REFUSED_FAR
    if "is not found" in words or "has no address" in words:
        return _NOT_FOUND
    if "certificate" in words or "TLS" in words:
        return _TLS
    return _BROKEN


def _filled(lines: tuple[str, ...], where: Where) -> tuple[str, ...]:
    key = where.key or ""
    bucket_url = f"oss://{where.bucket or 'BUCKET'}"
    said: dict[str, Any] = {  # Any: texts
        "endpoint": where.endpoint or "not known",
        "url": where.url,
        "bucket_url": bucket_url,
        "folder_url": f"{bucket_url}/{key[: key.rfind('/') + 1]}",
    }
    return tuple(line.format(**said) for line in lines)


# --- names that were perhaps meant ------------------------------------------------------------------------------------

_LOOKED_AT: Final = 500


def _meant(code: str, where: Where) -> tuple[str, ...]:
    """`did you mean …`: one more request to the service, which may fail without a word."""
    if code not in ("NoSuchBucket", "NoSuchKey") or not where.bucket or where.asking is None:
        return ()
    from mossaic.client.errors import MossaicError  # noqa: PLC0415  # as above

    with suppress(MossaicError, OSError, ValueError):
        return _near(where.asking(), code, where.bucket, where.key or "")
    return ()


def _near(client: Client, code: str, bucket: str, key: str) -> tuple[str, ...]:
    from difflib import get_close_matches  # noqa: PLC0415  # only after a failure

    if code == "NoSuchBucket":
        names = [entry.name for entry in client.list_buckets(max_items=_LOOKED_AT)]
        return tuple(
            f"did you mean oss://{name}?" for name in get_close_matches(bucket, names, n=1, cutoff=0.7)
        )
    folder = key[: key.rfind("/") + 1]
    entries = client.list_objects(folder, delimiter="/", max_items=_LOOKED_AT, bucket=bucket)
    names = [name_in(entry) for entry in entries]
    if f"{key}/" in names:
        return (f"oss://{bucket}/{key}/ is a folder: end it with a slash",)
    return tuple(
        f"did you mean oss://{bucket}/{name}?" for name in get_close_matches(key, names, n=1, cutoff=0.7)
    )
