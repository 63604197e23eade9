"""
The six steps of the demo: each prints what it sends and what comes back.
"""

import base64
import json
import secrets
import time
from collections.abc import Mapping
from typing import Any

import requests

from local.cloud import LocalCloud
from ops.client.claims import read_claims
from ops.explain.policy_table import policy_rows
from ops.run.picture import draw_png
from ops.terminal.masking import printable, shown
from ops.terminal.screen import DIM, Screen

PROFILE = "avatar"
FILE_NAME = "sunset.png"
WIDTH, HEIGHT = 320, 200
TIMEOUT_SECONDS = 15
STEPS = 6


class DemoFailed(Exception):
    """A step went wrong; the message is a sentence for the operator."""


class Client:
    """A mini-program that knows nothing but HTTP: it signs nothing and holds no key."""

    def __init__(self, session: requests.Session, screen: Screen) -> None:
        self._session = session
        self._screen = screen
        self._step = 0

    def make_picture(self) -> bytes:
        self._begin("造图", "Make a picture")
        picture = draw_png(WIDTH, HEIGHT)
        self._screen.good(f"{FILE_NAME}: PNG, {WIDTH} x {HEIGHT}, {len(picture)} bytes")
        return picture

    def log_in(self, cloud: LocalCloud) -> str:
        """The token for the next step; empty where none is needed."""
        self._begin("登录", "Log in")
        if cloud.caller_auth == "anonymous":
            self._screen.good("not needed: CALLER_AUTH=anonymous, anyone may ask")
            return ""
        if cloud.caller_auth == "jwt":
            self._screen.good("the token of the business's own login is used: CALLER_AUTH=jwt")
            return cloud.business_token("demo-user")
        # In WeChat this code comes from wx.login; the local WeChat makes a user of any local- code.
        code = f"local-demo-{secrets.token_hex(4)}"
        answer = self._post_json(f"{cloud.gateway.outer_origin}/login", {"code": code}, {})
        self._screen.pairs({name: shown(name, value) for name, value in answer.items()}, indent=8)
        return str(_member(answer, "token", "the answer to /login"))

    def ask_for_form(self, function: str, token: str, size: int) -> dict[str, Any]:
        self._begin("要表单", "Ask for a signed form")
        wanted = {
            "profile": PROFILE,
            "filename": FILE_NAME,
            "contentType": "image/png",
            "size": size,
        }
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        form = self._post_json(f"{function}/upload-params", wanted, headers)
        fields = _member(form, "formData", "the answer to /upload-params")
        rows = {name: shown(name, value) for name, value in form.items() if name != "formData"}
        rows |= {f"formData.{name}": _short(name, value) for name, value in fields.items()}
        self._screen.pairs(rows, indent=8)
        self._show_policy(_decoded(str(_member(fields, "policy", "formData"))))
        return form

    def upload(self, form: Mapping[str, Any], picture: bytes) -> dict[str, Any]:
        """The JSON that OSS handed on from the callback; empty without a callback."""
        self._begin("直传 OSS", "Upload straight to OSS")
        answer = self._post_form(form, form["formData"], picture)
        if answer.status_code == 203:
            raise DemoFailed(f"The file is stored, but the callback failed: {printable(answer.text[:500])}")
        if answer.status_code != 200:
            raise DemoFailed(f"OSS refused the upload: {printable(answer.text[:500])}")
        if not answer.content:
            return {}
        told = _json_object(answer, "OSS")
        self._screen.pairs({name: _short(name, value) for name, value in told.items()}, indent=8)
        if "receipt" in told:
            self._screen.line("    回执 The receipt, which a business backend verifies offline, says:")
            claims = _claims(str(told["receipt"]))
            self._screen.pairs({name: str(value) for name, value in claims.items()}, indent=8)
            if claims.get("size") != len(picture):
                raise DemoFailed(f"The receipt says {claims.get('size')} bytes; {len(picture)} were sent.")
        return told

    def read_back(self, cloud: LocalCloud, form: Mapping[str, Any], picture: bytes) -> None:
        """The object is private: its address alone is refused, a signed one gives what was sent."""
        self._begin("读回", "Read it back")
        address = str(_member(form, "fileUrl", "the answer to /upload-params"))
        self._request_line("GET", address)
        unsigned = self._send("GET", address)
        if unsigned.status_code == 403:
            self._screen.good("a private object is handed to nobody who does not sign")
        elif cloud.oss.bucket.rules.private_reads_need_signature:
            raise DemoFailed(f"OSS handed a private object to anybody, with {unsigned.status_code}.")
        self._request_line("GET", f"{address}?x-oss-signature=…", "signed with the local account's own key")
        answer = self._send("GET", cloud.signed_url(str(_member(form, "key", "the form"))))
        if answer.status_code != 200 or answer.content != picture:
            raise DemoFailed(
                f"What was read back is not what was sent: {answer.status_code}, {len(answer.content)} bytes."
            )
        self._screen.good(f"{len(picture)} bytes, every one the same, {answer.headers.get('Content-Type')}")

    def try_another_key(self, form: Mapping[str, Any], picture: bytes) -> None:
        self._begin("试着越权", "Try to cheat: the same form, another name")
        fields = {**form["formData"], "key": "avatars/someone-else/face.png"}
        answer = self._post_form(form, fields, picture)
        if answer.status_code != 403:
            raise DemoFailed(f"OSS took a form for another key, with {answer.status_code}.")
        self._screen.good("OSS refuses it: this form is good for one object only")

    def _begin(self, chinese: str, english: str) -> None:
        self._step += 1
        self._screen.line()
        self._screen.title(f"{self._step}/{STEPS} {chinese} {english}")

    def _show_policy(self, policy: str) -> None:
        expiration, rows = policy_rows(policy)
        self._screen.line(
            "    policy 解码后 decoded: OSS checks each line, and the signature covers them all"
        )
        widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
        for field, value, why in rows:
            text = f"        {field:<{widths[0]}}  {value:<{widths[1]}}  "
            self._screen.line(text + self._screen.colour(why, DIM))
        self._screen.line(f"        expires {expiration}")

    def _post_json(
        self, address: str, wanted: Mapping[str, Any], headers: Mapping[str, str]
    ) -> dict[str, Any]:
        sent = {name: shown(name, value) if name == "code" else value for name, value in wanted.items()}
        self._request_line("POST", address, json.dumps(sent, ensure_ascii=False))
        answer = self._send("POST", address, json=dict(wanted), headers=dict(headers))
        return _json_object(answer, "the function")

    def _post_form(
        self, form: Mapping[str, Any], fields: Mapping[str, str], picture: bytes
    ) -> requests.Response:
        address = str(_member(form, "url", "the answer to /upload-params"))
        self._request_line("POST", address, f"multipart/form-data, {len(fields)} fields, then the file")
        self._screen.pairs({"key": fields.get("key", "")}, indent=8)
        # requests writes data before files, in order: the file comes last, as OSS demands.
        return self._send(
            "POST", address, data=dict(fields), files={"file": (FILE_NAME, picture, "image/png")}
        )

    def _request_line(self, method: str, address: str, body: str = "") -> None:
        self._screen.line(f"    {method} {printable(address)}" + (f"  {printable(body)}" if body else ""))

    def _send(self, method: str, address: str, **options: Any) -> requests.Response:
        started = time.perf_counter()
        try:
            answer = self._session.request(
                method, address, timeout=TIMEOUT_SECONDS, allow_redirects=False, **options
            )
        except requests.RequestException as error:
            raise DemoFailed(f"{method} {address} was not answered: {error}") from error
        milliseconds = (time.perf_counter() - started) * 1000
        self._screen.line(f"    → {answer.status_code} {answer.reason} in {milliseconds:.0f} ms")
        return answer


def _json_object(answer: requests.Response, who: str) -> dict[str, Any]:
    try:
        value = answer.json()
    except ValueError:
        value = None
    if answer.status_code != 200:
        error = value.get("error") if isinstance(value, dict) else None
        said = f"{error['code']}: {error['message']}" if isinstance(error, dict) else answer.text[:300]
        raise DemoFailed(f"{who} answered {answer.status_code}, {printable(said)}")
    if not isinstance(value, dict):
        raise DemoFailed(f"{who} answered no JSON object: {printable(answer.text[:300])}")
    return value


def _member(answer: Mapping[str, Any], name: str, where: str) -> Any:
    if not answer.get(name):
        raise DemoFailed(f"There is no {name!r} in {where}.")
    return answer[name]


def _short(name: str, value: object) -> str:
    """A value for one line; of what is secret or endless, its start and its length."""
    text = shown(name, value)
    return f"{text[:48]}… ({len(text)} characters)" if len(text) > 100 else text


def _decoded(policy: str) -> str:
    try:
        return base64.b64decode(policy, validate=True).decode()
    except ValueError:
        raise DemoFailed("The policy of the form is not base64 of UTF-8 text.") from None


def _claims(receipt: str) -> dict[str, Any]:
    claims = read_claims(receipt)
    if claims is None:
        raise DemoFailed("The receipt is no JWT.")
    return claims
