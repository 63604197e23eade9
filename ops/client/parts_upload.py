"""
Sending a large file in parts, as a mini-program does: three at a time, again what failed, later what is left.
"""

import json
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from ops.client.answers import NOT_OURS, InvokeFailed, checked, show_receipt
from ops.client.form_upload import CONNECT_SECONDS, SHORTER, UploadFailed, open_session
from ops.client.function_client import FunctionAnswer, FunctionClient, FunctionSilent
from ops.client.progress import progress_bar
from ops.client.unfinished import Record
from ops.explain.policy import size_words
from ops.terminal.language import Text, why_unreadable
from ops.terminal.masking import shown
from ops.terminal.screen import Screen

# As the mini-program's client: what is smaller goes by a form.
PARTS_FROM = 5 * 1024 * 1024
AT_A_TIME = 3
PART_SECONDS = 120
# Of a call, and of rounds in which no part arrives.
WAITS_SECONDS = (1.0, 2.0, 4.0, 8.0)
LONGEST_WAIT_SECONDS = 60.0

BEGINNING = Text("Beginning an upload in parts (/multipart)", "开始分片上传（/multipart）")
GOING_ON = Text(
    "Going on with {name}: {there} of {count} parts are there", "接着传 {name}：{count} 片里已有 {there} 片"
)
SENDING = Text(
    "Sending {name}, {size}, in {count} parts to {host}", "把 {name}（{size}）分成 {count} 片传到 {host}"
)
COMPLETING = Text("Having the parts made one object (/multipart-complete)", "合成对象（/multipart-complete）")
STORED = Text("uploaded: {url}", "已上传：{url}")
STOPPED = Text(
    "Stopped; what was sent stays for a while. The same command goes on with it.",
    "已停下；发过的分片会保留一段时间。再运行同样的命令就接着传。",
)
NO_PARTS_ARRIVE = Text(
    "OSS takes no part of the file: the last answer was {last}. The same command goes on later.",
    "OSS 一片都没有收下：最后的响应是 {last}。以后再运行同样的命令就接着传。",
)


@dataclass(frozen=True)
class LargeFile:
    """
    A file that is sent in parts.

    Args:
        wanted: the body of ``/multipart``.

        record: what is needed to go on, kept from one run to the next.
    """

    client: FunctionClient
    path: Path
    wanted: Mapping[str, Any]
    record: Record
    screen: Screen
    language: str
    sleep: Callable[[float], None] = time.sleep

    def go_on(self) -> bool:
        """
        Finish what an earlier run began with this very file; ``False`` where there is nothing to go on with.

        Raises:
            InvokeFailed, UploadFailed, FunctionSilent: it cannot be finished now.
        """
        begun = self.record.read()
        if begun is None:
            return False
        answer = self._ask("multipart-parts", {"ticket": begun["ticket"]})
        if answer.status in (403, 410):  # its time is over, or OSS has removed the parts
            self.record.drop()
            return False
        missing = 0 if _code(answer) == "already_complete" else self._missing(answer)
        there = begun["partCount"] - missing
        self._say(GOING_ON, name=self.path.name, there=there, count=begun["partCount"])
        self._finish(begun, answer.json.get("parts", []), missing)
        return True

    def begin(self, token: str) -> bool:
        """
        Send the whole file; ``False`` where the function wants a form instead.

        Raises:
            InvokeFailed, UploadFailed, FunctionSilent: it cannot be sent now.
        """
        self._say(BEGINNING)
        answer = self.client.ask("multipart", self.wanted, token)
        if answer.status in (400, 404):
            return False
        begun = checked(answer, self.language)
        try:
            kept = {name: begun[name] for name in ("ticket", "fileUrl", "headers", "partSize", "partCount")}
            parts, size = begun["parts"], begun["size"]
        except KeyError:
            raise InvokeFailed(NOT_OURS.say(self.language)) from None
        self.record.keep(kept)
        size_told, host = size_words(size, self.language), "/".join(parts[0]["url"].split("/")[:3])
        self._say(SENDING, name=self.path.name, size=size_told, count=begun["partCount"], host=host)
        self._finish(kept, parts, begun["partCount"])
        return True

    # --- what is sent ---

    def _finish(self, begun: Mapping[str, Any], parts: Sequence[Mapping[str, Any]], missing: int) -> None:
        try:
            while True:
                self._send_until_whole(begun, parts, missing)
                self._say(COMPLETING)
                answer = self._ask("multipart-complete", {"ticket": begun["ticket"]})
                if _code(answer) != "incomplete":
                    break
                parts, missing = self._what_is_missing(begun)
        except KeyboardInterrupt:
            self.screen.line()
            self._say(STOPPED)
            raise
        told = checked(answer, self.language)
        self.record.drop()
        self.screen.good(STORED.say(self.language, url=shown("fileUrl", begun["fileUrl"], self.language)))
        show_receipt(json.dumps(told), self.screen, self.language)

    def _send_until_whole(
        self, begun: Mapping[str, Any], parts: Sequence[Mapping[str, Any]], missing: int
    ) -> None:
        progress = progress_bar(sys.stderr.isatty())
        idle = 0
        while missing:
            arrived, last = 0, ""
            for last in self._send(begun, parts):
                arrived += last == ""
                progress(begun["partCount"] - missing + arrived, begun["partCount"])
            idle = 0 if arrived else idle + 1
            if idle > len(WAITS_SECONDS):
                told = NO_PARTS_ARRIVE
                raise UploadFailed(Text(told.en.format(last=last), told.zh.format(last=last)))
            if idle:
                self.sleep(WAITS_SECONDS[idle - 1])
            # Also after a round in which all arrived: there may be more of them than URLs.
            parts, missing = self._what_is_missing(begun)

    def _what_is_missing(self, begun: Mapping[str, Any]) -> tuple[Sequence[Mapping[str, Any]], int]:
        answer = self._ask("multipart-parts", {"ticket": begun["ticket"]})
        if _code(answer) == "already_complete":
            return [], 0
        return answer.json.get("parts", []), self._missing(answer)

    def _missing(self, answer: FunctionAnswer) -> int:
        missing = checked(answer, self.language).get("missing")
        if not isinstance(missing, int):
            raise InvokeFailed(NOT_OURS.say(self.language))
        return missing

    def _send(self, begun: Mapping[str, Any], parts: Sequence[Mapping[str, Any]]) -> Iterator[str]:
        """Yield the outcome of each part as it ends: empty for one that arrived."""
        todo: queue.SimpleQueue[Mapping[str, Any]] = queue.SimpleQueue()
        done: queue.SimpleQueue[str | UploadFailed] = queue.SimpleQueue()
        for part in parts:
            todo.put(part)

        def work() -> None:
            while True:
                try:
                    done.put(self._send_one(begun, todo.get_nowait()))
                except queue.Empty:
                    return
                except UploadFailed as error:
                    done.put(error)

        # Of the daemon kind: who presses Ctrl-C does not wait for the parts that are under way.
        for _ in range(min(AT_A_TIME, len(parts))):
            threading.Thread(target=work, daemon=True).start()
        for _ in parts:
            outcome = done.get()
            if isinstance(outcome, UploadFailed):
                raise outcome
            yield outcome

    def _send_one(self, begun: Mapping[str, Any], part: Mapping[str, Any]) -> str:
        try:
            with self.path.open("rb") as file:
                file.seek((part["number"] - 1) * begun["partSize"])
                data = file.read(part["size"])
        except OSError as error:
            why = why_unreadable(error)
            raise UploadFailed(
                Text(f"{self.path} cannot be read: {why.en}.", f"无法读取 {self.path}：{why.zh}。")
            ) from None
        if len(data) < part["size"]:
            raise UploadFailed(SHORTER)
        try:
            with open_session(part["url"]) as session:
                answer = session.put(
                    part["url"],
                    data=data,
                    headers=begun["headers"],
                    timeout=(CONNECT_SECONDS, PART_SECONDS),
                    allow_redirects=False,
                )
        except requests.RequestException as error:
            return type(error).__name__
        return "" if answer.status_code == 200 else f"HTTP {answer.status_code}"

    # --- what is asked ---

    def _ask(self, route: str, body: Mapping[str, Any]) -> FunctionAnswer:
        """Once more where that helps: no answer, too many calls, or OSS does not answer the function."""
        for seconds in WAITS_SECONDS:
            try:
                answer = self.client.ask(route, body, "")
            except FunctionSilent:
                self.sleep(seconds)
                continue
            if answer.status not in (429, 503):
                return answer
            asked = answer.headers.get("retry-after", "")
            self.sleep(min(float(asked) if asked.isdigit() else seconds, LONGEST_WAIT_SECONDS))
        return self.client.ask(route, body, "")

    def _say(self, text: Text, **values: object) -> None:
        self.screen.title(text.say(self.language, **values))


def _code(answer: FunctionAnswer) -> str:
    error = answer.json.get("error")
    return str(error.get("code", "")) if isinstance(error, dict) else ""
