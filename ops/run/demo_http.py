"""
HTTP client of the demo, which prints each exchange.
"""

import json
import time
from collections.abc import Mapping
from typing import Any

import requests

from ops.run.demo_answers import DemoFailed, answer_to, json_object, member
from ops.terminal.language import Text
from ops.terminal.masking import printable, shortened, shown
from ops.terminal.screen import Screen

TIMEOUT_SECONDS = 15
SECRET = ("code", "ticket", "receipt", "receipts")


class DemoHttp:
    """
    Args:
        steps: how many there will be.
    """

    def __init__(self, session: requests.Session, screen: Screen, language: str, steps: int) -> None:
        self._session = session
        self.screen = screen
        self.language = language
        self._steps = steps
        self._step = 0

    def begin(self, title: Text) -> None:
        """The next step."""
        self._step += 1
        self.screen.line()
        self.screen.title(f"{self._step}/{self._steps} {title.say(self.language)}")

    def good(self, text: Text) -> None:
        self.screen.good(text.say(self.language))

    def line(self, text: Text) -> None:
        self.screen.line("    " + text.say(self.language))

    def rows(self, values: Mapping[str, object]) -> None:
        """Each on a line; of what is secret or endless, its start and its length."""
        self.screen.pairs({name: self._short(name, value) for name, value in values.items()}, indent=8)

    def post_json(
        self, address: str, wanted: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        sent = {name: self._sent(name, value) for name, value in wanted.items()}
        self._request_line("POST", address, json.dumps(sent, ensure_ascii=False))
        answer = self._send("POST", address, json=dict(wanted), headers=dict(headers or {}))
        return json_object(answer, Text("the function", "函数"))

    def post_form(
        self, form: Mapping[str, Any], fields: Mapping[str, str], file: tuple[str, bytes, str]
    ) -> requests.Response:
        address = str(member(form, "url", answer_to("/upload-params")))
        sent = Text(
            f"multipart/form-data, {len(fields)} fields, then the file",
            f"multipart/form-data，{len(fields)} 个字段，最后是文件",
        )
        self._request_line("POST", address, sent.say(self.language))
        self.screen.pairs({"key": fields.get("key", "")}, indent=8)
        # requests writes data before files, in order: the file comes last, as OSS demands.
        return self._send("POST", address, data=dict(fields), files={"file": file})

    def get(self, address: str, what: Text) -> requests.Response:
        path, mark, _ = address.partition("?")
        self._request_line("GET", path + ("?…" if mark else ""), what.say(self.language))
        return self._send("GET", address)

    def ask_quietly(self, address: str, wanted: Mapping[str, Any]) -> requests.Response:
        """Once more what was asked before: said once, when it has come to something."""
        return self._exchange("POST", address, json=dict(wanted))

    def _sent(self, name: str, value: object) -> object:
        if name not in SECRET:
            return value
        return (
            [self._shown(name, one) for one in value] if isinstance(value, list) else self._shown(name, value)
        )

    def _shown(self, name: str, value: object) -> str:
        return shown(name, value, self.language)

    def _short(self, name: str, value: object) -> str:
        text = self._shown(name, value)
        return shortened(text, 48, self.language) if len(text) > 100 else text

    def _request_line(self, method: str, address: str, body: str = "") -> None:
        self.screen.line(f"    {method} {printable(address)}" + (f"  {printable(body)}" if body else ""))

    def _send(self, method: str, address: str, **options: Any) -> requests.Response:
        started = time.perf_counter()
        answer = self._exchange(method, address, **options)
        milliseconds = (time.perf_counter() - started) * 1000
        status = f"→ {answer.status_code} {answer.reason}"
        self.line(Text(f"{status} in {milliseconds:.0f} ms", f"{status}，{milliseconds:.0f} 毫秒"))
        return answer

    def _exchange(self, method: str, address: str, **options: Any) -> requests.Response:
        try:
            return self._session.request(
                method, address, timeout=TIMEOUT_SECONDS, allow_redirects=False, **options
            )
        except requests.RequestException as error:
            raise DemoFailed(
                Text(
                    f"{method} {address} was not answered: {error}", f"{method} {address} 没有响应：“{error}”"
                )
            ) from error
