"""
Long random lives of held objects, one call after the other.

Calls at once are the explorer's. But a life is long: files follow each other under one name, records expire,
forms are sent again, OSS fails again and again, instances come and go, WeChat is silent. Nothing is
published without each step of its ``hold`` or with other bytes, a final state stays, and in the end one
commit is enough.
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
from function.holding.accepted_record import LEASE
from function.holding.publication import COPY_LIFE, REQUEST_LIFE
from function.moderation.finding import Outcome
from function.moderation.source_token import SourceToken
from function.request_log import lines_of
from quality.torture.report import Result
from tests.support.memory_oss import BROKEN, BROKEN_AFTER, DENIED, LOST, UNHEARD
from tests.support.wechat import key_of
from tests.support.world import HELD, WEBHOOK, World, counted

LIVES, STEPS, TASKS = 1200, 30, 4
START = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)
TOLD = {**HELD, "UPLOAD_WEBHOOK_URL": WEBHOOK, "PUBLIC_URL": "https://function.example.com"}
HOLDS = {
    **dict.fromkeys(("commit", "same", "replaced"), {"commit"}),
    "check": {"check"},
    "both": {"commit", "check"},
}
# As long as this after a request that failed a copy that it sent may end.
UNSURE = REQUEST_LIFE + COPY_LIFE
OPEN = ("held", "checking", "review")
REFUSED = {"oss_unavailable", "oss_rejected", "not_uploaded", "already_published", "forbidden"}
CALLS = ("HeadObject", "GetObject", "PutObject", "CopyObject", "DeleteObject")
FAULTS = st.lists(st.sampled_from([UNHEARD, LOST, BROKEN, BROKEN_AFTER, DENIED]), min_size=1, max_size=2)
FAILING: st.SearchStrategy[dict[str, Any]] = st.just({}) | st.dictionaries(
    st.sampled_from(CALLS), FAULTS, max_size=2
)
INSTANCES, DICE = st.integers(0, 1), st.integers(0, 719)
DECISIONS = ("commit", "publish", "reject", "discard")
VERDICTS = ("pass", "risky", "review", "error", "cannot open")
ACTS = (*DECISIONS, *VERDICTS, "status", "confirm", "commit", "commit", "pass", "tick", "tick", "tick")
OF_WECHAT = st.lists(st.sampled_from([0, 0, 0, None, -1, 61010]), max_size=2)
PASSING = st.sampled_from(
    [1, 59, *(60 * minutes for minutes in (1, 4, 20, 35, 36, 70, 300, 720, 1439, 1441))]
)


class HeldUploads(RuleBasedStateMachine):
    """One phone with one file after another, its backend and WeChat, before two instances of the function."""

    taken = 0
    acts: Sequence[str] = ACTS
    profiles: Sequence[str] = tuple(HOLDS)

    def __init__(self) -> None:
        super().__init__()
        self.now, life = START, timedelta(hours=12)
        self.world = World(TOLD, lambda: self.now, instances=2, life=life, random_bytes=counted())
        self.oss, self.wechat = self.world.oss, self.world.wechat
        self.earlier = ""
        self._forget()

    def _forget(self) -> None:
        self.form: dict[str, Any] = {}
        self.receipt = self.profile = ""
        # What has begun to happen, which may have been carried out since, whatever was answered.
        self.begun: set[str] = set()
        self.told: set[str] = set()
        self.has_expired = False
        self.submitted: dict[str, datetime] = {}

    # --- what is true, whatever the function says ---

    def _name_at(self, key: str) -> str:
        """What the bytes there are called, where they are of this upload."""
        stored = self.oss.objects.get(key)
        is_ours = stored and stored.headers["x-oss-meta-upload-id"] == self.form["uploadId"]
        return stored.parts[0].name if stored and is_ours else ""

    @property
    def held_key(self) -> str:
        return f"held/{self.form['key']}"

    @property
    def published(self) -> str:
        return self._name_at(self.form["key"])

    def _record(self, name: str) -> dict[str, Any]:
        return dict(self.oss.records().get(f"{name}/{self.form['uploadId']}", {}))

    @property
    def receipt_lives(self) -> bool:
        return self.now < datetime.fromisoformat(self.form["serverTime"]) + timedelta(days=2)

    def _may_be_published(self) -> bool:
        return "publish" in self.begun or not HOLDS[self.profile] - self.begun

    # --- what happens ---

    @precondition(lambda self: not self.form)
    @rule(thrown=DICE, instance=INSTANCES)
    def store(self, thrown: int, instance: int) -> None:
        profile = self.profiles[thrown % len(self.profiles)]
        fields: dict[str, Any] = {"profile": profile, "filename": "a.png", "size": 1}
        if profile == "same":
            fields["sha256"] = "a" * 64
        form = self.world.ask("upload-params", self.world.session(), instance, **fields).json
        # The name may still be an earlier file's.
        if not form.get("exists"):
            self.form, self.profile = form, profile
            assert self.oss.post(form["formData"], "bytes") == 200
            self.receipt = self._confirm(instance)["receipt"]

    @precondition(lambda self: self.form)
    @rule(name=st.sampled_from(["bytes", "others"]))
    def store_again(self, name: str) -> None:
        """By the same form: OSS takes that only where nothing has the name, or it may be replaced."""
        was_there = self.held_key in self.oss.objects and self.profile != "replaced"
        is_over = self.now >= datetime.fromisoformat(self.form["expiresAt"])
        assert self.oss.post(self.form["formData"], name) == (403 if is_over else 409 if was_there else 200)

    @precondition(lambda self: self.form)
    @rule(thrown=DICE, instance=INSTANCES, faults=FAILING, answers=OF_WECHAT)
    def act(self, thrown: int, instance: int, faults: dict[str, Any], answers: list[Any]) -> None:
        for name, planned in faults.items():
            self.oss.fail(name, *planned)
        self.wechat.answers = list(answers)
        self._do(self.acts[thrown % len(self.acts)], instance)
        self.oss.faults.clear()
        self.wechat.answers.clear()

    @precondition(lambda self: self.form)
    @rule(instance=INSTANCES)
    def another_instance_comes(self, instance: int) -> None:
        self.world.functions[instance] = self.world.new_instance()

    @precondition(lambda self: self.form)
    @rule(seconds=PASSING)
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
        before = (self._name_at(self.held_key), self.published)
        self.world.ask(route, self.world.backend(), instance, receipt=self.earlier)
        assert before == (self._name_at(self.held_key), self.published), f"another one's {route}"

    @precondition(lambda self: self.form)
    @rule()
    def settle(self) -> None:
        """Nothing goes wrong for a moment: what is due is done, and what is said is what is so, twice."""
        self._go_on()
        state = self._do("status", 0)
        assert state == self._do("status", 1)
        if self.receipt_lives:
            places = self._name_at(self.held_key), self.published
            if state in OPEN:
                assert places == ("bytes", ""), f"{state}, and {places}"
            elif state == "published":
                # Where its decision is forgotten, what a deletion left waits for the rule.
                assert places[1] and (self.has_expired or not places[0]), f"{state}, and {places}"
            else:
                assert not places[1] and (state != "rejected" or not places[0]), f"{state}, and {places}"

    def _is_committed(self) -> bool:
        return bool(self._record("accepted").get("is_committed"))

    def _go_on(self) -> None:
        """One more commit of what was decided, or is in its check; once more when no copy may run."""
        is_begun = self._record("decided") or self._is_committed() or "commit" not in HOLDS[self.profile]
        if is_begun and self._do("commit", 0) == "oss_unavailable":
            self.now += UNSURE
            self._do("commit", 0)

    # --- one call, and what is right about its answer ---

    def _do(self, act: str, instance: int) -> str:
        answer = ""
        if act == "tick":
            self.world.tick(instance)
        elif act == "confirm":
            self._confirm(instance)
        elif act in VERDICTS:
            self._hear(act, instance)
        else:
            answer = self._decide(act, instance)
        for trace in self.wechat.submitted:
            self.submitted.setdefault(trace, self.now)
        return answer

    def _confirm(self, instance: int) -> dict[str, Any]:
        reply = self.world.ask("confirm", instance=instance, ticket=self.form["ticket"])
        assert reply.status == 200 or reply.code in REFUSED, reply.text
        return dict(reply.json)

    def _decide(self, act: str, instance: int) -> str:
        if act != "status":
            self.begun.add(act)
        route = "commit" if act in ("publish", "reject") else act
        fields = {"decision": act} if route != act else {}
        token = "" if act == "status" else self.world.backend()
        reply = self.world.ask(route, token, instance, receipt=self.receipt, **fields)
        if reply.status != 200:
            assert reply.code in REFUSED, reply.text
            return reply.code
        state = str(reply.json["state"])
        self._note("discarded" if (act, state) == ("discard", "gone") else state)
        return state

    def _hear(self, word: str, instance: int) -> None:
        """A verdict about a submission of this upload; where there was none, about nothing that is known."""
        ours = [trace for trace, url in self.wechat.submitted.items() if self._is_ours(url)]
        trace = ours[-1] if ours else "60f96f1d-unknown"
        stored_at = self.oss.stored_at.get(self.held_key, self.now)
        is_of_these = stored_at <= self.submitted.get(trace, self.now)
        if word == "pass" and ours and not self._record("review") and is_of_these:
            self.begun.add("check")
        if word == "risky" and ours:
            self.begun.add("reject")
        outcome = Outcome.__members__.get(word.upper(), Outcome.ERROR)
        said = {"errcode": -1008} if word == "cannot open" else {}
        try:
            self.world.verdict(outcome, trace, instance, **said)
        except UploadError as error:
            assert error.code in REFUSED

    def _is_ours(self, url: str) -> bool:
        """Whether WeChat was sent to this object, at OSS or at the function."""
        token = parse_qs(urlsplit(url).query).get("t", [""])[0]
        if not token:
            return key_of(url) == self.held_key
        return bool(SourceToken.read(token, self.world.settings, START).upload_id == self.form["uploadId"])

    def _note(self, state: str) -> None:
        """What is final stays so, as long as it is remembered."""
        if not self.has_expired:
            for final, later in (
                ("rejected", {"rejected"}),
                ("discarded", {"gone", "discarded"}),
                ("published", {"published", *({"gone", "discarded"} if "discard" in self.begun else ())}),
                ("review", {"review", "published", "rejected", "gone", "discarded"}),
            ):
                if final in self.told:
                    assert state in later, f"{final}, then {state}"
                    break
        assert state != "rejected" or "reject" in self.begun
        assert state != "published" or self._may_be_published(), f"published after {self.begun}"
        self.told.add(state)

    # --- what must hold ---

    @invariant()
    def nothing_is_published_that_must_not_be(self) -> None:
        type(self).taken += 1
        if self.form and self.published:
            assert self.published == "bytes", "other bytes than the receipt's are published"
            assert self._may_be_published(), f"published after {self.begun}"
            assert not {"rejected", "discarded"} & self.told or self.has_expired, (
                f"{self.told}, and published"
            )

    def teardown(self) -> None:
        """Whatever was left undone, one commit is enough; for what WeChat was to see, a minute later."""
        if self.form:
            self.settle()
            self.now += LEASE
            self._go_on()
            waits_for_commit = "commit" in HOLDS[self.profile] and not self._is_committed()
            assert self._do("status", 0) != "held" or waits_for_commit, "no checker was asked"


def run(lives: int = LIVES, machine: type[HeldUploads] = HeldUploads, seed: int | None = None) -> Result:
    """
    Live so often, ``STEPS`` each.

    Args:
        seed: of the dice; without, they are thrown anew.
    """
    started, result = time.monotonic(), Result("proof")
    how = settings(
        max_examples=lives,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    machine.taken = 0
    try:
        live(machine if seed is None else with_seed(seed)(machine), settings=how)
    except (AssertionError, ExceptionGroup) as error:
        result.problems.append(f"held objects: {error} ({lines_of(error)})")
    result.totals = Counter({"steps in lives of held objects": machine.taken})
    result.seconds = time.monotonic() - started
    return result
