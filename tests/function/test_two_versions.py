"""Two versions on one bucket, as a canary and a rollback have them: each continues what the other began."""

import importlib
import json
import re
import tarfile
from collections import defaultdict
from contextlib import suppress
from datetime import timedelta
from functools import partial
from hashlib import sha256
from pathlib import Path
from random import Random
from types import SimpleNamespace

import jwt
import pytest

from function.auth.session import SessionToken
from function.http.client import ExchangeFailed, HttpResponse
from handler import serve
from tests.function.ai_label.files import VECTORS
from tests.support import stage
from tests.support.cases import profile_toml
from tests.support.turns import Killed
from tests.support.world import HELD, OWNER, PART, WEBHOOK, World

# The function before its records last changed. Its modules are named EARLIER here, beside those of today.
# What two versions continue for each other.
SOON = {"confirm": True, "hold_days": 1}
PROFILES = (
    profile_toml("commit", "commits", **SOON, hold=["commit"], delete="owner")
    + profile_toml("check", "checks", **SOON, hold=["check"])
    + profile_toml("both", **SOON, hold=["commit", "check"], check_by=["aliyun", "wechat"])
    + profile_toml("clean", **SOON, hold=["check"], strip=True, ai_label=True)
    + profile_toml("art", **SOON, hold=["commit"], strip=True, ai_label=True)
    + profile_toml("same", end="{owner}/{sha256}{ext}", **SOON, hold=["commit"])
    + profile_toml(
        "film",
        "films",
        hold_days=1,
        hold=["commit"],
        content_types=["video/mp4"],
        parts=True,
        part_size="100KiB",
        list=True,
    )
)
ARCHIVE = Path(__file__).parents[1] / "vectors" / "function-before.tar.gz"
EARLIER = "earlier_function"
NAMED = re.compile(r"""((?:from|import) |["'])function(?=[. ])""")
TO_ERASE = "openid-to-erase"
ERASURE = "oss-direct-upload/erasure"
HOLDS = {
    **dict.fromkeys(("commit", "art", "same", "film"), {"commit"}),
    **dict.fromkeys(("check", "clean"), {"check"}),
    "both": {"commit", "check"},
}
OPEN = {"held", "checking", "review"}


@pytest.fixture(scope="module")
def earlier(tmp_path_factory):
    """What is asked of the earlier function, and its names."""
    folder = tmp_path_factory.mktemp("earlier")
    with tarfile.open(ARCHIVE) as packed:
        packed.extractall(folder, filter="data")
    (folder / "function").rename(folder / EARLIER)
    for path in folder.rglob("*.py"):
        path.write_text(NAMED.sub(rf"\1{EARLIER}", path.read_text("utf-8")), "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        gateway, app, context, client, session = (
            importlib.import_module(f"{EARLIER}.{name}")
            for name in ("http.gateway", "app", "context", "http.client", "auth.session")
        )

        def serve_earlier(function, event, context):
            try:
                return gateway.response_to_event(
                    function.respond(partial(gateway.request_from_event, event, context), context)
                )
            except gateway.TimerEvent:
                return None

        yield SimpleNamespace(
            Function=app.Function,
            Dependencies=context.Dependencies,
            serve=serve_earlier,
            ExchangeFailed=client.ExchangeFailed,
            SessionToken=session.SessionToken,
        )


class Versions(World):
    """
    A world with an instance of each version; the dice say which one answers a request, or makes a session.

    Attributes:
        heard: by upload and event the ids of what the business heard: one, however often.
    """

    def __init__(self, earlier, dice, *args):
        self.dice, self.earlier, self.heard = dice, earlier, defaultdict(set)
        super().__init__(*args, life=timedelta(days=9), random_bytes=dice.randbytes)
        around = {"now": self.now, "send": self.send_earlier, "random_bytes": dice.randbytes}
        before = earlier.Function(earlier.Dependencies(self.environ, **around))
        self.oss.give_sessions(before, timedelta(days=9))
        self.versions = {self.function: serve, before: earlier.serve}
        self.others["shop.example.com"] = self.hear

    def send_earlier(self, *args, **options):
        try:
            return self.exchange(*args, **options)
        except ExchangeFailed as error:
            raise self.earlier.ExchangeFailed(str(error)) from None

    def hear(self, _method, _url, *, body, headers, **_):
        said = json.loads(body)
        self.heard[id_of(said["receipt"]), said["event"]].add(headers["webhook-id"])
        return HttpResponse(200, b"")

    def choose(self):
        self.functions = [self.dice.choice([*self.versions])]
        return self.versions[self.function]

    def ask_event(self, instance=0, **fields):
        chosen = self.choose()
        answer = stage.ask_event(self.function, stage.make_event(**fields), serve=chosen)
        # A record that only the other version can read would be an error of OSS.
        assert answer.status < 500, (chosen is serve, fields, answer.text)
        return answer

    def tick(self, *_):
        assert self.choose()(self.function, b'{"triggerTime":"2030-01-02T03:04:00Z"}', None) is None

    def session(self, subject=OWNER):
        today, before = self.versions
        if self.dice.randrange(2):
            settings = today.ready().settings
            return SessionToken.issue(subject, settings.only, settings, self.now())
        return self.earlier.SessionToken.issue(subject, before.ready().settings, self.now())


def id_of(receipt):
    return jwt.decode(receipt, options={"verify_signature": False})["jti"]


class Walk:
    """Uploads at random, and what was asked and said of each."""

    def __init__(self, world, clock):
        self.world, self.clock, self.dice, self.oss = world, clock, world.dice, world.oss
        self.uploads, self.said, self.final, self.begun = {}, {}, {}, []
        self.pushed, self.ended = set(), 0
        self.is_erasing = self.is_erased = False
        world.green.answers = [self.dice.choice(("pass", "pass", "risky", "review")) for _ in range(999)]

    # --- what may happen ---

    def upload(self, profile=""):
        profile = profile or self.dice.choice([*HOLDS])
        if profile == "film":
            self.begun.append(self.world.begin(size=PART + 1, profile="film", token=self.world.session()))
            assert {*self.world.send(self.begun[-1])} == {200}
            return
        subject = OWNER if self.is_erasing else self.dice.choice((OWNER, TO_ERASE))
        fields = {"aiDeclared": True} if profile in ("art", "clean") and self.dice.randrange(2) else {}
        name = f"bytes {len(self.uploads)}"
        body = b""
        if profile in ("art", "clean"):
            body = self.dice.choice((VECTORS["J1.jpg"], VECTORS["J1.jpg"], b"no"))
            fields["filename"] = "a.jpg"
        if profile == "same":
            fields |= {"sha256": sha256(name.encode()).hexdigest(), "size": 1}
        stored = self.world.store(profile, name, subject, body, **fields)
        self.keep({**stored, "profile": profile, "subject": subject})

    def keep(self, stored):
        self.uploads[stored["uploadId"]] = stored
        self.said[stored["uploadId"]] = set()

    def complete(self):
        if self.begun:
            begun = self.begun.pop()
            done = self.world.complete(begun["ticket"]).json
            self.keep({**done, "profile": "film", "subject": OWNER})

    def commit(self):
        self.decide("commit")

    def commit_and_end(self):
        """The instance ends in the middle; the next request or a tick continues, of either version."""
        left = self.dice.randrange(1, 9)

        def end():
            nonlocal left
            left -= 1
            if not left:
                self.ended += 1
                raise Killed

        self.world.before_exchange = end
        with suppress(Killed):
            self.commit()
        self.world.before_exchange = lambda: None
        # Until its copy is over, nobody may call the upload gone.
        self.clock.tick(minutes=20)

    def publish(self):
        self.decide("publish", decision="publish")

    def reject(self):
        self.decide("reject", decision="reject")

    def decide(self, what, **fields):
        id = self.dice.choice([*self.uploads])
        self.said[id].add(what)
        answer = self.world.commit(self.uploads[id]["receipt"], **fields)
        if answer.status == 200:
            self.hear_state(id, answer.json["state"])

    def discard(self):
        id = self.dice.choice([*self.uploads])
        self.said[id].add("discard")
        self.world.discard(self.uploads[id]["receipt"])

    def status(self):
        self.state_of(self.dice.choice([*self.uploads]))

    def state_of(self, id):
        """As both versions say it."""
        by_version = {}
        while len(by_version) < 2:
            answer = self.world.ask("status", receipt=self.uploads[id]["receipt"])
            by_version[self.world.function] = answer.json
        today, before = by_version.values()
        assert today == before
        self.hear_state(id, today["state"])
        return today["state"]

    def hear_state(self, id, state):
        if state not in OPEN:
            # A discard ends what was published or rejected, nothing else does.
            before = self.final.setdefault(id, state)
            assert state in (before, "gone") and (state == before or self.may_end(id))
            self.final[id] = state

    def verdict(self):
        for trace in sorted(self.world.wechat.submitted.keys() - self.pushed):
            self.pushed.add(trace)
            # An instance that ended has noted nothing of its submission: another one follows.
            record = self.oss.objects.get(f"held/.checks/{trace}")
            suggest = self.dice.choice(("pass", "pass", "risky", "review"))
            if record:
                self.said[id_of(json.loads(record.body)["receipt"])].add(suggest)
            result = {"suggest": suggest, "label": 100 if suggest == "pass" else 20001}
            event = {"Event": "wxa_media_check", "appid": self.world.wechat.appid, "trace_id": trace}
            event |= {"version": 2, "errcode": 0, "result": result, "detail": [{"errcode": 0, **result}]}
            assert self.world.push(event).status == 200
            return

    def tick(self):
        self.world.tick()

    def wait(self):
        self.clock.tick(minutes=self.dice.choice((1, 1, 2, 7, 40)))

    def delete(self):
        id = self.dice.choice([*self.uploads])
        upload = self.uploads[id]
        if upload["profile"] == "commit":
            self.said[id].add("discard")
            self.world.ask("delete", self.world.session(upload["subject"]), keys=[upload["key"]])

    def list(self):
        answer = self.world.ask("list", self.world.session(), profile="film")
        listed = {item["key"] for item in answer.json["items"]}
        mine = {each["key"] for each in self.uploads.values() if each["profile"] == "film"}
        assert listed == mine & self.oss.objects.keys()

    def erase(self):
        if len(self.uploads) > 10:
            self.continue_erasure()

    def continue_erasure(self):
        self.is_erasing = True
        answer = self.world.ask("erase", self.world.backend(aud=ERASURE), sub=TO_ERASE)
        assert answer.status == 200, answer.text
        if answer.json["state"] == "done":
            self.is_erased = True

    ACTS = (*[upload] * 4, complete, *[commit] * 4, *[commit_and_end] * 2, publish, reject, discard)
    ACTS += (*[status] * 3, *[verdict] * 3, *[tick] * 3, *[wait] * 3, delete, list, erase)

    # --- what holds ---

    def found(self, id, word):
        """Whether a checker said this of an upload."""
        key = f"held/{self.uploads[id]['key']}"
        return word in self.said[id] or (key, word) in self.world.green.checks

    def may_end(self, id):
        return "discard" in self.said[id] or (self.is_erasing and self.uploads[id]["subject"] == TO_ERASE)

    def may_be_visible(self, id):
        said, holds = self.said[id], HOLDS[self.uploads[id]["profile"]]
        is_committed = "commit" not in holds or "commit" in said
        return "publish" in said or (is_committed and ("check" not in holds or self.found(id, "pass")))

    def places(self, upload):
        return [name in self.oss.objects for name in (f"held/{upload['key']}", upload["key"])]

    def check(self):
        for id, upload in self.uploads.items():
            is_held, is_visible = self.places(upload)
            assert not is_visible or self.may_be_visible(id), "visible before its time"
            assert not is_visible or self.final.get(id) not in ("rejected", "gone"), "came back"
            is_over = self.may_end(id) or "reject" in self.said[id] or self.found(id, "risky")
            assert is_held or is_visible or is_over, "lost"

    def rest(self):
        """Until nothing is due: both versions say the same of each upload, and the bucket has it so."""
        for _ in range(12):
            self.verdict()
            self.clock.tick(minutes=7)
            self.tick()
        assert [name for name in self.world.due() if name < f"{self.clock():%Y%m%d%H%M}"] == []
        for id, upload in self.uploads.items():
            state, (is_held, is_visible) = self.state_of(id), self.places(upload)
            assert is_visible == (state == "published") and (is_held or state not in OPEN)
        asked = [key for key, _ in self.world.green.checks]
        assert len(asked) <= len({*asked}) + self.ended, "checked twice"
        assert {len(ids) for ids in self.world.heard.values()} == {1}
        for id, state in self.final.items():
            told = {event for event in ("published", "rejected") if (id, event) in self.world.heard}
            assert told == {state} or (state == "gone" and len(told) < 2)

    def end(self):
        """The user is erased, and the hold of all others is over."""
        for _ in range(9):
            self.clock.tick(minutes=40)
            self.continue_erasure()
        assert self.is_erased
        self.clock.tick(days=1)
        self.rest()
        erased = {each["key"] for each in self.uploads.values() if each["subject"] == TO_ERASE}
        assert not erased & self.oss.objects.keys()
        assert [name for name in self.oss.objects if name.startswith("held/.clean/")] == []
        assert self.final.keys() == self.uploads.keys()
        assert {*self.final.values()} == {"published", "rejected", "gone"}


@pytest.mark.not_for_coverage
@pytest.mark.parametrize("seed", range(2))
def test_two_versions_continue_what_the_other_began(seed, earlier, clock, profiles_file):
    environ = {**HELD, "UPLOAD_WEBHOOK_URL": WEBHOOK, "ERASE": "true"}
    environ["PROFILES_FILE"] = profiles_file(PROFILES)
    world = Versions(earlier, Random(seed), environ, clock)
    walk = Walk(world, clock)
    walk.upload("commit")
    for _ in range(160):
        world.dice.choice(walk.ACTS)(walk)
        walk.check()
    walk.rest()
    walk.end()
