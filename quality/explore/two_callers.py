"""Two callers with one subject, and one trace id for an upload of each."""

from typing import Any

from quality.explore.before import HOLDS, WECHAT, life_of
from quality.explore.calls import Call
from quality.explore.cloud import Cloud
from quality.explore.hands import Hands
from quality.explore.model import Event, Life, Model
from quality.explore.photo import BYTES
from quality.explore.steps import Given
from tests.support.world import HELD

RECORDS = "held/.checks/"
OF_ONE = [name for name in HELD if name.startswith("WECHAT_")]
# Beside several callers no setting of one may stand; the file has them by other names.
SEVERAL = {
    "CALLER_AUTH": "several",
    **dict.fromkeys(OF_ONE, ""),
    **{name.replace("WECHAT", "CALLERS"): HELD[name] for name in OF_ONE},
}


def one_trace(cloud: Cloud) -> tuple[Given, Model]:
    """The upload of one caller is being checked, that of the other has been sent."""
    wechat = cloud.wechat
    wechat.token, wechat.aes_key = HELD["WECHAT_PUSH_TOKEN"], HELD["WECHAT_PUSH_AES_KEY"]
    main, second = (_sent(cloud, entry) for entry in cloud.settings.callers)
    main |= cloud.ask("confirm", ticket=main["ticket"]).json
    (main["trace"],) = wechat.submitted
    # The other app counts its own checks.
    wechat.submitted.clear()
    model = Model().with_life(main["uploadId"], life_of(main, "check"))
    return {**second, "main": main}, model.with_life(second["uploadId"], Life(hold=frozenset(HOLDS["check"])))


def _sent(cloud: Cloud, entry: Any) -> Given:
    token = cloud.session(entry=entry)
    form: Given = cloud.ask("upload-params", token, profile="check", filename="a.png").json
    assert cloud.oss.post(form["formData"], BYTES) == 200
    return {**form, "appid": entry.id.partition(":")[2]}


def passes(hands: Hands, given: Given) -> None:
    """WeChat finds the upload of one good; then its trace id is the name of the other's record, by chance."""
    cloud, main = hands.cloud, given["main"]
    held = f"held/{main['key']}"
    seen = hands.call(Call("checker", "look", "", lambda: cloud.etag_sent(held), frozenset({held})))
    hands.note(Event("passed", main["uploadId"], seen, WECHAT))
    hands.push(main["trace"], "pass", main["appid"])

    def names() -> list[str]:
        found = [key.removeprefix(RECORDS) for key in cloud.oss.objects if key.startswith(RECORDS)]
        return [name for name in found if name != main["trace"]]

    call = Call("checker", "look", "", names, frozenset({f"{RECORDS}*"}), is_ready=lambda: bool(names()))
    hands.push(hands.call(call)[0], "pass", main["appid"])


def rejects(hands: Hands, given: Given) -> None:
    """The other's is bad."""
    trace, etag = hands.checked(given["key"])
    hands.note(Event("risky", given["uploadId"], etag, WECHAT))
    hands.push(trace, "risky", given["appid"])
