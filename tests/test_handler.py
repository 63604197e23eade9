"""handler: the routes through both contracts, the one error shape, the one log line."""

import io
import json
import re
import threading
import time
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest

import handler
from function.app import Function
from function.instance import Surroundings
from handler import serve

STS_URL = "https://sts.cn-hangzhou.aliyuncs.com/"
EVENTS = sorted(Path(__file__).with_name("events").glob("*.json"))
FORM_FIELDS = {
    *("key", "policy", "success_action_status", "x-oss-content-type", "x-oss-forbid-overwrite"),
    *("x-oss-object-acl", "x-oss-signature-version", "x-oss-credential", "x-oss-date"),
    *("x-oss-signature", "x-oss-security-token"),
}
PINNED = {
    "success_action_status": "200",
    "x-oss-content-type": "image/jpeg",
    "x-oss-forbid-overwrite": "true",
    "x-oss-object-acl": "default",
    "x-oss-signature-version": "OSS4-HMAC-SHA256",
}


def conditions(form):
    return json.loads(b64decode(form["policy"]))["conditions"]


@pytest.mark.parametrize("path", EVENTS, ids=lambda path: path.stem)
def test_answers_an_event_file_as_it_expects(instance, good_sts, path):
    case = json.loads(path.read_text("utf-8", errors="surrogatepass"))
    answer = instance().ask(json.dumps(case["event"]).encode())
    assert answer.status == case["expected"]["status"], answer.text
    if case["expected"]["code"]:
        assert set(answer.json) == {"error"}
        assert set(answer.json["error"]) == {"code", "message", "requestId"}
        assert answer.code == case["expected"]["code"]


def test_answers_one_upload_in_the_shape_of_the_contract(instance, good_sts):
    answer = instance().ask(body={"filename": "猫.JPG", "contentType": "image/jpeg; q=1", "size": 1024})
    body = answer.json
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.headers["Cache-Control"] == "no-store"
    assert set(body) == {
        *("url", "key", "fileUrl", "formData", "maxSize", "expiresAt", "serverTime", "uploadId"),
    }
    assert set(body["formData"]) == FORM_FIELDS
    assert {name: body["formData"][name] for name in PINNED} == PINNED
    assert re.fullmatch(r"uploads/public/2026/11/24/[A-Za-z0-9_-]{22}\.jpg", body["key"])
    assert body["key"] == body["formData"]["key"]
    assert body["uploadId"] in body["key"]
    assert body["url"] == "https://my-bucket.oss-cn-hangzhou.aliyuncs.com"
    assert body["fileUrl"] == f"{body['url']}/{body['key']}"
    assert (body["serverTime"], body["expiresAt"]) == ("2026-11-24T14:00:00Z", "2026-11-24T14:05:00Z")
    assert body["maxSize"] == 1024
    assert ["content-length-range", 1024, 1024] in conditions(body["formData"])
    assert len(good_sts.calls) == 1


def test_v1_answers_with_its_own_two_fields(instance, good_sts):
    form = instance(OSS_SIGNATURE_VERSION="v1").ask(body={"filename": "a.png"}).json["formData"]
    assert {"OSSAccessKeyId", "signature"} <= set(form)
    assert not {"x-oss-signature", "x-oss-date", "x-oss-credential", "x-oss-signature-version"} & set(form)


def test_a_page_of_the_sample_servers_gets_its_v4_fields(instance, good_sts):
    body = instance().ask(method="GET", path="/", query={"profile": "legacy"}).json
    assert set(body) == {
        *("policy", "security_token", "x_oss_signature_version", "x_oss_credential", "x_oss_date"),
        *("signature", "host", "dir", "expire"),
    }
    # A classic page sends no field of ours, so its policy may ask for none.
    pins = [next(iter(pin)) for pin in conditions(body) if isinstance(pin, dict)]
    assert pins == [
        *("bucket", "x-oss-signature-version", "x-oss-credential", "x-oss-date", "x-oss-security-token"),
    ]
    assert body["dir"] == "test/"
    assert body["expire"] == int(datetime(2026, 11, 24, 14, 1, tzinfo=UTC).timestamp())


def test_a_page_of_the_sample_servers_gets_its_v1_fields(instance, good_sts):
    body = instance(OSS_SIGNATURE_VERSION="v1").ask(body={"profile": "legacy", "size": 5}).json
    assert set(body) == {"accessid", "host", "policy", "signature", "expire", "dir", "security_token"}
    assert ["content-length-range", 5, 5] in conditions(body)


def test_many_files_are_answered_in_order_with_forms_of_their_own(instance, good_sts):
    files = [{"filename": f"{index}.png", "size": index + 1} for index in range(20)]
    body = instance().ask(body={"files": files}).json
    assert set(body) == {"uploads", "serverTime"}
    assert [upload["maxSize"] for upload in body["uploads"]] == list(range(1, 21))
    assert len({upload["key"] for upload in body["uploads"]}) == 20
    assert len(good_sts.calls) == 1


def test_overwrite_is_sent_and_pinned_either_way(instance, good_sts, profiles_file):
    path = profiles_file(
        '[default]\nkey = "a/{id}"\nmax_size = 1\ncontent_types = ["image/png"]\noverwrite = true\n'
    )
    form = instance(PROFILES_FILE=path).ask(body={}).json["formData"]
    assert form["x-oss-forbid-overwrite"] == "false"
    assert {"x-oss-forbid-overwrite": "false"} in conditions(form)
    assert form["x-oss-content-type"] == "image/png"


def test_a_profile_s_headers_are_sent_and_pinned(instance, good_sts, profiles_file):
    path = profiles_file(
        '[default]\nkey = "a/{id}"\nmax_size = 1\ncontent_types = ["image/png"]\n'
        'cache_control = "no-cache"\nmetadata = {source = "mini-program"}\n'
    )
    form = instance(PROFILES_FILE=path).ask(body={}).json["formData"]
    for name, value in {"Cache-Control": "no-cache", "x-oss-meta-source": "mini-program"}.items():
        assert form[name] == value
        assert {name: value} in conditions(form)


def test_a_key_in_chinese_is_percent_encoded_in_the_address(instance, good_sts, profiles_file):
    path = profiles_file('[default]\nkey = "图片/{id}"\nmax_size = 1\ncontent_types = ["image/png"]\n')
    body = instance(PROFILES_FILE=path).ask(body={}).json
    assert body["key"].startswith("图片/")
    assert "/%E5%9B%BE%E7%89%87/" in body["fileUrl"]


def test_no_form_outlives_its_credentials(instance, good_sts, clock):
    function = instance()
    for minute in range(130):
        body = function.ask(body={"filename": "a.mp4", "profile": "video"}).json
        expires_at = datetime.fromisoformat(body["expiresAt"])
        assert expires_at + timedelta(seconds=60) <= good_sts.expirations[-1], minute
        clock.tick(minutes=1)
    assert len(good_sts.calls) == 3


TWO_LIVES = """
[short]
key = "short/{id}"
max_size = 1
content_types = ["image/png"]
expires_in = 300
[long]
key = "long/{id}"
max_size = 1
content_types = ["image/png"]
expires_in = 1200
"""


@pytest.mark.parametrize(
    ("profiles", "last_second"),
    [
        (["long"], 3600 - 1200 - 60),
        (["short"], 3600 - 300 - 60),
        (["short", "long"], 3600 - 1200 - 60),
        (["long", "short"], 3600 - 1200 - 60),
        (["short", "long", "short"], 3600 - 1200 - 60),
        (["short", "short"], 3600 - 300 - 60),
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


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({"size": -1}, 400, "size"),
        ({"size": 0}, 400, "size"),
        ({"size": 1.5}, 400, "size"),
        ({"size": True}, 400, "size"),
        ({"size": "10"}, 400, "size"),
        ({"size": 10 * 1024**2 + 1}, 413, "size"),
        ({"profile": 5}, 400, "profile"),
        ({"profile": "x" * 65}, 400, "profile"),
        ({"profile": "nope"}, 400, "profile"),
        ({"filename": 5}, 400, "filename"),
        ({"filename": ["a.png"]}, 400, "filename"),
        ({"filename": "a\x00.png"}, 400, "filename"),
        ({"filename": "a\n.png"}, 400, "filename"),
        ({"filename": "猫" * 341 + ".png"}, 400, "filename"),
        ({"filename": "noextension", "contentType": None}, 400, "contentType"),
        ({"contentType": 5}, 400, "contentType"),
        ({"contentType": "png"}, 400, "contentType"),
        ({"contentType": "image/$x"}, 400, "contentType"),
        ({"contentType": "image/png\r\nx: y"}, 400, "contentType"),
        ({"contentType": "text/html"}, 415, "contentType"),
        ({"files": {}}, 400, "files"),
        ({"files": "x"}, 400, "files"),
        ({"files": [1]}, 400, "files[0]"),
        ({"files": [{"filename": "a.png"}, {"size": "x"}]}, 400, "files[1].size"),
    ],
)
def test_a_bad_field_is_named(instance, body, status, says):
    fields = {"filename": "a.png", **body} if "filename" not in body and "files" not in body else body
    answer = instance().ask(body=fields)
    assert answer.status == status
    assert says in answer.json["error"]["message"]


@pytest.mark.parametrize(
    "filename",
    [
        "../../etc/passwd.png",
        "a/b/c.png",
        "C:\\photos\\c.png",
        "${filename}.png",
        "😀.png",
        "猫" * 80 + ".png",
        "wxfile://tmp_4185abc.png",
        "a.b.c.PNG",
        " .png.png",
        '"><script>.png',
        "%2e%2e%2f.png",
    ],
)
def test_of_a_file_s_name_only_a_plain_extension_reaches_the_key(instance, good_sts, filename):
    body = instance().ask(body={"filename": filename, "contentType": "image/png"}).json
    assert re.fullmatch(r"uploads/public/2026/11/24/[A-Za-z0-9_-]{22}\.png", body["key"])


@pytest.mark.parametrize(
    ("filename", "extension"),
    [
        ("noextension", ".png"),
        ("a.verylongextension", ".png"),
        ("a.p/ng", ".png"),
        ("a.ＰＮＧ", ".png"),
        ("a.jp{id}", ".png"),
        (".png", ".png"),
        ("..", ".png"),
        ("a.", ".png"),
        ("a.jpg", ".jpg"),
        (None, ".png"),
    ],
)
def test_an_extension_unfit_for_a_key_gives_way_to_the_type_s(instance, good_sts, filename, extension):
    body = instance().ask(body={"filename": filename, "contentType": "image/png"}).json
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}" + re.escape(extension), body["key"].rpartition("/")[2])


@pytest.mark.parametrize("size", ["", "5"])
def test_query_values_work_like_those_of_a_body(instance, good_sts, size):
    body = instance().ask(method="GET", query={"filename": "a.png", "size": size, "_": "1"}).json
    assert body["maxSize"] == (5 if size else 10 * 1024**2)


@pytest.mark.parametrize("size", ["-1", "1.5", "٣", " 5", "1_0", "5,6", "x"])
def test_a_size_in_a_query_must_be_plain_digits(instance, size):
    answer = instance().ask(method="GET", query={"filename": "a.png", "size": size})
    assert answer.status == 400
    assert "size" in answer.json["error"]["message"]


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/upload-params", "POST", 200),
        ("/", "POST", 200),
        ("", "POST", 200),
        ("/any/prefix/upload-params", "POST", 200),
        ("/upload-params/", "POST", 200),
        ("/any/prefix/", "POST", 200),
        ("/health", "GET", 200),
        ("/x/health", "GET", 200),
        ("/health/", "GET", 200),
        ("/health", "POST", 405),
        ("/login", "GET", 405),
        ("/callback", "GET", 405),
        ("/upload-params", "DELETE", 405),
        ("/upload-params", "HEAD", 405),
        ("/upload-param", "GET", 404),
        ("/Upload-Params", "GET", 404),
        ("/../health/x", "GET", 404),
    ],
)
def test_the_last_segment_decides(instance, good_sts, path, method, status):
    answer = instance().ask(body={"filename": "a.png"}, method=method, path=path or "/")
    assert answer.status == status
    if status == 405:
        assert "OPTIONS" in answer.headers["Allow"]


ALLOWED_METHODS = {
    "upload-params": "GET, POST, OPTIONS",
    "login": "POST, OPTIONS",
    "callback": "POST, OPTIONS",
    "health": "GET, OPTIONS",
}


@pytest.mark.parametrize("route", ALLOWED_METHODS)
def test_a_route_says_which_methods_it_takes(instance, route):
    function = instance()
    answer = function.ask(method="OPTIONS", path=f"/{route}")
    assert (answer.status, answer.text) == (204, "")
    assert answer.headers == {"Allow": ALLOWED_METHODS[route]}
    answer = function.ask(method="PUT", path=f"/{route}")
    assert (answer.status, answer.code) == (405, "method_not_allowed")
    assert answer.headers["Allow"] == ALLOWED_METHODS[route]
    takes = ALLOWED_METHODS[route].removesuffix(", OPTIONS").replace(", ", " and ")
    assert answer.json["error"]["message"] == f"/{route} takes {takes}."


def test_a_path_without_any_slash_names_its_route(instance):
    assert instance().ask(method="GET", path="health").status == 200


def test_health_needs_no_settings(instance):
    function = instance(OSS_BUCKET=None, CALLER_AUTH=None)
    assert function.ask(method="GET", path="/health").json == {"status": "ok"}


def test_misconfiguration_is_named_in_the_log_and_not_to_the_caller(instance, log_lines):
    answer = instance(OSS_BUCKET=None, STS_ROLE_ARN="nonsense").ask(body={"filename": "a.png"})
    assert (answer.status, answer.code) == (500, "misconfigured")
    assert "OSS_BUCKET" not in answer.text
    assert "nonsense" not in answer.text
    (line,) = log_lines()
    assert "OSS_BUCKET" in line["reason"]
    assert "STS_ROLE_ARN" in line["reason"]


def test_a_function_without_a_role_says_so_in_the_log(instance, log_lines):
    answer = instance(ALIBABA_CLOUD_ACCESS_KEY_ID=None).ask(body={"filename": "a.png"})
    assert (answer.status, answer.code) == (500, "misconfigured")
    assert "ALIBABA_CLOUD_ACCESS_KEY_ID" in log_lines()[-1]["reason"]


@pytest.mark.parametrize(
    ("stub", "status", "code"),
    [
        (
            {"status": 403, "json": {"Code": "NoPermission", "Message": "m", "RequestId": "r"}},
            502,
            "sts_rejected",
        ),
        ({"status": 500, "body": "<html>"}, 503, "sts_unavailable"),
        ({"body": "not json"}, 503, "sts_unavailable"),
    ],
)
def test_an_sts_failure_is_answered_as_documented(instance, sts, log_lines, stub, status, code):
    sts.post(STS_URL, **stub)
    answer = instance().ask(body={"filename": "a.png"})
    assert (answer.status, answer.code) == (status, code)
    assert ("Retry-After" in answer.headers) is (status == 503)
    assert re.fullmatch(r"[1-9]\d*", answer.headers.get("Retry-After", "1"))
    assert log_lines()[-1]["reason"]
    assert len(sts.calls) == 1


def test_bad_input_never_reaches_sts(instance, sts):
    assert instance().ask(body={"filename": "a.exe"}).status == 400
    assert len(sts.calls) == 0


def test_each_request_leaves_one_line_of_json_with_the_documented_fields(instance, good_sts, log_lines):
    function = instance()
    body = function.ask(body={"filename": "a.png"}).json
    function.ask(body={"filename": "a.png"})
    function.ask(body="[")
    first, second, third = log_lines()
    fields = {
        *(
            "requestId",
            "route",
            "status",
            "code",
            "ms",
            "profile",
            "owner",
            "key",
            "uploadId",
            "stsRefreshed",
        ),
    }
    assert set(first) == fields
    assert set(third) == fields
    assert first | {"ms": 0} == {
        "requestId": "1-65f0-abc",
        "route": "upload-params",
        "status": 200,
        "code": None,
        "ms": 0,
        "profile": "default",
        "owner": "public",
        "key": body["key"],
        "uploadId": body["uploadId"],
        "stsRefreshed": True,
    }
    assert second["stsRefreshed"] is False
    assert (third["status"], third["code"]) == (400, "bad_request")


def test_the_line_of_many_files_has_a_list_of_each_file_s_own(instance, good_sts, log_lines):
    files = [{"filename": "a.png"}, {"filename": "b.mp4", "profile": "video"}]
    uploads = instance().ask(body={"files": files}).json["uploads"]
    (line,) = log_lines()
    assert line["profile"] == ["default", "video"]
    assert line["key"] == [upload["key"] for upload in uploads]
    assert line["uploadId"] == [upload["uploadId"] for upload in uploads]


def test_the_line_says_how_many_milliseconds_it_took(instance, log_lines, monkeypatch):
    seconds = iter([5.0, 5.123456])
    monkeypatch.setattr(time, "perf_counter", lambda: next(seconds))
    instance().ask(method="GET", path="/health")
    monkeypatch.undo()
    assert log_lines()[-1]["ms"] == 123.46


@pytest.mark.parametrize(
    ("changes", "fields", "level"),
    [
        ({}, {"path": "/health", "method": "GET"}, "INFO"),
        ({}, {"path": "/nope"}, "INFO"),
        ({"OSS_BUCKET": None}, {}, "ERROR"),
        ({"CALLER_RATE": "1/min"}, {"body": {"files": [{"filename": "a.png"}] * 2}}, "INFO"),
    ],
)
def test_what_is_the_function_s_fault_is_an_error_in_the_log(instance, caplog, changes, fields, level):
    caplog.set_level("DEBUG", logger="oss_direct_upload")
    instance(**changes).ask(**fields)
    (record,) = [record for record in caplog.records if record.name == "oss_direct_upload"]
    assert record.levelname == level


@pytest.mark.parametrize(
    ("level", "written"), [("DEBUG", [200, 500]), ("INFO", [200, 500]), ("WARNING", [500]), ("ERROR", [500])]
)
def test_the_log_level_leaves_out_what_is_below_it(instance, good_sts, log_lines, level, written):
    function = instance(LOG_LEVEL=level)
    assert function.ask(body={"filename": "a.png"}).status == 200
    function.clock.instant = None
    assert function.ask(body={"filename": "a.png"}).status == 500
    assert [line["status"] for line in log_lines()] == written


def test_an_answer_is_json_without_a_blank(instance, good_sts):
    answer = instance().ask(body={"filename": "a.png"})
    assert answer.text == json.dumps(answer.json, separators=(",", ":"))


def test_the_log_never_holds_the_event_a_token_a_policy_or_a_secret(instance, good_sts, caplog):
    caplog.set_level("DEBUG")
    answer = instance(LOG_LEVEL="DEBUG").ask(
        body={"filename": "name-canary.png"}, headers={"Authorization": "Bearer header-canary"}
    )
    assert answer.status == 200
    for canary in ("canary", "Canary", "CAISRole", answer.json["formData"]["policy"]):
        assert canary not in caplog.text
    assert "SecretCanary" not in answer.text


def test_an_error_nobody_foresaw_is_an_internal_error_whose_text_stays_inside(instance, good_sts, log_lines):
    function = instance()
    function.clock.instant = None
    answer = function.ask(body={"filename": "a.png"})
    assert (answer.status, answer.code) == (500, "internal_error")
    assert answer.json["error"]["requestId"] == "1-65f0-abc"
    (line,) = log_lines()
    assert line["requestId"] == "1-65f0-abc"
    assert re.fullmatch(r"AttributeError at \w+\.py:\d+( < \w+\.py:\d+)*", line["reason"])


def test_an_error_nobody_foresaw_in_reading_a_request_has_an_id_as_well(instance, log_lines):
    status, body = serve_raw(instance().function, REQUEST_METHOD=5)
    assert (status, body["error"]["code"]) == (500, "internal_error")
    assert re.fullmatch("[0-9a-f]{32}", body["error"]["requestId"])
    assert log_lines()[-1]["requestId"] == body["error"]["requestId"]


def test_the_request_id_is_fc_s_wherever_it_stands(instance, good_sts):
    function = instance()
    assert function.ask(method="GET", path="/nope").json["error"]["requestId"] == "1-65f0-abc"
    context = SimpleNamespace(request_id="1-ctx")
    assert function.ask(method="GET", path="/nope", context=context).json["error"]["requestId"] == "1-ctx"
    assert function.ask(b"[]", context=context).json["error"]["requestId"] == "1-ctx"
    hostile = SimpleNamespace(request_id='x"\n')
    assert (
        function.ask(method="GET", path="/nope", context=hostile).json["error"]["requestId"] == "1-65f0-abc"
    )


WITHOUT_ID = b'{"rawPath": "/health", "requestContext": {"http": {"method": "GET"}}}'


@pytest.mark.parametrize("event", [b"[]", WITHOUT_ID], ids=["no event", "a good event"])
def test_a_request_without_an_id_gets_one_of_its_own(instance, log_lines, event):
    function, other_instance = instance(), instance()
    for asked in (function, function, other_instance):
        asked.ask(event)
    ids = [line["requestId"] for line in log_lines()]
    assert all(re.fullmatch("[0-9a-f]{32}", id_) for id_ in ids)
    assert len(set(ids)) == 3


def test_fc_2_s_id_is_there_even_when_the_request_cannot_be_read(instance):
    context = SimpleNamespace(request_id="1-fc2")
    status, body = serve_raw(instance().function, CONTENT_LENGTH="x", **{"fc.context": context})
    assert (status, body["error"]["requestId"]) == (400, "1-fc2")


def test_each_upload_id_is_drawn_by_itself_and_request_ids_take_one_draw(environment, clock, event, good_sts):
    drawn = []

    def random_bytes(number):
        drawn.append(number)
        return bytes(number)

    function = Function(Surroundings(environment, now=clock, random_bytes=random_bytes))
    for _ in range(3):
        assert serve(function, event({"filename": "a.png"}), None)["statusCode"] == 200
    assert drawn == [16, 16, 16]
    for _ in range(3):
        assert serve(function, b"[]", None)["statusCode"] == 400
    assert drawn == [16, 16, 16, 16]


@pytest.mark.parametrize(
    "event", [b"", b"\xff", b"null", b"5", b"[]", b"{}", b'"x"', b"[" * 100_000, "{}", b"NaN"]
)
def test_what_is_no_event_is_the_caller_s_error(instance, event):
    assert instance().ask(event).code == "bad_request"


def test_a_callable_context_does_not_make_an_event_a_wsgi_call(instance, good_sts, event):
    class Context:
        request_id = "1-x"

        def __call__(self, *_):
            raise AssertionError("called")

    response = serve(instance().function, event({"filename": "a.png"}), Context())
    assert response["statusCode"] == 200


def cors(answer):
    return {
        name: value for name, value in answer.headers.items() if name.startswith(("Access-Control", "Vary"))
    }


def test_without_allowed_origins_there_are_no_cors_headers(instance, good_sts):
    answer = instance().ask(body={"filename": "a.png"}, headers={"Origin": "https://h5.example"})
    assert not cors(answer)


@pytest.mark.parametrize("method", ["POST", "OPTIONS"])
def test_an_allowed_origin_gets_its_headers_on_every_answer(instance, good_sts, method):
    function = instance(ALLOWED_ORIGINS="https://h5.example,http://localhost:5173")
    for body in ({"filename": "a.png"}, "["):
        answer = function.ask(body=body, method=method, headers={"Origin": "https://h5.example"})
        assert cors(answer) == {
            "Access-Control-Allow-Origin": "https://h5.example",
            "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
            "Access-Control-Allow-Headers": "Content-Type, Authorization, X-Upload-Token",
            "Access-Control-Expose-Headers": "Retry-After",
            "Access-Control-Max-Age": "600",
            "Vary": "Origin",
        }
        own = {"Allow"} if method == "OPTIONS" else {"Content-Type", "Cache-Control"}
        assert set(answer.headers) == {*cors(answer), *own}


def test_who_names_no_origin_gets_no_cors_headers(instance, good_sts):
    function = instance(ALLOWED_ORIGINS="https://h5.example")
    assert not cors(function.ask(body={"filename": "a.png"}))


def test_an_instance_that_has_read_no_settings_yet_answers_without_cors_headers(instance):
    function = instance(ALLOWED_ORIGINS="https://h5.example")
    answer = function.ask(method="GET", path="/nope", headers={"Origin": "https://h5.example"})
    assert answer.status == 404
    assert not cors(answer)


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "https://h5.example.evil", "null", "https://H5.example"]
)
def test_another_origin_gets_none(instance, good_sts, origin):
    function = instance(ALLOWED_ORIGINS="https://h5.example")
    answer = function.ask(body={"filename": "a.png"}, headers={"origin": origin})
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert answer.headers["Vary"] == "Origin"


def test_a_preflight_on_a_cold_instance_gets_its_headers(instance):
    function = instance(ALLOWED_ORIGINS="https://h5.example")
    answer = function.ask(method="OPTIONS", headers={"Origin": "https://h5.example"})
    assert answer.status == 204
    assert cors(answer)["Access-Control-Allow-Origin"] == "https://h5.example"


def test_more_files_than_the_rate_could_ever_hold_are_a_bad_request_and_no_promise(instance):
    answer = instance(CALLER_RATE="5/min").ask(body={"files": [{"filename": "a.png"}] * 6})
    assert (answer.status, answer.code) == (400, "bad_request")
    assert "files" in answer.json["error"]["message"]


def test_anonymous_callers_are_counted_by_address_and_ipv6_by_its_64(instance, good_sts):
    function = instance(CALLER_RATE="1/min")

    def ask(address):
        return function.ask(body={"filename": "a.png"}, source_ip=address).status

    assert [ask("203.0.113.7"), ask("203.0.113.8"), ask("203.0.113.7")] == [200, 200, 429]
    assert [ask("2001:db8::1"), ask("2001:db8::2:3"), ask("2001:db8:0:1::1")] == [200, 429, 200]


def test_initialize_warms_the_instance(instance, good_sts):
    function = instance()
    function.function.initialize(None)
    assert len(good_sts.calls) == 1
    function.ask(body={"profile": "video", "filename": "a.mp4"})
    assert len(good_sts.calls) == 1


def test_a_failure_of_initialize_is_logged_and_left_to_the_first_request(instance, caplog):
    function = instance(OSS_BUCKET=None)
    function.function.initialize(None)
    assert "OSS_BUCKET is missing" in caplog.text
    assert function.ask(body={"filename": "a.png"}).code == "misconfigured"


@pytest.mark.parametrize(("seconds", "is_enough"), [(1260, True), (1259, False)])
def test_initialize_wants_credentials_that_cover_the_longest_form(
    instance, sts, reply, clock, profiles_file, caplog, seconds, is_enough
):
    sts.post(STS_URL, json=reply(clock() + timedelta(seconds=seconds)))
    function = instance(PROFILES_FILE=profiles_file(TWO_LIVES))
    function.function.initialize(None)
    assert ("initialize: STS issued credentials that end before a form would" in caplog.text) is not is_enough


def test_two_first_requests_at_once_read_the_settings_once(environment, clock, event):
    reads = []

    class SlowEnvironment(dict):
        def get(self, name, default=None):
            if name == "OSS_BUCKET":
                reads.append(name)
                time.sleep(0.1)  # in which the other request gets as far
            return super().get(name, default)

    function = Function(Surroundings(SlowEnvironment(environment), now=clock))

    def ask():
        assert serve(function, event(method="OPTIONS"), None)["statusCode"] == 204

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(reads) == 1


def test_credentials_of_the_context_are_used_where_a_runtime_has_them(instance, good_sts):
    context = SimpleNamespace(
        request_id="1-x",
        credentials=SimpleNamespace(access_key_id="STS.ctx", access_key_secret="s", security_token="t"),
    )
    instance().ask(body={"filename": "a.png"}, context=context)
    assert "AccessKeyId=STS.ctx" in good_sts.calls[0].request.url


def call_wsgi(function, method="POST", path="/upload-params", query="", body=b"", **environ):
    values = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": "application/json",
        "REMOTE_ADDR": "203.0.113.7",
        "wsgi.input": io.BytesIO(body),
        **environ,
    }
    setup_testing_defaults(values)
    started = {}

    def start_response(status, headers, exc_info=None):
        started.update(status=int(status[:3]), headers=dict(headers))
        return lambda _data: None

    # WSGI's own validator checks both sides of the call.
    application = validator(lambda env, start: serve(function, env, start))
    result = application(values, start_response)
    text = b"".join(result).decode()
    result.close()
    return started["status"], started["headers"], text


def test_wsgi_gives_the_same_answer_as_an_event(instance, good_sts):
    function = instance().function
    status, headers, text = call_wsgi(function, body=b'{"filename":"a.png"}')
    assert status == 200
    assert set(json.loads(text)["formData"]) == FORM_FIELDS
    assert int(headers["Content-Length"]) == len(text.encode())


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"method": "GET", "query": "filename=a.png&size=5"}, 200),
        ({"method": "GET", "query": "filename=%E7%8C%AB.png"}, 200),
        ({"method": "GET", "query": "profile=avatar&profile=default"}, 400),
        ({"method": "GET", "path": "/health"}, 200),
        ({"method": "OPTIONS"}, 204),
        ({"body": b"["}, 400),
        ({"body": b'{"filename":"' + b"a" * 66000 + b'"}'}, 413),
        ({"path": "/\xe7\x8c\xab"}, 404),
        ({"path": "/\xff"}, 404),
        ({"path": ""}, 400),
    ],
)
def test_wsgi_answers_as_an_event_would(instance, good_sts, fields, status):
    assert call_wsgi(instance().function, **fields)[0] == status


def serve_raw(function, **environ):
    started = []
    values = {"REQUEST_METHOD": "POST", "PATH_INFO": "/upload-params", **environ}
    body = b"".join(serve(function, values, lambda status, headers: started.append(status)))
    return int(started[0][:3]), json.loads(body)


@pytest.mark.parametrize("length", ["x", "-1", "1e3", "9" * 30])
def test_a_content_length_that_is_no_length_is_refused_unread(instance, length):
    status, body = serve_raw(instance().function, CONTENT_LENGTH=length)
    assert status in (400, 413)
    assert body["error"]["code"] in ("bad_request", "too_large")


def test_a_body_of_unknown_length_is_read_up_to_the_limit(instance, good_sts):
    function = instance().function
    good = io.BytesIO(b'{"filename":"a.png"}')
    assert serve_raw(function, **{"wsgi.input": good, "wsgi.input_terminated": True})[0] == 200
    endless = SimpleNamespace(read=lambda size: b"a" * size)
    assert serve_raw(function, **{"wsgi.input": endless, "wsgi.input_terminated": True})[0] == 413


def test_fc_2_passes_its_context_in_the_environ(instance, good_sts):
    context = SimpleNamespace(
        request_id="1-fc2",
        credentials=SimpleNamespace(access_key_id="STS.fc2", access_key_secret="s", security_token="t"),
    )
    body = io.BytesIO(b'{"filename":"a.png"}')
    status, _ = serve_raw(
        instance().function, CONTENT_LENGTH="20", **{"wsgi.input": body, "fc.context": context}
    )
    assert status == 200
    assert "AccessKeyId=STS.fc2" in good_sts.calls[0].request.url


def test_the_module_s_own_handler_reads_the_environment_of_the_process(
    monkeypatch, environment, event, caplog
):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("OSS_BUCKET")
    assert handler.handler(event(method="GET", path="/health"), None)["statusCode"] == 200
    assert handler.handler(event({"filename": "a.png"}), None)["statusCode"] == 500
    caplog.clear()
    handler.initialize(None)
    assert "initialize: OSS_BUCKET is missing" in caplog.text


def test_10_000_keys_have_no_collision_and_128_random_bits(instance, good_sts):
    function = instance(CALLER_RATE="100000/min")
    ids = set()
    for _ in range(500):
        answer = function.ask(body={"files": [{"filename": "a.png"}] * 20})
        ids |= {upload["uploadId"] for upload in answer.json["uploads"]}
    assert len(ids) == 10_000
    assert all(len(b64decode(upload_id + "==", altchars=b"-_")) == 16 for upload_id in ids)
