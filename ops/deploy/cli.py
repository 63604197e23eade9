"""
The deployment tool (Serverless Devs), run for one function, without the secrets that it prints in clear.

With ``-o`` it hides every error and ends with 0, so nothing that changes something is run with it.
"""

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.deploy.s_yaml import functions, mapping
from ops.deploy.schema_check import is_secret
from ops.terminal.language import Failure, Text
from ops.terminal.masking import printable
from ops.terminal.screen import Screen

ERROR = re.compile(r"Error Message:\n(?P<said>(?:(?P<code>\w+): code: \d+, )?.*)")

FAILED = Text("`s {step}` ended with {status}. {said}", "`s {step}` 以 {status} 结束。{said}")
OFFLINE = re.compile(r"\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ECONNRESET|EPIPE|socket hang up)\b")
FAILED_OFFLINE = Text(
    "`s {step}` reaches nothing; check the network and HTTPS_PROXY: {said}",
    "`s {step}` 连不上网络，请检查网络和 HTTPS_PROXY：{said}",
)
HIDDEN = "(not shown)"
# Begins what the tool prints about all that it deployed.
RESULT = "Result for ["
# Shorter pieces would blacken words that have nothing to do with them.
SHORTEST_PIECE = 6
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
IN_YAML = re.compile(r"(?P<start>\s*(?:[-+~] )?)(?P<name>[A-Za-z_]\w*): +\S.*")
IN_JSON = re.compile(r'"(?P<name>[A-Za-z_]\w*)"\s*:\s*"(?:[^"\\]|\\.)*"')
KEY_MARK = re.compile(r"-----(BEGIN|END) [A-Z ]+-----")


def secret_pieces(values: Mapping[str, str]) -> list[str]:
    """The texts that must not show: each line and each part of a list of every secret, the longest first."""
    secrets = (value for name, value in values.items() if is_secret(name))
    pieces = {piece.strip() for value in secrets for piece in [value, *re.split(r"[\n,]|\\n", value)]}
    return sorted((piece for piece in pieces if len(piece) >= SHORTEST_PIECE), key=len, reverse=True)


class Filter:
    """Lines in, lines for a person out, without the pieces of ``secret_pieces``."""

    def __init__(self, pieces: Iterable[str]) -> None:
        self._pieces = list(pieces)
        self._inside_key = False

    def line(self, text: str) -> str | None:
        """The line as it may be shown; ``None`` for one that is nobody's business."""
        text = COLOUR.sub("", text.rstrip("\r\n"))
        was_inside = self._inside_key
        for mark in KEY_MARK.findall(text):
            self._inside_key = mark == "BEGIN"
        if was_inside:
            return None
        for piece in self._pieces:
            text = text.replace(piece, HIDDEN)
        text = IN_JSON.sub(lambda found: _hidden(found, f'"{found["name"]}": "{HIDDEN}"'), text)
        return IN_YAML.sub(lambda found: _hidden(found, f"{found['start']}{found['name']}: {HIDDEN}"), text)


def _hidden(found: re.Match[str], instead: str) -> str:
    return instead if is_secret(found["name"]) else found[0]


class CliFailed(Failure):
    """
    A step that failed; the command ends with the tool's status.

    Args:
        code: of Function Compute, such as ``AliasNotFound``; empty for any other error.
        words: the error, already masked; empty when it is on the screen.
    """

    def __init__(self, step: str, status: int, code: str = "", words: str = "") -> None:
        ended = FAILED_OFFLINE if OFFLINE.search(words) else FAILED
        said = ended.filled(step=step, status=status, said=words)
        super().__init__(Text(said.en.rstrip(), said.zh.rstrip()))
        self.code, self.exit_code = code, status


@dataclass(frozen=True)
class Cli:
    """
    Args:
        file: of the whole deployment.
        function_file: of the function and its HTTP triggers alone: no setting, no secret.
        folder: where the tool looks for ``.env`` and for files.
        trace: the name of its log.
    """

    tool: Path
    file: Path
    function_file: Path
    folder: Path
    trace: str
    shown: Filter
    screen: Screen

    def show(self, *step: str) -> None:
        """Run a step of the deployment; its lines are shown without secrets, and without its result."""
        with self._started(self.file, step) as process:
            assert process.stdout is not None
            is_result = False
            for line in process.stdout:
                is_result = is_result or RESULT in line
                if not is_result and (text := self.shown.line(line)) is not None:
                    self.screen.line(printable(text))
            status = process.wait()
        if status:
            raise CliFailed(step[0], status)

    def change(self, *step: str) -> None:
        """Run a step about versions, silently."""
        with self._started(self.function_file, step) as process:
            text, _ = process.communicate()
        if process.returncode:
            raise self._failure(step[0], process.returncode, text)

    def read(self, *step: str) -> Any:
        """Return what a step answers; without an answer, run it once more for its error."""
        with self._started(self.function_file, (*step, "-o", "raw")) as process:
            text, _ = process.communicate()
        for line in reversed(text.splitlines()):
            if line.startswith(("{", "[")) and (answer := _json(line)) is not None:
                return answer
        self.change(*step)
        raise CliFailed(step[0], 1)

    def _started(self, file: Path, step: tuple[str, ...]) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [str(self.tool.absolute()), *step, "-t", str(file.absolute())],
            cwd=self.folder,
            env={**os.environ, "serverless_devs_traceid": self.trace},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
        )

    def _failure(self, step: str, status: int, text: str) -> CliFailed:
        found = ERROR.search(COLOUR.sub("", text))
        said = self.shown.line(found["said"]) if found else None
        return CliFailed(step, status, (found and found["code"]) or "", printable(said or ""))


def _json(line: str) -> Any:
    """The answer; ``None`` for a line of the log, which begins with its time in brackets."""
    try:
        return json.loads(line)
    except ValueError:
        return None


@contextmanager
def function_file(document: Any, props: Mapping[str, Any]) -> Iterator[Path]:
    """Write the one function, and its HTTP triggers, as a file of the tool that needs no variable."""
    ((place, _),) = functions(document)
    triggers = [
        {"triggerName": trigger.get("triggerName")}
        for trigger in map(mapping, props.get("triggers") or [])
        if trigger.get("triggerType") == "http"
    ]
    kept = {name: props[name] for name in ("region", "functionName", "endpoint") if name in props}
    resource = mapping(document["resources"][place[1]])
    small: dict[str, Any] = {name: resource[name] for name in ("component", "access") if name in resource}
    small["props"] = {**kept, "triggers": triggers}
    content: dict[str, Any] = {
        name: document[name] for name in ("edition", "name", "access") if name in document
    }
    content["resources"] = {place[1]: small}
    with tempfile.TemporaryDirectory(prefix="function-") as folder:
        file = Path(folder, "function.yaml")
        file.write_text(json.dumps(content), "utf-8")
        yield file
