"""Settings: one frozen tree, from defaults, a TOML file, `MOSSAIC_*` variables and the command line, in that order.

A key `a` of the file is `MOSSAIC_A`, a key `b` of its table `[section]` is `MOSSAIC_SECTION_B`; lists are separated by commas in
the environment. An unknown key is an error that names the nearest one. docs/settings.md describes each; a test compares.
"""

from __future__ import annotations

import os
import re
from dataclasses import field, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, get_origin, get_type_hints

import msgspec

from mossaic.cores import usable_cores
from mossaic.protocol.checksum import EtagKind  # noqa: TC001  # read from the annotations
from mossaic.quick import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from dataclasses import Field

PREFIX = "MOSSAIC_"
# The SDK's and the command line's own: a shell set up for them also starts the service.
CLIENT_VARIABLES = frozenset(
    f"MOSSAIC_{name}" for name in "BUCKET CONFIG_FILE DEBUG ENDPOINT PROFILE SECURITY_TOKEN STATE_DIR".split()
)

MAX_WORKERS: Final = 64
MAX_AUTO: Final = 8  # more are asked for by number: each has memory of its own, and they write in turn
_TEN_YEARS_S: Final = 315_360_000
Count = Annotated[int, msgspec.Meta(ge=1)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=_TEN_YEARS_S)]
Deadline = Annotated[float, msgspec.Meta(gt=0, le=_TEN_YEARS_S)]  # in seconds; none at all is not to be had

# What a text must look like, and how to say it.
_URL: Final = (r"(https?://.+)?", "is a URL that begins with http:// or https://")
_TEXTS: Final = {
    "region": (r"(?!oss-)[a-z0-9-]+", "is a region's id without oss-, such as cn-hangzhou"),
    "cnames": (r"[^=\s]+=[a-z0-9-]+", "is DOMAIN=BUCKET"),
    "account_id": (r"[0-9]{0,20}", "is a number"),
    "log.level": (r"(?i:debug|info|warning|error|critical)", "is debug, info, warning, error or critical"),
    "public_endpoint": _URL,
    "callback.public_url": _URL,
    "console.connect": (
        r"(https?|wss?)://[A-Za-z0-9.*:\[\]-]+",
        "is an origin such as https://oss.example.com",
    ),
}


class SettingsError(Exception):
    """A setting is unknown or has a value that does not fit; the text names it and its origin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """`access`: where the access log goes, one JSON line a request: "-" (standard output), "off" or a file."""

    access: str = "-"
    level: str = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    """Deadlines in seconds, sizes in bytes."""

    max_head_bytes: Annotated[int, msgspec.Meta(ge=1024)] = 65_536
    max_connections: Count = 10_000
    head_timeout_s: Deadline = 30.0
    body_idle_s: Deadline = 60.0
    keepalive_s: Deadline = 75.0
    write_idle_s: Deadline = 60.0
    shutdown_s: Seconds = 25.0
    threads: Annotated[int, msgspec.Meta(ge=2)] = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsSettings:
    """Files in PEM; empty: plain HTTP."""

    certificate: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    """`sync` False gives up durability at power loss for speed; `inline_bytes`: objects up to this size lie in the database, and
    in memory while they are written and read; `etag`: what ETags of parts and of objects in one piece are made of; `warm_bytes`: how
    much of what was written last to files stays in the system's cache."""

    sync: bool = True
    inline_bytes: Annotated[int, msgspec.Meta(ge=0, le=1_048_576)] = 16_384
    etag: EtagKind = "md5"
    warm_bytes: Annotated[int, msgspec.Meta(ge=0)] = 33_554_432


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadSettings:
    """`replay_s`: how long a repeated CompleteMultipartUpload gets the first answer again; 0 answers NoSuchUpload at once."""

    replay_s: Seconds = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackSettings:
    """Which receivers an upload callback may reach besides public addresses, and under which URL they find our public key."""

    allow_loopback: bool = False
    allow_private: bool = False
    timeout_s: Deadline = 5.0
    public_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepSettings:
    """Seconds between rounds; how old unknown bytes must be before they are freed; how long a reader may need replaced bytes."""

    interval_s: Deadline = 60.0
    orphan_grace_s: Seconds = 86_400.0
    reader_grace_s: Seconds = 3_600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleSettings:
    """The web page. `session_s`: how long the keys of a sign-in live, renewed until `session_max_s` after it; `connect`: origins
    that the page may talk to besides its own; `callbacks`: how many upload callbacks are kept for its inspector."""

    enabled: bool = True
    session_s: Annotated[float, msgspec.Meta(ge=60, le=43_200)] = 3_600.0
    session_max_s: Annotated[float, msgspec.Meta(ge=60, le=604_800)] = 43_200.0
    connect: tuple[str, ...] = ()
    callbacks: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be set."""

    listen: str = "127.0.0.1:9280"
    data: str = "mossaic-data"
    workers: Annotated[int, msgspec.Meta(ge=1, le=MAX_WORKERS)] | Literal["auto"] = "auto"
    region: str = "cn-hangzhou"
    strict_region: bool = False  # refuse V4 signatures that were made for another region
    domains: tuple[str, ...] = (
        "localhost",
        "*.localhost",
        "oss-*.aliyuncs.com",  # the regions, -internal, and accelerate
        "*.aliyuncs.com",  # ali-oss with an IP endpoint writes BUCKET.<its region option>.aliyuncs.com
    )
    cnames: tuple[str, ...] = ()  # "domain=bucket"
    public_endpoint: str = ""
    account_id: str = ""
    access_key_id: str = ""
    access_key_secret: str = field(default="", repr=False)
    demo_bucket: str = ""
    max_buckets: Count = 100
    log: LogSettings = field(default_factory=LogSettings)
    http: HttpSettings = field(default_factory=HttpSettings)
    tls: TlsSettings = field(default_factory=TlsSettings)
    store: StoreSettings = field(default_factory=StoreSettings)
    upload: UploadSettings = field(default_factory=UploadSettings)
    callback: CallbackSettings = field(default_factory=CallbackSettings)
    sweep: SweepSettings = field(default_factory=SweepSettings)
    console: ConsoleSettings = field(default_factory=ConsoleSettings)

    @property
    def data_dir(self) -> Path:
        return Path(self.data).expanduser()

    @property
    def worker_count(self) -> int:
        """`auto` is one for each core that this process may use, at most MAX_AUTO; one where processes cannot be forked."""
        if self.workers != "auto":
            return self.workers
        return min(usable_cores(), MAX_AUTO) if hasattr(os, "fork") else 1

    @property
    def host_port(self) -> tuple[str, int]:
        """Raises SettingsError."""
        host, colon, port = self.listen.rpartition(":")
        if not colon or not port.isdigit() or int(port) > 65_535:
            raise SettingsError(f"listen must be HOST:PORT, not {self.listen!r}")
        return host.strip("[]") or "127.0.0.1", int(port)


SECRET_KEYS = frozenset({"access_key_secret"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """The settings and, for each key that was set, where its value came from."""

    settings: Settings
    origins: Mapping[str, str]


def keys() -> Iterator[str]:
    """Every setting's dotted name."""
    for item in fields(Settings):
        section = _section(item)
        if section is None:
            yield item.name
        else:
            yield from (f"{item.name}.{inner.name}" for inner in fields(section))


def _section(item: Field[Any]) -> type[Any] | None:  # Any: of any type
    """The class of a section; None for a setting."""
    made: Any = item.default_factory  # Any: a class or a function
    return made if isinstance(made, type) and is_dataclass(made) else None


def _kind(key: str) -> Any:  # Any: the type of a setting
    """Annotations are read of the classes only in which something was set: that takes a part of a millisecond each."""
    section, _, name = key.rpartition(".")
    return _kinds(section)[name]


@cache
def _kinds(section: str) -> dict[str, Any]:  # Any: as above
    shape = _sections()[section] if section else Settings
    return get_type_hints(shape, include_extras=True)


@cache
def _sections() -> dict[str, type[Any]]:  # Any: of any type
    found = {item.name: _section(item) for item in fields(Settings)}
    return {name: section for name, section in found.items() if section is not None}


def environment_name(key: str) -> str:
    return PREFIX + key.replace(".", "_").upper()


def load(
    *,
    file: Path | None = None,
    environ: Mapping[str, str] | None = None,
    overrides: Mapping[str, object] | None = None,
) -> Loaded:
    """Raises SettingsError (unknown key, wrong type, out of range, unreadable file)."""
    known = frozenset(keys())
    values: dict[str, object] = {}
    origins: dict[str, str] = {}

    def take(found: Mapping[str, object], origin: str) -> None:
        for key, value in found.items():
            if key not in known:
                raise SettingsError(f"{origin}: unknown setting {key!r}{_nearest(key, known)}")
            values[key] = value
            origins[key] = origin

    if file is not None:
        take(_read_file(file), str(file))
    take(_read_environment(os.environ if environ is None else environ, known), "environment")
    take({key: value for key, value in (overrides or {}).items() if value is not None}, "command line")
    settings = _convert(values, origins)
    _ = settings.host_port
    if settings.tls.key and not settings.tls.certificate:
        raise SettingsError(
            f"{origins['tls.key']}: tls.key needs tls.certificate, or the service would not speak TLS"
        )
    return Loaded(settings=settings, origins=origins)


def _nearest(key: str, known: Iterable[str]) -> str:
    import difflib  # noqa: PLC0415  # only for a name that is wrong

    close = difflib.get_close_matches(key, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _read_file(file: Path) -> dict[str, object]:
    import tomllib  # noqa: PLC0415  # only for those who have such a file

    try:
        tree = tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{file}: {error}") from None
    flat: dict[str, object] = {}
    for name, value in tree.items():
        if isinstance(value, dict):
            flat |= {f"{name}.{inner}": item for inner, item in value.items()}  # pyright: ignore[reportUnknownVariableType]  # TOML
        else:
            flat[name] = value
    return flat


def _read_environment(environ: Mapping[str, str], known: Iterable[str]) -> dict[str, object]:
    names = {environment_name(key): key for key in known}
    found: dict[str, object] = {}
    for name, text in environ.items():
        if not name.startswith(PREFIX):
            continue
        key = names.get(name)
        if key is None and name in CLIENT_VARIABLES:
            continue
        if key is None:
            raise SettingsError(f"environment: unknown variable {name}{_nearest(name, names)}")
        is_list = get_origin(_kind(key)) is tuple
        found[key] = [item.strip() for item in text.split(",") if item.strip()] if is_list else text
    return found


def _convert(values: Mapping[str, object], origins: Mapping[str, str]) -> Settings:
    trees: dict[str, dict[str, Any]] = {"": {}}  # Any: values of any type; by section
    for key, value in values.items():
        try:
            converted = msgspec.convert(value, _kind(key), strict=False)
        except msgspec.ValidationError as error:
            raise SettingsError(f"{origins[key]}: {key}: {error}") from None
        _check_text(key, converted, origins[key])
        section, _, name = key.rpartition(".")
        trees.setdefault(section, {})[name] = converted
    own = trees.pop("")
    return Settings(**own, **{name: _sections()[name](**tree) for name, tree in trees.items()})


def _check_text(key: str, value: object, origin: str) -> None:
    pattern, words = _TEXTS.get(key, ("", ""))
    for text in value if isinstance(value, tuple) else (value,):  # pyright: ignore[reportUnknownVariableType]  # of str
        if pattern and not re.fullmatch(pattern, str(text)):  # pyright: ignore[reportUnknownArgumentType]  # as above
            raise SettingsError(f"{origin}: {key}: {text!r} is not right, it {words}")


def describe(loaded: Loaded) -> Iterator[tuple[str, str, str]]:
    """(key, value, origin) of every setting; secrets as ***."""
    for key in keys():
        value: object = loaded.settings
        for name in key.split("."):
            value = getattr(value, name)
        shown = "***" if key in SECRET_KEYS and value else _show(value)
        yield key, shown, loaded.origins.get(key, "default")


def _show(value: object) -> str:
    return ", ".join(value) if isinstance(value, tuple) else str(value)  # pyright: ignore[reportUnknownArgumentType]  # only tuples of str
