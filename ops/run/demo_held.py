"""The last steps of the demo: pictures that are held until they may be seen, and what becomes of each."""

import time
from typing import Any, NamedTuple

from ops.run.demo_client import Client, failed
from ops.terminal.language import Text

PROFILE = "post"
PATIENCE_SECONDS = 15.0
LOOKS_EVERY_SECONDS = 0.3
# Of the local WeChat, whose verdicts come after 0 to 6 seconds otherwise.
DELAYS = (0.2, 0.5)
# What a real picture of these names would get is up to WeChat.
GOOD, BAD, UNSENT = "sunset.png", "risky-sunset.png", "unsent.png"
STORED = Text("stored at", "存放在")


class Held(NamedTuple):
    """A confirmed picture, held at its name below ``held/``."""

    key: str
    receipt: str


def publish(client: Client) -> None:
    held = _upload(client, GOOD)
    _gone(client, held.key, Text("nothing is at its name yet", "发布的名字下还没有对象"))
    _post(client, held)
    client.rows(_wait(client, held, "published"))
    client.read_back(held.key)
    _gone(client, f"held/{held.key}", Text("nothing is held any more", "暂存的名字下也没有了"))


def reject(client: Client) -> None:
    held = _upload(client, BAD)
    _post(client, held)
    client.rows(_wait(client, held, "rejected"))
    _nowhere(client, held)


def take_back(client: Client) -> None:
    held = _upload(client, UNSENT)
    client.rows(client.post("/discard", {"receipt": held.receipt}))
    _nowhere(client, held)


def _upload(client: Client, name: str) -> Held:
    """Form, upload, confirmation; said in a few lines, for the steps before have shown each."""
    form = client.get_form(PROFILE, name)
    key, held_key = form["key"], form["formData"]["key"]
    client.post_form(form, name, 200)
    confirmed = client.post("/confirm", {"ticket": form["ticket"]})
    told = {"state": confirmed["state"], "key": key, STORED.say(client.language): held_key}
    client.rows(told)
    if (confirmed["state"], held_key) != ("held", f"held/{key}"):
        raise failed(Text("it is held", "它被暂存"), str(told))
    return Held(key, confirmed["receipt"])


def _post(client: Client, held: Held) -> None:
    """As a mini-program hands a post to its business, which verifies the receipt and commits."""
    post = {"text": "…", "receipts": [held.receipt]}
    client.post("/posts", post, client.cloud.business.outer_origin)
    client.good(
        "the business has verified the receipt offline and committed it with a backend token",
        "业务后端离线验证了回执，用后端令牌提交了它",
    )


def _wait(client: Client, held: Held, wanted: str) -> dict[str, Any]:
    """Ask ``/status`` until the state is as it must become; raise ``DemoFailed`` for another or none."""
    started = time.monotonic()
    answer: dict[str, Any] = {}
    while time.monotonic() - started < PATIENCE_SECONDS:
        answer = client.ask_quietly("/status", {"receipt": held.receipt})
        if answer["state"] == wanted:
            seconds = time.monotonic() - started
            client.good(
                f"{wanted} after {seconds:.1f} s: WeChat got it by a signed URL and pushed its verdict",
                f"{seconds:.1f} 秒后 {wanted}：微信用预签名 URL 取了它，推送了结论",
            )
            return answer
        if answer["state"] in ("published", "rejected", "gone"):
            break
        time.sleep(LOOKS_EVERY_SECONDS)
    raise failed(Text(f"it is {wanted}", f"它的状态是 {wanted}"), str(answer.get("state")))


def _nowhere(client: Client, held: Held) -> None:
    _gone(client, f"held/{held.key}", Text("not held", "没有暂存"))
    _gone(client, held.key, Text("not published", "没有发布"))


def _gone(client: Client, key: str, what: Text) -> None:
    """Asked of OSS with the account's own keys; an object goes a moment after its decision is recorded."""
    address, started = client.cloud.signed_url(key), time.monotonic()
    while client.has(address) and time.monotonic() - started < PATIENCE_SECONDS:
        time.sleep(LOOKS_EVERY_SECONDS)
    answer = client.get(address, what)
    client.expect(answer.status_code == 404, Text(f"{key}: {what.en}", f"{key}：{what.zh}"), answer)
