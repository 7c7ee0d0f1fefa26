"""`mossaic user|key|role|policy …`: who may do what. Works on the data directory, also while the server runs; prints JSON."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from mossaic.config import SettingsError, load
from mossaic.ports import StoreError
from mossaic.protocol.errors import OssError
from mossaic.protocol.sts import DEFAULT_SESSION_S
from mossaic.service.directory import Directory
from mossaic.service.identity import account_id
from mossaic.stores.sql.sqlite import SqliteMetadata

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from mossaic.model.identity import AccessKey, NamedPolicy, Role, User

METADATA_FILE: Final = "metadata.db"


class Place:
    """Where the commands work: `--data` and `--config` of one invocation."""

    def __init__(self, data: str | None, config: Path | None) -> None:
        self._data = data
        self._config = config

    def run(self, work: Callable[[Directory], Awaitable[object]]) -> None:
        """Open the store, do `work`, print what it gives as JSON. Errors end the command with status 1 and one line."""
        try:
            result = asyncio.run(self._run(work))
        except OssError as error:
            raise click.ClickException(error.message) from None
        except (SettingsError, StoreError, OSError) as error:
            raise click.ClickException(str(error) or type(error).__name__) from None
        if result is not None:
            click.echo(json.dumps(result, indent=2, ensure_ascii=False))

    async def _run(self, work: Callable[[Directory], Awaitable[object]]) -> object:
        settings = load(file=self._config, overrides={"data": self._data}).settings
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        store = SqliteMetadata.open(settings.data_dir / METADATA_FILE)
        try:
            return await work(Directory(store, await account_id(store, settings.account_id or None)))
        finally:
            await store.close()


def _placed(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command `--data` and `--config`, as one `place`."""

    @click.option("--data", metavar="DIR", help="Data directory (default: setting `data`).")
    @click.option(
        "--config", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="Settings file."
    )
    @click.pass_context
    def placed(
        context: click.Context, /, data: str | None, config: Path | None, **rest: Any
    ) -> None:  # Any: click's
        context.invoke(command, place=Place(data, config), **rest)

    placed.__doc__ = command.__doc__
    placed.__name__ = command.__name__
    placed.__dict__["__click_params__"] = [
        *getattr(placed, "__click_params__", []),
        *getattr(command, "__click_params__", []),
    ]
    return placed


def _now() -> datetime:
    return datetime.now(UTC)


def _text_or_file(given: str) -> str:
    """JSON as it is, or the content of the file of that name. Raises click.ClickException."""
    if given.lstrip().startswith("{"):
        return given
    try:
        return Path(given).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{given}: {error}") from None


# --- user -------------------------------------------------------------------------------------------------------------


@click.group()
def user() -> None:
    """RAM users of the account."""


@user.command("create")
@click.argument("name")
@_placed
def create_user(place: Place, name: str) -> None:
    """Make a user; it may do nothing until a policy is attached."""

    async def work(directory: Directory) -> object:
        return _user(directory, await directory.create_user(name, _now()))

    place.run(work)


@user.command("list")
@_placed
def list_users(place: Place) -> None:
    """All users."""

    async def work(directory: Directory) -> object:
        return [_user(directory, each) for each in await directory.users()]

    place.run(work)


@user.command("show")
@click.argument("name")
@_placed
def show_user(place: Place, name: str) -> None:
    """A user with its policies and the ids of its keys."""

    async def work(directory: Directory) -> object:
        found = await directory.user(name)
        return {
            **_user(directory, found),
            "access_keys": [_key(each) for each in await directory.keys(name)],
        }

    place.run(work)


@user.command("delete")
@click.argument("name")
@_placed
def delete_user(place: Place, name: str) -> None:
    """Delete a user and its keys."""
    place.run(lambda directory: directory.delete_user(name))


@user.command("attach")
@click.argument("name")
@click.argument("policy_name")
@_placed
def attach_to_user(place: Place, name: str, policy_name: str) -> None:
    """Give a user the rights of a policy."""

    async def work(directory: Directory) -> object:
        return _user(directory, await directory.attach_to_user(name, policy_name))

    place.run(work)


@user.command("detach")
@click.argument("name")
@click.argument("policy_name")
@_placed
def detach_from_user(place: Place, name: str, policy_name: str) -> None:
    """Take the rights of a policy from a user."""

    async def work(directory: Directory) -> object:
        return _user(directory, await directory.detach_from_user(name, policy_name))

    place.run(work)


# --- key --------------------------------------------------------------------------------------------------------------


@click.group()
def key() -> None:
    """Access key pairs."""


@key.command("create")
@click.option(
    "--user", "user_name", metavar="NAME", help="The user it belongs to; without, the account itself."
)
@_placed
def create_key(place: Place, user_name: str | None) -> None:
    """Make a key pair. The secret is printed now and cannot be shown again."""

    async def work(directory: Directory) -> object:
        made = await directory.create_key(user_name, _now())
        return {**_key(made), "access_key_secret": made.secret.reveal()}

    place.run(work)


@key.command("list")
@click.option("--user", "user_name", metavar="NAME", help="Of this user; without, of the account itself.")
@_placed
def list_keys(place: Place, user_name: str | None) -> None:
    """Ids of keys; no secrets."""

    async def work(directory: Directory) -> object:
        return [_key(each) for each in await directory.keys(user_name)]

    place.run(work)


@key.command("show")
@click.argument("access_key_id")
@_placed
def show_key(place: Place, access_key_id: str) -> None:
    """A key, without its secret."""

    async def work(directory: Directory) -> object:
        return _key(await directory.key(access_key_id))

    place.run(work)


@key.command("enable")
@click.argument("access_key_id")
@_placed
def enable_key(place: Place, access_key_id: str) -> None:
    """Let a key work again."""

    async def work(directory: Directory) -> object:
        return _key(await directory.set_key_active(access_key_id, active=True))

    place.run(work)


@key.command("disable")
@click.argument("access_key_id")
@_placed
def disable_key(place: Place, access_key_id: str) -> None:
    """Refuse a key, within a second also on a running server."""

    async def work(directory: Directory) -> object:
        return _key(await directory.set_key_active(access_key_id, active=False))

    place.run(work)


@key.command("delete")
@click.argument("access_key_id")
@_placed
def delete_key(place: Place, access_key_id: str) -> None:
    """Delete a key for good."""
    place.run(lambda directory: directory.delete_key(access_key_id))


# --- role -------------------------------------------------------------------------------------------------------------


@click.group()
def role() -> None:
    """Roles that users assume through STS."""


@role.command("create")
@click.argument("name")
@click.option("--trust", required=True, metavar="JSON|FILE", help="Trust policy: who may assume the role.")
@click.option(
    "--max-session", default=DEFAULT_SESSION_S, show_default=True, help="Longest session in seconds."
)
@_placed
def create_role(place: Place, name: str, trust: str, max_session: int) -> None:
    """Make a role; its sessions may do nothing until a policy is attached."""
    document = _text_or_file(trust)

    async def work(directory: Directory) -> object:
        made = await directory.create_role(name, document, _now(), max_session_s=max_session)
        return _role(directory, made)

    place.run(work)


@role.command("list")
@_placed
def list_roles(place: Place) -> None:
    """All roles."""

    async def work(directory: Directory) -> object:
        return [_role(directory, each) for each in await directory.roles()]

    place.run(work)


@role.command("show")
@click.argument("name")
@_placed
def show_role(place: Place, name: str) -> None:
    """A role with its policies."""

    async def work(directory: Directory) -> object:
        return _role(directory, await directory.role(name))

    place.run(work)


@role.command("delete")
@click.argument("name")
@_placed
def delete_role(place: Place, name: str) -> None:
    """Delete a role; its sessions end within a second."""
    place.run(lambda directory: directory.delete_role(name))


@role.command("attach")
@click.argument("name")
@click.argument("policy_name")
@_placed
def attach_to_role(place: Place, name: str, policy_name: str) -> None:
    """Give a role the rights of a policy."""

    async def work(directory: Directory) -> object:
        return _role(directory, await directory.attach_to_role(name, policy_name))

    place.run(work)


@role.command("detach")
@click.argument("name")
@click.argument("policy_name")
@_placed
def detach_from_role(place: Place, name: str, policy_name: str) -> None:
    """Take the rights of a policy from a role."""

    async def work(directory: Directory) -> object:
        return _role(directory, await directory.detach_from_role(name, policy_name))

    place.run(work)


# --- policy -----------------------------------------------------------------------------------------------------------


@click.group()
def policy() -> None:
    """RAM policies: what users and roles may do."""


@policy.command("create")
@click.argument("name")
@click.option("--document", required=True, metavar="JSON|FILE", help="The policy document.")
@click.option("--description", default="", help="A note for people.")
@_placed
def create_policy(place: Place, name: str, document: str, description: str) -> None:
    """Check and keep a policy document."""
    text = _text_or_file(document)

    async def work(directory: Directory) -> object:
        return _policy(await directory.create_policy(name, text, _now(), description=description))

    place.run(work)


@policy.command("change")
@click.argument("name")
@click.option("--document", required=True, metavar="JSON|FILE", help="The new policy document.")
@_placed
def change_policy(place: Place, name: str, document: str) -> None:
    """Replace the document; holders have the new rights within a second."""
    text = _text_or_file(document)

    async def work(directory: Directory) -> object:
        return _policy(await directory.change_policy(name, text))

    place.run(work)


@policy.command("list")
@_placed
def list_policies(place: Place) -> None:
    """All policies."""

    async def work(directory: Directory) -> object:
        return [_policy(each) for each in await directory.policies()]

    place.run(work)


@policy.command("show")
@click.argument("name")
@_placed
def show_policy(place: Place, name: str) -> None:
    """A policy with its document."""

    async def work(directory: Directory) -> object:
        return _policy(await directory.policy(name))

    place.run(work)


@policy.command("delete")
@click.argument("name")
@_placed
def delete_policy(place: Place, name: str) -> None:
    """Delete a policy that is attached to nobody."""
    place.run(lambda directory: directory.delete_policy(name))


GROUPS: Final = (user, key, role, policy)


# --- JSON -------------------------------------------------------------------------------------------------------------


def _user(directory: Directory, shown: User) -> dict[str, object]:
    return {
        "name": shown.name,
        "user_id": shown.user_id,
        "arn": directory.user_arn(shown),
        "created_at": _time(shown.created_at),
        "policies": list(shown.policies),
    }


def _key(shown: AccessKey) -> dict[str, object]:
    return {
        "access_key_id": shown.access_key_id,
        "user": shown.user,
        "active": shown.active,
        "created_at": _time(shown.created_at),
    }


def _role(directory: Directory, shown: Role) -> dict[str, object]:
    return {
        "name": shown.name,
        "role_id": shown.role_id,
        "arn": directory.role_arn(shown),
        "created_at": _time(shown.created_at),
        "max_session_s": shown.max_session_s,
        "trust": json.loads(shown.trust),
        "policies": list(shown.policies),
    }


def _policy(shown: NamedPolicy) -> dict[str, object]:
    return {
        "name": shown.name,
        "description": shown.description,
        "created_at": _time(shown.created_at),
        "document": json.loads(shown.document),
    }


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
