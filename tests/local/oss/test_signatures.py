"""Signatures of requests and forms, against vectors of official signers."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote, urlsplit

import pytest

from local.common.accounts import AccessKey, Accounts
from local.oss.bucket import Bucket
from local.oss.errors import OssError
from local.oss.form import Form
from local.oss.objects import Objects
from local.oss.post_signature import authenticate as authenticate_form
from local.oss.post_signature import sign_v1, sign_v4
from local.oss.presign import presigned_url
from local.oss.request import read_request
from local.oss.request_signature import authenticate, canonical_request, string_to_sign
from local.oss.rules import OssRules
from tests.local.oss.conftest import refusal_of, vectors
from tests.support.cases import cases_beside

cases = cases_beside(__file__)
VECTORS = vectors("presigned_v4")
URLS = {vector["name"]: vector for vector in VECTORS["url"]}
HEADERS = {vector["name"]: vector for vector in VECTORS["header"]}
EVERY = {**URLS, **HEADERS}
PLAIN = [name for name, one in URLS.items() if one["method"] == "GET" and not one["queries"] | one["headers"]]


def key_of(vector, **changes):
    given = vector["credentials"]
    key = AccessKey(given["access_key_id"], given["access_key_secret"], given.get("security_token"))
    return replace(key, **changes)


@pytest.fixture
def bucket_of(tmp_path):
    """The bucket of a vector, at the instant of its signature, with its key."""

    def build(vector, after=0, **changes):
        now = datetime.fromisoformat(vector["date_iso"]) + timedelta(seconds=after)
        accounts = Accounts(key_of(vector, **changes))
        return Bucket(vector["bucket"], vector["region"], accounts, Objects(tmp_path), lambda: now)

    return build


def request_of(vector, url=None, method=None, of=None, **headers):
    """The request as it arrives, of a vector; headers changed by keyword, ``None`` leaves one out."""
    expected = vector["expected"]
    of_the_stack = {name: vector["headers"].get(name) for name in ("host", "content-length")}
    sent = {"host": vector["host"], **expected["headers_to_send"]}
    sent |= {name: value for name, value in of_the_stack.items() if value}
    if "authorization" in expected:
        sent["authorization"] = expected["authorization"]
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    query = "&".join(f"{quote(n)}={quote(v)}" if v else quote(n) for n, v in vector["queries"].items())
    url = url or expected.get("url", f"/{quote(vector['key'])}?{query}")
    target = urlsplit(url)._replace(scheme="", netloc="").geturl()
    present = [(name, value) for name, value in sent.items() if value is not None]
    return read_request(method or vector["method"], target, present)


def changed_query(vector, of=None, **changes):
    request = request_of(vector)
    query = {**request.query, **{name.replace("_", "-"): value for name, value in changes.items()}}
    return replace(request, query={name: value for name, value in query.items() if value is not None})


@pytest.mark.parametrize("name", EVERY)
def test_signatures_of_other_signers_are_reproduced_and_accepted_in_the_spelling_of_each(name, bucket_of):
    vector = EVERY[name]
    expected, request = vector["expected"], request_of(vector)
    additional = tuple(sorted(header.lower() for header in vector["additional_headers"]))
    canonical = canonical_request(request, vector["bucket"], additional)
    assert canonical == expected["canonical_request"]
    date = expected["string_to_sign"].split("\n")[1]
    assert string_to_sign(date, vector["region"], canonical) == expected["string_to_sign"]
    assert authenticate(request, bucket_of(vector)).access_key_id == vector["credentials"]["access_key_id"]
    for url in vector.get("sdk_urls", {}).values():
        assert authenticate(request_of(vector, url), bucket_of(vector)) is not None


@pytest.mark.parametrize("name", PLAIN)
def test_a_url_signed_here_is_the_one_that_official_signers_make(name, bucket_of):
    vector = URLS[name]
    key, origin = key_of(vector), f"https://{vector['host']}"
    made = urlsplit(presigned_url(origin, bucket_of(vector), key, vector["key"], vector["expires"]))
    expected = urlsplit(vector["expected"]["url"])
    assert made.path == expected.path
    assert sorted(parse_qsl(made.query)) == sorted(parse_qsl(expected.query))


@pytest.mark.parametrize("name", EVERY)
def test_one_change_is_noticed(name, bucket_of):
    vector = EVERY[name]
    bucket, request = bucket_of(vector), request_of(vector)
    signature = vector["expected"]["signature"]
    wrong = ("0" if signature[0] != "0" else "1") + signature[1:]
    query = {name: wrong if value == signature else value for name, value in request.query.items()}
    headers = {name: value.replace(signature, wrong) for name, value in request.headers.items()}
    secret = vector["credentials"]["access_key_secret"] + "x"
    for what, given, where in (
        ("secret", request, bucket_of(vector, access_key_secret=secret)),
        ("signature", replace(request, query=query, headers=headers), bucket),
        ("method", replace(request, method="PATCH"), bucket),
        ("key", replace(request, key=request.key + "/"), bucket),
        ("query", replace(request, query={**request.query, "x-oss-process": "image/resize,w_1"}), bucket),
        ("header", replace(request, headers={**request.headers, "x-oss-object-acl": "default"}), bucket),
        ("type", replace(request, headers={**request.headers, "content-type": "application/json"}), bucket),
    ):
        assert refusal_of(authenticate, given, where) == "403 SignatureDoesNotMatch 0002-00000040", what


@cases("change", "refusal")
def test_each_wrong_header_has_its_refusal(change, refusal, bucket_of):
    vector = EVERY[change.get("of", "h-acl-perm")]
    assert refusal_of(authenticate, request_of(vector, **change), bucket_of(vector)).startswith(refusal)


@cases("change", "refusal")
def test_each_wrong_parameter_has_its_refusal(change, refusal, bucket_of):
    vector = EVERY[change.get("of", "get-plain")]
    assert refusal_of(authenticate, changed_query(vector, **change), bucket_of(vector)) == refusal


@cases("name", "after", "refusal")
def test_a_signature_is_good_in_its_time(name, after, refusal, bucket_of):
    request, bucket = request_of(EVERY[name]), bucket_of(EVERY[name], after)
    assert refusal_of(authenticate, request, bucket) == refusal
    if name == "get-plain" and after == 901:
        bucket.rules = OssRules(expired_url_is_400=True)
        assert refusal_of(authenticate, request, bucket).startswith("400 ")


def test_a_url_and_a_form_die_with_their_token(bucket_of):
    vector = URLS["get-plain-sts"]
    end = datetime.fromisoformat(vector["date_iso"]) + timedelta(seconds=60)
    accounts = accounts_of(TEMPORARY, expires_at=end)
    for after, refusal in ((59, ""), (60, "403 SecurityTokenExpired 0002-00000007")):
        bucket = bucket_of(vector, after, expires_at=end)
        assert refusal_of(authenticate, request_of(vector), bucket) == refusal
        assert refusal_of(entered, TEMPORARY, accounts=accounts, now=bucket.now()) == refusal


@cases("target", "headers")
def test_a_request_with_two_readings_is_not_read(target, headers):
    assert refusal_of(read_request, "GET", target, headers).startswith("400 ")


def test_an_unsigned_request_has_no_account_and_an_unknown_key_or_region_is_refused(bucket_of):
    vector = URLS["get-plain"]
    bucket = bucket_of(vector)
    request = read_request("GET", "/u/42/photo.jpg?x-oss-process=style/a", [("host", "127.0.0.1")])
    assert authenticate(request, bucket) is None
    # A host that is not signed may be any.
    assert authenticate(request_of(vector, host="127.0.0.1:9000"), bucket) is not None
    unknown = bucket_of(vector, access_key_id="LTAIOther")
    assert refusal_of(authenticate, request_of(vector), unknown).startswith("403 InvalidAccessKeyId")
    elsewhere = replace(bucket, region="cn-shanghai")
    assert refusal_of(authenticate, request_of(vector), elsewhere) == "400 InvalidArgument 0002-00000715"


def test_a_refusal_tells_the_string_to_sign_and_not_the_signature(bucket_of):
    vector, form = URLS["get-plain"], V4[0]
    with pytest.raises(OssError) as refused:
        authenticate(changed_query(vector, x_oss_signature="0" * 64), bucket_of(vector))
    assert vector["expected"]["string_to_sign"] == refused.value.details["StringToSign"]
    said = json.dumps(refused.value.details)
    assert vector["expected"]["signature"] not in said
    assert vector["credentials"]["access_key_secret"] not in said
    with pytest.raises(OssError) as refused:
        entered(form, form_of(form, x_oss_signature="0" * 64))
    said = refused.value.message + json.dumps(refused.value.details)
    assert form["x_oss_signature"] not in said and form["access_key_secret"] not in said


OF_FORMS = vectors("post_policy")
V1, V4 = OF_FORMS["v1"] + OF_FORMS["published"], OF_FORMS["v4"]
PLAIN_FORM, TEMPORARY = OF_FORMS["v1"][:2]
OF_V1_AT = datetime(2026, 1, 1, tzinfo=UTC)


def name_of(vector):
    return vector["name"]


def accounts_of(vector, **changes):
    key = AccessKey(vector["access_key_id"], vector["access_key_secret"], vector.get("security_token"))
    return Accounts(replace(key, **changes))


def form_of(vector, **changes):
    """Its form, with fields changed by keyword; ``None`` leaves one out."""
    named = {"policy": "policy_base64", "x-oss-security-token": "security_token"}
    if vector in V4:
        fields = {"x-oss-signature-version": "OSS4-HMAC-SHA256"}
        named |= {
            name: name.replace("-", "_") for name in ("x-oss-credential", "x-oss-date", "x-oss-signature")
        }
    else:
        fields = {}
        named |= {"ossaccesskeyid": "access_key_id", "signature": "signature"}
    fields |= {name: vector[theirs] for name, theirs in named.items() if theirs in vector}
    fields |= {name.replace("_", "-"): value for name, value in changes.items()}
    return Form({name: value for name, value in fields.items() if value is not None})


def entered(vector, form=None, accounts=None, now=None, rules=None):
    """The signer that this form shows, at the instant of its vector."""
    if now is None:
        now = datetime.fromisoformat(vector["date_iso"]) if vector in V4 else OF_V1_AT
    region = vector.get("sign_region", "cn-hangzhou")
    return authenticate_form(
        form or form_of(vector), accounts or accounts_of(vector), region, now, rules or OssRules()
    )


@pytest.mark.parametrize("vector", V1 + V4, ids=name_of)
def test_signatures_of_other_form_signers_are_reproduced_and_accepted(vector):
    secret, policy = vector["access_key_secret"], vector["policy_base64"]
    signer = entered(vector)
    if vector in V4:
        day = vector["x_oss_date"][:8]
        assert sign_v4(secret, day, vector["sign_region"], policy) == vector["x_oss_signature"]
        assert signer.bound_fields == ("x-oss-signature-version", "x-oss-credential", "x-oss-date")
    else:
        assert sign_v1(secret, policy) == vector["signature"]
        assert signer.access_key.access_key_id == vector["access_key_id"]


@pytest.mark.parametrize("vector", V1 + V4, ids=name_of)
@pytest.mark.parametrize("what", ["signature", "policy", "secret", "respelled policy"])
def test_one_changed_character_is_refused(vector, what):
    def changed(text):
        return ("B" if text[0] == "A" else "A") + text[1:]

    form, accounts = form_of(vector), accounts_of(vector)
    if what == "secret":
        accounts = accounts_of(vector, access_key_secret=changed(vector["access_key_secret"]))
    elif what == "respelled policy":  # the same JSON in other bytes
        respelled = json.dumps(json.loads(vector["policy_json"]), indent=1)
        form.fields["policy"] = base64.b64encode(respelled.encode()).decode()
    else:
        field = "x-oss-signature" if vector in V4 and what == "signature" else what
        form.fields[field] = changed(form.fields[field])
    assert "SignatureDoesNotMatch" in refusal_of(entered, vector, form, accounts)


@cases("changes", "refusal")
def test_each_wrong_v4_field_has_its_refusal(changes, refusal):
    assert refusal_of(entered, V4[0], form_of(V4[0], **changes)) == refusal


@cases("age", "strict", "accepted")
def test_the_date_window_closes_on_both_sides(age, strict, accepted):
    now = datetime.fromisoformat(V4[0]["date_iso"]) + timedelta(seconds=age)
    refusal = refusal_of(entered, V4[0], now=now, rules=OssRules(strict_date_window=strict))
    assert refusal == ("" if accepted else "400 InvalidArgument 0002-00000709")


@cases("field", "value", "ec", "text")
def test_v1_wants_all_three_fields(field, value, ec, text):
    with pytest.raises(OssError, match=text) as refused:
        entered(PLAIN_FORM, form_of(PLAIN_FORM, **{field: value}))
    assert (refused.value.refusal.status, refused.value.refusal.ec) == (400, ec)


@cases("token", "refusal")
def test_a_temporary_key_is_nothing_without_its_token(token, refusal):
    accounts = accounts_of(TEMPORARY)
    accounts.add(AccessKey("STS.NTAnother", "secret", "CAISanother/+=="))
    assert refusal_of(entered, TEMPORARY, form_of(TEMPORARY, x_oss_security_token=token), accounts) == refusal
