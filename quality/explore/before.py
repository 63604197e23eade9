"""What was before a scenario begins: what its actors are given, and the model of it."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

from local.oss.rules import OssRules
from quality.explore.cloud import ALIYUN, Cloud
from quality.explore.model import COMMIT, PUBLISHED, UPLOADED, Event, Life, Model
from quality.explore.photo import BYTES, photo_in
from quality.explore.steps import Given
from tests.support.turns import Killed
from tests.support.world import PART

WECHAT = "wechat"
HOLDS = {
    **dict.fromkeys(("commit", "same", "overwritten", "ownheld", "clean", "called", "labelled"), {COMMIT}),
    **dict.fromkeys(("check", "cleancheck", "calledcheck", "labelledcheck"), {WECHAT}),
    **dict.fromkeys(("quick", "calledquick"), {ALIYUN}),
    **dict.fromkeys(("sent", "cleansent"), {COMMIT, ALIYUN}),
    "both": {COMMIT, WECHAT},
    "twice": {COMMIT, WECHAT, ALIYUN},
}
SAME: dict[str, Any] = {"sha256": "a" * 64, "size": 1}
# While a form lives that was given out then, and when it has expired.
SOON, LATER = timedelta(minutes=1), timedelta(minutes=5)
Prepare = Callable[[Cloud], tuple[Given, Model]]


def stored(profile: str, name: str = BYTES, **fields: Any) -> Prepare:
    """An object with a receipt, held where its profile holds."""

    def prepare(cloud: Cloud) -> tuple[Given, Model]:
        if profile == "same":
            fields.update(SAME)
        form, _ = sent(profile, name, **fields)(cloud)
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


def sent(profile: str, name: str = BYTES, **fields: Any) -> Prepare:
    """An object that nobody has confirmed."""

    def prepare(cloud: Cloud) -> tuple[Given, Model]:
        form, model = form_out(profile, **fields)(cloud)
        key = form["formData"]["key"]
        assert cloud.oss.post(form["formData"], name, body=photo_in(key, name)) == 200
        return form, model

    return prepare


def nothing(_cloud: Cloud) -> tuple[Given, Model]:
    return {}, Model()


def earlier(prepare: Prepare, since: timedelta) -> Prepare:
    """The same, some minutes ago."""

    def prepare_earlier(cloud: Cloud) -> tuple[Given, Model]:
        given = prepare(cloud)
        cloud.instant += since
        return given

    return prepare_earlier


def shown(profile: str, since: timedelta = LATER, **fields: Any) -> Prepare:
    """An object that was committed and published."""

    def prepare(cloud: Cloud) -> tuple[Given, Model]:
        given, model = stored(profile, **fields)(cloud)
        cloud.commit(given["receipt"])
        for kind, what in (("begun", COMMIT), ("told", PUBLISHED)):
            model = model.after(Event(kind, given["uploadId"], what))
        return given, model

    return earlier(prepare, since)


def two_forms(cloud: Cloud) -> tuple[Given, Model]:
    """Two forms for the same bytes, of which one was sent; another phone has the other."""
    other = cloud.form("same", **SAME)
    given, model = stored("same")(cloud)
    model = model.with_life(other["uploadId"], Life(hold=frozenset({COMMIT})))
    return {**given, "other": other}, model


def replacement(profile: str, since: timedelta = LATER) -> Prepare:
    """An old object, and a form, or a held object, that replaces it."""

    def prepare(cloud: Cloud) -> tuple[Given, Model]:
        is_held = profile in HOLDS
        old, model = (shown(profile, since) if is_held else earlier(stored(profile), since))(cloud)
        form = cloud.form(profile, replaces=old["key"])
        life = Life(hold=frozenset(HOLDS.get(profile, ())), replaces=old["uploadId"])
        return {**form, "old": old}, model.with_life(form["uploadId"], life)

    return prepare


def replacing_held(since: timedelta = LATER) -> Prepare:
    """An old object, and a held one that replaces it."""

    def prepare(cloud: Cloud) -> tuple[Given, Model]:
        given, model = replacement("ownheld", since)(cloud)
        cloud.oss.post(given["formData"], BYTES)
        confirmed = cloud.ask("confirm", ticket=given["ticket"]).json
        life = life_of(confirmed, "ownheld", given["old"]["uploadId"])
        return {**given, **confirmed}, model.with_life(given["uploadId"], life)

    return prepare


def parts_sent(cloud: Cloud) -> tuple[Given, Model]:
    """Parts that are all there."""
    begun, model = parts_begun(cloud)
    part = begun["parts"][1]
    cloud.oss.put(part, begun["headers"], "a2", part["size"])
    return begun, model


def keeping_metadata(prepare: Prepare) -> Prepare:
    """Before an OSS whose processing leaves the metadata."""

    def prepare_keeping(cloud: Cloud) -> tuple[Given, Model]:
        cloud.oss.picture_rules = OssRules()
        return prepare(cloud)

    return prepare_keeping


def cut_off(profile: str) -> Prepare:
    """A publication that was decided some minutes ago, by an instance that ended then."""

    def prepare(cloud: Cloud) -> tuple[Given, Model]:
        given, model = stored(profile)(cloud)

        def end() -> None:
            if f"held/.decided/{given['uploadId']}" in cloud.oss.objects:
                raise Killed

        cloud.before_exchange = end
        with suppress(Killed):
            cloud.commit(given["receipt"])
        cloud.before_exchange = lambda: None
        cloud.instant += timedelta(minutes=5)
        return given, model.after(Event("begun", given["uploadId"], COMMIT))

    return prepare


def parts_begun(cloud: Cloud) -> tuple[Given, Model]:
    """Parts of which the last is not there."""
    size = PART + 1
    begun = cloud.ask("multipart", cloud.session(), profile="parts", filename="a.mp4", size=size).json
    part = begun["parts"][0]
    cloud.oss.put(part, begun["headers"], "a1", part["size"])
    return begun, Model(forms=cloud.counted).with_life(begun["uploadId"], Life())
