"""Runs the flows of tests/e2e/node/flows.js with an unmodified ali-oss in Node."""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NODE = Path(__file__).resolve().parent.parent / "node"
# 6.18 is the version of the seed page and has no V4; the second is the newest release.
VARIANTS = [("6.18", "V1"), ("latest", "V1"), ("latest", "V4")]
VERSIONS = ["6.18", "latest"]
FLOW_SECONDS = 120


class FlowFailedError(AssertionError):
    """A flow ended with the client's error; `error` is what the client threw."""

    def __init__(self, flow: str, answer: Mapping[str, Any]) -> None:
        super().__init__(f"{flow}: {answer.get('stack') or answer}")
        self.error: dict[str, Any] = answer["error"]


@dataclass(slots=True)
class Running:
    """One flow in a Node process of its own; `event` and `result` read its output in order."""

    flow: str
    process: subprocess.Popen[str]
    seen: list[dict[str, Any]] = field(default_factory=list)

    def _lines(self) -> Iterator[dict[str, Any]]:
        output: IO[str] | None = self.process.stdout
        assert output is not None
        for line in output:
            self.seen.append(json.loads(line))
            yield self.seen[-1]

    def event(self, name: str) -> dict[str, Any]:
        for answer in self._lines():
            if answer.get("event") == name:
                return answer
            if "error" in answer:
                raise FlowFailedError(self.flow, answer)
        raise AssertionError(f"{self.flow}: Node ended without the event {name}")

    def result(self) -> Any:
        for answer in self._lines():
            if "error" in answer:
                raise FlowFailedError(self.flow, answer)
            if "result" in answer:
                return answer["result"]
        raise AssertionError(f"{self.flow}: Node ended without a result")

    def error(self) -> dict[str, Any]:
        """What the client threw; a flow that succeeds fails the test."""
        try:
            result = self.result()
        except FlowFailedError as failed:
            return failed.error
        raise AssertionError(f"{self.flow} was expected to fail and answered {result}")

    def checkpoint(self) -> dict[str, Any]:
        """The last checkpoint that progress has told so far."""
        told: list[dict[str, Any]] = [item["checkpoint"] for item in self.seen if item.get("checkpoint")]
        return told[-1]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(timeout=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class AliOss:
    """ali-oss of one version with one set of client options."""

    version: str
    options: Mapping[str, object]

    def with_options(self, **more: object) -> AliOss:
        return AliOss(version=self.version, options={**self.options, **more})

    @contextmanager
    def start(self, flow: str, **arguments: object) -> Iterator[Running]:
        asked = json.dumps({"options": dict(self.options), "arguments": arguments})
        command = ["node", "-r", "./resolve.js", "run.js", self.version, flow]
        with subprocess.Popen(
            command,
            cwd=NODE,
            env=without_proxies(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as process:
            assert process.stdin is not None
            process.stdin.write(asked)
            process.stdin.close()
            try:
                yield Running(flow=flow, process=process)
            finally:
                process.kill()

    def run(self, flow: str, **arguments: object) -> Any:
        asked = json.dumps({"options": dict(self.options), "arguments": arguments})
        done = subprocess.run(
            ["node", "-r", "./resolve.js", "run.js", self.version, flow],
            cwd=NODE,
            env=without_proxies(),
            input=asked,
            capture_output=True,
            text=True,
            timeout=FLOW_SECONDS,
            check=False,
        )
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        assert lines, f"{flow}: Node wrote nothing; stderr: {done.stderr[-2000:]}"
        if "error" in lines[-1]:
            raise FlowFailedError(flow, lines[-1])
        return lines[-1]["result"]

    def fails(self, flow: str, **arguments: object) -> dict[str, Any]:
        try:
            result = self.run(flow, **arguments)
        except FlowFailedError as failed:
            return failed.error
        raise AssertionError(f"{flow} was expected to fail and answered {result}")


def without_proxies() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
