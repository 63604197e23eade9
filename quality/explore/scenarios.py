"""The named scenarios: who does what, to which object."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from quality.explore.cloud import ALIYUN, Cloud
from quality.explore.hands import Hands
from quality.explore.model import (
    ABORT,
    COMMIT,
    DELETE,
    ERASE,
    PUBLISH,
    REJECT,
    SHARED,
    SILENCE,
    UPLOADED,
    Event,
    Life,
    Model,
)
from quality.explore.steps import Act, Given, Scenario
from tests.support.memory_oss import Part
from tests.support.turns import Killed
from tests.support.world import PART

WECHAT = "wechat"
HOLDS = {
    **dict.fromkeys(("commit", "same", "overwritten", "ownheld"), {COMMIT}),
    "check": {WECHAT},
    "both": {COMMIT, WECHAT},
    "quick": {ALIYUN},
    "sent": {COMMIT, ALIYUN},
    "twice": {COMMIT, WECHAT, ALIYUN},
}
BYTES, OTHERS = "bytes", "others"
SAME: dict[str, Any] = {"sha256": "a" * 64, "size": 1}
MINUTES = 60
# An erasure lists the objects of each profile: fewer profiles, fewer calls.
ERASES = {"ERASE": "true", "PROFILES_FILE": str(Path(__file__).with_name("erasure_profiles.toml"))}
Prepare = Callable[[Cloud], tuple[Given, Model]]


# --- what was before ---


def stored(profile: str, name: str = BYTES, **fields: Any) -> Prepare:
    """An object with a receipt, held where its profile holds."""

    def prepare(cloud: Cloud) -> tuple[Given, Model]:
        if profile == "same":
            fields.update(SAME)
        form = cloud.form(profile, **fields)
        cloud.oss.post(form["formData"], name)
        given = {**form, **cloud.ask("confirm", ticket=form["ticket"]).json}
        return given, Model().with_life(given["uploadId"], life_of(given, profile))

    return prepare


def life_of(given: Given, profile: str = "", replaces: str = "") -> Life:
    return Life(
        hold=frozenset(HOLDS.get(profile, ())),
        replaces=replaces,
        receipts=frozenset({(given["receipt"], f"{given['etag']} {given['uploadId']}")}),
        told=frozenset({UPLOADED}),
    )


def form_out(profile: str, **fields: Any) -> Prepare:
    """A form that nobody has sent yet."""

    def prepare(cloud: Cloud) -> tuple[Given, Model]:
        form = cloud.form(profile, **fields)
        life = Life(hold=frozenset(HOLDS.get(profile, ())))
        return form, Model(forms=cloud.counted).with_life(form["uploadId"], life)

    return prepare


def nothing(_cloud: Cloud) -> tuple[Given, Model]:
    return {}, Model()


def later(prepare: Prepare) -> Prepare:
    """The same, some minutes ago."""

    def prepare_earlier(cloud: Cloud) -> tuple[Given, Model]:
        given = prepare(cloud)
        cloud.instant += timedelta(minutes=5)
        return given

    return prepare_earlier


def two_forms(cloud: Cloud) -> tuple[Given, Model]:
    """Two forms for the same bytes, of which one was sent; another phone has the other."""
    other = cloud.form("same", **SAME)
    given, model = stored("same")(cloud)
    model = model.with_life(other["uploadId"], Life(hold=frozenset({COMMIT})))
    return {**given, "other": other}, model


def replacement(profile: str) -> Prepare:
    """An old object, and a form, or a held object, that replaces it."""

    def prepare(cloud: Cloud) -> tuple[Given, Model]:
        old, model = later(stored("own" if profile == "own" else "ownheld"))(cloud)
        if profile == "ownheld":
            cloud.commit(old["receipt"])
            cloud.instant += timedelta(minutes=5)
            model = model.after(Event("begun", old["uploadId"], COMMIT))
            model = model.with_life(
                old["uploadId"], model.life(old["uploadId"]).after(Event("told", "", "published"))
            )
        form = cloud.form(profile, replaces=old["key"])
        life = Life(hold=frozenset(HOLDS.get(profile, ())), replaces=old["uploadId"])
        return {**form, "old": old}, model.with_life(form["uploadId"], life)

    return prepare


def replacing_held(cloud: Cloud) -> tuple[Given, Model]:
    given, model = replacement("ownheld")(cloud)
    cloud.oss.post(given["formData"], BYTES)
    confirmed = cloud.ask("confirm", ticket=given["ticket"]).json
    life = life_of(confirmed, "ownheld", given["old"]["uploadId"])
    return {**given, **confirmed}, model.with_life(given["uploadId"], life)


def parts_sent(cloud: Cloud) -> tuple[Given, Model]:
    """Parts that are all there."""
    begun, model = parts_begun(cloud)
    part = begun["parts"][1]
    cloud.oss.put(part, begun["headers"], "a2", part["size"])
    return begun, model


def cut_off(cloud: Cloud) -> tuple[Given, Model]:
    """A publication that was decided some minutes ago, by an instance that ended then."""
    given, model = stored("commit")(cloud)

    def end() -> None:
        if f"held/.decided/{given['uploadId']}" in cloud.oss.objects:
            raise Killed

    cloud.before_exchange = end
    with suppress(Killed):
        cloud.commit(given["receipt"])
    cloud.before_exchange = lambda: None
    cloud.instant += timedelta(minutes=5)
    return given, model.after(Event("begun", given["uploadId"], COMMIT))


def published(cloud: Cloud) -> tuple[Given, Model]:
    given, model = stored("commit")(cloud)
    cloud.commit(given["receipt"])
    cloud.instant += timedelta(minutes=5)
    for kind, what in (("begun", COMMIT), ("told", "published")):
        model = model.after(Event(kind, given["uploadId"], what))
    return given, model


def parts_begun(cloud: Cloud) -> tuple[Given, Model]:
    """Parts of which the last is not there."""
    size = PART + 1
    begun = cloud.ask("multipart", cloud.session(), profile="parts", filename="a.mp4", size=size).json
    part = begun["parts"][0]
    cloud.oss.put(part, begun["headers"], "a1", part["size"])
    return begun, Model(forms=cloud.counted).with_life(begun["uploadId"], Life())


# --- what somebody does ---


def commit(hands: Hands, given: Given) -> None:
    hands.commit(given)


def commit_own(hands: Hands, given: Given) -> None:
    """As an owner may where the profile says so."""
    hands.ask(COMMIT, given["uploadId"], "commit", hands.cloud.session, receipt=given["receipt"])


def publish(hands: Hands, given: Given) -> None:
    hands.commit(given, PUBLISH, decision="publish")


def reject(hands: Hands, given: Given) -> None:
    hands.commit(given, REJECT, decision="reject")


def discard(hands: Hands, given: Given) -> None:
    hands.discard(given)


def discard_until_gone(hands: Hands, given: Given) -> None:
    """As a backend does that is told to come again."""
    for _ in range(3):
        reply = hands.discard(given)
        if reply is not None and reply.status == 200:
            return
        hands.wait(MINUTES)


def discard_own(hands: Hands, given: Given) -> None:
    hands.discard_own(given)


def status(hands: Hands, given: Given) -> None:
    hands.status(given)


def status_after_silence(hands: Hands, given: Given) -> None:
    """WeChat says nothing; the second submission is due, and after that a human."""
    hands.note(Event("begun", given["uploadId"], SILENCE))
    for _ in range(2):
        hands.wait(36 * MINUTES)
        hands.status(given)


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


def send_other(hands: Hands, given: Given) -> None:
    """Once the name is free."""
    for _ in range(2):
        if hands.post(given["other"]) == 200:
            hands.confirm(given["other"])
            return


def confirm(hands: Hands, given: Given) -> None:
    hands.confirm(given)


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
    is_good = etag == Part(BYTES, 1).etag
    id = given["uploadId"]
    hands.note(Event("passed", id, etag, WECHAT) if is_good else Event("risky", id, etag, WECHAT))
    hands.push(trace, "pass" if is_good else "risky")


def doubt(hands: Hands, given: Given) -> None:
    """WeChat leaves it to a human."""
    trace, _ = hands.checked(given["key"])
    hands.push(trace, "review")


def swap(hands: Hands, given: Given) -> None:
    """Good bytes for a while, then the bad ones again."""
    for name in (BYTES, OTHERS):
        hands.swap(f"held/{given['key']}", name)


def overwrite(hands: Hands, given: Given) -> None:
    """Send the form once more, with other bytes."""
    hands.post(given, OTHERS)


def delete_old(hands: Hands, given: Given) -> None:
    hands.note(Event("begun", given["old"]["uploadId"], DELETE))
    hands.ask(DELETE, "", "delete", hands.cloud.session, keys=[given["old"]["key"]])


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


def scenario(name: str, prepare: Prepare, faults: int = 1, **actors: Act) -> Scenario:
    environ = ERASES if "erase" in actors else {}
    return Scenario(name, prepare, actors, faults, environ)


same_phone = phone("same", **SAME)
SCENARIOS: Iterable[Scenario] = (
    # One actor, two failures.
    scenario("form and confirm", nothing, 2, phone=phone("counted")),
    scenario("form and confirm, held", nothing, 2, phone=phone("check")),
    scenario("commit", stored("commit"), 2, commit=commit),
    scenario("publish", stored("both"), 2, publish=publish),
    scenario("reject", stored("both"), 2, reject=reject),
    scenario("discard", stored("commit"), 2, discard=discard),
    scenario("commit by its owner", stored("commit"), 2, owner=commit_own),
    scenario("discard by its owner", stored("commit"), 2, owner=discard_own),
    scenario("discard what is published", published, 2, discard=discard),
    scenario("reject what is published", published, 2, reject=reject),
    scenario("ask, held", stored("both"), 2, status=status),
    scenario("ask, published", published, 2, status=status),
    scenario("continue what was cut off", cut_off, 2, status=status),
    scenario("commit, to be checked", stored("both"), 2, commit=commit),
    scenario("silence", stored("check"), 2, status=status_after_silence),
    scenario("pass", stored("check"), 2, wechat=wechat),
    scenario("risky", stored("check", OTHERS), 2, wechat=wechat),
    scenario("doubt", stored("check"), 2, wechat=doubt),
    scenario("begin parts of a quota", nothing, phone=begin_parts),
    scenario("complete", parts_sent, 2, phone=complete),
    scenario("complete what is not there", parts_begun, 2, phone=renew_and_complete),
    scenario("abort", parts_sent, 2, phone=abort),
    scenario("replace", replacement("own"), 2, phone=send_and_confirm),
    # Form and confirm.
    scenario("two forms of one quota", nothing, phone=phone("counted"), other=phone("counted"), tick=tick),
    scenario("confirmed twice", form_out("commit"), phone=send_and_confirm, again=confirm, tick=tick),
    # Commit against discard.
    scenario("commit against discard", stored("commit"), 2, commit=commit, discard=discard),
    scenario("commit, discard, tick", stored("commit"), commit=commit, discard=discard, tick=tick),
    scenario("commit, discard, status", stored("commit"), 0, commit=commit, discard=discard, status=status),
    scenario("commit twice, discard", stored("commit"), 0, commit=commit, again=commit, discard=discard),
    scenario("commit against owner", stored("commit"), commit=commit, owner=discard_own, tick=tick),
    scenario("publish against reject", stored("both"), publish=publish, reject=reject, tick=tick),
    scenario("commit against overwriting", stored("overwritten"), commit=commit, phone=overwrite, tick=tick),
    # A copy that is late, and one that is made once more.
    scenario("late copy", stored("commit"), commit=commit, discard=discard_until_gone),
    scenario("cut off against discard", cut_off, status=status, discard=discard),
    scenario("cut off, discard, tick", cut_off, 0, status=status, discard=discard, tick=tick_now),
    scenario("cut off, two ticks", cut_off, tick=tick_now, other=tick_now),
    # Verdicts.
    scenario("commit twice, to be checked", stored("both"), commit=commit, again=commit),
    scenario("verdict and tick", stored("check"), wechat=wechat, tick=tick),
    scenario("verdict against discard", stored("check"), wechat=wechat, discard=discard),
    scenario("verdict against commit", stored("both"), wechat=wechat, commit=commit),
    scenario("verdict, commit, discard", stored("both"), 0, wechat=wechat, commit=commit, discard=discard),
    scenario("risky against publish", stored("check", OTHERS), wechat=wechat, publish=publish),
    scenario("swapped while checked", stored("both", OTHERS), 0, wechat=wechat, commit=commit, phone=swap),
    # Aliyun, alone and before WeChat.
    scenario("form and confirm, aliyun", nothing, 2, phone=phone("quick")),
    scenario("commit, aliyun", stored("sent"), 2, commit=commit),
    scenario("aliyun against discard", stored("sent"), commit=commit, discard=discard),
    scenario("aliyun asked twice", stored("sent"), commit=commit, again=commit),
    scenario("swapped while aliyun looks", stored("sent", OTHERS), commit=commit, phone=swap),
    scenario("aliyun, then wechat", stored("twice"), commit=commit, wechat=wechat),
    # One digest.
    scenario("two phones, one digest", nothing, phone=same_phone, other=same_phone, tick=tick),
    scenario("one digest, commit", stored("same"), commit=commit, phone=same_phone, tick=tick),
    scenario("one digest, discard", stored("same"), discard=discard, phone=same_phone, tick=tick),
    scenario("digest sent again", two_forms, 2, discard=discard, phone=send_other),
    # Replacing.
    scenario("replaced twice", replacement("own"), phone=send_and_confirm, again=confirm, tick=tick),
    scenario("replace against delete", replacement("own"), phone=send_and_confirm, owner=delete_old),
    scenario("replace, held", replacing_held, commit=commit, discard=discard, tick=tick),
    # Erasing.
    scenario("erase against upload", form_out("own"), erase=erase, phone=send_and_confirm),
    scenario("erase against commit", stored("commit"), erase=erase, commit=commit),
    scenario("erase twice", stored("own"), 0, erase=erase, other=erase),
    # Parts.
    scenario("completed twice", parts_sent, phone=complete, again=complete, tick=tick),
    scenario("complete against abort", parts_sent, phone=complete, abort=abort, again=send_again),
    scenario("part sent while completed", parts_begun, phone=renew_and_complete, again=send_again),
    scenario("erase against parts", parts_sent, erase=erase, phone=complete),
)
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}
