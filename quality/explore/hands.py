"""
An actor of a scenario, run up to its next call.

An actor is an ordinary function that is run from its beginning each time, with the outcomes of its earlier
calls, until it makes one more: so it can be stopped at any call, and go on from there in any order. What it
does depends on these outcomes alone.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from function.http.client import ExchangeFailed
from quality.explore.callback import callback_about
from quality.explore.calls import Call
from quality.explore.cloud import Cloud
from quality.explore.model import (
    COMMIT,
    DELETE,
    DELETED,
    DISCARD,
    DISCARD_OWN,
    EXISTS,
    FORM,
    GONE,
    HELD,
    MISSING,
    PUBLISHED,
    UNSEEN,
    Event,
)
from quality.explore.photo import BYTES, photo_in, stored_photo
from tests.support.stage import Reply
from tests.support.turns import Killed
from tests.support.wechat import key_of

# Profiles with a quota.
COUNTED = ("counted", "parts")
FAILED = {
    *("oss_unavailable", "oss_rejected", "oss_key_unavailable"),
    *("login_unavailable", "quota_unavailable"),
}
# Refusals that are answers as well: of what has a receipt, and of a form.
REFUSALS = {"not_uploaded": GONE, "already_published": PUBLISHED, "already_complete": "already_complete"}
OF_A_FORM = {"not_uploaded": MISSING, "upload_gone": MISSING, "forbidden": MISSING}


class Paused(BaseException):
    """The actor has come to a call that was not made yet. No handler of errors takes it for one."""


class Outcome(NamedTuple):
    """
    What came of a call.

    Args:
        how: ``ok``, ``failed`` (nothing was heard) or ``killed`` (the instance ended).
        value: what was heard.
    """

    how: str
    value: Any = None


class Local(NamedTuple):
    """
    Where an actor stands.

    Args:
        call: its next one; ``None`` when it has ended.
        events: what it did and heard so far, each with the number of calls that were made before it.
        in_request: whether a request of it is under way, and when that began.
        problems: what no request may be answered with.
    """

    call: Call | None
    events: tuple[tuple[int, Event], ...]
    in_request: datetime | None
    problems: tuple[str, ...]


class Hands:
    """What an actor does; each method makes one call, or one request of the function with its calls."""

    def __init__(self, cloud: Cloud, actor: str, history: tuple[Outcome, ...]) -> None:
        self.cloud, self.actor, self.history = cloud, actor, history
        self.at = self.requests = 0
        self.pending: Call | None = None
        self.events: list[tuple[int, Event]] = []
        self.problems: list[str] = []
        self.in_request: datetime | None = None
        self._is_killed = self.copies_slowly = False

    def call(self, call: Call) -> Any:
        """Make a call: hear what came of it, or stop here."""
        if self._is_killed:
            raise Killed
        if self.at == len(self.history):
            self.pending = self.pending or call
            raise Paused
        outcome = self.history[self.at]
        self.at += 1
        if outcome.how == "killed":
            self._is_killed = True
            raise Killed
        if outcome.how == "failed":
            raise ExchangeFailed("timed out")
        return outcome.value

    def note(self, event: Event) -> None:
        self.events.append((self.at, event))

    # --- requests of the function ---

    def ask(
        self, act: str, id: str, route: str, token: Callable[[], str] = lambda: "", **fields: Any
    ) -> Reply | None:
        """One request; ``None`` if it was not answered."""
        name = self._begin(act, id)
        try:
            reply = self.cloud.ask(route, token(), **fields)
        except Killed:
            self._end_killed()
            return None
        self._end(reply)
        if reply.status == 200 and "state" in reply.json and id:
            self._answered(id, act, str(reply.json["state"]), name)
        else:
            refusals = OF_A_FORM if "ticket" in fields else REFUSALS
            if id and reply.code in refusals:
                self._answered(id, act, refusals[reply.code], name)
        return reply

    def _begin(self, act: str, id: str) -> str:
        self.requests += 1
        name = f"{self.actor}.{self.requests}"
        self.cloud.instant = self.in_request = self.call(
            Call("clock", "begin", act, lambda: self.cloud.instant, frozenset({"clock"}))
        )
        if id or act == FORM:
            self.note(Event("begun", id, act, name))
        return name

    def _end(self, reply: Reply) -> None:
        self.in_request = None
        if reply.status >= 500 and reply.code not in FAILED:
            self.problems.append(f"answered {reply.status} {reply.code}")
        self._note_losses()

    def _end_killed(self) -> None:
        self._is_killed = False
        self.in_request = None
        self._note_losses()
        self.cloud.renew()

    def _note_losses(self) -> None:
        for id, event in self.cloud.lost:
            self.note(Event("told", id, event))
        self.cloud.lost.clear()

    def _answered(self, id: str, act: str, state: str, name: str) -> None:
        is_discarded = state == GONE and act in (DISCARD, DISCARD_OWN)
        self.note(Event("answered", id, "discarded" if is_discarded else state, name))

    def form(self, profile: str, route: str = "upload-params", **fields: Any) -> dict[str, Any] | None:
        """Ask for a form, or for parts; ``None`` without one."""
        session = self.cloud.session
        name = "a.mp4" if route == "multipart" else "a.png"
        # One for bytes that are known may be answered about an upload.
        act = FORM if "sha256" in fields else "parts or form"
        reply = self.ask(act, "", route, session, profile=profile, filename=name, **fields)
        if reply is None or reply.code == "quota_unavailable":
            self.note(Event("unheard", "", "form"))
        if reply is None or reply.status != 200:
            return None
        given: dict[str, Any] = reply.json
        if "exists" in given:
            about = f"{self.cloud.claims_of(given['receipt'])['etag']} {self.actor} {self.requests}{EXISTS}"
            self.note(Event("receipt", given["uploadId"], about, given["receipt"]))
            said = HELD if given.get("held") else PUBLISHED
            self._answered(given["uploadId"], act, said, f"{self.actor}.{self.requests}")
        elif profile in COUNTED:
            self.note(Event("form", "", profile))
        return given

    def confirm(self, form: dict[str, Any], route: str = "confirm") -> dict[str, Any] | None:
        """Exchange a ticket for the receipt; ``None`` without one."""
        reply = self.ask(route, str(form["uploadId"]), route, ticket=form["ticket"])
        if reply is None or reply.status != 200:
            return None
        return self._receipt(form, reply)

    def _receipt(
        self, form: dict[str, Any], reply: Reply, about: str = "", forged: str = ""
    ) -> dict[str, Any]:
        said: dict[str, Any] = reply.json
        about = f"{said['etag']}{forged} {form['uploadId']}{about}"
        self.note(Event("receipt", said["uploadId"], about, said["receipt"]))
        return said

    def report(self, form: dict[str, Any], name: str = BYTES, size: int = 1) -> Reply | None:
        """OSS reports what the form stored; it has the bytes of a receipt of that size alone."""
        act = self._begin("callback", form["uploadId"])
        try:
            reply = self.cloud.ask_event(**callback_about(form, name, size))
        except Killed:
            self._end_killed()
            return None
        self._end(reply)
        if reply.status == 200:
            self._receipt(form, reply, UNSEEN, "" if size == 1 else f"/{size}")
            # Where OSS stored it, whatever was decided since, unless a checker answers in the call.
            if reply.json.get("state", HELD) != HELD:
                self._answered(form["uploadId"], "callback", str(reply.json["state"]), act)
        return reply

    def commit_slowly(self, given: dict[str, Any]) -> None:
        """Others may act between the beginning of its copy and the end."""
        self.copies_slowly = True
        self.commit(given)

    def commit(self, given: dict[str, Any], act: str = COMMIT, **fields: Any) -> Reply | None:
        return self.ask(
            act, given["uploadId"], "commit", self.cloud.backend, receipt=given["receipt"], **fields
        )

    def discard(self, given: dict[str, Any]) -> Reply | None:
        return self.ask(DISCARD, given["uploadId"], "discard", self.cloud.backend, receipt=given["receipt"])

    def discard_own(self, given: dict[str, Any]) -> Reply | None:
        id, receipt = given["uploadId"], given["receipt"]
        return self.ask(DISCARD_OWN, id, "discard", self.cloud.session, receipt=receipt)

    def delete(self, given: dict[str, Any]) -> bool:
        """Delete an object by its key; whether that was answered with ``gone``."""
        self.note(Event("begun", given["uploadId"], DELETE))
        reply = self.ask(DELETE, "", "delete", self.cloud.session, keys=[given["key"]])
        is_gone = reply is not None and reply.status == 200 and "state" in reply.json["results"][0]
        if is_gone:
            self.note(Event("answered", given["uploadId"], DELETED))
        return is_gone

    def status(self, given: dict[str, Any]) -> Reply | None:
        return self.ask("status", given["uploadId"], "status", receipt=given["receipt"])

    def tick(self) -> None:
        """A timer event, which is answered with nothing."""
        self._begin("tick", "")
        try:
            self.cloud.tick()
        except Killed:
            self._end_killed()
        else:
            self.in_request = None
            self._note_losses()

    def push(self, trace: str, suggest: str, appid: str = "") -> Reply | None:
        """WeChat's verdict about a submission; with several callers, that of one of them."""
        path = f"/wechat-events/{appid}".rstrip("/")
        self.cloud.wechat.appid = appid or self.cloud.wechat.appid
        result = {"suggest": suggest, "label": 100 if suggest == "pass" else 20001}
        event = {
            "Event": "wxa_media_check",
            "appid": self.cloud.wechat.appid,
            "trace_id": trace,
            "version": 2,
            "errcode": 0,
            "result": result,
            "detail": [{"errcode": 0, **result}],
        }
        self._begin("verdict", "")
        try:
            reply = self.cloud.push(event, path)
        except Killed:
            self._end_killed()
            return None
        self._end(reply)
        return reply

    # --- what is no request ---

    def post(self, form: dict[str, Any], name: str = BYTES) -> int:
        """Send the form to OSS."""
        fields = form["formData"]
        key = fields["key"]

        def do() -> int:
            return self.cloud.oss.post(fields, name, body=photo_in(key, name))

        writes = frozenset({key})
        status: int = self.call(Call("phone", f"POST {name}", key, do, frozenset({"clock"}), writes))
        return status

    def swap(self, key: str, name: str) -> None:
        """Store other bytes, as a form can where the bucket keeps versions; a second later than before."""

        def do() -> None:
            self.cloud.instant += timedelta(seconds=1)
            part, body = stored_photo(key, name)
            if key in self.cloud.oss.objects:
                self.cloud.oss.replace_object(key, parts=(part,), body=body)

        self.call(Call("phone", f"store {name}", key, do, frozenset({"*"}), frozenset({"*"})))

    def put_part(self, begun: dict[str, Any], number: int, name: str) -> int:
        """Send a part to OSS; its name ends with its number."""
        part = begun["parts"][number - 1]

        def do() -> int:
            return self.cloud.oss.put(part, begun["headers"], f"{name}{number}", part["size"])

        writes = frozenset({f"{key_of(part['url'])} parts"})
        status: int = self.call(Call("phone", f"PUT part {number}", key_of(part["url"]), do, writes=writes))
        return status

    def wait(self, seconds: int) -> None:
        """Let time pass, while no request is under way."""

        def do() -> None:
            self.cloud.instant += timedelta(seconds=seconds)

        self.call(Call("clock", f"wait {seconds} s", "", do, frozenset({"clock"}), frozenset({"clock"})))

    def checked(self, key: str, number: int = 1) -> tuple[str, str]:
        """As WeChat does: wait for the n-th submission, and look; its trace id and the ETag that was seen."""
        wechat = self.cloud.wechat

        def do() -> tuple[str, str]:
            trace, url = [*wechat.submitted.items()][number - 1]
            return trace, self.cloud.etag_sent(key_of(url))

        call = Call(
            *("checker", "look", "", do),
            reads=frozenset({"wechat", f"held/{key}"}),
            is_ready=lambda: len(wechat.submitted) >= number,
        )
        seen: tuple[str, str] = self.call(call)
        return seen
