"""
The six steps of the demo: each prints what it sends and what comes back.
"""

import json
import secrets
import time
from collections.abc import Mapping
from typing import Any

import requests

from local.cloud import LocalCloud
from ops.explain.policy_table import policy_rows
from ops.run.demo_answers import (
    DemoFailed,
    answer_to,
    claims_of,
    decoded,
    json_object,
    member,
    one_line,
    refused,
)
from ops.run.picture import draw_png
from ops.terminal.columns import columns_of, padded
from ops.terminal.language import Text
from ops.terminal.masking import printable, shortened, shown
from ops.terminal.screen import DIM, Screen

PROFILE = "avatar"
FILE_NAME = "sunset.png"
WIDTH, HEIGHT = 320, 200
TIMEOUT_SECONDS = 15
STEPS = 6


class Client:
    """A mini-program that knows nothing but HTTP: it signs nothing and holds no key."""

    def __init__(self, session: requests.Session, screen: Screen, language: str) -> None:
        self._session = session
        self._screen = screen
        self._language = language
        self._step = 0

    def make_picture(self) -> bytes:
        self._begin(Text("Make a picture", "造图"))
        picture = draw_png(WIDTH, HEIGHT)
        self._good(
            Text(
                f"{FILE_NAME}: PNG, {WIDTH} x {HEIGHT}, {len(picture)} bytes",
                f"{FILE_NAME}：PNG，{WIDTH} x {HEIGHT}，{len(picture)} 字节",
            )
        )
        return picture

    def log_in(self, cloud: LocalCloud) -> str:
        """The token for the next step; empty where none is needed."""
        self._begin(Text("Log in", "登录"))
        if cloud.caller_auth == "anonymous":
            self._good(
                Text(
                    "not needed: CALLER_AUTH=anonymous, anyone may ask",
                    "不需要：CALLER_AUTH=anonymous，任何人都可以要表单",
                )
            )
            return ""
        if cloud.caller_auth == "jwt":
            self._good(
                Text(
                    "the token of the business's own login is used: CALLER_AUTH=jwt",
                    "用业务自己的登录令牌：CALLER_AUTH=jwt",
                )
            )
            return cloud.business_token("demo-user")
        # In WeChat this code comes from wx.login; the local WeChat makes a user of any local- code.
        code = f"local-demo-{secrets.token_hex(4)}"
        answer = self._post_json(f"{cloud.gateway.outer_origin}/login", {"code": code}, {})
        rows = {name: self._shown(name, value) for name, value in answer.items()}
        self._screen.pairs(rows, indent=8)
        return str(member(answer, "token", answer_to("/login")))

    def ask_for_form(self, function: str, token: str, size: int) -> dict[str, Any]:
        self._begin(Text("Ask for a signed form", "要表单"))
        wanted = {
            "profile": PROFILE,
            "filename": FILE_NAME,
            "contentType": "image/png",
            "size": size,
        }
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        form = self._post_json(f"{function}/upload-params", wanted, headers)
        fields = member(form, "formData", answer_to("/upload-params"))
        rows = {name: self._shown(name, value) for name, value in form.items() if name != "formData"}
        rows |= {f"formData.{name}": self._short(name, value) for name, value in fields.items()}
        self._screen.pairs(rows, indent=8)
        self._show_policy(decoded(str(member(fields, "policy", Text("formData", " formData ")))))
        return form

    def upload(self, form: Mapping[str, Any], picture: bytes) -> dict[str, Any]:
        """The JSON that OSS handed on from the callback; empty without a callback."""
        self._begin(Text("Upload straight to OSS", "直传 OSS"))
        answer = self._post_form(form, form["formData"], picture)
        if answer.status_code == 203:
            said = one_line(answer.text)
            failed = Text(
                f"The file is stored, but the callback failed: {said}", f"文件已保存，但回调失败：“{said}”"
            )
            raise refused(failed, answer.text)
        if answer.status_code != 200:
            said = one_line(answer.text)
            raise refused(Text(f"OSS refused the upload: {said}", f"OSS 拒绝了上传：“{said}”"), answer.text)
        if not answer.content:
            return {}
        told = json_object(answer, Text("OSS", "OSS "))
        self._screen.pairs({name: self._short(name, value) for name, value in told.items()}, indent=8)
        if "receipt" in told:
            self._line(
                Text(
                    "The receipt, which a business backend verifies offline, says:",
                    "回执，业务后端可离线验证，内容：",
                )
            )
            claims = claims_of(str(told["receipt"]))
            self._screen.pairs({name: str(value) for name, value in claims.items()}, indent=8)
            if claims.get("size") != len(picture):
                size = claims.get("size")
                raise DemoFailed(
                    Text(
                        f"The receipt says {size} bytes; {len(picture)} were sent.",
                        f"回执说是 {size} 字节，而发出的是 {len(picture)} 字节。",
                    )
                )
        return told

    def read_back(self, cloud: LocalCloud, form: Mapping[str, Any], picture: bytes) -> None:
        """The object is private: its address alone is refused, a signed one gives what was sent."""
        self._begin(Text("Read it back", "读回"))
        address = str(member(form, "fileUrl", answer_to("/upload-params")))
        self._request_line("GET", address)
        unsigned = self._send("GET", address)
        if unsigned.status_code == 403:
            self._good(
                Text("a private object is handed to nobody who does not sign", "私有对象不给没有签名的人")
            )
        elif cloud.oss.bucket.rules.private_reads_need_signature:
            raise DemoFailed(
                Text(
                    f"OSS handed a private object to anybody, with {unsigned.status_code}.",
                    f"OSS 把私有对象给了任何人，状态码 {unsigned.status_code}。",
                )
            )
        self._request_line(
            "GET",
            f"{address}?x-oss-signature=…",
            Text("signed with the local account's own key", "用本地账号自己的密钥签名").say(self._language),
        )
        answer = self._send("GET", cloud.signed_url(str(member(form, "key", Text("the form", "表单")))))
        if answer.status_code != 200 or answer.content != picture:
            status, count = answer.status_code, len(answer.content)
            raise DemoFailed(
                Text(
                    f"What was read back is not what was sent: {status}, {count} bytes.",
                    f"读回的不是发出的：状态码 {status}，{count} 字节。",
                )
            )
        kind = answer.headers.get("Content-Type")
        self._good(
            Text(
                f"{len(picture)} bytes, every one the same, {kind}", f"{len(picture)} 字节，一字不差，{kind}"
            )
        )

    def try_another_key(self, form: Mapping[str, Any], picture: bytes) -> None:
        self._begin(Text("Try to cheat: the same form, another name", "试着越权：同一份表单，换一个名字"))
        fields = {**form["formData"], "key": "avatars/someone-else/face.png"}
        answer = self._post_form(form, fields, picture)
        if answer.status_code != 403:
            raise DemoFailed(
                Text(
                    f"OSS took a form for another key, with {answer.status_code}.",
                    f"OSS 接受了用于别的 key 的表单，状态码 {answer.status_code}。",
                )
            )
        self._good(
            Text(
                "OSS refuses it: this form is good for one object only",
                "OSS 拒绝了：这份表单只对一个对象有效",
            )
        )

    def _begin(self, title: Text) -> None:
        self._step += 1
        self._screen.line()
        self._screen.title(f"{self._step}/{STEPS} {title.say(self._language)}")

    def _good(self, text: Text) -> None:
        self._screen.good(text.say(self._language))

    def _line(self, text: Text) -> None:
        self._screen.line("    " + text.say(self._language))

    def _shown(self, name: str, value: object) -> str:
        return shown(name, value, self._language)

    def _short(self, name: str, value: object) -> str:
        """A value for one line; of what is secret or endless, its start and its length."""
        text = self._shown(name, value)
        return shortened(text, 48, self._language) if len(text) > 100 else text

    def _show_policy(self, policy: str) -> None:
        expiration, rows = policy_rows(policy, self._language)
        self._line(
            Text(
                "the policy decoded: OSS checks each line, and the signature covers them all",
                "policy 解码后：OSS 检查每一行，签名涵盖全部",
            )
        )
        widths = [max(columns_of(row[column]) for row in rows) for column in (0, 1)]
        for field, value, why in rows:
            text = f"        {padded(field, widths[0])}  {padded(value, widths[1])}  "
            self._screen.line(text + self._screen.colour(why, DIM))
        self._line(Text(f"    expires {expiration}", f"    有效期至 {expiration}"))

    def _post_json(
        self, address: str, wanted: Mapping[str, Any], headers: Mapping[str, str]
    ) -> dict[str, Any]:
        sent = {name: self._shown(name, value) if name == "code" else value for name, value in wanted.items()}
        self._request_line("POST", address, json.dumps(sent, ensure_ascii=False))
        answer = self._send("POST", address, json=dict(wanted), headers=dict(headers))
        return json_object(answer, Text("the function", "函数"))

    def _post_form(
        self, form: Mapping[str, Any], fields: Mapping[str, str], picture: bytes
    ) -> requests.Response:
        address = str(member(form, "url", answer_to("/upload-params")))
        sent = Text(
            f"multipart/form-data, {len(fields)} fields, then the file",
            f"multipart/form-data，{len(fields)} 个字段，最后是文件",
        )
        self._request_line("POST", address, sent.say(self._language))
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
            raise DemoFailed(
                Text(
                    f"{method} {address} was not answered: {error}", f"{method} {address} 没有应答：“{error}”"
                )
            ) from error
        milliseconds = (time.perf_counter() - started) * 1000
        status = f"→ {answer.status_code} {answer.reason}"
        self._line(Text(f"{status} in {milliseconds:.0f} ms", f"{status}，{milliseconds:.0f} 毫秒"))
        return answer
