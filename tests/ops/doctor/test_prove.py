"""``doctor --prove`` on one local cloud under each reading of its open points."""

import json
import re
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from itertools import chain
from pathlib import Path

import pytest
import requests

from function.app import load_settings
from function.errors import OssRejected
from function.sts.credentials import AccessKeys
from function.sts.session_policy import role_policies
from local.cloud import ROLE_ARN
from local.common.rules import change_rules
from local.oss.rules import OssRules
from ops.doctor import command as doctor
from ops.doctor.evidence import NotTried, accepted
from ops.doctor.proof.point import NOBODY, QUESTIONS, points, told
from ops.doctor.proof.point import RULES as DEFAULTS
from ops.doctor.proof.sandbox import Sandbox
from ops.doctor.proof.suite import POINTS as ALL_POINTS
from ops.doctor.proof.suite import prove, show_proof, without_names
from ops.terminal.language import Failure
from ops.terminal.screen import Screen
from tests.ops.doctor.conftest import KEYS, REFUSED
from tests.ops.doctor.test_command import run

ROOT = Path(doctor.__file__).parents[2]
OF_SERVICES = points("green", "wechat", "callers")
# The others are asked in test_prove_services.py and test_callers.py.
POINTS = tuple(point for point in ALL_POINTS if point not in OF_SERVICES)
RULES = [point.name for point in POINTS if point.name in DEFAULTS]
CONTRACTS = [point.name for point in POINTS if point.relies]
# The local cloud's own reading of each rule, the other of all, and each in turn.
ROWS = [
    {name: DEFAULTS[name] != bool(number & mask) for number, name in enumerate(RULES, 1)}
    for mask in (0, -1, 1)
]


@pytest.fixture(autouse=True)
def points_of_the_bucket(monkeypatch):
    monkeypatch.setattr("ops.doctor.proof.suite.POINTS", POINTS)


@pytest.fixture
def place(here):
    """A sandbox in the local cloud, by rules of the test's own."""
    cloud, bucket, roles = here.cloud, here.cloud.oss.bucket, here.cloud.sts.roles
    kept, kept_roles, clock = bucket.rules, dict(roles), vars(cloud.clock).copy()

    def start(readings=None, keys=KEYS, **changes):
        bucket.rules = change_rules(
            OssRules(), [f"{name}={value}" for name, value in (readings or {}).items()]
        )
        host = cloud.oss.origin.replace("127.0.0.1", "localhost")
        there = load_settings({**here.environ, "OSS_HOST": host, **changes})
        return cloud, Sandbox(there, keys, cloud.gateway.origin, lambda s: cloud.clock.move(seconds=s))

    yield start
    bucket.rules, bucket.objects.versioning = kept, ""
    vars(cloud.clock).update(clock)
    roles.update(kept_roles)


def keys_of(session):
    return AccessKeys(session.access_key_id, session.access_key_secret, session.security_token)


def seen_by(name, sandbox):
    (point,) = [point for point in POINTS if point.name == name]
    try:
        return point.tries(sandbox)
    finally:
        sandbox.remove()


def test_each_rule_of_the_local_cloud_has_its_question_or_the_reason_why_there_is_none():
    asked, nobody = {point.name for point in ALL_POINTS}, {*chain(*QUESTIONS[NOBODY].values())}
    assert set(DEFAULTS) <= asked | nobody
    assert not asked & nobody


@pytest.mark.parametrize("row", ROWS, ids=range(len(ROWS)))
def test_each_contract_is_kept_and_each_answer_is_the_rule(place, row):
    cloud, sandbox = place(row)
    seen = {found.point.name: found.seen and found.seen.answer for found in prove(sandbox)}
    expected = {**dict.fromkeys(CONTRACTS, True), **row}
    # Nobody is given anything there, or nothing is deleted, so nobody can say how.
    if row["public_endpoint_forbidden"]:
        expected["default_host_downloads"] = None
    if row["one_key_refuses_all"]:
        expected["failed_deletions_named"] = None
    assert {name: seen[name] for name in expected} == expected
    assert seen["part_length_is_held"] is True
    assert all(key.startswith("held/.prove/") for key in sandbox.keys_left)
    assert sandbox.remove() == []
    assert (list(cloud.oss.bucket.objects), list(cloud.oss.bucket.uploads)) == ([], [])


@pytest.mark.parametrize("name", ["v1_retired", "form_stores_once", "parts_are_listed", "list_goes_on"])
def test_two_runs_at_once_store_nothing_in_one_place(place, name):
    keys = []
    for _ in range(2):
        _, sandbox = place()
        (point,) = [point for point in POINTS if point.name == name]
        point.tries(sandbox)
        keys.append({*sandbox.keys_left, *(key for key, _ in sandbox.uploads_left)})
        sandbox.remove()
    assert all(keys) and keys[0].isdisjoint(keys[1])


def test_versions_and_delete_markers_are_removed_or_named(place):
    cloud, sandbox = place()
    objects = cloud.oss.bucket.objects
    objects.versioning = "Enabled"
    accepted(sandbox.call("PUT", "other", body=b"."))
    sandbox.put(key=sandbox.put())
    seen_by("many_are_deleted", sandbox)
    assert [version.key for version, _ in objects.versions("", "")] == ["other"]
    key = sandbox.put()
    cloud.oss.faults.plan("status_500", times=2, on=["ListObjectVersions"])
    assert sandbox.remove() == [key]


def test_the_role_of_the_shipped_profiles_is_enough_for_each_contract(place):
    """Nothing is held there: the run is in the folder of a profile."""
    cloud, sandbox = place(PROFILES_FILE=str(ROOT / "profiles.example.toml"))
    policy = json.loads(role_policies(sandbox.settings.profiles.values())[ROLE_ARN])
    cloud.sts.roles[ROLE_ARN] = replace(cloud.sts.roles[ROLE_ARN], policy=policy)
    seen = {row.point.name: row.seen and row.seen.answer for row in prove(sandbox) if row.point.relies}
    assert seen == dict.fromkeys(CONTRACTS, True)
    assert sandbox.folder == "uploads/.prove/"
    assert sandbox.remove() == [] and not cloud.oss.bucket.objects


class Answer:
    def __init__(self, status, **headers):
        self.status_code, self.headers, self.content, self.text = status, headers, b"", ""


@pytest.mark.parametrize(
    ("statuses", "answer", "said"),
    [((200, 403), True, "yes"), ((200, 200), False, "no"), ((403, 403), None, "SIGN_PART_LENGTH=false")],
)
def test_a_signed_length_is_held_or_not_or_cannot_be_signed(place, monkeypatch, statuses, answer, said):
    _, sandbox = place()
    left, real, is_part = iter(statuses), sandbox.send, re.compile("partNumber=1.*content-length")

    def send(method, url, *more):
        return Answer(next(left)) if is_part.search(url) else real(method, url, *more)

    monkeypatch.setattr(sandbox, "send", send)
    seen = seen_by("part_length_is_held", sandbox)
    assert seen.answer is answer and said in seen.said


def refuse(*_arguments):
    raise OssRejected(reason="HeadObject: HTTP 403 AccessDenied", upstream="AccessDenied")


def is_missing(*_arguments, **_options):
    return None


@pytest.mark.parametrize(
    ("name", "protection", "instead"),
    [
        ("form_holds_each_field", "local.oss.policy.Policy.check_conditions", is_missing),
        ("form_expires", "local.oss.policy.Policy.check_expiry", is_missing),
        ("copy_takes_no_other_bytes", "local.oss.writing.check_conditions", is_missing),
        ("list_right_holds_its_folder", "local.oss.access.demand", is_missing),
        ("absence_is_named", "ops.doctor.proof.stored.head_object", refuse),
    ],
)
def test_a_local_oss_without_a_protection_breaks_its_contract(place, monkeypatch, name, protection, instead):
    _, sandbox = place()
    monkeypatch.setattr(protection, instead)
    assert seen_by(name, sandbox).answer is False


def test_a_role_that_may_more_does_not_widen_its_sessions(place):
    """The session's own document holds, whatever the role may do."""
    cloud, sandbox = place()
    cloud.sts.roles[ROLE_ARN] = replace(cloud.sts.roles[ROLE_ARN], policy=None)
    for name in (
        *("session_holds_its_folder", "session_holds_its_actions", "session_refuses_public_acls"),
        *("list_right_holds_its_folder", "sts_session_is_narrowed"),
    ):
        assert seen_by(name, sandbox).answer is True, name


@pytest.mark.parametrize(("longest", "answer"), [(43200, True), (3600, False)])
def test_a_chained_session_over_an_hour_is_given_or_not(place, longest, answer):
    cloud, sandbox = place()
    with pytest.raises(NotTried, match="long-lived"):
        seen_by("chained_session_over_an_hour", sandbox)
    cloud.sts.roles[ROLE_ARN] = replace(cloud.sts.roles[ROLE_ARN], policy=None)
    statement = {"Effect": "Allow", "Action": ["sts:AssumeRole", "oss:GetObject"], "Resource": ["*"]}
    session = sandbox.assume(json.dumps({"Version": "1", "Statement": [statement]}), timedelta(hours=1))
    cloud.sts.roles[ROLE_ARN] = replace(cloud.sts.roles[ROLE_ARN], max_session_seconds=longest)
    sandbox.own_keys = keys_of(session)
    assert seen_by("chained_session_over_an_hour", sandbox).answer is answer


@pytest.fixture
def asking(monkeypatch):
    """Ask these questions alone."""

    def choose(*chosen):
        monkeypatch.setattr("ops.doctor.proof.suite.POINTS", chosen)
        return chosen

    return choose


@pytest.fixture
def few(asking):
    return asking(*[point for point in POINTS if point.name in ("copy_is_made_once", "v1_retired")])


def question(tries, **changes):
    return POINTS[0]._replace(tries=tries, **changes)


def shown(sandbox, capsys, report=None):
    same = Sandbox(sandbox.settings, sandbox.own_keys, sandbox.function_url)
    code = show_proof(same, "", report, Screen())
    return code, capsys.readouterr().out


def test_names_of_bucket_domain_account_and_key_are_left_out(place):
    _, sandbox = place()
    settings = sandbox.settings._replace(
        callback_url="https://u.example.com/callback", upload_webhook_url="https://b.example.com"
    )
    sandbox.settings, sandbox.function_url, sandbox.openid = settings, "https://f.example.com", "oUser"
    text = without_names(
        f"{settings.host}/x local-bucket acs:ram::1234567890123456:role/oss {KEYS.access_key_id}"
        f" STS.NTabc123 f.example.com u.example.com b.example.com oUser {settings.callers[0].settings.appid}"
        " local-bucket-2 x-oss-local-bucketed",
        sandbox,
    )
    assert text == "…/x … acs:ram::…:role/… … … … … … … … …-2 x-oss-local-bucketed"


def test_a_report_that_cannot_be_written_fails_after_the_answers_are_shown(place, capsys, tmp_path, few):
    _, sandbox = place()
    (tmp_path / "file").touch()
    with pytest.raises(Failure, match=r"report\.md"):
        shown(sandbox, capsys, tmp_path / "file" / "report.md")
    assert f"{len(few)}/{len(few)} " in capsys.readouterr().out


def test_a_broken_contract_fails_the_run_and_names_what_relies_on_it(place, capsys, asking, tmp_path):
    _, sandbox = place()
    kept, broken = (
        question(lambda _, is_kept=is_kept: told(is_kept, ""), relies=f"{name} would fail")
        for name, is_kept in (("forms", True), ("erasures", False))
    )
    for chosen, code in (([kept], 0), ([kept, broken], 1)):
        asking(*chosen)
        found, text = shown(sandbox, capsys, tmp_path / "report.md")
        assert found == code
    assert "erasures would fail" in text and "forms would fail" not in text
    assert "| **no**: erasures would fail |" in (tmp_path / "report.md").read_text("utf-8")


REFUSED_FIRST = {
    "unknown_keys": ({"keys": AccessKeys("LTAI-nobody", "x", None)}, None, "InvalidAccessKeyId"),
    "wrong_clock": ({}, lambda cloud: cloud.clock.move(hours=1), "RequestTimeTooSkewed"),
    "no_network": ({"OSS_HOST": REFUSED}, None, "ConnectionError"),
    "failing": ({}, lambda cloud: cloud.oss.faults.plan("status_500", times=9), "HTTP 500"),
    "no_list": ({}, lambda cloud: cloud.oss.faults.plan("status_500", times=1, on=["ListObjectsV2"]), "500"),
    "no_delete": ({}, lambda cloud: cloud.oss.faults.plan("status_500", times=1, on=["DeleteObject"]), "500"),
}


@pytest.mark.parametrize("case", REFUSED_FIRST)
def test_a_proof_ends_before_its_questions_if_the_first_object_is_refused(place, capsys, asking, case):
    arguments, change, said = REFUSED_FIRST[case]
    cloud, sandbox = place(**arguments)
    if change:
        change(cloud)
    asked = []
    asking(question(asked.append))
    code, text = shown(sandbox, capsys)
    assert code == 1 and said in text and not asked
    assert not cloud.oss.bucket.objects
    # Of a failing service nobody knows what it stored.
    assert ("held/.prove/" in text) is (case == "failing")


def test_a_role_that_cannot_be_taken_breaks_no_contract_and_is_named_first(place, capsys, asking):
    asking(*points("stored", "sts", "signed_forms"))
    cloud, sandbox = place()
    del cloud.sts.roles[ROLE_ARN]
    code, text = shown(sandbox, capsys)
    assert code == 0
    assert text.index("STS_ROLE_ARN") < text.index("1/")


def test_a_missing_right_of_the_operator_breaks_no_contract(place, asking):
    _, sandbox = place()
    own, sandbox.keys = sandbox.keys, sandbox.session("oss:PutObject", "oss:PutObjectAcl")
    asking(*[point for point in POINTS if point.name == "versions_are_listed"])
    (row,) = prove(sandbox)
    assert row.seen is None and "AccessDenied" in row.why
    sandbox.keys = own
    sandbox.remove()


@pytest.mark.parametrize("ends", [None, KeyboardInterrupt])
def test_a_leftover_object_is_named_and_fails_the_run_when_interrupted_as_well(
    place, capsys, monkeypatch, asking, ends
):
    cloud, sandbox = place()

    def tries(asked):
        asked.put()
        monkeypatch.setattr(Sandbox, "_is_gone", lambda *_: False)
        if ends:
            raise ends
        return told(True, "")

    asking(question(tries))
    with pytest.raises(ends) if ends else nullcontext():
        assert show_proof(sandbox, "", None, Screen()) == 1
    (left,) = cloud.oss.bucket.objects
    assert left in capsys.readouterr().out


def test_neither_a_failure_of_the_service_nor_silence_answers_a_question(place, asking):
    cloud, sandbox = place()
    silent = question(lambda _trial: requests.get(REFUSED, timeout=1))
    asking(silent, *[point for point in POINTS if point.name in ("form_expires", "deletion_repeats")])
    cloud.oss.faults.plan("status_503", times=1, on=["PostObject"])
    first, second, third = prove(sandbox)
    assert first.why.startswith("no answer (") and "HTTP 503" in second.why and third.seen.answer is True
    sandbox.remove()


@pytest.mark.parametrize("has_settings", [True, False])
def test_missing_settings_and_keys_are_named_first(monkeypatch, capsys, here, has_settings):
    for name, value in here.environ.items():
        monkeypatch.setenv(name, value) if has_settings else monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("ALIBABA_CLOUD_ACCESS_KEY_ID", raising=False)
    # Whoever would send something fails.
    monkeypatch.setattr("ops.doctor.command.Sandbox", None)
    assert run("--prove") == 1
    text = capsys.readouterr().out
    assert "✗ Caller's keys: " in text
    assert ("✗ Settings: OSS_BUCKET " in text) is not has_settings


def test_the_cost_comes_first(monkeypatch, capsys, tmp_path, here, few):
    for name, value in here.environ.items():
        monkeypatch.setenv(name, value)
    assert run("--prove", "--report", str(tmp_path / "report.md")) == 0
    assert capsys.readouterr().out.startswith(f"{len(few)} questions")


def test_a_local_cloud_needs_no_keys_and_takes_rules(tmp_path, few, own_process):
    report = tmp_path / "report.md"
    assert run("--prove", "--local", "--rule", "v1_retired=true", "--report", str(report)) == 0
    text = report.read_text("utf-8")
    canaries = "local-bucket LTAI STS. 127.0.0.1 localhost acs:ram wx0 doctor-".split()
    assert [each for each in canaries if each in text] == []
    assert "v1_retired=true" in text.splitlines()[0]
    assert "serve --rule v1_retired=true`\n" in text
