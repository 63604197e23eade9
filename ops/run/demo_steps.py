"""The first seven steps of the demo: each prints what it sends and what comes back."""

import json
import secrets
from base64 import b64decode, urlsafe_b64decode
from urllib.parse import parse_qsl

from ops.explain.policy import policy_rows
from ops.run.demo_client import FILE, Client, failed
from ops.terminal.language import Text
from ops.terminal.screen import DIM, columns_of, padded

PROFILE, VARIANT = "avatar", "thumb"


def choose_picture(client: Client) -> None:
    count = len(client.picture)
    client.good(f"{FILE.name}: {count} bytes", f"{FILE.name}：{count} 字节")


def log_in(client: Client) -> None:
    # In WeChat this code comes from wx.login; the local one makes a user of any local- code.
    answer = client.post("/login", {"code": f"local-demo-{secrets.token_hex(4)}"})
    client.rows(answer)
    client.headers = {"Authorization": f"Bearer {answer['token']}"}


def ask_for_form(client: Client) -> None:
    form = client.form = client.get_form(PROFILE, FILE.name)
    rows = {name: value for name, value in form.items() if name != "formData"}
    client.rows(rows | {f"formData.{name}": value for name, value in form["formData"].items()})
    _show_policy(client, b64decode(form["formData"]["policy"]).decode())


def upload(client: Client) -> None:
    answer = client.post_form(client.form, FILE.name, 200)
    if answer.content:
        client.line("OSS hands on what the function answered its callback:", "OSS 转交函数对它的回调的响应：")
        client.rows(answer.json())


def confirm(client: Client) -> None:
    """The function asks OSS itself, and the receipt says so."""
    answer = client.post("/confirm", {"ticket": client.form["ticket"]})
    client.rows(answer)
    # Only a holder of the secret can tell whether to believe them.
    claims = json.loads(urlsafe_b64decode(answer["receipt"].split(".")[1] + "=="))
    client.line(
        "The receipt, which a business backend verifies offline, says:", "回执，业务后端可离线验证，内容："
    )
    client.rows(claims)
    if claims.get("size") != len(client.picture) or claims.get("seen") is not True:
        raise failed(Text("OSS has seen each byte", "OSS 看到了每个字节"), str(claims))


def show_picture(client: Client) -> None:
    """The object is private: a signed URL shows it in one form, and nothing else does."""
    key = client.form["key"]
    small = client.post("/read", {"key": key, "variant": VARIANT})["url"]
    client.rows(dict(parse_qsl(small.partition("?")[2])))
    thumb = client.get(small, Text("the thumbnail", "小图"))
    kind = thumb.headers.get("Content-Type", "")
    what = Text("the thumbnail is shown", "能看到小图")
    client.expect(thumb.status_code == 200 and kind.startswith("image/"), what, thumb)
    client.good(f"{kind}, {len(thumb.content)} bytes", f"{kind}，{len(thumb.content)} 字节")
    client.read_back(key)
    changed = small[:-1] + ("b" if small.endswith("a") else "a")
    for address, how in (
        (client.form["fileUrl"], Text("unsigned", "不带签名")),
        (changed, Text("one character of its URL changed", "URL 改了一个字符")),
    ):
        answer = client.get(address, how)
        what = Text("a private object is shown by its signed URL alone", "私有对象只有它的预签名 URL 能看")
        client.expect(answer.status_code == 403, what, answer)
    client.good(f"OSS refuses both: {what.en}", f"OSS 都拒绝了：{what.zh}")


def try_another_key(client: Client) -> None:
    client.post_form(client.form, FILE.name, 403, key="avatars/someone-else/face.png")
    client.good(
        "OSS refuses it: this form is good for one object only", "OSS 拒绝了：这份表单只对一个对象有效"
    )


def _show_policy(client: Client, policy: str) -> None:
    expiration, rows = policy_rows(policy, client.language)
    client.line(
        "the policy decoded: OSS checks each line, and the signature covers them all",
        "policy 解码后：OSS 检查每一行，签名涵盖全部",
    )
    widths = [max(columns_of(row[column]) for row in rows) for column in (0, 1)]
    for name, value, why in rows:
        text = f"        {padded(name, widths[0])}  {padded(value, widths[1])}  "
        client.screen.line(text + client.screen.colour(why, DIM))
    client.line(f"    expires {expiration}", f"    有效期至 {expiration}")
