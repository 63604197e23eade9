"""``manage.py erase``: counted, erased until it is done, stopped and taken up again."""

import json
import re
from contextlib import ExitStack, suppress

import alibabacloud_oss_v2 as oss
import jwt
import pytest

from function.app import load_settings
from function.auth import owner_of
from ops.account.oss_client import client_at, operator_keys
from ops.client import erase
from ops.client.form_upload import Answer
from ops.client.function_client import FunctionAtUrl, FunctionSilent
from ops.terminal.language import Text
from tests.ops.client.conftest import start_cloud

SUB = "openid-1"
AUDIENCE = "oss-direct-upload/erasure"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    with ExitStack() as stack:
        yield start_cloud(stack, tmp_path_factory.mktemp("objects"), "wechat", {"ERASE": "true"})


@pytest.fixture
def environ(cloud):
    return cloud.environment()


@pytest.fixture
def owner(environ):
    return owner_of(SUB, environ["TOKEN_SECRET"])


@pytest.fixture
def naps(monkeypatch):
    """How long the command would have slept."""
    seconds = []
    monkeypatch.setattr(erase.time, "sleep", seconds.append)
    return seconds


@pytest.fixture
def run(environ, run_command, naps):
    return lambda *options, **changes: run_command(erase, {**environ, **changes}, options)


@pytest.fixture
def stored(environ, owner):
    """Of the user an avatar and a held post, an unfinished video; an avatar of another."""
    settings = load_settings(environ)
    client = client_at(settings.home, operator_keys(environ))
    names = [f"avatars/{owner}/a.png", f"held/posts/{owner}/c.png", f"avatars/{'z' * 26}/d.png"]
    for name in names:
        client.put_object(oss.PutObjectRequest(settings.bucket, name, body=b"x"))
    begun = oss.InitiateMultipartUploadRequest(settings.bucket, f"videos/{owner}/2026/11/e.mp4")
    upload = client.initiate_multipart_upload(begun)
    yield names, client
    for name in names:
        client.delete_object(oss.DeleteObjectRequest(settings.bucket, name))
    with suppress(oss.exceptions.OperationError):
        begun = oss.AbortMultipartUploadRequest(settings.bucket, begun.key, upload.upload_id)
        client.abort_multipart_upload(begun)


def state(*counts, **more):
    deleted, aborted = counts
    said = {"erasure": "e-1", "state": "running", "deleted": deleted, "aborted": aborted, **more}
    return Answer(200, json.dumps({"profiles": [], "notCovered": [], **said}), {})


def refused(status, code):
    error = {"code": code, "message": "No.", "requestId": "r"}
    return Answer(status, json.dumps({"error": error}), {})


@pytest.fixture
def script(monkeypatch):
    """The function answers so, one each, the last one for ever; what it was asked."""

    def script(*answers):
        asked, left = [], list(answers)

        def ask(_self, route, body, token):
            asked.append((route, body, token))
            answer = left.pop(0) if len(left) > 1 else left[0]
            if isinstance(answer, BaseException):
                raise answer
            return answer

        monkeypatch.setattr(FunctionAtUrl, "ask", ask)
        return asked

    return script


def test_calls_are_repeated_until_the_erasure_is_done(run, script, naps, environ):
    asked = script(
        state(1000, 0), state(1500, 2), state(1500, 2), state(1500, 2, state="done", record="a.b.c")
    )
    code, out, _ = run("--url", "https://up.example.com", "--sub", SUB)
    assert code == 0
    assert out.splitlines()[-1] == "a.b.c"
    assert naps == [erase.PAUSE_SECONDS]
    # By an OWNER_SECRET that is not the function's the owner would be nobody, and done at once.
    assert all((route, body) == ("erase", {"sub": SUB}) for route, body, _ in asked)
    for _, _, token in asked:
        claims = jwt.decode(token, environ["TOKEN_SECRET"], ["HS256"], audience=AUDIENCE)
        assert 0 < claims["exp"] - claims["iat"] <= 600


def test_profiles_left_over_are_named_before_the_record(run, script):
    script(state(1, 0, state="done", record="a.b.c", notCovered=["banner"], blocked=3))
    code, out, _ = run("--url", "https://up.example.com", "--owner", "a" * 26)
    assert code == 0
    *lines, last = out.splitlines()
    assert last == "a.b.c" and "banner" in lines[-1] and "3" in lines[-2]


@pytest.mark.parametrize(("answer", "calls"), [
    (refused(404, "not_found"), 1),
    (refused(401, "unauthorized"), 1),
    (refused(502, "oss_rejected"), 1),
    (refused(503, "oss_unavailable"), erase.MOST_FAILURES + 1),
    (FunctionSilent(Text("silent", "没有响应")), erase.MOST_FAILURES + 1),
], ids=["not open", "another secret", "a right is missing", "OSS stays down", "it stays silent"])  # fmt: skip
def test_a_refusal_ends_it(run, script, naps, answer, calls):
    asked = script(answer)
    code, _, err = run("--url", "https://up.example.com", "--sub", SUB)
    assert (code, len(asked), len(naps)) == (1, calls, calls - 1)
    assert err


def test_a_dry_run_counts_and_calls_nothing(run, script, stored, environ, owner):
    asked = script(KeyboardInterrupt())
    code, out, _ = run("--sub", SUB, "--dry-run")
    assert (code, asked) == (0, [])
    (line,) = [each for each in out.splitlines() if each.startswith(environ["OSS_BUCKET"])]
    assert re.findall(r"\b\d+\b", line.partition(":")[2]) == ["3"]
    assert owner in out and "Not covered" not in out


def test_a_real_function_erases_and_says_how_to_go_on(run, cloud, stored, naps, monkeypatch):
    def interrupt(_seconds):
        raise KeyboardInterrupt

    monkeypatch.setattr(erase.time, "sleep", interrupt)
    code, out, err = run("--url", cloud.gateway.origin, "--sub", SUB)
    assert (code, out.splitlines()[-1]) == (130, erase.STOPPED.en), err
    names, client = stored
    listed = client.list_objects_v2(oss.ListObjectsV2Request(cloud.environment()["OSS_BUCKET"])).contents
    assert {each.key for each in listed if not each.key.startswith("held/.")} == {names[2]}


@pytest.mark.parametrize(("options", "changes", "named"), [
    (["--sub", SUB], {}, "--url"),
    (["--sub", SUB, "--url", "upload.example.com"], {}, "--url"),
    (["--sub", SUB, "--env-file", "none.env"], {}, "none.env"),
    (["--sub", "", "--dry-run"], {}, "--sub"),
    (["--sub", "x" * 256, "--dry-run"], {}, "--sub"),
    (["--owner", "public", "--dry-run"], {}, "--owner"),
    (["--owner", "A" * 26, "--dry-run"], {}, "--owner"),
    (["--sub", SUB, "--dry-run"], {"ALIBABA_CLOUD_ACCESS_KEY_SECRET": "x"}, "SignatureDoesNotMatch"),
    (["--sub", SUB, "--dry-run"], {"OSS_BUCKET": ""}, "OSS_BUCKET"),
], ids=str)  # fmt: skip
def test_a_wrong_option_or_setting_is_named(run, options, changes, named):
    code, _, err = run(*options, **changes)
    assert code == 2 and named in err


def test_a_caller_that_was_removed_is_erased_by_its_id(run, script, environ):
    asked = script(state(1, 0, state="done", record="a.b.c"))
    options = ("--url", "https://up.example.com", "--sub", SUB, "--caller")
    assert run(*options, "douyin:tt1")[0] == 0
    assert asked[-1][1] == {"sub": SUB, "caller": "douyin:tt1"}
    owner = owner_of(SUB, environ["TOKEN_SECRET"], "douyin:tt1")
    assert f"--owner {owner}" not in run(*options, "nobody")[2]
    assert run(*options, "nobody")[0] == 2 and len(asked) == 1
