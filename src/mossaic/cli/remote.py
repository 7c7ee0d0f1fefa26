"""The foundation of every command that talks to a service: its shared options, the client they describe, and how it ends.

A command is written so:

```python
@click.command(cls=RemoteCommand)
@click.argument("url", type=OBJECT_URL)
@click.pass_obj
def show(shell: Shell, url: Remote) -> int | None:
    url = shell.at(url)
    shell.output.event("seen", f"{url} is there", url=str(url), size=shell.client.head(url.key, bucket=url.bucket).size)
```

It returns its exit code (None: 0) and lets every error fly: `outcome.run` tells it.
"""

from __future__ import annotations

import warnings
from contextlib import suppress
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import click
from click.core import ParameterSource

from mossaic.cli.advice import Where
from mossaic.cli.entries import name_in
from mossaic.cli.outcome import DEBUG, run
from mossaic.cli.output import Face, Output
from mossaic.cli.urls import SCHEME, Remote

if TYPE_CHECKING:
    from mossaic.client.client import Client
    from mossaic.client.credentials import Provider
    from mossaic.client.http import Pool
    from mossaic.client.options import Retrying
    from mossaic.client.profile import ProfileSettings

_QUICK_S: Final = 3.0  # seconds for a question that nobody has to wait for: did you mean …, completion
_COMPLETED: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """The shared options as they were given; None: not given."""

    endpoint: str | None = None
    region: str | None = None
    profile: str | None = None
    access_key_id: str | None = None
    access_key_secret: str | None = None
    security_token: str | None = None
    anonymous: bool = False
    signature: str | None = None
    addressing: str | None = None
    ca_file: str | None = None
    insecure: bool = False
    timeout: float | None = None
    retries: int | None = None
    proxy: str | None = None


class Shell:
    """What a command works with: the client, made when it is first asked for, and the output."""

    def __init__(self, connection: Connection, output: Output, *, debug: bool = False) -> None:
        self.connection = connection
        self.output = output
        self.debug = debug
        self.about: Remote | None = None
        self._to_close: Client | None = None
        self._more: dict[str, Any] = {}  # Any: parameters of Client

    def configure(self, **more: Any) -> None:  # Any: parameters of Client
        """Further parameters of Client (`part_size`, `parallel`, `checksum`, `bandwidth`, `store`), before `client` is used. None is
        passed over."""
        assert "client" not in vars(self), "the client is made already"
        self._more |= {name: value for name, value in more.items() if value is not None}

    @cached_property
    def profile(self) -> ProfileSettings:
        """What the environment and the configuration files say. Raises CredentialsError."""
        from mossaic.client.profile import load_profile  # noqa: PLC0415  # `mossaic ls --help` has no need of the client

        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            found = load_profile(self.connection.profile)
        for warning in said:
            self.output.warn(str(warning.message))
        return found

    @property
    def endpoint(self) -> str | None:
        """None when nobody names one."""
        return self.connection.endpoint or self.profile.endpoint

    def require_endpoint(self) -> str:
        """Raises CredentialsError; click.UsageError when nobody names one."""
        if self.endpoint is None:
            raise click.UsageError(
                "no endpoint: give --endpoint URL, set MOSSAIC_ENDPOINT or OSS_ENDPOINT, or write one into a profile (a service that `make run` started is at http://127.0.0.1:9280)"
            )
        return self.endpoint

    @cached_property
    def client(self) -> Client:
        """Raises CredentialsError; click.UsageError when no endpoint is named, or a value cannot be."""
        from mossaic.client.client import Client  # noqa: PLC0415  # as above

        try:
            client = Client(self.require_endpoint(), **self._parameters())
        except ValueError as error:
            raise click.UsageError(str(error)) from error
        self._to_close = client
        hear_the_client(debug=self.debug)
        return client.with_options(on_retry=self._retrying)

    def at(self, url: Remote) -> Remote:
        """The URL with its bucket: that of the profile where it names none. Raises click.UsageError."""
        if not url.bucket:
            bucket = self.profile.bucket
            if bucket is None:
                raise click.UsageError(f"{url} names no bucket, and neither does the profile nor OSS_BUCKET")
            url = Remote(bucket, url.key)
        self.about = url
        return url

    def where(self) -> Where:
        """For a failure that is to be told."""
        endpoint = None
        with suppress(Exception):  # a failure is being told already, perhaps that of a profile
            endpoint = self.endpoint
        about = self.about or Remote("")
        return Where(
            endpoint=endpoint, bucket=about.bucket or None, key=about.key or None, asking=self.quick_client
        )

    def close(self) -> None:
        if self._to_close is not None:
            self._to_close.close()

    def quick_client(self) -> Client:
        """One that gives up soon, for questions nobody has to wait for."""
        from mossaic.client.options import Retry  # noqa: PLC0415  # as above

        return self.client.with_options(deadline=_QUICK_S, retry=Retry(attempts=1))

    def _retrying(self, retrying: Retrying) -> None:
        """A silent wait looks like one that has no end."""
        self.output.note(f"{retrying.operation}: {retrying.error}; again in {retrying.wait_s:.1f} s")

    def _parameters(self) -> dict[str, Any]:  # Any: parameters of Client
        from mossaic.client.options import Retry  # noqa: PLC0415  # as above

        given, found = self.connection, self.profile
        named: dict[str, Any] = {  # Any: as above
            "bucket": found.bucket,
            "region": given.region or found.region,
            "signature": given.signature or found.signature,
            "addressing": given.addressing or found.addressing,
            "credentials": self.credentials(),
            "retry": None if given.retries is None else Retry(attempts=given.retries + 1),
            **self._line(),
        }
        return {name: value for name, value in named.items() if value is not None} | self._more

    def _line(self) -> dict[str, Any]:  # Any: parameters of Client and of Pool
        from mossaic.client.options import Timeout  # noqa: PLC0415  # as above

        given = self.connection
        wait = given.timeout
        return {
            "verify": False if given.insecure else given.ca_file or True,
            "proxy": given.proxy,
            "timeout": Timeout()
            if wait is None
            else Timeout(connect=min(Timeout().connect, wait), idle=wait),
        }

    @cached_property
    def pool(self) -> Pool:
        """Connections for what is no call of the client, STS. Whoever uses it closes it."""
        from mossaic.client.http import Pool  # noqa: PLC0415  # as above

        return Pool(**self._line())

    def credentials(self) -> Provider:
        """Raises CredentialsError; click.UsageError for half a pair."""
        from mossaic.client.credentials import Anonymous, Static  # noqa: PLC0415  # as above

        given = self.connection
        if given.anonymous:
            return Anonymous()
        if given.access_key_id is None and given.access_key_secret is None:
            return self.profile.credentials
        if not given.access_key_id or not given.access_key_secret:
            raise click.UsageError("--access-key-id and --access-key-secret belong together")
        return Static(given.access_key_id, given.access_key_secret, given.security_token)


# --- the options ------------------------------------------------------------------------------------------------------


def _options() -> list[click.Option]:
    """Made afresh for each command: click keeps state in them."""
    return [*_who_and_where(), *_line(), *_faces()]


def _who_and_where() -> list[click.Option]:
    return [
        click.Option(["-e", "--endpoint"], metavar="URL", help="The service: [http[s]://]host[:port]."),
        click.Option(
            ["--region"],
            metavar="NAME",
            help="Region that V4 signatures are scoped to [default: from the endpoint].",
        ),
        click.Option(["--profile"], metavar="NAME", help="Profile of the configuration file."),
        click.Option(
            ["--access-key-id"], metavar="ID", help="Key id; better in OSS_ACCESS_KEY_ID or a profile."
        ),
        click.Option(
            ["--access-key-secret"],
            metavar="SECRET",
            help="Secret; everybody on this machine can read it here: better in OSS_ACCESS_KEY_SECRET or a profile.",
        ),
        click.Option(
            ["--security-token"],
            metavar="TOKEN",
            help="Token of temporary credentials; better in OSS_SESSION_TOKEN.",
        ),
        click.Option(
            ["--anonymous"], is_flag=True, help="Send no signature: what a bucket allows to everybody."
        ),
        click.Option(
            ["--signature"], type=click.Choice(["v4", "v1"]), help="Signature version [default: v4]."
        ),
        click.Option(
            ["--addressing"],
            type=click.Choice(["auto", "virtual", "path", "cname"]),
            help="How a bucket is named in requests [default: auto].",
        ),
    ]


def _line() -> list[click.Option]:
    positive = click.FloatRange(min=0, min_open=True)
    return [
        click.Option(
            ["--ca-file"],
            metavar="FILE",
            type=click.Path(exists=True, dir_okay=False),
            help="Certificates (PEM) to trust instead of the system's.",
        ),
        click.Option(["--insecure"], is_flag=True, help="Do not verify the certificate of the service."),
        click.Option(
            ["--timeout"], metavar="SECONDS", type=positive, help="Longest silence of the line [default: 60]."
        ),
        click.Option(
            ["--retries"],
            metavar="COUNT",
            type=click.IntRange(min=0),
            help="How often a failed request is sent again [default: 5].",
        ),
        click.Option(
            ["--proxy"], metavar="URL", help='HTTP proxy; "" for none [default: from the environment].'
        ),
    ]


def _faces() -> list[click.Option]:
    return [
        click.Option(
            ["--plain"],
            is_flag=True,
            help="Plain lines for scripts: one fact a line, fields separated by tabs.",
        ),
        click.Option(["--json"], is_flag=True, help="JSON: one object a line."),
        click.Option(["--debug"], is_flag=True, envvar=DEBUG, help="Show the traceback of a failure."),
    ]


_CONNECTION: Final = frozenset(each.name for each in fields(Connection))
SHARED: Final = _CONNECTION | {"plain", "json", "debug"}


def hear_the_client(*, debug: bool) -> None:
    """What the client logs is told by the command in its own words, unless the log itself is asked for."""
    import logging  # noqa: PLC0415  # as above

    if debug:
        logging.basicConfig(level=logging.DEBUG, format="%(name)s: %(message)s")
    else:
        logging.getLogger("mossaic").addHandler(logging.NullHandler())


class RemoteCommand(click.Command):
    """A command of the client: has the shared options, gets a Shell as its object, and ends with an exit code of `outcome`."""

    def __init__(self, *positional: Any, **named: Any) -> None:  # Any: click's
        super().__init__(*positional, **named)
        self.params = [*self.params, *_options()]

    def invoke(self, ctx: click.Context) -> None:
        shell = shell_of(ctx)
        ctx.obj = shell
        if ctx.get_parameter_source("access_key_secret") is ParameterSource.COMMANDLINE:
            shell.output.warn(
                "a secret on the command line can be seen by everybody on this machine; better: OSS_ACCESS_KEY_SECRET or a profile"
            )
        for name in SHARED:
            ctx.params.pop(name, None)

        def work() -> int | None:
            try:
                code: int | None = super(RemoteCommand, self).invoke(ctx)
            finally:
                shell.close()
            return code

        ctx.exit(run(work, shell.output, shell.where, debug=shell.debug))

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The command's own options first."""
        own: list[tuple[str, str]] = []
        shared: list[tuple[str, str]] = []
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx) if isinstance(param, click.Option) else None
            if record is not None:
                (shared if param.name in SHARED else own).append(record)
        with formatter.section("Options"):
            formatter.write_dl(own)
        with formatter.section("Connection and output"):
            formatter.write_dl(shared)

    def names(self, ctx: click.Context, incomplete: str) -> list[str]:
        """URLs that begin so, for completion: buckets, or one level of a bucket. Never fails, never waits long."""
        with suppress(Exception):  # a shell that completes has no place for errors
            shell = shell_of(ctx)
            client = shell.quick_client()
            bucket, slash, key = incomplete.removeprefix(SCHEME).partition("/")
            if not slash:
                return [
                    f"{SCHEME}{entry.name}/" for entry in client.list_buckets(bucket, max_items=_COMPLETED)
                ]
            entries = client.list_objects(key, delimiter="/", max_items=_COMPLETED, bucket=bucket or None)
            return [f"{SCHEME}{bucket}/{name_in(entry)}" for entry in entries]
        return []


class Family(click.Group):
    """A group of client commands (`mossaic uploads …`)."""

    command_class = RemoteCommand


def shell_of(ctx: click.Context) -> Shell:
    """From the values of the shared options. Raises click.UsageError."""
    given = ctx.params
    if given.get("plain") and given.get("json"):
        raise click.UsageError("--plain and --json are two faces: choose one", ctx)
    face: Face = "json" if given.get("json") else "plain" if given.get("plain") else "human"
    connection = Connection(**{name: given[name] for name in _CONNECTION if given.get(name) is not None})
    return Shell(connection, Output(face), debug=bool(given.get("debug")))
