"""
Six callers with one subject at one function play at random, and nothing of one reaches another.

``CALLER_STEPS=10000 pytest tests/function/auth/test_six_callers_at_play.py`` plays that long.
"""

import os
from collections import Counter
from dataclasses import dataclass
from random import Random

import jwt
import pytest

from function.auth.signed_tokens import keyed_hash
from tests.support.six_callers import (
    CALLERS,
    JWT_KEYS,
    OWNER_SECRET,
    PROFILES,
    WECHATS,
    Deployments,
    issued,
    owner_at,
)

STEPS = int(os.environ.get("CALLER_STEPS", "320"))
SUBJECT = "same"
OWNERS = {owner_at(name, SUBJECT): name for name in CALLERS}
FILES_A_DAY = 25
OPEN = ("held", "checking", "silent", "review")


@dataclass
class Upload:
    """One upload; ``state`` is what must have become of it."""

    caller: str
    profile: str
    key: str
    id: str
    ticket: str
    replaces: str = ""
    receipt: str = ""
    state: str = "sent"
    checked_at: float = 0.0

    @property
    def owner(self):
        return owner_at(self.caller, SUBJECT)

    @property
    def is_visible(self):
        return self.state in ("stored", "published")


def claim(token, name="exp"):
    return jwt.decode(token, options={"verify_signature": False})[name]


class Play:
    """Each step does something by chance, and says what must come of it; ``look`` compares."""

    def __init__(self, seed, clock, folder):
        self.dice, self.clock = Random(seed), clock
        self.there = Deployments(clock, folder)
        self.oss, self.platforms = self.there.oss, self.there.platforms
        self.sessions = {name: [] for name in CALLERS}
        self.uploads, self.by_key, self.early = [], {}, {}
        self.used, self.limited = Counter(), {}
        self.changed = set()
        self._listen()

    def _listen(self):
        """Note each key that is written or deleted."""
        store, forget = self.oss._store, self.oss._forget
        self.oss._store = lambda key, stored: (self.changed.add(key), store(key, stored))[1]
        self.oss._forget = lambda key: (self.changed.add(key), forget(key))[1]

    # --- what is chosen ---

    def caller(self, *more):
        """One of six, more often one of these."""
        return self.dice.choice([*CALLERS, *more * 6])

    def deployment(self):
        return self.dice.choice(("several", "several", "one"))

    def world(self, deployment):
        return self.there.worlds[deployment]

    def upload(self, *states):
        found = [each for each in self.uploads[-30:] if each.state in states]
        return self.dice.choice(found) if found else None

    def token(self, name):
        """A token of this caller that has not expired; ``None`` if it cannot have one."""
        if name in JWT_KEYS:
            return issued(name, SUBJECT, self.clock)
        alive = [each for each in self.sessions[name] if claim(each) > self.clock().timestamp() + 60]
        if not alive and name in self.there.present:
            self.log_in(name)
            alive = self.sessions[name][-1:]
        return self.dice.choice(alive) if alive else None

    def may_come(self, deployment, name):
        return name == "main" if deployment == "one" else name in self.there.present

    def expected(self, deployment, name, profile, *, is_own=True):
        """The status of a request of this caller about a profile."""
        if not self.may_come(deployment, name):
            return 401
        return 200 if is_own and self.there.may_use(deployment, name, profile) else 403

    # --- steps; each returns the owners whose data it may touch, ``None`` for all ---

    def log_in(self, name):
        app = CALLERS[name].app
        code, before = self.platforms.code(app, SUBJECT), len(self.platforms.exchanged)
        reply = self.world("several").ask("login", code=code, app=app)
        assert self.platforms.exchanged[before:] == [(app, code)]
        assert reply.status == 200, reply.text
        self.sessions[name].append(reply.json["token"])

    def login(self):
        """With a code of one app at another, at one that is unknown or removed, and once more."""
        names = [name for name in CALLERS if name not in JWT_KEYS]
        name, at = self.dice.choice(names), self.dice.choice([*names, "nobody"])
        deployment = self.deployment()
        app = CALLERS[at].app if at in CALLERS else "wx9999999999999999"
        code = self.platforms.code(CALLERS[name].app, SUBJECT)
        asked = CALLERS["main"].app if deployment == "one" else app
        is_known = deployment == "one" or at in self.there.present
        for is_again in (False, True):
            before = len(self.platforms.exchanged)
            reply = self.world(deployment).ask("login", code=code, app=app)
            assert self.platforms.exchanged[before:] == ([(asked, code)] if is_known else [])
            is_good = is_known and asked == CALLERS[name].app and not is_again
            assert reply.status == (200 if is_good else 401), reply.text
            if is_good:
                self.sessions[name].append(reply.json["token"])
        return ()

    def form(self):
        name, deployment = self.caller(), self.deployment()
        more = "closed" if deployment == "one" else "post" if name in WECHATS else "picture"
        profile = self.dice.choice([*PROFILES, *[more] * 4])
        token, owner = self.token(name), owner_at(name, SUBJECT)
        if token is None or self._is_limited(deployment, owner):
            return ()
        fields = {"profile": profile, "filename": "a.png"}
        expected = self.expected(deployment, name, profile)
        old = self.upload("stored") if self.dice.random() < 0.3 else None
        if old and profile in ("picture", "closed"):
            fields["replaces"] = old.key
            if expected == 200 and (old.owner, old.profile) != (owner, profile):
                expected = 403
        day = (deployment, owner, int(self.clock().timestamp() + 8 * 3600) // 86400)
        if profile == "picture" and expected == 200:
            expected = 429 if self.used[day] == FILES_A_DAY else 200
            self.used[day] += expected == 200
        reply = self.world(deployment).ask("upload-params", token, **fields)
        assert reply.status == expected, (name, deployment, profile, reply.text)
        self._shows_none_but(reply, owner)
        if reply.status != 200:
            return ()
        form = reply.json
        assert form["key"].split("/")[1] == owner
        assert self.oss.post(form["formData"], "x") == 200
        made = Upload(
            name, profile, form["key"], form["uploadId"], form["ticket"], fields.get("replaces", "")
        )
        made.state = "sent" if profile in ("note", "post") else "stored"
        self.uploads.append(made)
        self.by_key[made.key] = made
        return self._confirm(made, deployment) if self.dice.random() < 0.8 else (owner,)

    def confirm(self):
        """Late, or again, perhaps with the session of somebody else."""
        made = self.upload("sent", "stored")
        return self._confirm(made, self.deployment()) if made else ()

    def _confirm(self, made, deployment):
        if claim(made.ticket) <= self.clock().timestamp():
            return ()
        name = self.caller()
        is_allowed = self.there.may_use(deployment, made.caller, made.profile)
        before = {**self.platforms.numbers}
        reply = self.world(deployment).ask("confirm", self.token(name) or "", ticket=made.ticket)
        assert reply.status == (200 if is_allowed else 403), (made, deployment, reply.text)
        asked = [app for app, number in self.platforms.numbers.items() if number != before.get(app, 0)]
        if not is_allowed:
            assert asked == []
            return ()
        made.receipt = reply.json["receipt"]
        assert claim(made.receipt, "owner") == made.owner
        if made.replaces:
            self.by_key[made.replaces].state = "gone"
        if made.state == "sent" and made.profile == "note":
            made.state = "held"
        if made.state == "sent":
            app = CALLERS[made.caller].app
            assert asked == [app]
            made.state, made.checked_at = "checking", self.clock().timestamp()
            self._apply(made, self.early.pop((app, f"trace-{self.platforms.numbers[app]}"), None))
        return (made.owner,)

    def read(self):
        made, deployment = self.upload("stored", "published", "gone"), self.deployment()
        name = self.caller(made.caller) if made else ""
        if made and (token := self.token(name)):
            expected = self.expected(deployment, name, made.profile, is_own=made.caller == name)
            reply = self.world(deployment).ask("read", token, key=made.key)
            assert reply.status == expected, (made, name, deployment, reply.text)
        return ()

    def list(self):
        name, deployment, profile = self.caller(), self.deployment(), self.dice.choice([*PROFILES])
        token, owner = self.token(name), owner_at(name, SUBJECT)
        if token is None:
            return ()
        found, cursor, is_first = [], None, True
        while cursor is not None or is_first:
            reply = self.world(deployment).ask("list", token, profile=profile, cursor=cursor)
            assert reply.status == self.expected(deployment, name, profile), reply.text
            self._shows_none_but(reply, owner)
            if reply.status != 200:
                return ()
            found += [each["key"] for each in reply.json["items"]]
            cursor, is_first = reply.json["cursor"], False
        mine = [each for each in self.by_key.values() if (each.caller, each.profile) == (name, profile)]
        assert sorted(found) == sorted(each.key for each in mine if each.is_visible)
        return ()

    def delete(self):
        made, deployment = self.upload("stored", "published", *OPEN), self.deployment()
        name = self.caller(made.caller) if made else ""
        token = self.token(name) if made else None
        if token is None or self._is_limited(deployment, owner_at(name, SUBJECT)):
            return ()
        reply = self.world(deployment).ask("delete", token, keys=[made.key])
        expected = self.expected(deployment, name, made.profile, is_own=made.caller == name)
        said = reply.status
        if said == 200 and "error" in reply.json["results"][0]:
            said = {"forbidden": 403}.get(reply.json["results"][0]["error"]["code"], 0)
        assert said == expected, (made, name, deployment, reply.text)
        if expected == 200:
            made.state = "gone"
        return (made.owner,) if expected == 200 else ()

    def decide(self):
        """A commit or a discard: by an owner, perhaps another one; by a backend, of anybody's upload."""
        made, name, deployment = self.upload(*OPEN), self.dice.choice([*CALLERS, None]), self.deployment()
        token = self.token(name) if name else self.world(deployment).backend()
        if not made or token is None or claim(made.receipt) <= self.clock().timestamp():
            return ()
        act = "discard" if made.profile == "post" else self.dice.choice(("commit", "discard"))
        reply = self.world(deployment).ask(act, token, receipt=made.receipt)
        is_own = made.caller == name
        expected = self.expected(deployment, name, made.profile, is_own=is_own) if name else 200
        assert reply.status == expected, (act, made, name, deployment, reply.text)
        if expected == 200:
            made.state = "published" if act == "commit" else "gone"
        return (made.owner,) if expected == 200 else ()

    def status(self):
        made, deployment = self.upload("published", *OPEN), self.deployment()
        is_backend = self.dice.random() < 0.3
        if made and claim(made.receipt) > self.clock().timestamp():
            world = self.world(deployment)
            reply = world.ask("status", world.backend() if is_backend else "", receipt=made.receipt)
            is_allowed = is_backend or self.there.may_use(deployment, made.caller, made.profile)
            assert reply.status == (200 if is_allowed else 403), (made, deployment, reply.text)
            assert not is_allowed or made.state == "silent" or reply.json["state"] == made.state
        return ()

    # --- WeChat ---

    def verdict(self):
        """A verdict of one app, of a trace id that both may have, perhaps before its submission."""
        name, deployment = self.dice.choice(WECHATS), self.deployment()
        app, suggest = CALLERS[name].app, self.dice.choice(("pass", "pass", "risky", "review"))
        second = CALLERS["second"]
        is_odd = self.dice.random() < 0.2 and self.platforms.numbers[second.app] > 0
        last = self.platforms.numbers[second.app] - 1 if is_odd else self.platforms.numbers[app]
        trace = f"trace-{max(1, last + 1 - self.dice.choice((0, 1, 1, 1, 2, 3, 9)))}"
        if is_odd:
            # The name of the other app's records, which nobody can know.
            trace = keyed_hash(OWNER_SECRET, f"check\n{second.id}\n{trace}".encode()).hex()
        path = "" if name == "main" and self.dice.random() < 0.3 else f"/{app}"
        status = self.there.push(deployment, path, app, self._event(app, trace, suggest))
        if not self.may_come(deployment, name):
            assert status == (403 if path else 404)
            return ()
        assert status == 200
        made = self.by_key.get(self.platforms.checks.get((app, trace), ""))
        if made is None:
            self.early[app, trace] = suggest
            return ()
        self._apply(made, suggest)
        return (made.owner,)

    def _event(self, app, trace, suggest):
        result = {"suggest": suggest, "label": 100 if suggest == "pass" else 20001}
        event = {"Event": "wxa_media_check", "trace_id": trace, "version": 2, "errcode": 0, "result": result}
        event["detail"] = [{"errcode": 0, **result}]
        return event | ({self.dice.choice(("appid", "AppID")): app} if self.dice.random() < 0.7 else {})

    def _apply(self, made, suggest):
        if suggest == "risky" and made.state in OPEN:
            made.state = "rejected"
        if suggest == "review" and made.state == "checking":
            made.state = "review"
        if suggest == "pass" and made.state == "checking":
            made.state = "published"
        if suggest == "pass" and made.state == "silent" and made.key in self.oss.objects:
            made.state = "published"

    def wrong_push(self):
        """The right key and Token, but the envelope or the message is of another app than the path."""
        name, other = self.dice.sample(WECHATS, 2)
        app, wrong = CALLERS[name].app, CALLERS[other].app
        trace = f"trace-{max(1, self.platforms.numbers[app])}"
        envelope, said = self.dice.choice(((wrong, None), (wrong, wrong), (wrong, app), (app, wrong)))
        event = self._event(app, trace, "pass")
        if self.dice.random() < 0.3:
            event = self._revocation(app)
        for field in ("appid", "AppID"):
            event.pop(field, None)
        event |= {"AppID": said} if said else {}
        status = self.there.push("several", f"/{app}", envelope, event)
        assert status == 403
        return ()

    def _revocation(self, app):
        made = int(self.clock().timestamp())
        event = {"Event": "user_authorization_revoke", "OpenID": SUBJECT, "CreateTime": made, "AppID": app}
        return {**event, "RevokeInfo": "301"}

    def revoke(self):
        name, deployment = self.dice.choice(WECHATS), self.deployment()
        app = CALLERS[name].app
        if not self.may_come(deployment, name):
            return ()
        assert self.there.push(deployment, f"/{app}", app, self._revocation(app)) == 200
        self.look((owner_at(name, SUBJECT),))
        return self._erased(name)

    def erase(self):
        return self._erased(self.caller())

    def _erased(self, name):
        """Everything of one caller's subject, and nothing else, until it is done."""
        owner, world = owner_at(name, SUBJECT), self.world("several")
        for _ in range(6):
            token = world.backend(aud="oss-direct-upload/erasure")
            named = {"caller": CALLERS[name].id} if name != "main" or self.dice.random() < 0.5 else {}
            reply = world.ask("erase", token, sub=SUBJECT, **named)
            assert reply.status == 200, reply.text
            self.clock.tick(minutes=80)
            if reply.json["state"] == "done":
                break
        else:
            raise AssertionError("never done")
        assert not [key for key in self.oss.names() if owner in key]
        for made in self.by_key.values():
            if made.caller == name and made.state != "rejected":
                made.state = "erased"
        self.look((owner,))
        return self.tick()

    def tick(self):
        before = {*self.platforms.checks}
        self.world(self.deployment()).tick()
        for made in self.uploads:
            if made.state == "checking" and self.clock().timestamp() - made.checked_at > 30 * 60:
                # WeChat has said nothing in time: it is asked again, or a human decides.
                made.state = "silent"
            if made.state in OPEN and made.receipt and self._is_over(made):
                made.state = "over"
        for again in {*self.platforms.checks} - before:
            self._apply(self.by_key[self.platforms.checks[again]], self.early.pop(again, None))

    def _is_over(self, made):
        return (
            f"held/{made.key}" not in self.oss.objects
            and claim(made.receipt, "heldUntil") <= self.clock().timestamp()
        )

    # --- who may come ---

    def stranger(self):
        """Tokens of another mini-program, of an issuer with the key of the other, and a session as a JWT."""
        form = self.world("foreign").form("picture", "stranger")
        ticket, session = form["ticket"], self.world("foreign").session("stranger")
        world, several = self.world("one"), self.world("several")
        assert world.ask("confirm", world.backend(), ticket=ticket).status == 403
        assert several.ask("confirm", ticket=ticket).status == 403
        forged = [
            session,
            issued("site", SUBJECT, self.clock, "app"),
            issued("app", SUBJECT, self.clock, "site"),
        ]
        for deployment in (world, several):
            for token in forged:
                assert deployment.ask("upload-params", token, profile="note", filename="a.png").status == 401
        return ()

    def flood(self):
        """One caller's forms until they are too many; another one's are not."""
        name, other = self.dice.sample([*CALLERS], 2)
        token, beside = self.token(name), self.token(other)
        owner = owner_at(name, SUBJECT)
        is_there = {name, other} <= self.there.present and token and beside
        if not is_there or self.dice.random() > 0.2 or self._is_limited("several", owner_at(other, SUBJECT)):
            return ()
        files = [{"profile": "note", "filename": "a.png"}] * 20
        replies = [self.world("several").ask("upload-params", token, files=files) for _ in range(4)]
        assert replies[-1].status == 429
        self.limited["several", owner] = self.clock().timestamp() + 61
        fields = {"profile": "note", "filename": "a.png"}
        assert self.world("several").ask("upload-params", beside, **fields).status == 200
        return ()

    def _is_limited(self, deployment, owner):
        return self.limited.get((deployment, owner), 0) > self.clock().timestamp()

    def change(self):
        """A caller is removed, or added again."""
        missing = sorted({*CALLERS} - self.there.present)
        if self.dice.random() < 0.5:
            self.there.change(missing[0] if missing else self.dice.choice(("second", "pay", "tt", "site")))
            self.limited = {each: until for each, until in self.limited.items() if each[0] != "several"}
            self.used = Counter({each: count for each, count in self.used.items() if each[0] != "several"})
        return ()

    # --- what must hold ---

    def _shows_none_but(self, reply, owner):
        assert not [each for each in OWNERS if each != owner and each in reply.text], reply.text

    def look(self, touched):
        ids = {each.id: each.owner for each in self.uploads}
        for key in self.changed if touched is not None else ():
            owners = {each for each in OWNERS if each in key} | {ids[each] for each in ids if each in key}
            assert owners <= {*touched}, (key, owners, touched)
        if self.changed:
            seen = {key for key in self.oss.names() if not key.startswith("held/")}
            wanted = {each.key for each in self.by_key.values() if each.is_visible}
            assert seen == wanted, seen ^ wanted
        for deployment, world in self.there.worlds.items():
            for event in world.events:
                owner = event.get("owner") or claim(event["receipt"], "owner")
                assert touched is None or owner in touched, event
                expected = CALLERS[OWNERS[owner]].id if deployment == "several" else None
                assert event.get("caller") == expected, event
            world.events.clear()
        self.changed.clear()

    def step(self):
        self.clock.tick(seconds=self.dice.randrange(1, 4))
        name = self.dice.choices([*WEIGHTS], [*WEIGHTS.values()])[0]
        self.look(getattr(self, name)())


WEIGHTS = {
    "form": 10,
    "confirm": 2,
    "read": 4,
    "list": 1.5,
    "delete": 1.5,
    "decide": 2,
    "status": 2,
    "verdict": 9,
    "wrong_push": 1.5,
    "login": 1.5,
    "revoke": 0.5,
    "erase": 0.3,
    "tick": 1,
    "stranger": 0.8,
    "flood": 0.5,
    "change": 1,
}


# Each misses the lines of the function that keep callers apart.
@pytest.mark.not_for_coverage
@pytest.mark.parametrize("seed", [1, 4])
def test_nothing_of_one_caller_reaches_another_at_random_steps(seed, clock, tmp_path):
    play = Play(seed, clock, tmp_path)
    for step in range(STEPS):
        try:
            play.step()
        except Exception as error:
            error.add_note(f"step {step} of seed {seed}")
            raise
