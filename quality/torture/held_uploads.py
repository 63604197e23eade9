"""
Long random lives of held objects: commits, discards, verdicts, questions, each after the other, in any order.

Nothing is done at once here, which the explorer tries in every order. But a life is long: files follow each
other under one name, markers expire, phones send their form again, OSS fails again and again, instances come
and go, WeChat is silent, Aliyun gives every kind of answer. An object is held, or has its name, or is gone;
never two of these, and never without what its profile asks for: a pass of each of its checkers about this
object. Aliyun is not asked again after an answer, and what is left undone is asked a minute later.

With ticks, whatever is due in the end is ended by two of them after its time, without any call, and the
business is told.
"""

import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zlib import crc32

from hypothesis import HealthCheck, Phase, settings
from hypothesis import seed as with_seed
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as live

from function.errors import UploadError
from function.holding.publication import COPY_LIFE, REQUEST_LIFE
from function.holding.state import LEASE, SILENCE
from function.moderation.finding import Outcome
from function.moderation.source import SourceToken
from function.request_log import lines_of
from quality.torture.report import Result
from tests.support.memory_oss import BROKEN, BROKEN_AFTER, DENIED, LOST, UNHEARD
from tests.support.stage import Reply
from tests.support.wechat import key_of
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
# As long as this after a request that failed a copy that it sent may end.
UNSURE = REQUEST_LIFE + COPY_LIFE
OPEN = ("held", "checking", "review")
# Whose confirmation begins the check.
AT_ONCE = ("check", "fast", "twice")
# What a call may end in when OSS or WeChat fails, whatever else is true.
FAILED = {"oss_unavailable", "oss_rejected"}
CALLS = ("HeadObject", "GetObject", "PutObject", "CopyObject", "DeleteObject")
FAULTS = st.sampled_from([UNHEARD, LOST, BROKEN, BROKEN_AFTER, DENIED])
FAILING: st.SearchStrategy[dict[str, list[str]]] = st.just({}) | st.dictionaries(
    st.sampled_from(CALLS), st.lists(FAULTS, min_size=1, max_size=2), max_size=2
)
INSTANCES = st.integers(0, 1)
DICE = st.integers(0, 719)
# Acts of a backend or an owner: route, whether its token is a session, and what else is said.
ASKED: dict[str, tuple[str, bool, dict[str, str]]] = {
    "commit": ("commit", False, {}),
    "commit by the owner": ("commit", True, {}),
    "publish": ("commit", False, {"decision": "publish"}),
    "reject": ("commit", False, {"decision": "reject"}),
    "discard": ("discard", False, {}),
    "discard by the owner": ("discard", True, {}),
    "status": ("status", False, {}),
}
VERDICTS = ("pass", "risky", "review", "error", "cannot open")
ACTS = (*ASKED, *VERDICTS, "commit", "commit", "status", "pass", "discard", "confirm", "fetch", "cannot open")
WITH_TICKS = (*ACTS, "tick", "tick", "tick")
# Codes and oddities after which Aliyun is asked again; after any other answer it is not.
UNCHECKED: tuple[Any, ...] = (403, 408, 500, None, b"<html>", {"Code": 200, "Data": {"DataId": "another"}})
ANSWERS_OF_ALIYUN = st.lists(
    st.sampled_from(["pass", "pass", "pass", "risky", "review", 406, b'{"Code": 200}', *UNCHECKED]),
    max_size=2,
)
ANSWERS_OF_WECHAT = st.lists(st.sampled_from([0, 0, 0, None, -1, 61010]), max_size=2)
# After which the next call asks WeChat at once.
NOT_ASKED = (None, -1)
SECONDS_THAT_PASS = (1, 30, 59, *(60 * minutes for minutes in (1, 4, 20, 35, 36, 70, 300, 720, 1439, 1441)))


class HeldUploads(RuleBasedStateMachine):
    """One phone with one file after another, its backend and WeChat, before two instances of the function."""

    taken = 0
    acts: Sequence[str] = WITH_TICKS
    profiles: Sequence[str] = tuple(HOLDS)

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        life = timedelta(hours=12)
        self.world = World(TOLD, lambda: self.now, instances=2, life=life, random_bytes=counted())
        self.oss, self.wechat, self.green = self.world.oss, self.world.wechat, self.world.green
        self.green.happens = self._note_look
        self.earlier = ""
        self.is_failing = False
        self._forget()

    def _forget(self) -> None:
        self.form: dict[str, Any] = {}
        self.receipt = ""
        self.profile = ""
        # What has begun to happen, which may have been carried out since, whatever was answered.
        self.begun: set[str] = set()
        self.told: set[str] = set()
        self.has_expired = self.has_failed = False
        # When WeChat was asked last, and what came of it.
        self.asked_at: datetime | None = None
        self.came_of_it: int | None = None
        # When Aliyun was asked, and what it said.
        self.looks: list[tuple[datetime, Any]] = []
        # When each submission was made.
        self.submitted: dict[str, datetime] = {}
        # When a copy may have been sent last.
        self.copied_at = self.now - UNSURE
        self.wechat.checks.clear()
        self.green.checks.clear()

    # --- what is true, whatever the function says ---

    @property
    def key(self) -> str:
        return str(self.form["key"])

    @property
    def id(self) -> str:
        return str(self.form["uploadId"])

    def _name_at(self, key: str) -> str:
        """What the bytes there are called, where they are of this upload."""
        stored = self.oss.objects.get(key)
        is_ours = stored and stored.headers["x-oss-meta-upload-id"] == self.id
        return stored.parts[0].name if stored and is_ours else ""

    @property
    def held(self) -> str:
        return self._name_at(f"held/{self.key}")

    @property
    def published(self) -> str:
        return self._name_at(self.key)

    @property
    def is_decided(self) -> bool:
        return f"held/.decided/{self.id}" in self.oss.objects

    @property
    def is_open(self) -> bool:
        return not self.is_decided and self.now < self._ends() and self.held == "bytes"

    @property
    def receipt_lives(self) -> bool:
        return self.now < self._issued + timedelta(days=2)

    @property
    def _issued(self) -> datetime:
        return datetime.fromisoformat(self.form["serverTime"])

    @property
    def _stored_at(self) -> datetime | None:
        return self.oss.stored_at.get(f"held/{self.key}")

    def _ends(self) -> datetime:
        """When it is held no more; of a name that may be used again, as much earlier as a form lives."""
        ends = self._issued + timedelta(days=1)
        if self.profile != "same" or not self.held or self._stored_at is None:
            return ends
        return min(ends, self._stored_at + timedelta(days=1) - LIFE_OF_A_FORM)

    def _may_be_published(self) -> bool:
        return "publish" in self.begun or not HOLDS[self.profile] - self.begun

    # --- what happens ---

    @precondition(lambda self: not self.form)
    @rule(thrown=DICE, instance=INSTANCES, looks=ANSWERS_OF_ALIYUN)
    def store(self, thrown: int, instance: int, looks: list[Any]) -> None:
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
        self.wechat.answers, self.green.answers = [], list(looks)
        reply = self._ask(instance, "confirm", ticket=self.form["ticket"])
        assert reply.status == 200, reply.text
        state = reply.json["state"]
        assert state == "held" or (self.profile in AT_ONCE and state != "gone"), reply.text
        self.receipt = reply.json["receipt"]
        if state != "held":
            self._note(state)
        self._all_is_well()

    @precondition(lambda self: self.form)
    @rule(name=st.sampled_from(["bytes", "others"]))
    def store_again(self, name: str) -> None:
        """By the same form: OSS takes that only where nothing has the name, or it may be replaced."""
        was_there = f"held/{self.key}" in self.oss.objects and self.profile != "replaced"
        status = self.oss.post(self.form["formData"], name)
        ends = datetime.fromisoformat(self.form["expiresAt"])
        assert status == (403 if self.now >= ends else 409 if was_there else 200)

    @precondition(lambda self: self.form)
    @rule(
        thrown=DICE,
        instance=INSTANCES,
        faults=FAILING,
        answers=ANSWERS_OF_WECHAT,
        looks=ANSWERS_OF_ALIYUN,
    )
    def act(
        self,
        thrown: int,
        instance: int,
        faults: dict[str, list[str]],
        answers: list[int | None],
        looks: list[Any],
    ) -> None:
        self.is_failing = bool(faults)
        self.has_failed = self.has_failed or self.is_failing
        for name, planned in faults.items():
            self.oss.fail(name, *planned)
        self.wechat.answers, self.green.answers = list(answers), list(looks)
        self._do(self.acts[thrown % len(self.acts)], instance)
        self._all_is_well()

    def _all_is_well(self) -> None:
        self.oss.faults.clear()
        self.wechat.answers, self.green.answers = [], []
        self.is_failing = False

    def _note_look(self) -> None:
        """While Aliyun looks: what it will say, about which object."""
        key, said = self.green.checks[-1]
        if self.form and key == f"held/{self.key}":
            if said == "pass" and self.held == "bytes":
                self.begun.add("aliyun")
            if said == "risky":
                self.begun.add("reject")

    @precondition(lambda self: self.form)
    @rule(instance=INSTANCES)
    def another_instance_comes(self, instance: int) -> None:
        self.world.functions[instance] = self.world.new_instance()

    @precondition(lambda self: self.form)
    @rule(seconds=st.sampled_from(SECONDS_THAT_PASS))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @precondition(lambda self: self.form)
    @rule(share=st.integers(0, 3))
    def the_rule_runs(self, share: int) -> None:
        """The bucket's own, on what is a day old; it takes hours, and may be anywhere among the names."""
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
        before = (self.held, self.published)
        self._ask(instance, route, self.world.backend(), receipt=self.earlier)
        assert before == (self.held, self.published), f"another one's {route} changed {before}"

    @precondition(lambda self: self.form)
    @rule(instance=INSTANCES)
    def settle(self, instance: int = 0) -> None:
        """Nothing goes wrong for a moment: what is due is done, and what is said is what is so, twice."""
        if self._go_on(instance) == "oss_unavailable":
            self.now += UNSURE
            self._go_on(instance)
        first = self._do("status", instance)
        second = self._do("status", 1 - instance)
        assert first == second
        self.wechat_is_asked_once()
        if self.receipt_lives:
            self._check_places(second)

    @property
    def is_committed(self) -> bool:
        return f"held/.committed/{self.id}" in self.oss.objects

    def _go_on(self, instance: int) -> str:
        """One more commit of what was decided, or is in its check."""
        is_begun = self.is_decided or self.is_committed or self.profile in AT_ONCE
        return self._do("commit", instance) if is_begun else ""

    # --- one call, and what is right about its answer ---

    def _ask(self, instance: int, route: str, token: str = "", **body: Any) -> Reply:
        reply = self.world.ask(route, token, instance, **body)
        self._note_calls()
        assert reply.status < 500 or reply.code in FAILED, reply.text
        return reply

    def _note_calls(self) -> None:
        for trace in self.wechat.submitted:
            self.submitted.setdefault(trace, self.now)
        if self.is_failing or "CopyObject" in self.oss.asked:
            self.copied_at = self.now
        self.oss.asked.clear()

    def _do(self, act: str, instance: int) -> str:
        if act == "fetch":
            self._fetch(instance)
        elif act == "tick":
            # Whatever fails, nothing is raised, and nothing is said.
            self.world.tick(instance)
            self._note_calls()
        elif act == "confirm":
            self._confirm(instance)
        elif act in VERDICTS:
            self._hear(act, instance)
        else:
            return self._decide(act, instance)
        return ""

    def _decide(self, act: str, instance: int) -> str:
        if act == "commit" or (act == "commit by the owner" and self.profile == "commit"):
            self.begun.add("commit")
        elif act in ("publish", "discard", "discard by the owner", "reject"):
            self.begun.add(act)
        route, is_own, more = ASKED[act]
        token = self.world.session() if is_own else self.world.backend()
        reply = self._ask(instance, route, "" if act == "status" else token, receipt=self.receipt, **more)
        if reply.status != 200:
            self._judge_refusal(act, reply.code)
            return reply.code
        state = str(reply.json["state"])
        if act.startswith("discard") and state == "gone":
            self._note("discarded")
        self._note(state)
        if "heldUntil" in reply.json and not self.is_failing:
            assert datetime.fromisoformat(reply.json["heldUntil"]) == self._ends()
        return state

    def _judge_refusal(self, act: str, code: str) -> None:
        if code == "forbidden":
            is_owner_s = act == "commit by the owner" and self.profile != "commit"
            assert is_owner_s or not self.receipt_lives
        elif code == "not_uploaded":
            assert act in ("commit", "commit by the owner", "publish", "reject")
            assert self.is_failing or (not self.published and not (self.held and self.is_open))
        elif code == "already_published":
            assert act in ("reject", "discard by the owner")
            assert self.is_failing or self.published
        else:
            is_waiting = code == "oss_unavailable" and self.now < self.copied_at + UNSURE
            assert code in FAILED and (self.is_failing or is_waiting), code

    def _confirm(self, instance: int) -> None:
        # Looking at them may delete them, where it was decided before they were stored.
        held = self.held
        reply = self._ask(instance, "confirm", ticket=self.form["ticket"])
        # Of other bytes the answer is about those.
        if reply.status != 200 or held == "others" or self.is_failing:
            return
        assert reply.json["receipt"] == self.receipt
        state = str(reply.json["state"])
        # Of what waits it says so, whatever for; of what was decided some time ago what became of it.
        # Where a check could not begin, it is held as far as a confirmation knows.
        if state not in OPEN or (self.profile in ("fast", "twice") and state != "held"):
            self._note(state)
        # A confirmation that begins a check may itself have applied what was cut off.
        elif self.now > (self._stored_at or self.now) and not self.has_expired:
            assert not {"published", "rejected", "discarded"} & self.told, f"{self.told}, and {state}"

    def _hear(self, word: str, instance: int) -> None:
        """A verdict about a submission of this upload; where there was none, about nothing that is known."""
        submitted = [trace for trace, url in self.wechat.submitted.items() if self._is_ours(url)]
        trace = submitted[-1] if submitted else "60f96f1d-unknown"
        has_review = f"held/.review/{self.id}" in self.oss.objects
        is_of_these = (self._stored_at or self.now) <= self.submitted.get(trace, self.now)
        if word == "pass" and submitted and not has_review and is_of_these:
            self.begun.add("check")
        if word == "risky" and submitted:
            self.begun.add("reject")
        outcome = Outcome.__members__.get(word.upper(), Outcome.ERROR)
        said = {"errcode": -1008} if word == "cannot open" else {}
        try:
            self.world.verdict(outcome, trace, instance, **said)
        except UploadError as error:
            assert error.code in FAILED
        self._note_calls()

    def _is_ours(self, url: str) -> bool:
        """Whether WeChat was sent to this object, at OSS or at the function."""
        token = parse_qs(urlsplit(url).query).get("t", [""])[0]
        if not token:
            return key_of(url) == f"held/{self.key}"
        return bool(SourceToken.read(token, self.world.settings, START).upload_id == self.id)

    def _fetch(self, instance: int) -> None:
        """WeChat gets the bytes of an upload that waits for it, and of no other."""
        url = next((url for url in reversed(self.wechat.submitted.values()) if self._is_ours(url)), "")
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        is_decided = self.is_decided
        reply = self.world.ask_event(instance, method="GET", path="/check-source", query=query)
        assert reply.status in (200, 401, 403, 404, 429) or reply.code in FAILED, reply.text
        assert reply.status != 200 or not is_decided, "handed out after the decision"

    # --- what must hold ---

    def _note(self, state: str) -> None:
        """What is final stays so, as long as it is remembered."""
        if not self.has_expired:
            self._check_order(state)
        if state == "rejected":
            assert "reject" in self.begun
        if state == "published":
            assert self._may_be_published(), f"published after {self.begun}"
        self.told.add(state)

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
            is_left = self.has_expired and not self.is_open
            assert self.published and (is_left or not self.held), f"{state}, and {places}"
        elif state == "rejected" or (state == "gone" and "discarded" in self.told and not self.has_expired):
            assert places == (False, False), f"{state}, and {places}"
        elif state == "gone":
            assert not self.published
            # Until the rule comes, what was not decided in time is still there, or other bytes are.
            assert self.held in ("", "others") or not self.is_open

    @invariant()
    def nothing_is_published_that_must_not_be(self) -> None:
        type(self).taken += 1
        if not self.form:
            return
        assert self.published in ("", "bytes"), "other bytes than the receipt's are published"
        assert not self.published or self._may_be_published(), f"published after {self.begun}"
        is_over = {"rejected", "discarded"} & self.told
        assert not self.published or not is_over or self.has_expired, f"{self.told}, and published"

    @invariant()
    def wechat_is_asked_once(self) -> None:
        """While it may still answer, nobody asks again."""
        asked, self.wechat.checks = self.wechat.checks, []
        for key, came_of_it in asked:
            if self.form and key == f"held/{self.key}":
                if self.asked_at and self.came_of_it not in NOT_ASKED and not self.has_expired:
                    pause = self.now - self.asked_at
                    assert pause >= (LEASE if self.has_failed else SILENCE), f"asked again after {pause}"
                self.asked_at, self.came_of_it = self.now, came_of_it

    @invariant()
    def aliyun_is_paid_once(self) -> None:
        """An answer is not asked for again; without one no other call asks within a minute."""
        looks, self.green.checks = self.green.checks, []
        for key, said in looks:
            if self.form and key == f"held/{self.key}":
                if self.looks and not self.has_expired:
                    before, earlier = self.looks[-1]
                    assert self.now - before >= LEASE, f"asked again after {self.now - before}"
                    assert self.has_failed or earlier in UNCHECKED, f"asked again after {earlier}"
                self.looks.append((self.now, said))

    def _end_by_ticks(self) -> None:
        """What is due now, or will be before the last of these ticks but one, needs no call."""
        # The last submission's request may be under way; the minute of a record is rounded up.
        for _ in range(UNSURE // timedelta(minutes=1) + 4):
            self.now += timedelta(minutes=1)
            self.world.tick()
        latest = f"{self.now - timedelta(minutes=1):%Y%m%d%H%M}"
        assert [name for name in self.world.due() if name <= latest] == [], "two ticks after its time"
        # These ticks may be the first in two days: with a receipt that has ended they can do nothing.
        if not self.receipt_lives:
            return
        record = self.oss.records().get(f"decided/{self.id}", {})
        decided = record.get("decision")
        # Where the same form was sent once more, a call goes on with that; nobody began to.
        is_later = bool(record) and (self._stored_at or START) >= datetime.fromisoformat(record["at"])
        if decided in ("reject", "discard"):
            assert not self.published and (not self.held or is_later), f"{decided}, and {self.held}"
        elif decided == "publish" and self.held == "bytes" and not is_later:
            assert self.key in self.oss.objects, "published, and neither copied nor its name taken"
        told = {(said["event"], said["receipt"]) for said in self.world.events}
        is_told = (EVENTS.get(decided), self.receipt) in told
        # Not of what waits for its name, and nobody is asked about a receipt that is over.
        assert is_told or self.held or not decided or self.has_expired, f"{decided}, and nobody was told"

    def teardown(self) -> None:
        """Whatever was left undone, one commit is enough; for what WeChat was to see, a minute later."""
        if not self.form:
            return
        if "tick" in self.acts:
            self._end_by_ticks()
        self.settle()
        self.now += LEASE
        self._go_on(0)
        state = self._do("status", 0)
        assert state != "held" or not (self.profile in AT_ONCE or self.is_committed), "no checker was asked"


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
    """
    Take so many steps, and end after so many seconds whatever was taken by then.

    Args:
        shrinks: whether a failure is made as short as can be, which takes a while.

        seed: of the dice; without, they are thrown anew.
    """
    started, result = time.monotonic(), Result("proof")
    how = settings(
        max_examples=lives,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink) if shrinks else (Phase.generate,),
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    machine.taken = 0
    try:
        while machine.taken < wanted and time.monotonic() < started + seconds:
            live(machine if seed is None else with_seed(seed)(machine), settings=how)
    except (AssertionError, ExceptionGroup) as error:
        result.problems.append(f"held objects: {error} ({lines_of(error)})")
    result.totals = Counter({"steps in lives of held objects": machine.taken})
    result.seconds = time.monotonic() - started
    return result
