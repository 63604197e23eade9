"""What ``doctor`` says of the deployed function: callback, health, domains."""

from pathlib import Path

import pytest
import responses

from function.app import Function, load_settings
from function.context import Dependencies
from handler import serve
from local.fc.gateway import FcGateway
from ops.doctor.deployed import check_callback, check_function, domains
from ops.doctor.examination import function_url
from ops.doctor.findings import State

REFUSED = "http://127.0.0.1:9"  # the discard port: nothing listens there


def test_no_callback_is_no_fault(here, tmp_path):
    plain = Path(here.environ["PROFILES_FILE"]).read_text("utf-8").replace("callback = true", "")
    (tmp_path / "profiles.toml").write_text(plain)
    findings = here.examine(CALLBACK_URL="", PROFILES_FILE=str(tmp_path / "profiles.toml"))
    assert [one.state for one in findings.of("Callback")] == [State.SKIPPED]
    assert findings.of("", State.BAD) == []


@pytest.mark.parametrize(
    ("status", "body"),
    [(404, "<html>not here</html>"), (200, "{}"), (403, "{}"), (502, "Internal Server Error")],
)
def test_a_callback_address_that_leads_elsewhere_is_told(here, serving, status, body):
    settings = load_settings({**here.environ, "CALLBACK_URL": serving(status, body) + "/callback"})
    finding = check_callback(settings)
    assert finding.state is State.BAD
    assert "CALLBACK_URL" in finding.remedy.en


def test_a_callback_address_that_does_not_answer_is_told(here):
    settings = load_settings({**here.environ, "CALLBACK_URL": f"{REFUSED}/callback"})
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
    gateway = FcGateway(lambda event, context: serve(Function(Dependencies({})), event, context)).start()
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
        stub.post(f"{url}/initialize", status=404, json={"error": {"code": "not_found", "message": "m"}})
        good, doubt = check_function(url)
    assert good.state is State.GOOD
    assert good.said.en == f"{url} is healthy"
    assert doubt.state is State.UNSURE
    assert "ICP" in doubt.remedy.zh


def test_says_when_it_is_the_deployment_for_bursts_that_answers():
    url = "https://api.example.com"
    with responses.RequestsMock() as stub:
        stub.get(f"{url}/health", json={"status": "ok"})
        stub.post(f"{url}/upload-params", status=400, json={"error": {"code": "bad_request", "message": "m"}})
        stub.post(f"{url}/initialize", json={"status": "ok"})
        [good] = check_function(url)
    assert good.state is State.GOOD
    assert good.said.en.endswith("it takes many requests at once (s.burst.yaml)")


def rows(url="", **changes):
    environ = {
        "OSS_BUCKET": "my-bucket", "OSS_REGION": "cn-hangzhou", "CALLER_AUTH": "anonymous",
        "STS_ROLE_ARN": "acs:ram::1234567890123456:role/r", **changes,
    }  # fmt: skip
    settings = load_settings(environ)
    return {name: text.en for name, text in domains(settings, function_url(settings, url))}


def test_prints_the_exact_domains_to_paste():
    bucket = "https://my-bucket.oss-cn-hangzhou.aliyuncs.com"
    assert rows("https://api.example.com/prefix/") == {
        "request": "https://api.example.com",
        "uploadFile": bucket,
        "downloadFile": bucket,
    }
    bound = rows("https://api.example.com", OSS_HOST="https://img.example.com")
    assert bound["uploadFile"] == bound["downloadFile"] == "https://img.example.com"


def test_parts_need_the_bucket_in_the_request_list_as_well(tmp_path):
    (tmp_path / "profiles.toml").write_text(
        '[video]\nkey = "videos/{owner}/{id}{ext}"\nmax_size = "1GiB"\n'
        'content_types = ["video/mp4"]\nparts = true\n',
        "utf-8",
    )
    settings = load_settings(
        {
            "OSS_BUCKET": "my-bucket",
            "OSS_REGION": "cn-hangzhou",
            "CALLER_AUTH": "anonymous",
            "STS_ROLE_ARN": "acs:ram::1234567890123456:role/r",
            "TOKEN_SECRET": "token-secret-0123456789abcdefghijk",
            "PROFILES_FILE": str(tmp_path / "profiles.toml"),
        }
    )
    bucket = "https://my-bucket.oss-cn-hangzhou.aliyuncs.com"
    assert [(name, text.en) for name, text in domains(settings, "https://api.example.com")] == [
        ("request", f"https://api.example.com; {bucket}"),
        ("uploadFile", bucket),
        ("downloadFile", bucket),
    ]


def test_what_is_read_comes_from_an_origin_that_may_be_another(tmp_path):
    (tmp_path / "profiles.toml").write_text(
        '[p]\nkey = "p/{id}"\nmax_size = 9\ncontent_types = ["image/png"]\nread = "callers"\n', "utf-8"
    )
    origin = {"READ_ORIGIN": "https://img.example.com"}
    read = rows("https://api.example.com", PROFILES_FILE=str(tmp_path / "profiles.toml"), **origin)
    assert read["downloadFile"] == "https://img.example.com"
    assert read["uploadFile"] == "https://my-bucket.oss-cn-hangzhou.aliyuncs.com"
    # Where nobody reads through the function it is of no account.
    assert rows("https://api.example.com", **origin)["downloadFile"] == read["uploadFile"]


def test_every_bucket_s_addresses_are_listed_each_once(tmp_path):
    profile = '[{0}]\nkey = "{0}/{{owner}}/{{id}}"\nmax_size = "6MiB"\ncontent_types = ["image/png"]\n'
    own = {
        "default": 'read = "callers"\n',
        "contract": 'bucket = "contracts"\nregion = "cn-shanghai"\nparts = true\nread = "callers"\n',
        "scan": 'bucket = "contracts"\nregion = "cn-shanghai"\n',
        "page": 'bucket = "pages"\nhost = "https://files.example.com"\n',
    }
    (tmp_path / "profiles.toml").write_text("".join(profile.format(name) + own[name] for name in own))
    changes = {"READ_ORIGIN": "https://img.example.com", "TOKEN_SECRET": "token-secret-0123456789abcdefghijk"}
    hosts = [
        "https://my-bucket.oss-cn-hangzhou.aliyuncs.com",
        "https://contracts.oss-cn-shanghai.aliyuncs.com",
        "https://files.example.com",
    ]
    assert rows("https://api.example.com", PROFILES_FILE=str(tmp_path / "profiles.toml"), **changes) == {
        "request": f"https://api.example.com; {hosts[1]}",
        "uploadFile": "; ".join(hosts),
        "downloadFile": "; ".join(["https://img.example.com", *hosts[1:]]),
    }


def test_where_all_profiles_are_elsewhere_the_deployment_s_bucket_is_not_listed(tmp_path):
    (tmp_path / "profiles.toml").write_text(
        '[p]\nkey = "p/{id}"\nmax_size = 9\ncontent_types = ["image/png"]\nbucket = "other-bucket"\n', "utf-8"
    )
    host = "https://other-bucket.oss-cn-hangzhou.aliyuncs.com"
    found = rows("https://api.example.com", PROFILES_FILE=str(tmp_path / "profiles.toml"))
    assert (found["uploadFile"], found["downloadFile"]) == (host, host)


def test_finds_the_function_where_its_callback_is():
    settings = {
        "CALLBACK_URL": "https://api.example.com/up/callback",
        "TOKEN_SECRET": "token-secret-0123456789abcdefghijk",
    }
    assert rows(**settings)["request"] == "https://api.example.com"
    assert "--url" in rows()["request"]


def test_says_that_wechat_takes_https_only():
    assert "https domains only" in rows("http://127.0.0.1:9000")["request"]
