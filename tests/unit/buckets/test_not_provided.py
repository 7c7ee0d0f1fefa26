"""Every public operation of OSS is either in the table or named as not provided, and never served as another one."""

from __future__ import annotations

import re
from pathlib import Path

import alibabacloud_oss_v2.operations as sdk_operations
import pytest

from mossaic.gateway.route import Router
from mossaic.protocol.addressing import Address
from mossaic.protocol.errors import OssError
from mossaic.protocol.operation import Level, NotProvided
from mossaic.protocol.operations import NOT_PROVIDED, TABLE

# Preflight requests are answered before routing: they have no row.
_NO_ROW = {"OptionObject"}


def sdk_names() -> set[str]:
    folder = Path(sdk_operations.__file__ or "").parent
    return {
        name
        for path in folder.glob("*.py")
        for name in re.findall(r"op_name\s*=\s*[\"'](\w+)[\"']", path.read_text(encoding="utf-8"))
    }


def test_no_name_is_in_both_lists_or_twice() -> None:
    names = [row.name for row in (*TABLE, *NOT_PROVIDED)]

    assert sorted(names) == sorted(set(names))


def test_every_operation_of_the_sdk_is_named() -> None:
    ours = {row.name for row in (*TABLE, *NOT_PROVIDED)}

    assert len(sdk_names()) > 140
    assert sdk_names() - ours - _NO_ROW == set()


@pytest.mark.parametrize("row", NOT_PROVIDED, ids=lambda row: row.name)
def test_a_request_for_what_is_not_provided_is_refused_by_name(row: NotProvided) -> None:
    address = Address(
        bucket=None if row.level is Level.SERVICE else "plain",
        key="k" if row.level is Level.OBJECT else None,
        virtual=False,
        base="localhost",
    )
    query = {**dict.fromkeys(row.marks, ""), **row.values}

    with pytest.raises(OssError) as refused:
        Router().find(row.method, address, query, {})

    named = next(other.name for other in NOT_PROVIDED if other.name == refused.value.extras["Operation"])
    same = next(other for other in NOT_PROVIDED if other.name == named)
    assert (refused.value.status, refused.value.code) == (501, "NotImplemented")
    assert (same.method, same.level, same.marks, same.values) == (
        row.method,
        row.level,
        row.marks,
        row.values,
    )
