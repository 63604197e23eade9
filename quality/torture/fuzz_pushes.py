"""
What is fuzzed of WeChat's message push: bodies, seals and messages of any making, and verdicts among them.
"""

import json
from typing import Any

from function.errors import Forbidden
from function.http.json_body import object_in
from function.moderation.finding import Outcome
from function.moderation.wechat_verdict import read_verdict
from function.wechat.push import open_push
from tests.support.dice import Dice
from tests.support.wechat import BLOCK, Wechat

PUSHER = Wechat("APushToken", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG", "wxtorture")
ANY_BODY, ANY_MESSAGE, ANY_SEAL, ANY_TEXT = range(4)
VERDICT = {
    "Event": "wxa_media_check",
    "trace_id": "60f96f1d-3845297a",
    "errcode": 0,
    "result": {"suggest": "pass", "label": 100},
    "detail": [{"errcode": 0, "suggest": "pass"}],
}
SEEDS = (
    bytes([ANY_MESSAGE]) + json.dumps(VERDICT).encode(),
    bytes([ANY_MESSAGE]) + b'{"trace_id": "t", "isrisky": 0, "status_code": 4294966288}',
    bytes([ANY_BODY]) + json.dumps({"ToUserName": "gh", "Encrypt": PUSHER.seal(b"{}")}).encode(),
    bytes([ANY_SEAL]) + bytes(BLOCK) * 3,
    bytes([ANY_TEXT]) + b"AAAAAAAAAAAAAAAAAAAAAA==",
)


class PushTarget:
    """Whatever is pushed is opened when WeChat sealed it, else refused; and no doubt reads as a pass."""

    def __call__(self, data: bytes) -> None:
        dice = Dice(data)
        how = dice.number(4)
        given = dice.rest()
        query, body = _made(how, given)
        try:
            message = open_push(query, body, token=PUSHER.token, aes_key=PUSHER.aes_key, appid=PUSHER.appid)
        except Forbidden:
            if how == ANY_MESSAGE:
                raise AssertionError("what WeChat sealed was refused") from None
            return
        if how == ANY_BODY:
            raise AssertionError("opened without a signature")
        if how == ANY_MESSAGE and message != given:
            raise AssertionError("another message came out than was sealed")
        self.read(object_in(message) or {})

    def read(self, event: dict[str, Any]) -> None:
        """Read it as a verdict, and hold a pass to what the event says by itself."""
        verdict = read_verdict(event)
        if verdict is None or verdict.outcome is not Outcome.PASS:
            return
        said = json.dumps(event.get("detail")).lower()
        if "pass" not in str(event["result"]["suggest"]).lower() or str(event.get("errcode") or 0).strip(
            "-0"
        ):
            raise AssertionError("an event that does not say pass was read as one")
        if '"suggest": "risky"' in said and '"errcode": ' not in said:
            raise AssertionError("a pass over a detail that says risky")


def _made(how: int, given: bytes) -> tuple[dict[str, str], bytes]:
    """Query and body; but for any body the signature fits, as when the Token is known."""
    if how == ANY_BODY:
        return {**PUSHER.query("x"), "msg_signature": "0" * 40}, given
    if how == ANY_MESSAGE:
        return PUSHER.push(given)
    whole = given[: len(given) // 16 * 16]
    encrypted = PUSHER.encrypt(whole) if how == ANY_SEAL else given.decode("latin-1")
    return PUSHER.query(encrypted), json.dumps({"Encrypt": encrypted}).encode()
