"""
The first seven steps of the demo: each prints what it sends and what comes back.
"""

import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import requests

from local.cloud import LocalCloud
from ops.explain.policy import policy_rows
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
from ops.run.demo_http import DemoHttp
from ops.run.picture import draw_png
from ops.terminal.columns import columns_of, padded
from ops.terminal.language import Text
from ops.terminal.screen import DIM, Screen

PROFILE, VARIANT = "avatar", "thumb"
FILE_NAME, FILE_TYPE = "sunset.png", "image/png"
WIDTH, HEIGHT = 320, 200
STEPS = 10
FORM = answer_to("/upload-params")


class Client:
    """A mini-program that knows nothing but HTTP: it signs nothing and holds no key."""

    def __init__(self, session: requests.Session, screen: Screen, language: str, cloud: LocalCloud) -> None:
        self.http = DemoHttp(session, screen, language, STEPS)
        self.cloud = cloud
        self.function = cloud.gateway.outer_origin
        self.headers: dict[str, str] = {}

    def make_picture(self) -> bytes:
        self.http.begin(Text("Make a picture", "造图"))
        picture = draw_png(WIDTH, HEIGHT)
        self.http.good(
            Text(
                f"{FILE_NAME}: PNG, {WIDTH} x {HEIGHT}, {len(picture)} bytes",
                f"{FILE_NAME}：PNG，{WIDTH} x {HEIGHT}，{len(picture)} 字节",
            )
        )
        return picture

    def log_in(self) -> None:
        """Log in; later requests carry the token where one is needed."""
        self.http.begin(Text("Log in", "登录"))
        if token := self._token():
            self.headers = {"Authorization": f"Bearer {token}"}

    def _token(self) -> str:
        if self.cloud.caller_auth == "anonymous":
            self.http.good(
                Text(
                    "not needed: CALLER_AUTH=anonymous, anyone may ask",
                    "不需要：CALLER_AUTH=anonymous，任何人都可以要表单",
                )
            )
            return ""
        if self.cloud.caller_auth == "jwt":
            self.http.good(
                Text(
                    "the token of the business's own login is used: CALLER_AUTH=jwt",
                    "用业务自己的登录令牌：CALLER_AUTH=jwt",
                )
            )
            return self.cloud.business_token("demo-user")
        # In WeChat this code comes from wx.login; the local WeChat makes a user of any local- code.
        code = f"local-demo-{secrets.token_hex(4)}"
        answer = self.http.post_json(f"{self.function}/login", {"code": code})
        self.http.rows(answer)
        return str(member(answer, "token", answer_to("/login")))

    def ask_for_form(self, size: int) -> dict[str, Any]:
        self.http.begin(Text("Ask for a signed form", "要表单"))
        wanted = {"profile": PROFILE, "filename": FILE_NAME, "contentType": FILE_TYPE, "size": size}
        form = self.http.post_json(f"{self.function}/upload-params", wanted, self.headers)
        fields = member(form, "formData", FORM)
        rows = {name: value for name, value in form.items() if name != "formData"}
        self.http.rows(rows | {f"formData.{name}": value for name, value in fields.items()})
        self._show_policy(decoded(str(member(fields, "policy", Text("formData", " formData ")))))
        return form

    def upload(self, form: Mapping[str, Any], picture: bytes) -> None:
        self.http.begin(Text("Upload straight to OSS", "直传 OSS"))
        answer = self.http.post_form(form, form["formData"], (FILE_NAME, picture, FILE_TYPE))
        said = one_line(answer.text)
        if answer.status_code == 203:
            failed = Text(
                f"The file is stored, but the callback failed: {said}", f"文件已保存，但回调失败：“{said}”"
            )
            raise refused(failed, answer.text)
        if answer.status_code != 200:
            raise refused(Text(f"OSS refused the upload: {said}", f"OSS 拒绝了上传：“{said}”"), answer.text)
        if answer.content:
            self.http.line(
                Text(
                    "OSS hands on what the function answered its callback:", "OSS 转交函数对它的回调的响应："
                )
            )
            self.http.rows(json_object(answer, Text("OSS", "OSS ")))

    def confirm(self, form: Mapping[str, Any], picture: bytes) -> None:
        """The function asks OSS itself, and the receipt says so."""
        self.http.begin(Text("Confirm: the function asks OSS what is there", "确认：函数去问 OSS 存下了什么"))
        ticket = str(member(form, "ticket", FORM))
        answer = self.http.post_json(f"{self.function}/confirm", {"ticket": ticket})
        self.http.rows(answer)
        claims = claims_of(str(member(answer, "receipt", answer_to("/confirm"))))
        self.http.line(
            Text(
                "The receipt, which a business backend verifies offline, says:",
                "回执，业务后端可离线验证，内容：",
            )
        )
        self.http.rows(claims)
        if (size := claims.get("size")) != len(picture):
            raise DemoFailed(
                Text(
                    f"The receipt says {size} bytes; {len(picture)} were sent.",
                    f"回执说是 {size} 字节，而发出的是 {len(picture)} 字节。",
                )
            )
        if claims.get("seen") is not True:
            raise DemoFailed(Text("The receipt does not say that OSS was asked.", "回执没有说问过 OSS。"))

    def show_picture(self, form: Mapping[str, Any], picture: bytes) -> None:
        """The object is private: a signed URL shows it in one form, and nothing else does."""
        self.http.begin(Text("Show it: a private picture by a signed URL", "看图：私有的图片用预签名 URL 看"))
        key = str(member(form, "key", FORM))
        small = self.url_of({"key": key, "variant": VARIANT})
        self.http.rows(dict(parse_qsl(small.partition("?")[2])))
        thumb = self.http.get(small, Text("the thumbnail", "小图"))
        kind = thumb.headers.get("Content-Type", "")
        if thumb.status_code != 200 or not kind.startswith("image/"):
            said = f"{thumb.status_code} {one_line(thumb.text)}"
            raise refused(Text(f"The thumbnail was not shown: {said}", f"没有看到小图：“{said}”"), thumb.text)
        self.http.good(Text(f"{kind}, {len(thumb.content)} bytes", f"{kind}，{len(thumb.content)} 字节"))
        self.read_back(self.url_of({"key": key}), picture)
        self._refuse(str(member(form, "fileUrl", FORM)), Text("unsigned", "不带签名"))
        self._refuse(_with_another_end(small), Text("one character of its URL changed", "URL 改了一个字符"))

    def try_another_key(self, form: Mapping[str, Any], picture: bytes) -> None:
        self.http.begin(Text("Try to cheat: the same form, another name", "试着越权：同一份表单，换一个名字"))
        fields = {**form["formData"], "key": "avatars/someone-else/face.png"}
        answer = self.http.post_form(form, fields, (FILE_NAME, picture, FILE_TYPE))
        if answer.status_code != 403:
            raise DemoFailed(
                Text(
                    f"OSS took a form for another key, with {answer.status_code}.",
                    f"OSS 接受了用于别的 key 的表单，状态码 {answer.status_code}。",
                )
            )
        self.http.good(
            Text(
                "OSS refuses it: this form is good for one object only",
                "OSS 拒绝了：这份表单只对一个对象有效",
            )
        )

    def url_of(self, wanted: Mapping[str, str]) -> str:
        answer = self.http.post_json(f"{self.function}/read", wanted, self.headers)
        return str(member(answer, "url", answer_to("/read")))

    def read_back(self, url: str, picture: bytes) -> None:
        answer = self.http.get(url, Text("the picture itself", "原图"))
        if answer.status_code != 200 or answer.content != picture:
            status, count = answer.status_code, len(answer.content)
            raise DemoFailed(
                Text(
                    f"What was read back is not what was sent: {status}, {count} bytes.",
                    f"读回的不是发出的：状态码 {status}，{count} 字节。",
                )
            )
        count = len(picture)
        self.http.good(Text(f"{count} bytes, every one the same", f"{count} 字节，逐字节相同"))

    def _refuse(self, address: str, what: Text) -> None:
        answer = self.http.get(address, what)
        if answer.status_code == 403:
            self.http.good(
                Text(
                    "OSS refuses it: a private object is shown by its signed URL alone",
                    "OSS 拒绝了：私有对象只有它的预签名 URL 能看",
                )
            )
        elif self.cloud.oss.bucket.rules.private_reads_need_signature:
            status = answer.status_code
            raise DemoFailed(
                Text(
                    f"OSS handed out a private object, {what.en}, with {status}.",
                    f"OSS 给出了私有对象（{what.zh}），状态码 {status}。",
                )
            )

    def _show_policy(self, policy: str) -> None:
        expiration, rows = policy_rows(policy, self.http.language)
        self.http.line(
            Text(
                "the policy decoded: OSS checks each line, and the signature covers them all",
                "policy 解码后：OSS 检查每一行，签名涵盖全部",
            )
        )
        screen = self.http.screen
        widths = [max(columns_of(row[column]) for row in rows) for column in (0, 1)]
        for field, value, why in rows:
            text = f"        {padded(field, widths[0])}  {padded(value, widths[1])}  "
            screen.line(text + screen.colour(why, DIM))
        self.http.line(Text(f"    expires {expiration}", f"    有效期至 {expiration}"))


def _with_another_end(url: str) -> str:
    return url[:-1] + ("b" if url.endswith("a") else "a")
