"""What the actors of scenarios do."""

from typing import Any

from quality.explore.before import HOLDS, SAME, WECHAT
from quality.explore.hands import Hands
from quality.explore.model import ABORT, AGAIN, COMMIT, ERASE, PUBLISH, REJECT, SHARED, SILENCE, SWAP, Event
from quality.explore.photo import BYTES, OTHERS, etag_of
from quality.explore.steps import Act, Given
from tests.support.world import PART

MINUTES = 60


commit: Act = Hands.commit
commit_slowly: Act = Hands.commit_slowly
confirm: Act = Hands.confirm
discard: Act = Hands.discard
discard_own: Act = Hands.discard_own
# OSS may send a callback again.
report: Act = Hands.report
status: Act = Hands.status


def commit_own(hands: Hands, given: Given) -> None:
    """As an owner may where the profile says so."""
    hands.ask(COMMIT, given["uploadId"], "commit", hands.cloud.session, receipt=given["receipt"])


def publish(hands: Hands, given: Given) -> None:
    hands.commit(given, PUBLISH, decision="publish")


def reject(hands: Hands, given: Given) -> None:
    hands.commit(given, REJECT, decision="reject")


def discard_until_gone(hands: Hands, given: Given) -> None:
    """As a backend does that is told to come again."""
    for _ in range(3):
        reply = hands.discard(given)
        if reply is not None and reply.status == 200:
            return
        hands.wait(MINUTES)


def tick_after_silence(hands: Hands, given: Given) -> None:
    """WeChat says nothing; the second submission is due, and after that a human."""
    hands.note(Event("begun", given["uploadId"], SILENCE))
    for _ in range(2):
        hands.wait(36 * MINUTES)
        hands.tick()


def tick(hands: Hands, _given: Given) -> None:
    hands.wait(2 * MINUTES)
    hands.tick()


def tick_now(hands: Hands, _given: Given) -> None:
    hands.tick()


def begin_parts(hands: Hands, _given: Given) -> None:
    hands.form("parts", "multipart", size=PART + 1)


def send_and_confirm(hands: Hands, given: Given) -> None:
    hands.post(given)
    hands.confirm(given)


def send_and_report(hands: Hands, given: Given) -> None:
    """OSS calls back before it answers the phone, whose response is lost."""
    if hands.post(given) == 200:
        hands.report(given)


def report_forged(hands: Hands, given: Given) -> None:
    """A callback with another size than was stored, and the commit of its receipt: that is of other bytes."""
    hands.note(Event("begun", given["uploadId"], SWAP))
    reply = hands.report(given, size=2)
    if reply is not None and reply.status == 200:
        hands.commit(reply.json)


def send_other(hands: Hands, given: Given) -> None:
    """Once the name is free."""
    for _ in range(2):
        if hands.post(given["other"]) == 200:
            hands.confirm(given["other"])
            return


def phone(profile: str, **fields: Any) -> Act:
    """A whole upload."""

    def act(hands: Hands, _given: Given) -> None:
        form = hands.form(profile, **fields)
        if form is None:
            return
        if "exists" not in form:
            about = SHARED if profile == "same" else ""
            hands.note(Event("hold", form["uploadId"], " ".join(HOLDS.get(profile, ())), about))
            hands.post(form)
            hands.confirm(form)

    return act


def wechat(hands: Hands, given: Given) -> None:
    """Looks at what it was given, and says what it saw."""
    trace, etag = hands.checked(given["key"])
    is_good = etag not in ("", etag_of(f"held/{given['key']}", OTHERS))
    id = given["uploadId"]
    hands.note(Event("passed", id, etag, WECHAT) if is_good else Event("risky", id, etag, WECHAT))
    hands.push(trace, "pass" if is_good else "risky")


def doubt(hands: Hands, given: Given) -> None:
    """WeChat leaves it to a human."""
    trace, _ = hands.checked(given["key"])
    hands.push(trace, "review")


def swap(hands: Hands, given: Given) -> None:
    """Good bytes for a while, then the bad ones again."""
    _swap(hands, given, BYTES, OTHERS)


def swap_back(hands: Hands, given: Given) -> None:
    """Others for a while, then the bytes of the receipt again."""
    _swap(hands, given, OTHERS, BYTES)


def _swap(hands: Hands, given: Given, *names: str) -> None:
    hands.note(Event("begun", given["uploadId"], SWAP))
    for name in names:
        hands.swap(f"held/{given['key']}", name)


def overwrite(hands: Hands, given: Given) -> None:
    """Send the form once more, with other bytes."""
    if hands.post(given, OTHERS) == 200:
        hands.note(Event("sent", given["uploadId"], AGAIN))


def delete_old(hands: Hands, given: Given) -> None:
    hands.delete(given["old"])


def delete_and_send_again(hands: Hands, given: Given) -> None:
    """The same form, which a phone may do as long as it lives."""
    if hands.delete(given):
        send_form_again(hands, given)


def send_old_again(hands: Hands, given: Given) -> None:
    """The form of what was replaced."""
    send_form_again(hands, given["old"])


def send_form_again(hands: Hands, given: Given) -> None:
    """Once the name is free; the business commits it again."""
    for _ in range(2):
        if hands.post(given) == 200:
            hands.note(Event("sent", given["uploadId"], AGAIN))
            hands.commit(given)
            return


def discard_and_ask_form(hands: Hands, given: Given) -> None:
    """For the same bytes."""
    discard(hands, given)
    phone("same", **SAME)(hands, given)


def erase(hands: Hands, _given: Given) -> None:
    """Until it is done."""
    cloud = hands.cloud
    hands.note(Event("begun", "", ERASE))
    for _ in range(6):
        token = lambda: cloud.backend(aud="oss-direct-upload/erasure")  # noqa: E731
        reply = hands.ask(ERASE, "", "erase", token, sub="openid-1")
        if reply is not None and reply.status == 200 and reply.json["state"] == "done":
            hands.note(Event("answered", "", "erased"))
            return
        hands.wait(75 * MINUTES)


def complete(hands: Hands, given: Given) -> None:
    hands.confirm(given, "multipart-complete")


def renew_and_complete(hands: Hands, given: Given) -> None:
    """As a phone does that was away: ask what is missing, send that, complete."""
    id, ticket = given["uploadId"], given["ticket"]
    hands.ask("renew", id, "multipart-parts", ticket=ticket)
    hands.put_part(given, 2, "a")
    hands.confirm(given, "multipart-complete")


def abort(hands: Hands, given: Given) -> None:
    hands.ask(ABORT, given["uploadId"], "multipart-abort", ticket=given["ticket"])


def send_again(hands: Hands, given: Given) -> None:
    """A part once more, with other bytes."""
    hands.put_part(given, 1, "b")
