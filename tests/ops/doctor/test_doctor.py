"""Each thing that ``manage.py doctor`` knows, provoked on the local cloud, and its advice read."""

import argparse
import io
import json
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest
import responses

from handler import Function, Surroundings, serve
from local.cloud import FUNCTION_KEY, LocalCloud
from local.fc.gateway import FcGateway
from local.ground.http_server import Handler, Server
from ops.doctor import command as doctor
from ops.doctor.cloud import check_callback, check_clock, check_env_file, check_function, domains
from ops.doctor.findings import State
from ops.terminal.screen import GREEN, RED, Screen
from settings import read_settings

REFUSED = "http://127.0.0.1:9"  # the discard port: nothing listens there


class Deployment:
    """The local cloud with the function in it, and a doctor's visit to it."""

    def __init__(self, cloud, gateway, environ, folder):
        self.cloud, self.gateway, self.environ, self.folder = cloud, gateway, environ, folder

    def examine(self, url=None, uploads=True, without=(), code="", token="", **changes):
        environ = {name: value for name, value in {**self.environ, **changes}.items() if name not in without}
        url = self.gateway.origin if url is None else url
        return list(doctor.examine(environ, doctor.Visit(url, code, token, uploads)))


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    place = {}
    gateway = FcGateway(lambda event, context: serve(place["function"], event, context))
    with ExitStack() as stack:
        stack.callback(gateway.stop)
        folder = tmp_path_factory.mktemp("objects")
        cloud = stack.enter_context(LocalCloud(gateway, folder))
        environ = cloud.environment()
        place["function"] = Function(Surroundings(environ))
        gateway.start()
        yield Deployment(cloud, gateway, environ, folder)


@pytest.fixture
def here(running):
    yield running
    for server in (running.cloud.oss, running.cloud.sts, running.cloud.wechat):
        server.faults.clear()


@pytest.fixture
def serving():
    """Start small servers that answer everything in one way, and stop them at the end."""
    servers = []

    def start(status, body, content_type="application/json", **by_method):
        class Stub(Handler):
            def answer_all(self):
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                code, text = by_method.get(self.command, (status, body))
                self.answer(code, text.encode(), content_type, x_oss_request_id="R")

            do_GET = do_HEAD = do_POST = do_DELETE = answer_all  # noqa: N815

        servers.append(Server(Stub).start())
        return servers[-1].origin

    yield start
    for server in servers:
        server.stop()


def of(findings, check, state=None):
    """The findings of a check, found by the start of its English name."""
    found = [one for one in findings if one.check.en.startswith(check)]
    return [one for one in found if state is None or one.state is state]


def the_bad_one(findings, check):
    [finding] = of(findings, check, State.BAD)
    assert finding.remedy is not None
    for language in ("en", "zh"):
        assert finding.remedy.say(language)
    return finding


def oss_error(code, more=""):
    return f"<Error><Code>{code}</Code><Message>m</Message><RequestId>R</RequestId>{more}</Error>"


def test_a_deployment_that_is_well_is_green_in_every_line(here):
    findings = here.examine()
    assert {one.state for one in findings} == {State.GOOD}
    names = [one.check.en for one in findings]
    assert names == [
        "Settings", "Clock", "Bucket", "WeChat login", "Caller's keys", "AssumeRole", "Upload [default]",
        "Upload [avatar]", "Upload [video]", "Upload [legacy]", "A changed key", "Another folder", "Removal",
        "Callback", "Deployed function",
    ]  # fmt: skip


def test_what_it_uploaded_is_gone_afterwards(here):
    files = {path for path in here.folder.rglob("*") if path.is_file()}
    here.cloud.oss.faults.plan("status_500", times=1)
    assert len(of(here.examine(), "Upload", State.GOOD)) == 3
    assert {path for path in here.folder.rglob("*") if path.is_file()} == files


def test_uploads_nothing_when_told_so(here):
    names = [one.check.en for one in here.examine(uploads=False)]
    assert not any(name.startswith(("Upload", "Removal", "Another")) for name in names)
    assert "AssumeRole" in names


# ---- settings --------------------------------------------------------------------------------------


def test_every_missing_setting_is_a_red_line_of_its_own(here):
    findings = here.examine(without=("OSS_BUCKET", "STS_ROLE_ARN", "TOKEN_SECRET"))
    said = [one.said.en for one in of(findings, "Settings", State.BAD)]
    for name in ("OSS_BUCKET", "STS_ROLE_ARN", "TOKEN_SECRET"):
        assert any(name in sentence for sentence in said)


def test_looks_at_the_deployed_function_even_when_the_settings_here_are_wrong(here):
    assert of(here.examine(without=("OSS_BUCKET",)), "Deployed function", State.GOOD)


def test_doubts_are_yellow_and_name_what_is_meant(here, tmp_path):
    (tmp_path / "profiles.toml").write_text(
        '[default]\nkey = "uploads/{id}{ext}"\nmax_size = "1MiB"\ncontent_types = ["image/*"]\n'
        'expires_in = 1800\nsignature = "v1"\n'
    )
    findings = here.examine(CALLER_AUTH="anonymous", PROFILES_FILE=str(tmp_path / "profiles.toml"))
    said = " ".join(one.said.en for one in of(findings, "Settings", State.UNSURE))
    assert "anyone may upload" in said
    assert "forms live 1800 s" in said
    assert "signed with V1" in said
    assert of(findings, "Upload [default]", State.GOOD)[0].said.en == "stored, V1 accepted"


# ---- clock -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("minutes", "english", "chinese"), [(10, "ahead of OSS's", "快"), (-10, "behind OSS's", "慢")]
)
def test_a_clock_that_is_off_is_measured_against_osss_date(here, minutes, english, chinese):
    wrong = datetime.now(UTC) + timedelta(minutes=minutes)
    finding = check_clock(read_settings(here.environ), wrong)
    assert finding.state is State.BAD
    assert english in finding.said.en
    assert chinese in finding.said.zh
    assert "NTP" in finding.remedy.en


@pytest.mark.parametrize("seconds", [-20, 0, 20])
def test_a_clock_within_half_a_minute_will_do(here, seconds):
    near = datetime.now(UTC) + timedelta(seconds=seconds)
    assert check_clock(read_settings(here.environ), near).state is State.GOOD


# ---- keys and STS ----------------------------------------------------------------------------------


def test_missing_keys_are_named_and_what_needs_them_is_left_out(here):
    findings = here.examine(without=("ALIBABA_CLOUD_ACCESS_KEY_SECRET",))
    finding = the_bad_one(findings, "Caller's keys")
    assert "ALIBABA_CLOUD_ACCESS_KEY_SECRET" in finding.remedy.en
    assert of(findings, "AssumeRole") == of(findings, "Upload") == []


def test_temporary_keys_without_their_token_are_told_apart(here):
    findings = here.examine(ALIBABA_CLOUD_ACCESS_KEY_ID="STS.abc")
    assert "ALIBABA_CLOUD_SECURITY_TOKEN" in the_bad_one(findings, "Caller's keys").remedy.en


@pytest.mark.parametrize(
    ("fault", "advice"),
    [
        ("forbidden", "manage.py setup --also-trust"),
        ("throttle", "quota"),
        ("no_colon", "ALIBABA_CLOUD_ACCESS_KEY_SECRET does not belong"),
        ("drop", "STS_ENDPOINT"),
        ("status_503", "STS_ENDPOINT"),
        ("malformed", "STS_ENDPOINT"),
    ],
)
def test_each_refusal_of_sts_is_explained(here, fault, advice):
    here.cloud.sts.faults.plan(fault)
    findings = here.examine()
    assert advice in the_bad_one(findings, "AssumeRole").remedy.en
    assert of(findings, "Upload") == []


@pytest.mark.parametrize(
    ("changes", "advice"),
    [
        ({"STS_ROLE_ARN": "acs:ram::1000000000000001:role/nobody"}, "STS_ROLE_ARN"),
        ({"ALIBABA_CLOUD_ACCESS_KEY_SECRET": "wrong"}, "ALIBABA_CLOUD_ACCESS_KEY_SECRET does not belong"),
        ({"ALIBABA_CLOUD_ACCESS_KEY_ID": "LTAInobody"}, "does not know the access key id"),
        ({"STS_ENDPOINT": REFUSED}, "STS_ENDPOINT"),
    ],
)
def test_each_wrong_setting_of_sts_is_explained(here, changes, advice):
    assert advice in the_bad_one(here.examine(**changes), "AssumeRole").remedy.en


# ---- bucket ----------------------------------------------------------------------------------------


def test_a_bucket_that_is_not_there_is_said_to_be_missing(here, serving):
    findings = here.examine(OSS_HOST=serving(404, oss_error("NoSuchBucket"), "application/xml"))
    assert "--bucket-create" in the_bad_one(findings, "Bucket").remedy.en


def test_a_bucket_elsewhere_gets_the_region_to_set(here, serving):
    body = oss_error("AccessDenied", "<Endpoint>oss-cn-beijing.aliyuncs.com</Endpoint>")
    findings = here.examine(OSS_HOST=serving(403, body, "application/xml"))
    assert "Set OSS_REGION=cn-beijing" in the_bad_one(findings, "Bucket").remedy.en


def test_a_host_that_is_not_oss_is_told_apart(here):
    findings = here.examine(OSS_HOST=here.gateway.origin)
    assert "Leave OSS_HOST empty" in the_bad_one(findings, "Bucket").remedy.en


def test_a_host_that_does_not_answer_names_the_settings_to_check(here):
    findings = here.examine(OSS_HOST=REFUSED)
    assert "OSS_REGION" in the_bad_one(findings, "Bucket").remedy.en
    assert "OSS_HOST" in the_bad_one(findings, "Clock").remedy.en
    assert "OSS_HOST" in of(findings, "Upload [default]", State.BAD)[0].remedy.en


# ---- WeChat ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["WECHAT_APPID", "WECHAT_SECRET"])
def test_wrong_credentials_of_the_mini_program_are_named(here, name):
    finding = the_bad_one(here.examine(**{name: "wx0wrong"}), "WeChat login")
    assert name in finding.said.en
    assert "开发设置" in finding.remedy.zh


def test_a_silent_wechat_is_told_apart_from_wrong_credentials(here):
    finding = the_bad_one(here.examine(WECHAT_ENDPOINT=REFUSED), "WeChat login")
    assert "api.weixin.qq.com" in finding.remedy.en


# ---- uploads ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "advice"), [("expired", "expires_in"), ("drop_before", "OSS_HOST"), ("status_500", "RequestId")]
)
def test_each_failure_of_an_upload_is_explained(here, fault, advice):
    here.cloud.oss.faults.plan(fault, times=1)
    finding = the_bad_one(here.examine(), "Upload [default]")
    assert advice in finding.remedy.en


def test_a_region_that_is_not_the_buckets_shows_in_the_upload(here):
    findings = here.examine(OSS_REGION="cn-beijing")
    assert "OSS_REGION" in the_bad_one(findings, "Upload [default]").remedy.en


def test_a_bucket_name_that_is_not_the_hosts_shows_in_the_upload(here):
    findings = here.examine(OSS_BUCKET="another-bucket")
    assert of(findings, "Upload [default]", State.BAD)


def test_public_files_where_public_access_is_blocked_are_explained(here, serving):
    body = oss_error("AccessDenied").replace("<Message>m", "<Message>Put public object acl is not allowed")
    findings = here.examine(OSS_HOST=serving(403, body, "application/xml"))
    assert "Block Public Access" in the_bad_one(findings, "Upload [avatar]").remedy.en


def test_a_failed_callback_is_red_although_the_file_is_stored(here):
    here.cloud.oss.faults.plan("callback_fails")
    findings = here.examine()
    finding = the_bad_one(findings, "Upload [avatar]")
    assert "CallbackFailed" in finding.said.en
    assert of(findings, "Removal", State.GOOD)


def test_another_token_secret_than_the_functions_is_found_by_the_callback(here):
    finding = the_bad_one(here.examine(TOKEN_SECRET="x" * 40), "Upload [avatar]")
    assert "TOKEN_SECRET" in finding.remedy.en


def test_a_callback_that_sends_no_receipt_leads_elsewhere(here, serving):
    url = serving(200, "{}") + "/callback"
    finding = the_bad_one(here.examine(CALLBACK_URL=url), "Upload [avatar]")
    assert "CALLBACK_URL" in finding.remedy.en


def test_a_receipt_that_another_secret_signed_is_told_apart(here, serving):
    url = serving(200, json.dumps({"receipt": "a.b.c"})) + "/callback"
    finding = the_bad_one(here.examine(CALLBACK_URL=url), "Upload [avatar]")
    assert "differ: make deploy" in finding.remedy.en


def test_a_bucket_that_takes_everything_is_dangerous(here, serving):
    findings = here.examine(OSS_HOST=serving(200, ""))
    for check in ("A changed key", "Another folder"):
        finding = the_bad_one(findings, check)
        assert "was taken" in finding.said.en
        assert "private" in finding.remedy.en


def test_a_refusal_for_another_reason_does_not_pass_for_protection(here):
    # 403 is the protection; a 500 shows nothing about it.
    here.cloud.oss.faults.plan("status_500")
    findings = here.examine()
    assert of(findings, "A changed key", State.BAD)
    assert of(findings, "Another folder", State.BAD)


def test_files_that_the_keys_may_not_remove_are_named(here, serving):
    origin = serving(200, "", DELETE=(403, oss_error("AccessDenied")))
    [finding] = of(here.examine(OSS_HOST=origin), "Removal")
    assert finding.state is State.UNSURE
    assert "uploads/doctor/" in finding.said.en
    assert "Delete them in the OSS console" in finding.remedy.en


def test_a_profile_of_large_files_only_is_left_out(here, tmp_path):
    (tmp_path / "profiles.toml").write_text(
        '[default]\nkey = "uploads/{id}"\nmax_size = "10MiB"\nmin_size = "2MiB"\ncontent_types = ["a/b"]\n'
    )
    findings = here.examine(PROFILES_FILE=str(tmp_path / "profiles.toml"))
    assert [one.state for one in of(findings, "Upload")] == [State.SKIPPED]
    assert of(findings, "A changed key", State.GOOD)


# ---- the file of settings ---------------------------------------------------------------------------


def test_lines_that_are_not_read_as_they_look_and_names_that_nothing_reads_are_told(tmp_path):
    file = tmp_path / ".env"
    file.write_text("LOG_LEVEL debug\nALLOWED_ORIGIN=https://a.example\nOSS_BUCKET=b\nzzz=1\n")
    found = list(check_env_file(file))
    assert [(one.state, one.said.en) for one in found] == [
        (State.BAD, ".env:1: is not NAME=value, NAME='value' or NAME=\"value\""),
        (State.UNSURE, ".env:2: ALLOWED_ORIGIN is no setting; did you mean ALLOWED_ORIGINS?"),
        (State.UNSURE, ".env:4: zzz is no setting"),
    ]
    file.unlink()
    assert list(check_env_file(file)) == []


def test_a_callback_without_its_address_is_mended_in_either_file(here, tmp_path):
    (tmp_path / "profiles.toml").write_text(
        '[default]\nkey = "uploads/{id}"\nmax_size = 9\ncontent_types = ["a/b"]\ncallback = true\n'
    )
    finding = the_bad_one(
        here.examine(CALLBACK_URL="", PROFILES_FILE=str(tmp_path / "profiles.toml")), "Settings"
    )
    assert "CALLBACK_URL in .env" in finding.remedy.en


# ---- forms of the deployed function ----------------------------------------------------------------


def test_with_a_code_the_forms_come_from_the_deployed_function(here):
    findings = here.examine(code="local-doctor-1")
    assert {one.state for one in findings} == {State.GOOD}
    assert len(of(findings, "Upload")) == 4


def test_keys_of_this_machine_that_cannot_sign_are_a_doubt_only_when_the_function_signs(here):
    here.cloud.sts.faults.plan("forbidden", times=1)
    findings = here.examine(code="local-doctor-2")
    [sts] = of(findings, "AssumeRole")
    assert sts.state is State.UNSURE
    assert "its own role" in sts.said.en
    assert len(of(findings, "Upload", State.GOOD)) == 4
    assert of(findings, "A changed key", State.GOOD)
    assert of(findings, "Another folder") == []


def test_without_keys_the_files_stay_and_are_named(here):
    findings = here.examine(code="local-doctor-3", without=("ALIBABA_CLOUD_ACCESS_KEY_ID",))
    assert [one.state for one in of(findings, "Caller's keys")] == [State.UNSURE]
    assert of(findings, "", State.BAD) == []
    [removal] = of(findings, "Removal")
    assert "no key here may delete" in removal.said.en
    assert removal.said.en.count("avatars/") == 1


def test_a_code_that_the_function_refuses_is_explained(here):
    finding = the_bad_one(here.examine(code="used-or-unknown"), "Login at the function")
    assert "wx.login" in finding.remedy.en


def test_a_token_that_the_function_refuses_shows_in_each_upload(here):
    findings = here.examine(token="no.good.token")
    assert len(of(findings, "Upload", State.BAD)) == 4
    assert "Log in again" in of(findings, "Upload", State.BAD)[0].remedy.en


def test_a_function_without_a_role_shows_in_each_upload(here):
    environ = {name: value for name, value in here.environ.items() if "ACCESS_KEY" not in name}
    environ["CALLER_AUTH"] = "anonymous"
    function = Function(Surroundings(environ))
    gateway = FcGateway(lambda event, context: serve(function, event, context)).start()
    try:
        findings = here.examine(
            url=gateway.origin,
            CALLER_AUTH="anonymous",
            without=tuple(name for name in here.environ if "ACCESS_KEY" in name),
        )
    finally:
        gateway.stop()
    assert "misconfigured" in of(findings, "Upload [default]", State.BAD)[0].said.en


# ---- callback and function -------------------------------------------------------------------------


def test_no_callback_is_no_fault(here, tmp_path):
    from local.cloud import PROFILES_FILE

    plain = PROFILES_FILE.read_text("utf-8").replace("callback = true", "")
    (tmp_path / "profiles.toml").write_text(plain)
    findings = here.examine(CALLBACK_URL="", PROFILES_FILE=str(tmp_path / "profiles.toml"))
    assert [one.state for one in of(findings, "Callback")] == [State.SKIPPED]
    assert of(findings, "", State.BAD) == []


@pytest.mark.parametrize(
    ("status", "body"),
    [(404, "<html>not here</html>"), (200, "{}"), (403, "{}"), (502, "Internal Server Error")],
)
def test_a_callback_address_that_leads_elsewhere_is_told(here, serving, status, body):
    settings = read_settings({**here.environ, "CALLBACK_URL": serving(status, body) + "/callback"})
    finding = check_callback(settings)
    assert finding.state is State.BAD
    assert "CALLBACK_URL" in finding.remedy.en


def test_a_callback_address_that_does_not_answer_is_told(here):
    settings = read_settings({**here.environ, "CALLBACK_URL": f"{REFUSED}/callback"})
    finding = check_callback(settings)
    assert finding.state is State.BAD
    assert "did not answer" in finding.said.en


def test_a_function_that_does_not_answer_is_told():
    [finding] = check_function(REFUSED)
    assert finding.state is State.BAD
    assert "make deploy" in finding.remedy.en


def test_an_address_that_is_not_the_functions_is_told(serving):
    [finding] = check_function(serving(200, "<html>hello</html>", "text/html"))
    assert finding.state is State.BAD
    assert "--url" in finding.remedy.en


def test_a_deployed_function_whose_settings_are_wrong_is_told():
    gateway = FcGateway(lambda event, context: serve(Function(Surroundings({})), event, context)).start()
    try:
        [finding] = check_function(gateway.origin)
    finally:
        gateway.stop()
    assert finding.state is State.BAD
    assert "misconfigured" in finding.said.en
    assert ".env" in finding.remedy.en


def test_without_an_address_the_function_is_left_out():
    [finding] = check_function("")
    assert finding.state is State.SKIPPED


def test_the_testing_address_of_function_compute_is_a_doubt():
    url = "https://abc.cn-hangzhou.fcapp.run"
    with responses.RequestsMock() as stub:
        stub.get(f"{url}/health", json={"status": "ok"})
        stub.post(
            f"{url}/upload-params", status=401, json={"error": {"code": "unauthorized", "message": "m"}}
        )
        good, doubt = check_function(url)
    assert good.state is State.GOOD
    assert doubt.state is State.UNSURE
    assert "ICP" in doubt.remedy.zh


# ---- the screen ------------------------------------------------------------------------------------


def rows(url="", **changes):
    environ = {
        "OSS_BUCKET": "my-bucket", "OSS_REGION": "cn-hangzhou", "CALLER_AUTH": "anonymous",
        "STS_ROLE_ARN": "acs:ram::1234567890123456:role/r", **changes,
    }  # fmt: skip
    settings = read_settings(environ)
    return {name: text.en for name, text in domains(settings, doctor.function_url(settings, url))}


def test_prints_the_exact_domains_to_paste():
    bucket = "https://my-bucket.oss-cn-hangzhou.aliyuncs.com"
    assert rows("https://api.example.com/prefix/") == {
        "request": "https://api.example.com",
        "uploadFile": bucket,
        "downloadFile": bucket,
    }
    bound = rows("https://api.example.com", OSS_HOST="https://img.example.com")
    assert bound["uploadFile"] == bound["downloadFile"] == "https://img.example.com"


def test_finds_the_function_where_its_callback_is():
    settings = {"CALLBACK_URL": "https://api.example.com/up/callback", "TOKEN_SECRET": "x" * 32}
    assert rows(**settings)["request"] == "https://api.example.com"
    assert "--url" in rows()["request"]


def test_says_that_wechat_takes_https_only():
    assert "https domains only" in rows("http://127.0.0.1:9000")["request"]


class Terminal(io.StringIO):
    def isatty(self):
        return True


def shown(here, language="en", stream=None, url=None, **changes):
    stream = stream or io.StringIO()
    environ = {**here.environ, **changes}
    url = here.gateway.origin if url is None else url
    code = doctor.show(
        doctor.examine(environ, doctor.Visit(url)), environ, url, Screen(stream, {"TERM": "xterm"}), language
    )
    return code, stream.getvalue()


def test_exits_0_when_all_is_well_and_1_when_anything_is_red(here):
    code, text = shown(here)
    assert code == 0
    assert text.rstrip().endswith("All is well.")
    code, text = shown(here, STS_ROLE_ARN="acs:ram::1000000000000001:role/nobody")
    assert code == 1
    assert text.rstrip().endswith("1 of 8 checks failed.")


def test_lines_are_green_and_red_on_a_terminal_only(here):
    _, coloured = shown(here, stream=Terminal(), url=REFUSED)
    assert f"\x1b[{GREEN}m✓ Settings" in coloured
    assert f"\x1b[{RED}m✗ Deployed function" in coloured
    _, plain = shown(here, url=REFUSED)
    assert "\x1b" not in plain


def test_fits_one_screen(here):
    _, text = shown(here)
    assert len(text.splitlines()) <= 24


def test_speaks_chinese_throughout(here):
    code, text = shown(here, "zh", STS_ROLE_ARN="acs:ram::1000000000000001:role/nobody")
    assert code == 1
    for line in text.splitlines():
        if line[:1] in {"✓", "✗", "!", "→"}:
            assert any("\u4e00" <= mark <= "\u9fff" for mark in line) or "AssumeRole" in line, line
    assert "填入小程序后台" in text


@pytest.mark.parametrize("language", ["en", "zh"])
def test_prints_no_secret(here, language):
    here.cloud.sts.faults.plan("drop", times=1)
    _, text = shown(here, language)
    here.cloud.oss.faults.plan("expired")
    _, more = shown(here, language)
    secrets = [FUNCTION_KEY.access_key_secret, here.environ["TOKEN_SECRET"], here.environ["WECHAT_SECRET"]]
    for secret in secrets:
        assert secret not in text + more
    assert "CAIS" not in text + more
    assert "Signature=" not in text + more


def run(monkeypatch, *options):
    parser = argparse.ArgumentParser()
    doctor.add_arguments(parser)
    return doctor.run(parser.parse_args([*options, "--env-file", "/does/not/exist/.env"]))


def test_the_command_reads_the_environment(here, monkeypatch, capsys):
    for name, value in here.environ.items():
        monkeypatch.setenv(name, value)
    assert run(monkeypatch, "--url", here.gateway.origin, "--lang", "en") == 0
    assert "All is well." in capsys.readouterr().out


def test_the_command_exits_1_when_nothing_is_set(monkeypatch, capsys):
    for name in ("OSS_BUCKET", "OSS_REGION", "STS_ROLE_ARN", "CALLER_AUTH", "CALLBACK_URL"):
        monkeypatch.delenv(name, raising=False)
    assert run(monkeypatch, "--lang", "en") == 1
    assert "OSS_BUCKET is missing" in capsys.readouterr().out


@pytest.mark.parametrize("url", ["api.example.com", "ftp://x/", "https://x.example.com/?a=1"])
def test_the_command_exits_2_for_an_address_that_is_none(monkeypatch, capsys, url):
    assert run(monkeypatch, "--url", url, "--lang", "en") == 2
    assert "--url" in capsys.readouterr().err


def test_the_command_examines_a_local_cloud_of_its_own():
    import subprocess
    import sys
    from pathlib import Path

    code = (
        "import argparse, sys; from ops.doctor import command as doctor; p = argparse.ArgumentParser();"
        "doctor.add_arguments(p); sys.exit(doctor.run(p.parse_args(['--local', '--lang', 'zh'])))"
    )
    root = Path(doctor.__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "一切正常" in done.stdout
