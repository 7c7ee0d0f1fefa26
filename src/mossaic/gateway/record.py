"""What is said of a request in the access log and in the metrics."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True, kw_only=True)
class RequestRecord:
    """One line of the access log. `ms` are milliseconds; `bytes_in` what the request's body announced or held."""

    time: str = ""
    request_id: str = ""
    remote: str = ""
    method: str = ""
    host: str = ""
    path: str = ""
    bucket: str | None = None
    key: str | None = None
    operation: str | None = None
    status: int = 0
    code: str | None = None
    ec: str | None = None
    bytes_in: int | None = None
    bytes_out: int = 0
    ms: float = 0.0
    principal: str = "anonymous"
    upload_id: str | None = None
    part_number: str | None = None
    user_agent: str | None = None
