"""Hooks in the routes: forms, several files, multipart uploads, reading."""

import json
from base64 import b64decode
from functools import partial

import jwt
import pytest

from tests.support.cases import profile_toml

OWNER_KEY = "jwt-key-0123456789abcdef0123456789abcdef"
SECRET = "t" * 31 + "s"
PROFILES = profile_toml("default", "uploads", max_size="10MiB", read="callers", parts=True)
RULES = """
def before_sign(caller, wanted, profile):
    context = wanted["context"] or {}
    if context.get("shop") == 13:
        return {"refuse": "这家店今天不收图片。"}
    if "shop" in context:
        return {"folder": f"shop-{context['shop']}", "max_size": 1000, "context": {"checked": True}}
"""


@pytest.fixture
def build(instance, profiles_file, good_sts, tmp_path):
    path = tmp_path / "hooks.py"
    path.write_text(RULES, "utf-8")
    return partial(instance, PROFILES_FILE=profiles_file(PROFILES), TOKEN_SECRET=SECRET, hooks_file=path)


@pytest.fixture
def ruled(build):
    return build()


def wanting(shop=None, **fields):
    return {"filename": "a.png", **({} if shop is None else {"context": {"shop": shop}}), **fields}


def test_hooks_narrow_a_form(ruled):
    form = ruled.ask(body=wanting(7)).json
    assert form["key"].startswith("uploads/shop-7/public/")
    assert form["maxSize"] == 1000
    policy = json.loads(b64decode(form["formData"]["policy"]))["conditions"]
    assert ["content-length-range", 1, 1000] in policy


def test_a_refusal_by_hooks_is_forbidden_with_its_message(ruled, log_lines):
    answer = ruled.ask(body=wanting(13))
    assert (answer.status, answer.code) == (403, "forbidden")
    assert answer.json["error"]["text"] == "这家店今天不收图片。"
    assert log_lines()[-1]["code"] == "forbidden"


def test_one_refused_file_refuses_all(ruled, good_sts):
    answer = ruled.ask(body={"files": [wanting(7), wanting(13)]})
    assert answer.status == 403
    assert len(good_sts.calls) == 0
    several = ruled.ask(body={"files": [wanting(7), wanting(8), wanting()]}).json["uploads"]
    assert [form["key"].split("/")[1] for form in several] == ["shop-7", "shop-8", "public"]


def test_hooks_apply_to_multipart_uploads_before_oss_is_called(ruled):
    answer = ruled.ask(path="/multipart", body=wanting(13, size=10))
    assert (answer.status, answer.json["error"]["text"]) == (403, "这家店今天不收图片。")
    too_large = ruled.ask(path="/multipart", body=wanting(7, size=1001))
    assert too_large.status == 413


def test_objects_in_a_folder_of_the_hooks_can_be_read(ruled):
    key = ruled.ask(body=wanting(7)).json["key"]
    assert ruled.ask(path="/read", body={"key": key}).status == 200
    assert ruled.ask(path="/read", body={"key": key.replace("shop-7/", "")}).status == 200
    assert ruled.ask(path="/read", body={"key": key.replace("shop-7", "a/b/c/d")}).status == 403


def test_broken_hooks_sign_nothing_and_are_logged(ruled, tmp_path, good_sts, log_lines):
    (tmp_path / "hooks.py").write_text("def before_sign(*_):\n    return {'acl': 'public-read'}\n", "utf-8")
    answer = ruled.ask(body=wanting())
    assert (answer.status, answer.code) == (500, "misconfigured")
    assert "hooks.py" not in answer.text
    assert "hooks.py cannot be used" in log_lines()[-1]["reason"]
    assert len(good_sts.calls) == 0


@pytest.mark.parametrize(("path", "size"), [("/upload-params", None), ("/multipart", 10)])
def test_a_late_hook_is_to_be_tried_again(build, good_sts, log_lines, path, size):
    late = build(hooks_seconds=0)
    answer = late.ask(path=path, body=wanting(size=size))
    assert (answer.status, answer.code, answer.headers["Retry-After"]) == (503, "hooks_unavailable", "2")
    assert "hooks.py" in log_lines()[-1]["reason"]
    assert len(good_sts.calls) == 0


def test_only_the_claims_of_a_valid_business_token_reach_hooks(build, tmp_path):
    (tmp_path / "hooks.py").write_text(
        "def before_sign(caller, wanted, _):\n"
        "    return {'refuse': f\"{sorted(caller['claims'])} {wanted['now']}\"}\n",
        "utf-8",
    )
    own = build(CALLER_AUTH="jwt", JWT_KEY=OWNER_KEY, JWT_ALGORITHM="HS256")
    claims = {"sub": "one", "exp": int(own.clock().timestamp()) + 60, "shop": 7}
    headers = {"authorization": f"Bearer {jwt.encode(claims, OWNER_KEY, algorithm='HS256')}"}
    for function, seen in ((own, ["exp", "shop", "sub"]), (build(), [])):
        refused = function.ask(body=wanting(), headers=headers)
        assert refused.json["error"]["text"] == f"{seen} {own.clock()}"


def test_owners_read_only_their_own_objects_in_any_folder(instance, profiles_file, good_sts, tmp_path):
    (tmp_path / "hooks.py").write_text(RULES, "utf-8")
    own = instance(
        PROFILES_FILE=profiles_file(PROFILES.replace('"callers"', '"owner"')),
        TOKEN_SECRET=SECRET,
        CALLER_AUTH="jwt",
        JWT_KEY=OWNER_KEY,
        JWT_ALGORITHM="HS256",
        hooks_file=tmp_path / "hooks.py",
    )
    ends = int(own.clock().timestamp()) + 60
    one, other = (
        {"authorization": f"Bearer {jwt.encode({'sub': name, 'exp': ends}, OWNER_KEY, algorithm='HS256')}"}
        for name in ("one", "other")
    )
    key, key_of_other = (own.ask(body=wanting(7), headers=headers).json["key"] for headers in (one, other))
    # The folder that looks like the owner is none.
    forged = key.replace("shop-7", key_of_other.split("/")[2])
    for read, headers, status in ((key, one, 200), (key, other, 403), (forged, other, 403)):
        assert own.ask(path="/read", body={"key": read}, headers=headers).status == status
