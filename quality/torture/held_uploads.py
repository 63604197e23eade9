"""
Random lives of held objects: commits, discards, verdicts, questions, in every order, repeated, two at once.

Instances are killed before any call to OSS or a checker and replaced, OSS fails, WeChat is silent, Aliyun
gives every kind of answer, markers expire, phones send their form again. In the end an object is held, or has
its name, or is gone; never two of these, and never without what its profile asks for: a pass of each of its
checkers about this object. A checker is asked by one call at a time, Aliyun not again after an answer,
and what an instance leaves undone is asked a minute later.

With ticks, some lives have a heartbeat at odd moments, beside calls as well. Whatever is due in the end is
ended by two ticks after its time, without any call, and the business is told.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zlib import crc32

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from function.errors import UploadError
from function.holding.publication import COPY_LIFE, REQUEST_LIFE
from function.holding.state import LEASE, SILENCE
from function.moderation.finding import Outcome
from function.moderation.source import SourceToken
from function.request_log import lines_of
from quality.torture.lives import live
from quality.torture.report import Result
from tests.support.memory_oss import BROKEN, BROKEN_AFTER, DENIED, LATE, LOST, UNHEARD, MemoryOss, Part
from tests.support.stage import Reply
from tests.support.turns import Turns
from tests.support.wechat import Wechat, key_of
from tests.support.world import HELD, WEBHOOK, World, counted

# Each task of the whole takes its share of the steps, and stops after a while on a slow machine.
STEPS, TASKS = 120_000, 4
SECONDS = 1200.0
LIVES_AT_ONCE, STEPS_OF_A_LIFE = 100, 50
TOLD = {**HELD, "UPLOAD_WEBHOOK_URL": WEBHOOK, "PUBLIC_URL": "https://function.example.com"}
EVENTS = {"publish": "published", "reject": "rejected", "discard": "gone"}
START = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)
HOLDS = {
    "commit": {"commit"},
    "check": {"check"},
    "both": {"commit", "check"},
    "fast": {"aliyun"},
    "sent": {"commit", "aliyun"},
    "twice": {"aliyun", "check"},
    "same": {"commit"},
    "replaced": {"commit"},
}
LIFE_OF_A_FORM = timedelta(seconds=300)
# As long as this after a request a copy that it sent may end.
UNSURE = REQUEST_LIFE + COPY_LIFE
OPEN = ("held", "checking", "review")
# Whose confirmation begins the check.
AT_ONCE = ("check", "fast", "twice")
# Answers of WeChat after which the next call asks at once.
NOT_ASKED = (None, -1)
# What a call may end in when OSS or WeChat fails, whatever else is true.
FAILED = {"oss_unavailable", "oss_rejected"}
CALLS = ("HeadObject", "GetObject", "PutObject", "CopyObject", "DeleteObject")
FAULTS: st.SearchStrategy[str] = st.sampled_from(["", "", UNHEARD, LOST, BROKEN, BROKEN_AFTER, DENIED])
DISTURBANCES: st.SearchStrategy[dict[str, list[str]]] = (
    st.just({})
    | st.dictionaries(st.sampled_from(CALLS), st.lists(FAULTS, min_size=1, max_size=2), max_size=2)
    | st.just({"CopyObject": [LATE]})
)
INSTANCES = st.integers(0, 1)
DICE = st.integers(0, 719)
ACTS = (
    *("commit", "commit", "commit by the owner", "publish", "reject", "status", "status", "confirm"),
    *("discard", "discard", "discard by the owner", "pass", "pass", "risky", "review", "error"),
    *("cannot open", "cannot open", "fetch", "store others"),
)
WITH_TICKS = (*ACTS, "tick", "tick", "tick")
# Codes and oddities after which Aliyun is asked again; after any other answer it is not.
UNCHECKED: tuple[Any, ...] = (403, 408, 500, None, b"<html>", {"Code": 200, "Data": {"DataId": "another"}})
ANSWERS_OF_ALIYUN = st.lists(
    st.sampled_from(["pass", "pass", "pass", "risky", "review", 406, b'{"Code": 200}', *UNCHECKED]),
    max_size=2,
)
ANSWERS_OF_WECHAT = st.lists(st.sampled_from([0, 0, 0, None, -1, 61010]), max_size=2)
# Within the two calls that are made at once: who goes on, and where each is killed.
# Turn by turn; without, one of the two so far, then the other to its end.
ORDERS = st.none() | st.lists(st.tuples(INSTANCES, st.integers(1, 9)), max_size=5)
KILLS = st.just((0, 0)) | st.tuples(*[st.sampled_from([0, *range(1, 14)])] * 2)


class HeldUploads(RuleBasedStateMachine):
    """One phone with one file after another, its backend and WeChat, before two instances of the function."""

    taken = 0
    acts: Sequence[str] = WITH_TICKS
    profiles: Sequence[str] = tuple(HOLDS)
    points: Sequence[int] = range(1, 18)

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.turns = Turns()
        life = timedelta(hours=12)
        self.world = World(TOLD, lambda: self.now, instances=2, life=life, random_bytes=counted())
        self.world.before_exchange = self.oss.pause = self.turns.point
        self.world.green.happens = self._note_look
        self.earlier = ""
        self._forget()

    @property
    def oss(self) -> MemoryOss:
        return self.world.oss

    @property
    def wechat(self) -> Wechat:
        return self.world.wechat

    def _forget(self) -> None:
        self.form: dict[str, Any] = {}
        self.receipt = ""
        self.profile = ""
        # What has begun to happen, which may have been carried out since, whatever was answered.
        self.begun: set[str] = set()
        # What was answered, and what of it since the last step: of two at once nobody knows which came first.
        self.told: set[str] = set()
        self.answers: list[str] = []
        self.has_expired = False
        self.was_disturbed = False
        # When WeChat was asked last, and what came of it.
        self.asked_at: datetime | None = None
        self.came_of_it: int | None = None
        # When Aliyun was asked, and what it said.
        self.looks: list[tuple[datetime, Any]] = []
        # When each submission was made.
        self.submitted: dict[str, datetime] = {}
        # When a copy may have been sent last, and when one was sent that is under way.
        self.copied_at = self.now - UNSURE
        self.late_at: datetime | None = None
        self.wechat.checks.clear()
        self.world.green.checks.clear()

    # --- what is true, whatever the function says ---

    @property
    def key(self) -> str:
        return str(self.form["key"])

    def _name_at(self, key: str) -> str:
        """What the bytes there are called, where they are of this upload."""
        stored = self.oss.objects.get(key)
        is_ours = stored and stored.headers["x-oss-meta-upload-id"] == self.form["uploadId"]
        return stored.parts[0].name if stored and is_ours else ""

    @property
    def held(self) -> str:
        return self._name_at(f"held/{self.key}")

    @property
    def published(self) -> str:
        return self._name_at(self.key)

    def _may_be_published(self) -> bool:
        lacking = HOLDS[self.profile] - self.begun
        return "publish" in self.begun or not lacking

    # --- what happens ---

    @initialize(thrown=DICE, looks=ANSWERS_OF_ALIYUN)
    def store_the_first(self, thrown: int, looks: list[Any]) -> None:
        self.store(thrown, 0, looks)

    @precondition(lambda self: not self.form)
    @rule(thrown=DICE, instance=INSTANCES, looks=ANSWERS_OF_ALIYUN)
    def store(self, thrown: int, instance: int, looks: list[Any]) -> None:
        type(self).taken += 1
        profile = self.profiles[thrown % len(self.profiles)]
        fields = {"profile": profile, "filename": "a.png", "size": 1}
        if profile == "same":
            fields["sha256"] = "a" * 64
        reply = self._ask(instance, "upload-params", self.world.session(), **fields)
        if reply.json.get("exists"):
            # The name is still an earlier file's.
            return
        self.form, self.profile = reply.json, profile
        assert self.oss.post(self.form["formData"], "bytes") == 200
        self.wechat.answers, self.world.green.answers = [], list(looks)
        reply = self._ask(instance, "confirm", ticket=self.form["ticket"])
        assert reply.status == 200, reply.text
        state = reply.json["state"]
        assert state == "held" or (self.profile in AT_ONCE and state != "gone"), reply.text
        self.receipt = reply.json["receipt"]
        self.answers += [] if state == "held" else [state]
        self._note_copies(is_disturbed=False)
        self._undisturbed()
        self._note_answers()

    @precondition(lambda self: self.form)
    @rule(name=st.sampled_from(["bytes", "others"]))
    def store_again(self, name: str) -> None:
        """By the same form: OSS takes that only where nothing has the name, or it may be replaced."""
        type(self).taken += 1
        self._store(name)

    def _store(self, name: str) -> None:
        was_there = f"held/{self.key}" in self.oss.objects and self.profile != "replaced"
        status = self.oss.post(self.form["formData"], name)
        ends = datetime.fromisoformat(self.form["expiresAt"])
        assert status == (403 if self.now >= ends else 409 if was_there else 200)

    @precondition(lambda self: self.form)
    @rule(
        thrown=DICE,
        instance=INSTANCES,
        faults=DISTURBANCES,
        answers=ANSWERS_OF_WECHAT,
        looks=ANSWERS_OF_ALIYUN,
    )
    def one(
        self,
        thrown: int,
        instance: int,
        faults: dict[str, list[str]],
        answers: list[int | None],
        looks: list[Any],
    ) -> None:
        type(self).taken += 1
        act = self.acts[thrown % len(self.acts)]
        self._plan(faults, answers, looks)
        self._do(act, instance, is_disturbed=any(map(any, faults.values())))
        self._undisturbed()
        self._note_answers()

    @precondition(lambda self: self.form)
    @rule(
        thrown=st.tuples(DICE, DICE, DICE),
        fresh=st.booleans(),
        order=ORDERS,
        kills=KILLS,
        faults=DISTURBANCES,
        answers=ANSWERS_OF_WECHAT,
        looks=ANSWERS_OF_ALIYUN,
    )
    def two_at_once(
        self,
        thrown: tuple[int, int, int],
        fresh: bool,
        order: list[tuple[int, int]] | None,
        kills: tuple[int, int],
        faults: dict[str, list[str]],
        answers: list[int | None],
        looks: list[Any],
    ) -> None:
        type(self).taken += 2
        *dice, turn = thrown
        if fresh:
            self.take_the_next_file()
            self.store(turn, 0, [])
            if not self.form:
                return
        if order is None:
            order = [(turn % 2, self.points[turn // 2 % len(self.points)]), (1 - turn % 2, 99)]
        self._plan(faults, answers, looks)
        does: list[Callable[[], None]] = [
            lambda act=act, instance=number: self._do(act, instance, is_disturbed=True)  # type: ignore[misc]
            for number, act in enumerate(self.acts[number % len(self.acts)] for number in dice)
        ]
        self.turns.run(does, [who for who, points in order for _ in range(points)], kills)
        self._undisturbed()
        self._note_answers()
        for number, kill in enumerate(kills):
            if kill:
                self.world.functions[number] = self.world.new_instance()
                self.was_disturbed = True

    def _plan(self, faults: dict[str, list[str]], answers: list[int | None], looks: list[Any]) -> None:
        if any(map(any, faults.values())):
            self.was_disturbed = True
        for name, planned in faults.items():
            self.oss.fail(name, *planned)
        self.wechat.answers, self.world.green.answers = list(answers), list(looks)

    def _undisturbed(self) -> None:
        self.oss.faults.clear()
        self.wechat.answers, self.world.green.answers = [], []

    def _note_look(self) -> None:
        """While Aliyun looks: what it will say, about which object."""
        key, said = self.world.green.checks[-1]
        if not self.form or key != f"held/{self.key}":
            return
        self.turns.point()
        if said == "pass" and self.held == "bytes":
            self.begun.add("aliyun")
        if said == "risky":
            self.begun.add("reject")

    @precondition(lambda self: self.form and self.held == "bytes")
    @rule()
    def swap(self) -> None:
        """Where the bucket keeps versions a form can: other bytes for a while, then the same again."""
        type(self).taken += 1
        # What passed was another object, unless that was decided.
        if f"held/.decided/{self.form['uploadId']}" not in self.oss.objects:
            self.begun.discard("aliyun")
        own = self.oss.objects[f"held/{self.key}"].parts
        self.oss.replace_object(f"held/{self.key}", parts=(Part("others", 1),))
        self._pass(timedelta(seconds=1))
        self.oss.replace_object(f"held/{self.key}", parts=own)

    @precondition(lambda self: self.form)
    @rule(instance=INSTANCES, seconds=st.sampled_from([0, 1, 60, 89, 90]), thrown=st.integers(0, 3))
    def discard_what_is_copied(self, instance: int, seconds: int, thrown: int) -> None:
        """The copy ends late, before or after the backend is told that nothing is left."""
        if thrown:
            return
        type(self).taken += 3
        self._plan({"CopyObject": [LATE]}, [], [])
        self._do("publish", instance, is_disturbed=True)
        self._undisturbed()
        self._do("discard", 1 - instance, is_disturbed=False)
        self._pass(timedelta(seconds=seconds))
        self._do("discard", instance, is_disturbed=False)
        self._note_answers()

    @precondition(lambda self: self.oss.under_way)
    @rule()
    def late_copies_end(self) -> None:
        type(self).taken += 1
        self.oss.land()

    @precondition(lambda self: self.form)
    @rule(seconds=st.sampled_from([1, 30, 59]))
    def a_moment_passes(self, seconds: int) -> None:
        type(self).taken += 1
        self._pass(timedelta(seconds=seconds))

    def _pass(self, time: timedelta) -> None:
        """Late copies end within a minute after the last moment of their request."""
        self.now += time
        if self.late_at is not None and self.now >= self.late_at + UNSURE:
            self.oss.land()

    @precondition(lambda self: self.form)
    @rule(minutes=st.sampled_from([1, 4, 20, 35, 35, 36, 70, 300, 720, 1439, 1441]))
    def time_passes(self, minutes: int) -> None:
        type(self).taken += 1
        self._pass(timedelta(minutes=minutes))

    @precondition(lambda self: self.form)
    @rule(share=st.integers(0, 3))
    def the_rule_runs(self, share: int) -> None:
        """The bucket's own, on what is a day old; it takes hours, and may be anywhere among the names."""
        type(self).taken += 1
        if self.oss.expire(1, lambda key: not share or crc32(key.encode()) % 3 == share - 1):
            self.has_expired = True

    @precondition(lambda self: self.form and self.told & {"published", "rejected", "gone"})
    @rule()
    def take_the_next_file(self) -> None:
        self.settle()
        self.earlier = self.receipt
        self._forget()

    @precondition(lambda self: self.form and self.earlier)
    @rule(instance=INSTANCES, route=st.sampled_from(["commit", "discard", "status"]))
    def ask_about_an_earlier_one(self, instance: int, route: str) -> None:
        """Whose name may be this one's: whatever comes of that is none of this one's business."""
        type(self).taken += 1
        before = (self.held, self.published)
        self._ask(instance, route, self.world.backend(), receipt=self.earlier)
        assert before == (self.held, self.published), f"another one's {route} changed {before}"

    @precondition(lambda self: self.form)
    @rule(instance=INSTANCES)
    def settle(self, instance: int = 0) -> None:
        """Nothing goes wrong for a moment: what is said is what is so, twice."""
        type(self).taken += 1
        first = self._do("status", instance, is_disturbed=False)
        if first == "oss_unavailable":
            self._pass(UNSURE)
            first = self._do("status", instance, is_disturbed=False)
        second = self._do("status", 1 - instance, is_disturbed=False)
        self._note_answers()
        assert first == second
        self.wechat_is_asked_by_one_at_a_time()
        if self.receipt_lives:
            self._check_places(second)

    # --- one call, and what is right about its answer ---

    @property
    def receipt_lives(self) -> bool:
        return self.now < self._issued + timedelta(days=2)

    @property
    def _issued(self) -> datetime:
        return datetime.fromisoformat(self.form["serverTime"])

    def _ask(self, instance: int, route: str, token: str = "", **body: Any) -> Reply:
        reply = self.world.ask(route, token, instance, **body)
        for trace in self.wechat.submitted:
            self.submitted.setdefault(trace, self.now)
        assert reply.status < 500 or reply.code in FAILED, reply.text
        return reply

    def _do(self, act: str, instance: int, *, is_disturbed: bool) -> str:
        if act == "fetch":
            self._fetch(instance)
            return ""
        if act in ("pass", "risky", "review", "error", "cannot open"):
            self._hear(act, instance)
            self._note_copies(is_disturbed)
            return ""
        if act == "store others":
            self.turns.point()
            self._store("others")
            return ""
        if act == "tick":
            return self._tick(instance, is_disturbed)
        if act == "confirm":
            self._confirm(instance, is_disturbed)
            self._note_copies(is_disturbed)
            return ""
        self._begin(act)
        route, token, more = {
            "commit": ("commit", self.world.backend(), {}),
            "commit by the owner": ("commit", self.world.session(), {}),
            "publish": ("commit", self.world.backend(), {"decision": "publish"}),
            "reject": ("commit", self.world.backend(), {"decision": "reject"}),
            "discard": ("discard", self.world.backend(), {}),
            "discard by the owner": ("discard", self.world.session(), {}),
            "status": ("status", "", {}),
        }[act]
        reply = self._ask(instance, route, token, receipt=self.receipt, **more)
        self._note_copies(is_disturbed)
        return self._judge(act, reply, is_disturbed)

    def _tick(self, instance: int, is_disturbed: bool) -> str:
        """Whatever fails, nothing is raised, and nothing is said."""
        self.world.tick(instance)
        for trace in self.wechat.submitted:
            self.submitted.setdefault(trace, self.now)
        self._note_copies(is_disturbed)
        return ""

    def _note_copies(self, is_disturbed: bool) -> None:
        if is_disturbed or "CopyObject" in self.oss.asked:
            self.copied_at = self.now
        if self.oss.under_way and self.late_at is None:
            self.late_at = self.now
        if not self.oss.under_way:
            self.late_at = None
        self.oss.asked.clear()

    @property
    def copy_may_run(self) -> bool:
        return self.now < self.copied_at + UNSURE

    def _begin(self, act: str) -> None:
        if act == "commit" or (act == "commit by the owner" and self.profile == "commit"):
            self.begun.add("commit")
        elif act in ("publish", "discard", "discard by the owner", "reject"):
            self.begun.add(act)

    def _judge(self, act: str, reply: Reply, is_disturbed: bool) -> str:
        if reply.status == 200:
            state = str(reply.json["state"])
            if act.startswith("discard") and state == "gone":
                self.answers.append("discarded")
            self.answers.append(state)
            if "heldUntil" in reply.json and not is_disturbed:
                assert datetime.fromisoformat(reply.json["heldUntil"]) == self._ends()
            return state
        code = reply.code
        if code == "forbidden":
            is_owner_s = act == "commit by the owner" and self.profile != "commit"
            assert is_owner_s or not self.receipt_lives
        elif code == "not_uploaded":
            assert act in ("commit", "commit by the owner", "publish", "reject")
            assert is_disturbed or (not self.published and not (self.held and self._is_open()))
        elif code == "already_published":
            assert act in ("reject", "discard by the owner")
            assert is_disturbed or self.published
        else:
            assert code in FAILED, reply.text
            is_waiting = code == "oss_unavailable" and self.copy_may_run
            assert is_disturbed or is_waiting, reply.text
        return code

    def _is_open(self) -> bool:
        decided = f"held/.decided/{self.form['uploadId']}" in self.oss.objects
        return not decided and self.now < self._ends() and self.held == "bytes"

    def _ends(self) -> datetime:
        """When it is held no more; of a name that may be used again, as much earlier as a form lives."""
        ends = self._issued + timedelta(days=1)
        if self.profile != "same" or not self.held:
            return ends
        stored_at = self.oss.stored_at[f"held/{self.key}"]
        return min(ends, stored_at + timedelta(days=1) - LIFE_OF_A_FORM)

    def _confirm(self, instance: int, is_disturbed: bool) -> None:
        # Looking at them may delete them, where it was decided before they were stored.
        held = self.held
        reply = self._ask(instance, "confirm", ticket=self.form["ticket"])
        if reply.status == 200 and held != "others":
            assert reply.json["receipt"] == self.receipt or is_disturbed
        # Of other bytes the answer is about those.
        if reply.status == 200 and not is_disturbed and held != "others":
            self._judge_confirmed(str(reply.json["state"]))

    def _judge_confirmed(self, state: str) -> None:
        """Of what waits it says so, whatever for; of what was decided some time ago what became of it."""
        # Where a check could not begin, it is held as far as a confirmation knows.
        if state not in OPEN or (self.profile in ("fast", "twice") and state != "held"):
            self.answers.append(state)
        # A confirmation that begins a check may itself have applied what was cut off.
        elif self.now > self.oss.stored_at.get(f"held/{self.key}", self.now) and not self.has_expired:
            assert not {"published", "rejected", "discarded"} & self.told, (
                f"{self.told}, and confirmed as held"
            )

    def _hear(self, word: str, instance: int) -> None:
        """A verdict about a submission of this upload; where there was none, about nothing that is known."""
        submitted = [trace for trace, url in self.wechat.submitted.items() if self._is_ours(url)]
        trace = submitted[-1] if submitted else "60f96f1d-unknown"
        has_review = f"held/.review/{self.form['uploadId']}" in self.oss.objects
        stored_at = self.oss.stored_at.get(f"held/{self.key}", self.now)
        if (
            word == "pass"
            and submitted
            and not has_review
            and stored_at <= self.submitted.get(trace, self.now)
        ):
            self.begun.add("check")
        if word == "risky" and submitted:
            self.begun.add("reject")
        outcome, said = Outcome.__members__.get(word.upper(), Outcome.ERROR), {}
        if word == "cannot open":
            said["errcode"] = -1008
        try:
            self.world.verdict(outcome, trace, instance, **said)
        except UploadError as error:
            assert error.code in FAILED

    def _is_ours(self, url: str) -> bool:
        """Whether WeChat was sent to this object, at OSS or at the function."""
        token = parse_qs(urlsplit(url).query).get("t", [""])[0]
        if not token:
            return key_of(url) == f"held/{self.key}"
        return bool(SourceToken.read(token, self.world.settings, START).upload_id == self.form["uploadId"])

    def _fetch(self, instance: int) -> None:
        """WeChat gets the bytes of an upload that waits for it, and of no other."""
        url = next((url for url in reversed(self.wechat.submitted.values()) if self._is_ours(url)), "")
        decided = f"held/.decided/{self.form['uploadId']}" in self.oss.objects
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        reply = self.world.ask_event(instance, method="GET", path="/check-source", query=query)
        assert reply.status in (200, 401, 403, 404, 429) or reply.code in FAILED, reply.text
        assert reply.status != 200 or not decided, "handed out after the decision"

    # --- what must hold ---

    def _note_answers(self) -> None:
        """What is final stays so, as long as it is remembered."""
        for state in self.answers:
            if not self.has_expired:
                self._check_order(state)
            if state == "rejected":
                assert "reject" in self.begun
            if state == "published":
                assert self._may_be_published(), f"published after {self.begun}"
        self.told |= set(self.answers)
        self.answers = []

    def _check_order(self, state: str) -> None:
        if "rejected" in self.told:
            assert state == "rejected", f"rejected, then {state}"
        elif "discarded" in self.told:
            assert state in ("gone", "discarded"), f"discarded, then {state}"
        elif "published" in self.told:
            is_discarded = state in ("gone", "discarded") and "discard" in self.begun
            assert state == "published" or is_discarded, f"published, then {state}"
        elif "review" in self.told:
            assert state not in ("held", "checking"), f"review, then {state}"

    def _check_places(self, state: str) -> None:
        places = (bool(self.held), bool(self.published))
        if state in OPEN:
            assert (self.held, self.published) == ("bytes", ""), f"{state}, and {places}"
        elif state == "published":
            # Where its decision is forgotten, what a deletion left waits for the rule.
            is_left = self.has_expired and not self._is_open()
            assert self.published and (is_left or not self.held), f"{state}, and {places}"
        elif state == "rejected":
            assert places == (False, False), f"{state}, and {places}"
        elif state == "gone":
            assert not self.published
            # Until the rule comes, what was not decided in time is still there, or other bytes are.
            assert not self.held or self.held == "others" or not self._is_open()
        if state == "gone" and "discarded" in self.told and not self.has_expired:
            assert places == (False, False)

    @invariant()
    def nothing_is_published_that_must_not_be(self) -> None:
        if not self.form:
            return
        assert self.published in ("", "bytes"), "other bytes than the receipt's are published"
        assert not self.published or self._may_be_published(), f"published after {self.begun}"
        # Not even by a copy that was cut off and ends late.
        is_over = {"rejected", "discarded"} & self.told
        assert not self.published or not is_over or self.has_expired, f"{self.told}, and published"

    @invariant()
    def wechat_is_asked_by_one_at_a_time(self) -> None:
        asked, self.wechat.checks = self.wechat.checks, []
        for key, came_of_it in asked:
            if self.form and key == f"held/{self.key}":
                self._check_pause()
                self.asked_at, self.came_of_it = self.now, came_of_it

    @invariant()
    def aliyun_is_paid_once(self) -> None:
        """An answer is not asked for again; without one no other call asks within a minute."""
        looks, self.world.green.checks = self.world.green.checks, []
        for key, said in looks:
            if self.form and key == f"held/{self.key}":
                if self.looks and not self.has_expired:
                    before, earlier = self.looks[-1]
                    assert self.now - before >= LEASE, f"asked again after {self.now - before}"
                    assert self.was_disturbed or earlier in UNCHECKED, f"asked again after {earlier}"
                self.looks.append((self.now, said))

    def _check_pause(self) -> None:
        """No other call asks while one may be at it, or while WeChat may still answer."""
        if self.asked_at is None or self.came_of_it in NOT_ASKED or self.has_expired:
            return
        pause = self.now - self.asked_at
        assert pause >= (LEASE if self.was_disturbed else SILENCE), f"asked again after {pause}"

    def _end_by_ticks(self) -> None:
        """What is due now, or will be before the last of these ticks but one, needs no call."""
        # A copy may be under way, or the last submission's request; the minute of a record is rounded up.
        minutes = UNSURE // timedelta(minutes=1) + 4
        for _ in range(minutes):
            self._pass(timedelta(minutes=1))
            self.world.tick()
        latest = f"{self.now - timedelta(minutes=1):%Y%m%d%H%M}"
        assert [name for name in self.world.due() if name <= latest] == [], "two ticks after its time"
        # These ticks may be the first in two days: with a receipt that has ended they can do nothing.
        if not self.receipt_lives:
            return
        decided = self.oss.records().get(f"decided/{self.form['uploadId']}", {}).get("decision")
        # Where the same form was sent once more, a call goes on with that; nobody began to.
        stored_at = self.oss.stored_at.get(f"held/{self.key}", START)
        is_later = bool(decided) and stored_at >= self._decided_at()
        if decided in ("reject", "discard"):
            assert not self.published and (not self.held or is_later), f"{decided}, and {self.held}"
        elif decided == "publish" and self.held == "bytes" and not is_later:
            assert self.key in self.oss.objects, "published, and neither copied nor its name taken"
        is_told = any(
            (said["event"], said["receipt"]) == (EVENTS.get(decided), self.receipt)
            for said in self.world.events
        )
        # Not of what waits for its name, and nobody is asked about a receipt that is over.
        assert is_told or self.held or not decided or self.has_expired, f"{decided}, and nobody was told"

    def _decided_at(self) -> datetime:
        return datetime.fromisoformat(self.oss.records()[f"decided/{self.form['uploadId']}"]["at"])

    def teardown(self) -> None:
        """Whatever was left undone, one question is enough; for what WeChat was to see, a minute later."""
        if not self.form:
            return
        if "tick" in self.acts:
            self._end_by_ticks()
        self.settle()
        self.now += LEASE
        state = self._do("status", 0, is_disturbed=False)
        is_committed = f"held/.committed/{self.form['uploadId']}" in self.oss.objects
        assert state != "held" or not (self.profile in AT_ONCE or is_committed), "no checker was asked"


class WithoutTicks(HeldUploads):
    """The same on a deployment without a timer."""

    acts = ACTS


def run(
    wanted: int = STEPS // TASKS,
    machine: type[HeldUploads] = HeldUploads,
    *,
    seconds: float = SECONDS,
    lives: int = LIVES_AT_ONCE,
    steps: int = STEPS_OF_A_LIFE,
    shrinks: bool = True,
    seed: int | None = None,
) -> Result:
    """Take so many steps, and end after so many seconds whatever was taken by then."""
    started = time.monotonic()
    result = Result("proof")
    machine.taken = 0
    try:
        while machine.taken < wanted and time.monotonic() < started + seconds:
            live(machine, lives=lives, steps=steps, shrinks=shrinks, seed=seed)
    except (AssertionError, ExceptionGroup) as error:
        result.problems.append(f"held objects: {error} ({lines_of(error)})")
    result.totals = Counter({"steps in lives of held objects": machine.taken})
    result.seconds = time.monotonic() - started
    return result
