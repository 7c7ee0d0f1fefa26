"""One row of the operation table: how a request is recognised, what it takes and gives, and which permission it needs."""

from __future__ import annotations

from dataclasses import field
from enum import Enum
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from mossaic.quick import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

In = TypeVar("In")
Out = TypeVar("Out")


class Level(Enum):
    """What the address names."""

    SERVICE = "service"
    BUCKET = "bucket"
    OBJECT = "object"


class Access(Enum):
    """What decides when neither a policy nor ownership did (OSS: "data operations go on to ACLs")."""

    OWNER = "owner"  # service and bucket configuration: the owner account or a policy, never an ACL
    READ = "read"  # public-read and public-read-write let anybody
    WRITE = "write"  # public-read-write lets anybody


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(Generic[In, Out]):
    """A row. The most specific row whose method, level, marks, values and header fit a request is taken.

    `marks` are query names that must be present, `values` query parameters that must have exactly this value,
    `header` a request header that must be present. `action` is the RAM action, `version_action` the one used when
    the request names a version.
    """

    name: str
    method: str
    level: Level
    takes: type[In]
    gives: type[Out]
    action: str
    access: Access = Access.OWNER
    marks: frozenset[str] = frozenset()
    values: Mapping[str, str] = field(default_factory=dict[str, str])
    header: str | None = None
    version_action: str | None = None
    status: int = 200
    priority: str = "A"

    @property
    def specificity(self) -> int:
        return len(self.marks) + len(self.values) + (1 if self.header else 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotProvided:
    """An operation of OSS that Mossaic does not have; requests for it are answered 501 NotImplemented with its name."""

    name: str
    method: str
    level: Level
    marks: frozenset[str] = frozenset()
    values: Mapping[str, str] = field(default_factory=dict[str, str])
    priority: str = "C"
    reason: str = ""

    @property
    def header(self) -> None:
        return None

    @property
    def specificity(self) -> int:
        return len(self.marks) + len(self.values)


AnyOperation = Operation[Any, Any]  # Any: a table of rows of different shapes
