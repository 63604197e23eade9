"""Keys behind forms, of this bucket and another: refused by the local cloud, and named where they are not."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from function.app import load_settings
from function.sts.credentials import AccessKeys, StsCredentials
from local.buckets import ACTIONS, LISTS
from local.cloud import FUNCTION_KEY
from ops.doctor.behind_forms import check_behind_forms, check_keys_of
from ops.doctor.findings import State
from ops.doctor.identity import check_sts
from ops.doctor.uploads import Uploads
from tests.support.cases import text_beside

KEYS = AccessKeys(FUNCTION_KEY.access_key_id, FUNCTION_KEY.access_key_secret, None)
HELD = text_beside(__file__.replace("behind_forms", "held"))
WIDE = {"Version": "1", "Statement": [{"Effect": "Allow", "Action": [*ACTIONS, *LISTS], "Resource": ["*"]}]}


def course_of(here, **changes):
    return Uploads(load_settings({**here.environ, **changes}), None, datetime.now(UTC))


def credentials():
    return StsCredentials("STS.x", "secret", "token", datetime.now(UTC))


@pytest.mark.parametrize(("method", "status"), [("GET", 200), ("GET", 404), ("DELETE", 204), ("PUT", 200)])
def test_keys_that_are_let_in_are_dangerous_and_what_they_stored_is_removed(
    here, serving, tmp_path, method, status
):
    """404 as well: who hears that nothing is there was let in."""
    (tmp_path / "held.toml").write_text(HELD)
    host = serving(403, "", **{method: (status, "")})
    course = course_of(here, OSS_HOST=host, PROFILES_FILE=str(tmp_path / "held.toml"))
    finding = check_behind_forms(course, credentials())
    assert finding.state is State.BAD and "bucket policy" in finding.remedy.en
    assert f": HTTP {status}" in finding.said.en and finding.said.en.startswith(method)
    # The second folder is the one that the third step would publish into.
    assert [key.partition("/")[0][:6] for key in course.keys_left] == ["doctor", "posts"] * (method == "PUT")


def test_a_host_that_does_not_answer_is_not_called_safe(here):
    finding = check_behind_forms(course_of(here, OSS_HOST="http://127.0.0.1:9"), credentials())
    assert (finding.state, "OSS_HOST" in finding.remedy.en) == (State.BAD, True)


@pytest.fixture
def archive(here):
    """The second bucket, before a session of each."""
    settings, now = load_settings(here.both), datetime.now(UTC)
    there = settings.at(settings.profiles["contract"].location)
    sessions = [check_sts(each, KEYS, now)[0] for each in (settings.at(settings.home), there)]
    return Uploads(there, None, now), *sessions


def test_the_keys_of_another_bucket_are_refused(archive):
    course, other, _ = archive
    finding = check_keys_of(course, "local-bucket", other)
    assert (finding.check.en, finding.state, course.keys_left) == ("Keys of local-bucket", State.GOOD, [])


def test_a_session_that_writes_into_another_bucket_is_named(archive):
    course, _, own = archive
    finding = check_keys_of(course, "local-bucket", own)
    assert (finding.check.en, finding.state) == ("Keys of local-bucket", State.BAD)
    assert finding.said.en.startswith("PUT contracts/doctor-") and len(course.keys_left) == 1
    assert course.remove(KEYS).state is State.GOOD


def test_a_role_that_may_more_does_not_widen_its_sessions(here):
    """The session's own document holds, whatever the role may do."""
    roles, before = here.cloud.sts.roles, dict(here.cloud.sts.roles)
    roles.update({arn: replace(role, policy=WIDE) for arn, role in before.items()})
    try:
        findings = here.examine(environ=here.both)
    finally:
        roles.update(before)
    assert findings.of("", State.BAD) == []
    assert len(findings.of("Keys behind forms, Keys of")) == 2
