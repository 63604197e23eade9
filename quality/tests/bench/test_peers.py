"""The contestants' programs: the floors do what the function does, and other work is noticed."""

import importlib
import json
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from function.oss.post_form import UploadRule, prepare, sign_object
from function.sts.credentials import StsCredentials
from handler import serve
from quality.bench.cold_start import check_form
from quality.bench.fresh_process import ContestantFailed

PEERS = Path(__file__).parents[2] / "bench" / "peers"


@pytest.fixture
def peers(monkeypatch):
    """Import what stands beside the contestants, found as they find it: by folder."""
    monkeypatch.syspath_prepend(str(PEERS))
    yield importlib.import_module
    for name in ("floor", "task", "requests_of_clients"):
        sys.modules.pop(name, None)


def test_the_floor_signs_the_same_form_as_the_function(peers, clock):
    floor, task, now = peers("floor"), peers("task"), clock()
    answer = floor.sign(task.WANTED, now, upload_id="same-id")
    fields = {
        "success_action_status": "200",
        "x-oss-content-type": task.CONTENT_TYPE,
        "x-oss-forbid-overwrite": "true",
        "Content-Disposition": "inline",
        "x-oss-object-acl": "default",
        "x-oss-storage-class": "Standard",
    }
    rule = UploadRule(
        bucket=task.BUCKET,
        region=task.REGION,
        signature_version="v4",
        key=answer["key"],
        min_size_bytes=task.SIZE_BYTES,
        max_size_bytes=task.SIZE_BYTES,
        expires_at=now + timedelta(seconds=task.EXPIRES_SECONDS),
        form=prepare(fields),
    )
    keys = StsCredentials(task.ROLE_KEY_ID, task.ROLE_SECRET, task.ROLE_TOKEN, now + timedelta(hours=1))
    assert answer["formData"] == sign_object(rule, keys, now)


def test_a_form_with_a_changed_policy_is_not_the_same_work(peers, clock):
    answer = peers("floor").sign(peers("task").WANTED, clock())
    check_form("floor", answer)
    answer["formData"]["policy"] = answer["formData"]["policy"].replace("e", "f", 1)
    with pytest.raises(ContestantFailed, match="floor"):
        check_form("floor", answer)


def test_the_floor_answers_and_logs_as_the_function_does(peers, tmp_path, instance, good_sts, log_lines):
    floor, task, clients = peers("floor"), peers("task"), peers("requests_of_clients")
    function = instance(OSS_BUCKET=task.BUCKET).function
    # The first answer of an instance says that it is; those that are measured are later ones.
    serve(function, clients.event(), None)
    with (tmp_path / "log").open("w+") as log:
        ours, theirs = serve(function, clients.event(), None), floor.answer_event(clients.event(), log)
        log.seek(0)
        assert [set(line) for line in log_lines()[1:]] == [set(json.loads(line)) for line in log]
    assert {**ours, "body": ""} == {**theirs, "body": ""}
    assert json.loads(ours["body"]).keys() == json.loads(theirs["body"]).keys()
