"""
The last steps of the demo: pictures that are held until they may be seen, and what becomes of each.
"""

import time
from typing import Any, NamedTuple

from ops.run.demo_answers import DemoFailed, answer_to, json_object, member, one_line, refused
from ops.run.demo_steps import FILE_TYPE, Client
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
    """
    A picture that was uploaded and confirmed.

    Args:
        key: the name it will have; it is at ``held_key``.
    """

    key: str
    held_key: str
    receipt: str


def hold_pictures(client: Client, picture: bytes) -> None:
    """
    One is published, one rejected, one taken back.

    Raises:
        DemoFailed: a step did not do what it should.
    """
    checks = client.cloud.wechat.checks
    usual, checks.delays = checks.delays, DELAYS
    try:
        _publish(client, picture)
        _reject(client, picture)
        _take_back(client, picture)
    finally:
        checks.delays = usual


def _publish(client: Client, picture: bytes) -> None:
    client.http.begin(
        Text(
            "Hold it until it may be seen: a post, committed, checked, published",
            "先审后发：暂存，提交，审核，发布",
        )
    )
    held = _upload(client, picture, GOOD)
    _gone(client, held.key, Text("nothing is at its name yet", "发布的名字下还没有对象"))
    _post(client, held)
    state = _wait(client, held, "published")
    client.http.rows(state)
    url = client.url_of({"key": held.key})
    client.read_back(url, picture)
    _gone(client, held.held_key, Text("nothing is held any more", "暂存的名字下也没有了"))


def _reject(client: Client, picture: bytes) -> None:
    client.http.begin(Text("Another is rejected, and its bytes are gone", "另一张没有通过，内容也没有了"))
    held = _upload(client, picture, BAD)
    if _checks(client):
        _post(client, held)
    else:
        _decide(client, held)
    client.http.rows(_wait(client, held, "rejected"))
    _nowhere(client, held)


def _take_back(client: Client, picture: bytes) -> None:
    client.http.begin(Text("A third is chosen and taken back", "第三张选了又不要了"))
    held = _upload(client, picture, UNSENT)
    answer = client.http.post_json(*_to_discard(client, held))
    client.http.rows(answer)
    if answer.get("state") != "gone":
        raise DemoFailed(Text("What was discarded is not gone.", "丢弃之后它还在。"))
    _nowhere(client, held)


def _checks(client: Client) -> bool:
    return "check" in client.cloud.profiles[PROFILE]["hold"]


def _upload(client: Client, picture: bytes, name: str) -> Held:
    """Form, upload, confirmation; said in a few lines, for the steps before have shown each."""
    wanted = {"profile": PROFILE, "filename": name, "contentType": FILE_TYPE, "size": len(picture)}
    form = client.http.post_json(f"{client.function}/upload-params", wanted, client.headers)
    where = answer_to("/upload-params")
    key, fields = str(member(form, "key", where)), member(form, "formData", where)
    held_key = str(member(fields, "key", Text("formData", " formData ")))
    answer = client.http.post_form(form, fields, (name, picture, FILE_TYPE))
    if answer.status_code != 200:
        said = one_line(answer.text)
        raise refused(Text(f"OSS refused the upload: {said}", f"OSS 拒绝了上传：“{said}”"), answer.text)
    confirmed = client.http.post_json(f"{client.function}/confirm", {"ticket": member(form, "ticket", where)})
    stored = STORED.say(client.http.language)
    client.http.rows({"state": confirmed.get("state", ""), "key": key, stored: held_key})
    if confirmed.get("state") != "held" or held_key != f"held/{key}":
        raise DemoFailed(Text("It is not held.", "它没有被暂存。"))
    return Held(key, held_key, str(member(confirmed, "receipt", answer_to("/confirm"))))


def _post(client: Client, held: Held) -> None:
    """As a mini-program hands a post to its business, which verifies the receipt and commits."""
    address = f"{client.cloud.business.outer_origin}/posts"
    client.http.post_json(address, {"text": "…", "receipts": [held.receipt]})
    client.http.good(
        Text(
            "the business has verified the receipt offline and committed it with a backend token",
            "业务后端离线验证了回执，用后端令牌提交了它",
        )
    )


def _decide(client: Client, held: Held) -> None:
    """Decide as a person of the business, where WeChat checks nothing."""
    address = f"{client.cloud.business.outer_origin}/decisions"
    client.http.post_json(address, {"receipt": held.receipt, "decision": "reject"})
    client.http.good(Text("a person of the business has rejected it", "业务的人看过，没有通过"))


def _to_discard(client: Client, held: Held) -> tuple[str, dict[str, Any], dict[str, str]]:
    """The owner takes it back; of callers who are all one nobody is, so the business does."""
    if client.cloud.caller_auth == "anonymous":
        return f"{client.cloud.business.outer_origin}/discards", {"receipt": held.receipt}, {}
    return f"{client.function}/discard", {"receipt": held.receipt}, client.headers


def _wait(client: Client, held: Held, wanted: str) -> dict[str, Any]:
    """
    Ask ``/status`` until the state is as it must become.

    Raises:
        DemoFailed: it becomes another that is for good, or nothing at all.
    """
    address, started = f"{client.function}/status", time.monotonic()
    state = ""
    while time.monotonic() - started < PATIENCE_SECONDS:
        answer = json_object(
            client.http.ask_quietly(address, {"receipt": held.receipt}), Text("/status", " /status ")
        )
        state = str(answer.get("state", ""))
        if state == wanted:
            seconds = time.monotonic() - started
            client.http.good(_decided(client, wanted, seconds))
            return answer
        if state in ("published", "rejected", "gone"):
            break
        time.sleep(LOOKS_EVERY_SECONDS)
    raise DemoFailed(Text(f"It is {state}, not {wanted}.", f"它的状态是 {state}，不是 {wanted}。"))


def _decided(client: Client, state: str, seconds: float) -> Text:
    if not _checks(client):
        return Text(f"{state}", f"{state}")
    return Text(
        f"{state} after {seconds:.1f} s: WeChat got it by a signed URL and pushed its verdict",
        f"{seconds:.1f} 秒后 {state}：微信用预签名 URL 取了它，推送了结论",
    )


def _nowhere(client: Client, held: Held) -> None:
    _gone(client, held.held_key, Text("not held", "没有暂存"))
    _gone(client, held.key, Text("not published", "没有发布"))


def _gone(client: Client, key: str, what: Text) -> None:
    """Asked of OSS itself, with the account's own keys."""
    answer = client.http.get(client.cloud.signed_url(key), what)
    if answer.status_code != 404:
        status = answer.status_code
        raise DemoFailed(
            Text(f"OSS still has {key}: it answered {status}.", f"OSS 里还有 {key}：返回 {status}。")
        )
