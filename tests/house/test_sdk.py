"""The SDK is whole: asyncio has every call, every operation has a call, and what is public says what it raises."""

from __future__ import annotations

import ast
import inspect
import json
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from mossaic.client import object_options, read_options
from mossaic.client.aio import AsyncClient
from mossaic.client.client import Client
from mossaic.protocol.operations import TABLE
from mossaic.protocol.shapes import OnObject, WritesObject

ROOT = Path(__file__).parents[2]
CLIENT = ROOT / "src/mossaic/client"
TYPING = ROOT / "tests/house/sdk_typing.py"
PUBLIC = sorted(name for name in dir(Client) if not name.startswith("_"))
PROPERTIES = {name for name in PUBLIC if isinstance(getattr(Client, name), property)}
METHODS = [name for name in PUBLIC if name not in PROPERTIES]

# Row → the method that asks for it. `call` takes any row; the three that have only that are named with their reason.
CALLS = {
    "ListBuckets": "list_buckets",
    "DescribeRegions": "describe_regions",
    "PutBucket": "put_bucket",
    "DeleteBucket": "delete_bucket",
    "GetBucketInfo": "bucket_info",
    "GetBucketLocation": "bucket_location",
    "GetBucketStat": "bucket_stat",
    "PutBucketAcl": "put_bucket_acl",
    "GetBucketAcl": "get_bucket_acl",
    "PutBucketVersioning": "put_versioning",
    "GetBucketVersioning": "get_versioning",
    "PutBucketCors": "put_cors",
    "GetBucketCors": "get_cors",
    "DeleteBucketCors": "delete_cors",
    "PutBucketLifecycle": "put_lifecycle",
    "GetBucketLifecycle": "get_lifecycle",
    "DeleteBucketLifecycle": "delete_lifecycle",
    "PutBucketTags": "put_bucket_tags",
    "GetBucketTags": "get_bucket_tags",
    "DeleteBucketTags": "delete_bucket_tags",
    "PutBucketPolicy": "put_bucket_policy",
    "GetBucketPolicy": "get_bucket_policy",
    "DeleteBucketPolicy": "delete_bucket_policy",
    "GetBucketPolicyStatus": "get_bucket_policy_status",
    "ListObjects": "call",  # list_objects asks with V2, which replaced it
    "ListObjectsV2": "list_objects",
    "ListObjectVersions": "list_versions",
    "PutObject": "put",
    "AppendObject": "append",
    "CopyObject": "copy",
    "GetObject": "get",
    "HeadObject": "head",
    "GetObjectMeta": "get_meta",
    "GetObjectMetaByGet": "call",  # the same by GET, for older clients
    "DeleteObject": "delete",
    "DeleteMultipleObjects": "delete_many",
    "PutObjectAcl": "put_acl",
    "GetObjectAcl": "get_acl",
    "PutObjectTagging": "put_tags",
    "GetObjectTagging": "get_tags",
    "DeleteObjectTagging": "delete_tags",
    "PutSymlink": "symlink",
    "GetSymlink": "get_symlink",
    "RestoreObject": "restore",
    "InitiateMultipartUpload": "init_multipart_upload",
    "UploadPart": "upload_part",
    "UploadPartCopy": "upload_part_copy",
    "CompleteMultipartUpload": "complete_multipart_upload",
    "AbortMultipartUpload": "abort_multipart_upload",
    "ListParts": "list_parts",
    "ListMultipartUploads": "list_uploads",
    "PostObject": "sign_post_policy",  # a browser posts the form that this makes
}
ONLY_BY_CALL = {"ListObjects", "GetObjectMetaByGet", "PostObject"}
OWN = {"close"}  # AsyncClient has its own, for its threads
RAISES_NOTHING = {"close", "with_bucket", "with_options"}


def test_every_operation_has_a_call() -> None:
    source = "".join(path.read_text() for path in CLIENT.rglob("*.py"))
    constant = {row.name: re.sub(r"(?<=[a-z])(?=[A-Z])", "_", row.name).upper() for row in TABLE}

    assert set(CALLS) == {row.name for row in TABLE}
    assert set(CALLS.values()) <= set(METHODS)
    assert [row for row, name in constant.items() if row not in ONLY_BY_CALL and name not in source] == []


@pytest.mark.parametrize("name", sorted(set(METHODS) - OWN))
def test_every_method_is_on_the_async_client_with_the_same_parameters(name: str) -> None:
    ours, theirs = getattr(AsyncClient, name), getattr(Client, name)

    assert inspect.signature(ours) == inspect.signature(theirs)
    assert ours.__doc__ == theirs.__doc__


def test_the_async_client_has_nothing_that_client_has_not() -> None:
    own = {"over", "beside", "blocking", "work"}

    assert {name for name in dir(AsyncClient) if not name.startswith("_")} == set(PUBLIC) | own
    assert inspect.signature(AsyncClient) == inspect.signature(Client)


@pytest.mark.parametrize("name", METHODS)
def test_a_public_method_says_what_it_does_and_what_it_raises(name: str) -> None:
    said = inspect.getdoc(getattr(Client, name)) or ""

    assert said
    assert name in RAISES_NOTHING or re.search(r"\b[Rr]aises?\b", said), said


@pytest.mark.parametrize("kind", ["mypy", "pyright"])
def test_type_checkers_see_the_calls_through_the_descriptors(kind: str) -> None:
    lines = TYPING.read_text().splitlines()
    marked = [
        at for at, line in enumerate(lines, 1) if "# wrong" in line and not line.startswith(("A ", '"'))
    ]

    found = _mypy() if kind == "mypy" else _pyright()

    assert sorted(found) == marked, "\n".join(
        f"{at}: {found.get(at, 'no error')}" for at in sorted({*found, *marked})
    )


def _mypy() -> dict[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--hide-error-context", str(TYPING)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.findall(r"sdk_typing\.py:(\d+): error: (.*)", done.stdout)
    assert found, done.stdout + done.stderr
    return {int(at): text for at, text in found}


def _pyright() -> dict[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, "--outputjson", str(TYPING)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    found = json.loads(done.stdout)["generalDiagnostics"]
    return {
        each["range"]["start"]["line"] + 1: each["message"] for each in found if each["severity"] == "error"
    }


def test_the_options_of_a_write_are_the_same_in_all_forms() -> None:
    value = object_options.ObjectOptions.__annotations__
    keywords = {
        name: hint.__forward_arg__ for name, hint in object_options.WriteOptions.__annotations__.items()
    }
    shape = {field.name for field in fields(WritesObject)} - {field.name for field in fields(OnObject)}

    assert keywords == value
    assert set(object_options.ObjectFields.__annotations__) == shape
    assert set(read_options.ConditionFields.__annotations__) == set(read_options.Conditions.__annotations__)


def test_the_sdk_is_loaded_when_it_is_used() -> None:
    asked = """
import sys, mossaic
assert "mossaic.client" not in sys.modules
import mossaic.client
assert not [name for name in sys.modules if name.startswith("mossaic.client.")]
import mossaic.client.client
print(*sorted({"asyncio", "click", "rich", "http.client", "urllib.request", "mossaic.service", "mossaic.model"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)

    assert done.stdout.split() == []


def test_only_one_room_knows_of_an_event_loop() -> None:
    def imports(path: Path) -> set[str]:
        nodes = list(ast.walk(ast.parse(path.read_text())))
        named = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
        return named | {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}

    found = {path for path in CLIENT.rglob("*.py") if "asyncio" in imports(path)}

    assert found
    assert {path.parent.name for path in found} == {"aio"}
