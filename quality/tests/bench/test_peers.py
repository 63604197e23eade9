"""The contestants' programs: the floors do what the function does, and each mode's callers get a form."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from function.credentials import StsCredentials
from function.oss.post_form import UploadRule, prepare, sign_object
from function.oss.presign import OssRequest, presign
from handler import serve
from quality.bench.modes import ANONYMOUS, MODES, settings_of_modes
from quality.bench.stand_ins import LOGIN_ANSWER, LOGIN_PATH
from quality.bench.warm import READING, with_profiles
from quality.tests.bench.conftest import PEERS


def test_programs_that_contestants_share_load_no_typing_for_annotations():
    script = (
        f"import sys; sys.path.insert(0, {str(PEERS)!r}); import floor, requests_of_clients, task;"
        " sys.exit('typing' in sys.modules)"
    )
    # Bare, as the contestants are started.
    subprocess.run([sys.executable, "-I", "-S", "-c", script], check=True, timeout=600)


def test_the_floor_signs_the_same_form_as_the_function(floor, clock):
    floor, task = floor
    now = clock()
    answer = floor.sign(task.WANTED, now, upload_id="same-id")
    form = answer["formData"]
    rule = UploadRule(
        bucket=task.BUCKET,
        region=task.REGION,
        signature_version="v4",
        key=answer["key"],
        min_size_bytes=task.SIZE_BYTES,
        max_size_bytes=task.SIZE_BYTES,
        expires_at=now + timedelta(seconds=task.EXPIRES_SECONDS),
        form=prepare(
            {
                "success_action_status": "200",
                "x-oss-content-type": task.CONTENT_TYPE,
                "x-oss-forbid-overwrite": "true",
                "Content-Disposition": "inline",
                "x-oss-object-acl": "default",
                "x-oss-storage-class": "Standard",
            }
        ),
    )
    credentials = StsCredentials(
        task.ROLE_KEY_ID, task.ROLE_SECRET, task.ROLE_TOKEN, now + timedelta(hours=1)
    )
    assert form == sign_object(rule, credentials, now)


def test_the_floor_answers_and_logs_as_the_function_does(floor, tmp_path, instance, good_sts, log_lines):
    floor, task = floor
    import requests_of_clients

    function = instance(OSS_BUCKET=task.BUCKET).function
    # The first answer of an instance says that it is; those that are measured are later ones.
    serve(function, requests_of_clients.event(), None)
    with (tmp_path / "log").open("w+") as log:
        for files in (1, 9):
            event = requests_of_clients.event(files)
            ours, theirs = serve(function, event, None), floor.answer_event(event, log)
            assert shape(json.loads(ours["body"])) == shape(json.loads(theirs["body"]))
            assert {**ours, "body": ""} == {**theirs, "body": ""}
        log.seek(0)
        assert [set(line) for line in log_lines()[1:]] == [set(json.loads(line)) for line in log]


def test_the_floor_with_profiles_signs_the_same_url_as_the_function(peers, clock):
    floor, task = peers("reading_floor"), peers("task")
    credentials = StsCredentials(task.ROLE_KEY_ID, task.ROLE_SECRET, task.ROLE_TOKEN, clock())
    for variant, query in ((None, {}), ("thumb", {"x-oss-process": task.PROCESS})):
        request = OssRequest("GET", task.BUCKET, task.REGION, task.STORED_KEY, query)
        life = timedelta(seconds=2 * task.READ_FOR_SECONDS)
        ours = presign(request, credentials, clock(), origin=task.HOST, expires_in=life)
        assert floor.presigned(task.STORED_KEY, variant, clock()) == ours


def test_the_floor_with_profiles_answers_and_logs_as_the_function_does(
    peers, tmp_path, instance, good_sts, log_lines
):
    floor, task, clients = peers("reading_floor"), peers("task"), peers("requests_of_clients")
    function = instance(
        OSS_BUCKET=task.BUCKET, **with_profiles(SimpleNamespace(scripts=PEERS), READING)
    ).function
    serve(function, clients.event_to_read(), None)
    with (tmp_path / "log").open("w+") as log:
        for items in (1, 50):
            event = clients.event_to_read(items)
            ours, theirs = serve(function, event, None), floor.answer_event(event, log)
            assert shape(json.loads(ours["body"])) == shape(json.loads(theirs["body"]))
            assert {**ours, "body": ""} == {**theirs, "body": ""}
        log.seek(0)
        theirs = [json.loads(line) for line in log]
        for own, other in zip(log_lines()[1:], theirs, strict=True):
            assert own == other | {name: own[name] for name in ("requestId", "ms", "stsRefreshed")}


def test_reading_profiles_are_set_for_the_reading_peers_only():
    assert with_profiles(SimpleNamespace(scripts=PEERS), ANONYMOUS) == {}


def shape(value):
    """An answer without what differs from one to the next: the texts."""
    if isinstance(value, dict):
        return {name: shape(item) for name, item in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value]
    return "" if isinstance(value, str) else value


@pytest.mark.parametrize("mode", MODES)
def test_the_callers_of_each_mode_get_their_form(mode, peers, instance, clock, good_sts, monkeypatch):
    def answer_as_wechat(method, url, **_):
        assert url.endswith(LOGIN_PATH)
        return SimpleNamespace(status=200, body=json.dumps(LOGIN_ANSWER).encode())

    clock.instant = datetime.now(UTC)  # as that of the tokens
    task, clients = peers("task"), peers("requests_of_clients")
    settings = settings_of_modes("https://localhost:1")[mode]
    for name in ("CALLER_AUTH", "BENCH_TOKEN"):
        monkeypatch.setenv(name, settings.get(name, ""))
    one = instance(answer_as_wechat, TOKEN_SECRET=task.TOKEN_SECRET, **settings)
    token = clients.token_of_caller(lambda asked: serve(one.function, asked, None))
    assert bool(token) is (mode != ANONYMOUS)
    assert one.ask(clients.event(token=token)).status == 200
    assert one.ask(clients.event(token=token[:-2])).status == (200 if mode == ANONYMOUS else 401)
