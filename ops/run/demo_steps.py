"""The first seven steps of the demo: each prints what it sends and what comes back."""

import json
import secrets
from base64 import b64decode, urlsafe_b64decode
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from local.cloud import LocalCloud
from local.profiles import DEMO
from ops.explain.policy import policy_rows
from ops.run.demo_http import DemoHttp, failed
from ops.terminal.language import Text
from ops.terminal.screen import DIM, columns_of, padded

PROFILE, VARIANT = "avatar", "thumb"
FILE, FILE_TYPE = DEMO / "sunset.png", "image/png"


@dataclass
class Client:
    """A mini-program that knows nothing but HTTP: ``headers`` are of its login, ``form`` is its first."""

    http: DemoHttp
    cloud: LocalCloud
    picture: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    form: dict[str, Any] = field(default_factory=dict)

    def post(self, route: str, wanted: dict[str, Any]) -> dict[str, Any]:
        return self.http.post_json(f"{self.cloud.gateway.outer_origin}{route}", wanted, self.headers)

    def get_form(self, profile: str, name: str) -> dict[str, Any]:
        size = len(self.picture)
        return self.post(
            "/upload-params",
            {"profile": profile, "filename": name, "contentType": FILE_TYPE, "size": size},
        )

    def read_back(self, url: str) -> None:
        answer = self.http.get(url, Text("the picture itself", "原图"))
        what = Text("what is read back is what was sent", "读回的就是发出的")
        self.http.expect(answer.status_code == 200 and answer.content == self.picture, what, answer)
        count = len(self.picture)
        self.http.good(f"{count} bytes, every one the same", f"{count} 字节，逐字节相同")


def choose_picture(client: Client) -> None:
    picture = client.picture = FILE.read_bytes()
    client.http.good(f"{FILE.name}: {len(picture)} bytes", f"{FILE.name}：{len(picture)} 字节")


def log_in(client: Client) -> None:
    # In WeChat this code comes from wx.login; the local one makes a user of any local- code.
    answer = client.post("/login", {"code": f"local-demo-{secrets.token_hex(4)}"})
    client.http.rows(answer)
    client.headers = {"Authorization": f"Bearer {answer['token']}"}


def ask_for_form(client: Client) -> None:
    form = client.form = client.get_form(PROFILE, FILE.name)
    rows = {name: value for name, value in form.items() if name != "formData"}
    client.http.rows(rows | {f"formData.{name}": value for name, value in form["formData"].items()})
    _show_policy(client.http, b64decode(form["formData"]["policy"]).decode())


def upload(client: Client) -> None:
    file = (FILE.name, client.picture, FILE_TYPE)
    answer = client.http.post_form(client.form, client.form["formData"], file, 200)
    if answer.content:
        client.http.line(
            "OSS hands on what the function answered its callback:", "OSS 转交函数对它的回调的响应："
        )
        client.http.rows(answer.json())


def confirm(client: Client) -> None:
    """The function asks OSS itself, and the receipt says so."""
    answer = client.post("/confirm", {"ticket": client.form["ticket"]})
    client.http.rows(answer)
    claims = _claims(answer["receipt"])
    client.http.line(
        "The receipt, which a business backend verifies offline, says:", "回执，业务后端可离线验证，内容："
    )
    client.http.rows(claims)
    if claims.get("size") != len(client.picture) or claims.get("seen") is not True:
        raise failed(Text("OSS has seen each byte", "OSS 看到了每个字节"), str(claims))


def _claims(receipt: str) -> dict[str, Any]:
    """Return what a receipt says; whether it may be believed, only a holder of the secret can tell."""
    claims: dict[str, Any] = json.loads(urlsafe_b64decode(receipt.split(".")[1] + "=="))
    return claims


def show_picture(client: Client) -> None:
    """The object is private: a signed URL shows it in one form, and nothing else does."""
    http, key = client.http, client.form["key"]
    small = client.post("/read", {"key": key, "variant": VARIANT})["url"]
    http.rows(dict(parse_qsl(small.partition("?")[2])))
    thumb = http.get(small, Text("the thumbnail", "小图"))
    kind = thumb.headers.get("Content-Type", "")
    what = Text("the thumbnail is shown", "能看到小图")
    http.expect(thumb.status_code == 200 and kind.startswith("image/"), what, thumb)
    http.good(f"{kind}, {len(thumb.content)} bytes", f"{kind}，{len(thumb.content)} 字节")
    client.read_back(client.post("/read", {"key": key})["url"])
    changed = small[:-1] + ("b" if small.endswith("a") else "a")
    for address, how in (
        (client.form["fileUrl"], Text("unsigned", "不带签名")),
        (changed, Text("one character of its URL changed", "URL 改了一个字符")),
    ):
        answer = http.get(address, how)
        what = Text("a private object is shown by its signed URL alone", "私有对象只有它的预签名 URL 能看")
        http.expect(answer.status_code == 403, what, answer)
    http.good(f"OSS refuses both: {what.en}", f"OSS 都拒绝了：{what.zh}")


def try_another_key(client: Client) -> None:
    fields = {**client.form["formData"], "key": "avatars/someone-else/face.png"}
    client.http.post_form(client.form, fields, (FILE.name, client.picture, FILE_TYPE), 403)
    client.http.good(
        "OSS refuses it: this form is good for one object only", "OSS 拒绝了：这份表单只对一个对象有效"
    )


def _show_policy(http: DemoHttp, policy: str) -> None:
    expiration, rows = policy_rows(policy, http.language)
    http.line(
        "the policy decoded: OSS checks each line, and the signature covers them all",
        "policy 解码后：OSS 检查每一行，签名涵盖全部",
    )
    widths = [max(columns_of(row[column]) for row in rows) for column in (0, 1)]
    for name, value, why in rows:
        text = f"        {padded(name, widths[0])}  {padded(value, widths[1])}  "
        http.screen.line(text + http.screen.colour(why, DIM))
    http.line(f"    expires {expiration}", f"    有效期至 {expiration}")
