"""The mini-program of the demo: it knows nothing but HTTP, and prints each exchange."""

import json
import time
from collections.abc import Mapping
from typing import Any

import requests

from local.cloud import LocalCloud
from local.profiles import DEMO
from ops.terminal.language import Failure, Text
from ops.terminal.masking import printable, shortened, shown
from ops.terminal.screen import Screen

TIMEOUT_SECONDS = 15
FILE, FILE_TYPE = DEMO / "sunset.png", "image/png"


class DemoFailed(Failure):
    """A step went wrong."""

    exit_code = 1


def failed(what: Text, said: str) -> DemoFailed:
    """The error for what should have been so, and what is so; another answer than expected ends the demo."""
    said = printable(" ".join(said.split())[:500])
    return DemoFailed(Text(f"Expected: {what.en}. There is: {said}", f"应为：{what.zh}。实际：“{said}”"))


class Client:
    """Client of the demo, with the headers of its login and its first form, in the language of the screen."""

    def __init__(self, cloud: LocalCloud, session: requests.Session, screen: Screen, language: str) -> None:
        self.cloud, self.screen, self.language = cloud, screen, language
        self._session = session
        self.picture = FILE.read_bytes()
        self.headers: dict[str, str] = {}
        self.form: dict[str, Any] = {}

    def good(self, en: str, zh: str) -> None:
        self.screen.good(Text(en, zh).say(self.language))

    def line(self, en: str, zh: str) -> None:
        self.screen.line("    " + Text(en, zh).say(self.language))

    def rows(self, values: Mapping[str, object]) -> None:
        """Each on a line; of what is secret or endless, its start and its length."""
        self.screen.pairs({name: self._short(name, value) for name, value in values.items()}, indent=8)

    def expect(self, is_so: bool, what: Text, answer: requests.Response) -> None:
        """Raise ``DemoFailed``, with what came instead, if it is not so."""
        if not is_so:
            raise failed(what, f"{answer.status_code} {answer.text}")

    def post(self, route: str, wanted: Mapping[str, Any], origin: str = "") -> dict[str, Any]:
        """Ask the function, or another service of the cloud; return its JSON."""
        address = (origin or self.cloud.gateway.outer_origin) + route
        sent = {
            name: value if isinstance(value, int) else shown(name, value, self.language)
            for name, value in wanted.items()
        }
        self._request_line("POST", address, json.dumps(sent, ensure_ascii=False))
        headers = {} if origin else self.headers
        return self._json(self._send("POST", address, json=dict(wanted), headers=headers))

    def ask_quietly(self, route: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Ask once more what was asked before: said once, when it has come to something."""
        address = self.cloud.gateway.outer_origin + route
        return self._json(self._exchange("POST", address, json=dict(wanted)))

    def get_form(self, profile: str, name: str) -> dict[str, Any]:
        size = len(self.picture)
        wanted = {"profile": profile, "filename": name, "contentType": FILE_TYPE, "size": size}
        return self.post("/upload-params", wanted)

    def post_form(self, form: Mapping[str, Any], name: str, status: int, **changed: str) -> requests.Response:
        """Send the picture with a form, some of its fields changed; this status must come back."""
        fields = {**form["formData"], **changed}
        sent = Text(
            f"multipart/form-data, {len(fields)} fields, then the file",
            f"multipart/form-data，{len(fields)} 个字段，最后是文件",
        )
        self._request_line("POST", form["url"], sent.say(self.language))
        self.screen.pairs({"key": fields["key"]}, indent=8)
        # requests writes data before files, in order: the file comes last, as OSS demands.
        files = {"file": (name, self.picture, FILE_TYPE)}
        answer = self._send("POST", form["url"], data=fields, files=files)
        what = Text(f"OSS answers the form with {status}", f"OSS 对表单返回 {status}")
        self.expect(answer.status_code == status, what, answer)
        return answer

    def get(self, address: str, what: Text) -> requests.Response:
        path, mark, _ = address.partition("?")
        self._request_line("GET", path + ("?…" if mark else ""), what.say(self.language))
        return self._send("GET", address)

    def has(self, address: str) -> bool:
        return self._exchange("GET", address).status_code == 200

    def read_back(self, key: str) -> None:
        answer = self.get(self.post("/read", {"key": key})["url"], Text("the picture itself", "原图"))
        what = Text("what is read back is what was sent", "读回的就是发出的")
        self.expect(answer.status_code == 200 and answer.content == self.picture, what, answer)
        count = len(self.picture)
        self.good(f"{count} bytes, every one the same", f"{count} 字节，逐字节相同")

    def _json(self, answer: requests.Response) -> dict[str, Any]:
        self.expect(answer.status_code == 200, Text("the function answers", "函数的响应"), answer)
        value: dict[str, Any] = answer.json()
        return value

    def _short(self, name: str, value: object) -> str:
        text = shown(name, value, self.language)
        return shortened(text, 48, self.language) if len(text) > 100 else text

    def _request_line(self, method: str, address: str, body: str) -> None:
        self.screen.line(f"    {method} {printable(address)}  {printable(body)}")

    def _send(self, method: str, address: str, **options: Any) -> requests.Response:
        started = time.perf_counter()
        answer = self._exchange(method, address, **options)
        milliseconds = (time.perf_counter() - started) * 1000
        status = f"→ {answer.status_code} {answer.reason}"
        self.line(f"{status} in {milliseconds:.0f} ms", f"{status}，{milliseconds:.0f} 毫秒")
        return answer

    def _exchange(self, method: str, address: str, **options: Any) -> requests.Response:
        try:
            return self._session.request(
                method, address, timeout=TIMEOUT_SECONDS, allow_redirects=False, **options
            )
        except requests.RequestException as error:
            request = f"{method} {address}"
            said = Text(f"{request} was not answered: {error}", f"{request} 没有响应：“{error}”")
            raise DemoFailed(said) from error
