"""sts.credentials: no form outlives the credentials that signed it, and none is asked for in vain."""

from datetime import datetime, timedelta

import pytest

from tests.support.cases import profile_toml

STS_URL = "https://sts.cn-hangzhou.aliyuncs.com/"


def test_no_form_outlives_its_credentials(instance, good_sts, clock):
    function = instance()
    for minute in range(130):
        body = function.ask(body={"filename": "a.mp4", "profile": "video"}).json
        expires_at = datetime.fromisoformat(body["expiresAt"])
        assert expires_at + timedelta(seconds=60) <= good_sts.expirations[-1], minute
        clock.tick(minutes=1)
    assert len(good_sts.calls) == 3


TWO_LIVES = profile_toml(
    "short", end="{id}", max_size=1, content_types=["image/png"], expires_in=300
) + profile_toml("long", end="{id}", max_size=1, content_types=["image/png"], expires_in=1200)


@pytest.mark.parametrize(
    ("profiles", "last_second"),
    [
        (["long"], 3600 - 1200 - 60),
        (["short"], 3600 - 300 - 60),
        (["short", "long"], 3600 - 1200 - 60),
        (["long", "short"], 3600 - 1200 - 60),
    ],
    ids=str,
)
def test_every_form_of_a_batch_ends_a_minute_before_the_credentials_in_hand(
    instance, sts, reply, clock, profiles_file, profiles, last_second
):
    sts.post(STS_URL, json=reply(clock() + timedelta(hours=1)))
    sts.post(STS_URL, status=500)
    function = instance(PROFILES_FILE=profiles_file(TWO_LIVES))
    function.function.initialize(None)
    body = {"files": [{"profile": profile} for profile in profiles]}
    # A request is of its second, whatever part of it has passed.
    clock.tick(seconds=last_second, microseconds=999_999)
    assert function.ask(body=body).status == 200
    clock.tick(microseconds=1)
    answer = function.ask(body=body)
    assert (answer.status, answer.code) == (503, "sts_unavailable")


@pytest.mark.parametrize(("seconds", "is_enough"), [(1260, True), (1259, False)])
def test_initialize_wants_credentials_that_cover_the_longest_form(
    instance, sts, reply, clock, profiles_file, caplog, seconds, is_enough
):
    sts.post(STS_URL, json=reply(clock() + timedelta(seconds=seconds)))
    function = instance(PROFILES_FILE=profiles_file(TWO_LIVES))
    function.function.initialize(None)
    assert ("initialize: the STS credentials expire before the form" in caplog.text) is not is_enough
