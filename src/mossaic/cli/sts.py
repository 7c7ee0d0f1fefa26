"""`mossaic sts`: temporary credentials for somebody who may do less and not for long."""

from __future__ import annotations

import shlex
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import click

from mossaic.cli.remote import Family, hear_the_client
from mossaic.cli.units import SPAN, human_time
from mossaic.cli.urls import PLACE_URL, Remote

if TYPE_CHECKING:
    from mossaic.cli.remote import Shell

# word → actions on objects, actions on the bucket
OPERATIONS: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "read": (("oss:GetObject", "oss:GetObjectVersion", "oss:GetObjectTagging"), ()),
    "write": (
        ("oss:PutObject", "oss:PutObjectTagging", "oss:AbortMultipartUpload", "oss:ListParts"),
        ("oss:ListMultipartUploads",),
    ),
    "delete": (("oss:DeleteObject", "oss:DeleteObjectVersion"), ()),
    "list": ((), ("oss:ListObjects", "oss:ListObjectVersions", "oss:GetBucketInfo", "oss:GetBucketLocation")),
}
_HOUR: Final = timedelta(hours=1)


@click.group(cls=Family)
def sts() -> None:
    """Temporary credentials."""


@sts.command("mint")
@click.option(
    "--role", "role_arn", required=True, metavar="ARN", help="The role: acs:ram::ACCOUNT:role/NAME."
)
@click.option("--prefix", type=PLACE_URL, metavar="oss://BUCKET[/PREFIX]", help="Only for what begins so.")
@click.option(
    "--ops",
    metavar="OPS",
    help="Only these, separated by commas: read, write, delete, list, or actions (oss:GetObject).",
)
@click.option(
    "--ttl",
    type=SPAN,
    metavar="TIME",
    default=_HOUR,
    show_default="1h",
    help="How long they last; at least 15m.",
)
@click.option(
    "--session-name", metavar="NAME", default="mossaic", show_default=True, help="Stands in the server's log."
)
@click.option("--external-id", metavar="ID", help="Where the role's trust policy asks for one.")
@click.option(
    "--sts-endpoint",
    metavar="URL",
    help="Where STS is [default: the endpoint; of Alibaba Cloud sts.aliyuncs.com].",
)
@click.pass_obj
def mint(
    shell: Shell,
    *,
    role_arn: str,
    prefix: Remote | None,
    ops: str | None,
    ttl: timedelta,
    session_name: str,
    external_id: str | None,
    sts_endpoint: str | None,
) -> None:
    """Assume a role and print its temporary credentials as lines for a shell: eval "$(mossaic sts mint --role …)".

    They may do what the role may, and with --prefix or --ops only that part of it. Hand them to a browser, a device or a colleague.
    """
    from mossaic.client.credentials import AssumeRole  # noqa: PLC0415  # `--help` has no need of the client
    from mossaic.client.credentials.entry import sts_endpoint as usual_place  # noqa: PLC0415  # as above

    if ops is not None and prefix is None:
        raise click.UsageError("--ops needs a --prefix: what they are allowed on")
    hear_the_client(debug=shell.debug)
    policy = None if prefix is None else policy_for(shell.at(prefix), ops or "read,write,delete,list")
    endpoint = sts_endpoint or usual_place(shell.require_endpoint())
    assert endpoint is not None
    try:
        pair = AssumeRole(
            shell.credentials(),
            role_arn,
            endpoint=endpoint,
            session_name=session_name,
            policy=policy,
            duration_s=int(ttl.total_seconds()),
            external_id=external_id,
            pool=shell.pool,
        ).get()
    finally:
        shell.pool.close()
    output = shell.output
    if output.face != "human":
        record: dict[str, object] = {
            "access_key_id": pair.access_key_id,
            "access_key_secret": pair.access_key_secret,
            "security_token": pair.security_token,
            "expires_at": pair.expires_at,
        }
        output.facts(record, {})
        return
    output.write(f"export OSS_ACCESS_KEY_ID={shlex.quote(pair.access_key_id)}")
    output.write(f"export OSS_ACCESS_KEY_SECRET={shlex.quote(pair.access_key_secret)}")
    output.write(f"export OSS_SESSION_TOKEN={shlex.quote(pair.security_token or '')}")
    if pair.expires_at is not None:
        output.note(f"# they last until {human_time(pair.expires_at)}")


def policy_for(place: Remote, ops: str) -> dict[str, object]:
    """A policy that allows `ops` on what begins with `place`, and nothing else. Raises click.UsageError."""
    on_objects: list[str] = []
    on_bucket: list[str] = []
    for word in (each.strip() for each in ops.split(",")):
        if word in OPERATIONS:
            objects, bucket = OPERATIONS[word]
            on_objects += objects
            on_bucket += bucket
        elif word.startswith("oss:"):
            on_objects.append(word)
            on_bucket.append(word)
        else:
            raise click.UsageError(
                f"--ops: {word!r} is none of {', '.join(OPERATIONS)}, and no action like oss:GetObject"
            )
    statements: list[dict[str, object]] = []
    if on_objects:
        resource = f"acs:oss:*:*:{place.bucket}/{place.key}*"
        statements.append({"Effect": "Allow", "Action": sorted(set(on_objects)), "Resource": [resource]})
    if on_bucket:
        statement: dict[str, object] = {
            "Effect": "Allow",
            "Action": sorted(set(on_bucket)),
            "Resource": [f"acs:oss:*:*:{place.bucket}"],
        }
        if place.key:
            statement["Condition"] = {"StringLike": {"oss:Prefix": [f"{place.key}*"]}}
        statements.append(statement)
    return {"Version": "1", "Statement": statements}
