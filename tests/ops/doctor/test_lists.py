"""Sessions that list and delete, each below its prefixes and nowhere else."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from function.app import load_settings
from function.sts.credentials import AccessKeys
from function.sts.session_policy import DELETIONS, OBJECTS
from local.cloud import BUCKET, FUNCTION_KEY, ROLE_ARN
from ops.doctor.findings import State
from ops.doctor.lists import check_lists

KEYS = AccessKeys(FUNCTION_KEY.access_key_id, FUNCTION_KEY.access_key_secret, None)
BUCKET_ARN = f"acs:oss:*:*:{BUCKET}"
OWNERS = """
[default]
key = "uploads/{owner}/{id}"
max_size = 9
content_types = ["image/png"]
list = true
delete = "owner"
"""


def allow(action, resource, *prefixes):
    condition = {"Condition": {"StringLike": {"oss:Prefix": [*prefixes]}}} if prefixes else {}
    return {"Effect": "Allow", "Action": [action], "Resource": [resource], **condition}


DUE = allow("oss:ListObjects", BUCKET_ARN, "held/.due/*")
ERASING = (
    allow("oss:ListObjects", BUCKET_ARN, "uploads/*"),
    allow("oss:ListObjectVersions", BUCKET_ARN),
    allow("oss:ListMultipartUploads", BUCKET_ARN),
    allow("oss:DeleteObject", f"{BUCKET_ARN}/uploads/*"),
    allow("oss:DeleteObjectVersion", f"{BUCKET_ARN}/uploads/*"),
    allow("oss:AbortMultipartUpload", f"{BUCKET_ARN}/uploads/*"),
)
READING = allow("oss:GetObject", f"{BUCKET_ARN}/uploads/*")


@pytest.fixture
def visit(here):
    """What is found where the function's sessions have these policies, and the role this one."""
    roles, before = here.cloud.sts.roles, dict(here.cloud.sts.roles)
    settings = load_settings(here.environ)

    def found(role=(), host="", **statements):
        policies = {
            settings.home.session(purpose): json.dumps({"Version": "1", "Statement": [*needed]})
            for purpose, needed in statements.items()
        }
        if role:
            roles[ROLE_ARN] = replace(before[ROLE_ARN], policy={"Version": "1", "Statement": [*role]})
        there = settings._replace(session_policies=policies, host=host or settings.host)
        return [*check_lists(there, KEYS, datetime.now(UTC))]

    yield found
    roles.update(before)


def test_each_session_lists_and_deletes_below_its_prefix_alone(visit):
    due, deletions = visit(**{OBJECTS: [READING, DUE], DELETIONS: ERASING})
    assert [due.state, deletions.state] == [State.GOOD, State.GOOD]
    assert "held/.due/" in due.said.en and "uploads/" in deletions.said.en


def test_sessions_that_neither_list_nor_delete_are_not_tried(visit):
    assert visit(**{OBJECTS: [READING, allow("oss:DeleteObject", f"{BUCKET_ARN}/uploads/*")]}) == []


def test_a_role_without_the_list_of_what_is_due_is_a_warning_and_setup_mends_it(visit):
    (finding,) = visit([READING], **{OBJECTS: [READING, DUE]})
    assert finding.state is State.UNSURE and "manage.py setup" in finding.remedy.en


REVIEWED = (
    allow("oss:ListObjects", BUCKET_ARN, "held/.due/*", "held/.review/*"),
    allow("oss:DeleteObject", f"{BUCKET_ARN}/held/.review/*"),
)


@pytest.mark.parametrize(
    ("role", "state"),
    [([DUE, REVIEWED[1]], State.UNSURE), ([REVIEWED[0]], State.BAD), (REVIEWED, State.GOOD)],
)
def test_a_role_from_before_the_list_of_reviews_is_named(visit, role, state):
    (finding,) = visit(role, **{OBJECTS: REVIEWED})
    assert finding.state is state and "held/.review/" in finding.said.en
    assert state is State.GOOD or "manage.py setup" in finding.remedy.en


@pytest.mark.parametrize("missing", range(len(ERASING)))
def test_a_role_without_a_right_of_deletions_is_bad_and_the_right_is_named(visit, missing):
    role = [statement for number, statement in enumerate(ERASING) if number != missing]
    (finding,) = visit(role, **{DELETIONS: ERASING})
    assert finding.state is State.BAD and "manage.py setup" in finding.remedy.en
    assert ERASING[missing]["Action"][0] in finding.said.en


@pytest.mark.parametrize("statement", [DUE, ERASING[3]])
def test_a_bucket_that_lists_or_deletes_for_anybody_is_bad(visit, serving, statement):
    (finding,) = visit(host=serving(204, ""), **{DELETIONS: [statement]})
    assert finding.state is State.BAD and finding.said.en.startswith(statement["Action"][0])
    assert "manage.py setup" not in finding.remedy.en


def test_a_list_of_the_whole_bucket_must_be_refused(visit, serving):
    host = serving(200, "", GET=lambda path: (403 if "prefix=doctor-" in path else 200, ""))
    (finding,) = visit(host=host, **{OBJECTS: [DUE]})
    assert (finding.state, finding.said.en) == (State.BAD, "oss:ListObjects: HTTP 200")


def test_an_examination_tries_the_rights_of_erasing(here, tmp_path):
    path = tmp_path / "profiles.toml"
    path.write_text(OWNERS.replace("list = true", ""))
    changes = {"PROFILES_FILE": str(path), "CALLBACK_URL": "", "ERASE": "true"}
    (finding,) = here.examine(url="", **changes).of("Keys behind forms")
    assert "Deletion session" in finding.check.en and finding.state is State.GOOD
