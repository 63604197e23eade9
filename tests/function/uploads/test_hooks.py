"""uploads.before_sign_hook: ``hooks.py`` may refuse and narrow, and never widen."""

import re
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from copy import deepcopy
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from function.auth import Caller
from function.config.key_template import INNER_FOLDER, KeyTemplate
from function.config.profile import Profile
from function.config.profiles import read_profiles
from function.errors import Forbidden, HooksUnavailable, Misconfigured, UploadError
from function.uploads import before_sign_hook
from function.uploads.before_sign_hook import MAX_LATE, Hooks
from function.uploads.plan import rule_for
from function.uploads.request import UploadRequest
from tests.conftest import TEST_INSTANT
from tests.support.cases import ANYONE, cases_beside, table_beside

cases = cases_beside(__file__)

OWNER = "a" * 26
TABLE = """
[default]
key = "uploads/{owner}/{id}{ext}"
max_size = 1000
min_size = 10
content_types = ["image/*", "application/pdf"]
read = "owner"

[legacy]
key = "test/{owner}/{filename}"
max_size = 1000
"""


@pytest.fixture
def default() -> Profile:
    profiles, problems = read_profiles(TABLE, default_signature="v4")
    assert not problems
    return profiles["default"]


@pytest.fixture
def rules(tmp_path):
    def make(body: str, seconds: float = 20.0, **clock) -> Hooks:
        path = tmp_path / "hooks.py"
        path.write_text(body, "utf-8")
        return Hooks(path, seconds, **clock)

    return make


def apply(rules, profile, wanted=None, **claims):
    wanted = wanted or UploadRequest(filename="a.png", size_bytes=500)
    return rules.apply(Caller("openid", OWNER, ANYONE, claims), wanted, profile, TEST_INSTANT)


def returning(value: str) -> str:
    return f"def before_sign(caller, wanted, profile):\n    return {value}\n"


def why(caught) -> str:
    return str(caught.value.problems[0].sentence)


def test_a_hook_that_returns_none_changes_nothing(rules, default):
    wanted = UploadRequest(filename="a.png")
    assert apply(rules(returning("None")), default, wanted) == (wanted, default)


def test_a_hook_gets_the_caller_the_file_and_the_limits(rules, default):
    context = {"album": [1]}
    wanted = UploadRequest(
        filename="a.png", content_type="image/png", size_bytes=7, sha256="0" * 64, context=context
    )
    body = "from copy import deepcopy\ntold = []\ndef before_sign(*given):\n"
    body += "    told.extend({**each} for each in given)\n"
    body += "    told[1]['context'] = deepcopy(told[1]['context'])\n"
    body += "    given[1]['context']['album'].append(2)\n"
    asked = rules(body)
    assert apply(asked, default, wanted) == (wanted, default)
    caller, file, limits = asked.before_sign.__globals__["told"]
    assert caller == {"subject": "openid", "owner": OWNER, "claims": {}}
    expected = {"filename": "a.png", "contentType": "image/png", "size": 7, "sha256": "0" * 64}
    assert file == {**expected, "context": {"album": [1]}, "now": TEST_INSTANT}
    assert file["now"].utcoffset() == timedelta(0)
    assert limits == {"name": "default", **default.limits}
    # It was told of a copy.
    assert context == {"album": [1]}
    asked.apply(Caller("openid", OWNER, ANYONE._replace(name="any")), wanted, default, TEST_INSTANT)
    assert asked.before_sign.__globals__["told"][3]["caller"] == ANYONE.id


CLAIMS = {"shop": 7, "roles": ["seller", {"of": [1]}], "address": {"city": "杭州"}}


@pytest.mark.parametrize(
    "body",
    [
        "claims == {'shop': 7, 'roles': ('seller', {'of': (1,)}), 'address': {'city': '杭州'}}",
        *(f"not hasattr(claims{inner}, 'update')" for inner in ("", "['address']", "['roles'][1]")),
    ],
)
def test_a_hook_gets_the_verified_claims_read_only(rules, default, body):
    hook = rules(f"def before_sign(caller, *_):\n    claims = caller['claims']\n    assert {body}\n")
    apply(hook, default, **deepcopy(CLAIMS))


def nested(levels: int):
    return {"in": nested(levels - 1)} if levels else 1


@pytest.mark.parametrize("claims", [nested(8), {f"c{n}": n for n in range(64)}, {"a": [[[[[[[1]]]]]]]}])
def test_claims_over_a_bound_are_misconfigured(rules, default, claims):
    hook = rules(returning("None"))
    apply(hook, default, **claims)
    over = {name: [value] for name, value in claims.items()} if len(claims) == 1 else {**claims, "more": 1}
    with pytest.raises(Misconfigured):
        apply(hook, default, **over)


@pytest.mark.parametrize("text", ["x", "好" * 200])
def test_a_refusal_has_the_text_for_the_user_of_up_to_200_characters(rules, default, text):
    with pytest.raises(Forbidden) as caught:
        apply(rules(returning(f"{{'refuse': {text!r}}}")), default)
    assert caught.value.details == {"text": text}
    assert caught.value.message.isascii()


def test_size_types_folder_and_context_are_narrowed(rules, default):
    body = returning(
        "{'max_size': 600, 'content_types': ['image/png'], 'folder': 'shop-7/2026', 'context': {'shop': 7}}"
    )
    wanted, profile = apply(
        rules(body), default, UploadRequest(filename="a.png", context={"shop": 1, "order": 2})
    )
    assert wanted.context == {"shop": 7, "order": 2}
    assert profile.max_size_bytes == 600
    assert profile.content_types == ("image/png",)
    assert profile.key == KeyTemplate("uploads/shop-7/2026/{owner}/{id}{ext}")
    changed = {name: getattr(default, name) for name in ("max_size_bytes", "content_types", "key")}
    assert profile._replace(**changed) == default


@pytest.mark.parametrize(
    ("answer", "field", "value"),
    [
        ("{'content_types': ('image/png', 'image/jpeg')}", "content_types", ("image/png", "image/jpeg")),
        ("{'max_size': 10}", "max_size_bytes", 10),
        ("{'max_size': 10**9}", "max_size_bytes", 1000),
    ],
)
def test_a_limit_of_a_hook_is_taken_within_the_profile_s(rules, default, answer, field, value):
    assert getattr(apply(rules(returning(answer)), default)[1], field) == value


@cases("answer", "reason")
def test_any_other_result_of_a_hook_is_misconfigured(rules, default, answer, reason):
    with pytest.raises(Misconfigured) as caught:
        apply(rules(returning(answer)), default)
    assert caught.value.problems[0].setting == "hooks.py"
    assert reason in why(caught)


@cases("text", "place")
def test_the_line_of_a_hook_s_exception_is_logged(rules, default, text, place):
    with pytest.raises(Misconfigured) as caught:
        apply(rules(text), default)
    assert caught.value.reason.endswith(f" at {place}") and "secret" not in caught.value.reason


def test_a_page_s_folder_may_be_another_inside_its_own_and_its_types_may_not_be_set(rules):
    profiles, _ = read_profiles(TABLE, default_signature="v4")
    with pytest.raises(Misconfigured) as caught:
        apply(rules(returning("{'content_types': ['image/png']}")), profiles["legacy"])
    assert "content_types" in why(caught)
    _, profile = apply(rules(returning("{'folder': 'shop-7', 'max_size': 20}")), profiles["legacy"])
    assert (profile.key.text, profile.max_size_bytes) == ("test/shop-7/{owner}/{filename}", 20)


@pytest.mark.parametrize("option", ["list = true", 'delete = "owner"'])
def test_a_folder_stands_behind_the_owner_where_objects_are_listed_or_deleted(rules, option):
    text = f'[p]\nmax_size = 9\ncontent_types = ["image/*"]\n{option}\nkey = '
    folder = returning("{'folder': 'shop-7'}")
    profiles, _ = read_profiles(text + '"u/{owner}/{id}"', default_signature="v4")
    assert apply(rules(folder), profiles["p"])[1].key.text == "u/{owner}/shop-7/{id}"
    profiles, _ = read_profiles(text + '"u/{owner}-{id}"', default_signature="v4")
    with pytest.raises(Misconfigured):
        apply(rules(folder), profiles["p"])


def test_a_hook_s_folder_leaves_room_for_the_held_key(rules, default):
    folder = returning("{'folder': 'x' * 64}")
    key = KeyTemplate("u" * (1018 - len("/") - 65 - 26 - len("/") - 22 - 11) + "/{owner}/{id}{ext}")
    held = default._replace(key=key, hold=("commit",))
    assert apply(rules(folder), held)[1].key.longest_bytes == 1018
    longer = held._replace(key=KeyTemplate(f"u{key.text}"))
    assert apply(rules(folder), longer._replace(hold=()))[1].key.longest_bytes == 1019
    with pytest.raises(Misconfigured) as caught:
        apply(rules(folder), longer)
    assert "a key of over 1018 bytes" in why(caught)


@cases("text", "reason")
def test_an_unusable_hooks_file_is_misconfigured_with_a_reason(rules, text, reason):
    with pytest.raises(Misconfigured) as caught:
        rules(text)
    assert reason in why(caught)


def test_a_hooks_file_that_is_not_python_is_misconfigured(tmp_path):
    with pytest.raises(Misconfigured) as caught:
        Hooks(tmp_path / "hooks.txt")
    assert "not a Python module" in why(caught)


WAITING = (
    "import threading\ngo_on, began = threading.Event(), threading.Semaphore(0)\n"
    "def before_sign(*_):\n    began.release()\n    go_on.wait()\n"
)


def test_no_call_is_made_while_eight_late_ones_have_not_ended(rules, default):
    waiting, others = rules(WAITING, seconds=0), set(threading.enumerate())
    made = waiting.before_sign.__globals__
    for number in range(MAX_LATE + 2):
        with pytest.raises(HooksUnavailable) as caught:
            apply(waiting, default)
        assert ("8 late" if number >= MAX_LATE else " 0 ms") in caught.value.reason
    late = set(threading.enumerate()) - others
    assert len(late) == MAX_LATE
    made["go_on"].set()
    for thread in late:
        thread.join()
    with pytest.raises(HooksUnavailable):
        apply(waiting, default)
    assert all(made["began"].acquire(timeout=60) for _ in range(MAX_LATE + 1))


@pytest.mark.parametrize(
    ("took", "outcome"), [(19.9, nullcontext()), (20.0, pytest.raises(HooksUnavailable))]
)
def test_a_late_result_is_refused_even_if_its_request_could_not_wake_before(rules, default, took, outcome):
    answers = rules(returning("None"), clock=iter([7.0, 7.0 + took]).__next__)
    with outcome:
        apply(answers, default)


def test_the_log_has_the_budget_of_a_late_call_in_milliseconds(rules, default):
    answers = rules(returning("None"), seconds=0.05, clock=iter([7.0, 7.06]).__next__)
    with pytest.raises(HooksUnavailable) as caught:
        apply(answers, default)
    assert " 50 ms" in caught.value.reason


def test_hooks_are_a_module_named_hooks_run_in_a_daemon_thread(rules, default):
    asked = rules(
        "import threading\n"
        "def before_sign(*_):\n    return {'refuse': f'{__name__} {threading.current_thread().daemon}'}\n"
    )
    with pytest.raises(Forbidden) as caught:
        apply(asked, default)
    assert caught.value.details == {"text": "hooks True"}


CLOSED = table_beside(__file__)["CLOSED"]
CALLS_OUT = table_beside(__file__)["CALLS_OUT"]
# Python 3.11 reports no thread that starts; the page says so.
CALLS_OUT += ["import threading; threading.Thread(target=print).start()"] * (sys.version_info >= (3, 12))


def test_a_hook_may_use_no_network_and_other_code_may(tmp_path):
    done = subprocess.run(
        [sys.executable, "-B", "-c", CLOSED, str(tmp_path / "hooks.py"), TABLE],
        input="\n".join(CALLS_OUT),
        capture_output=True,
        text=True,
        timeout=600,
    )
    refused = [f"hooks.py cannot be used: {what} raised PermissionError" for what in ("it", "importing it")]
    assert done.stdout.splitlines() == [*refused * len(CALLS_OUT), "0"], done.stderr


junk = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5000),
    st.text(max_size=12),
    st.lists(st.sampled_from(["image/png", "image/*", "video/mp4", "text/html", "application/pdf", "x", 7])),
    st.sampled_from(["a", "a/b", "../a", "/a", "a//b", "held", "{id}", "a/b/c/d", "x" * 65]),
    st.dictionaries(st.text(max_size=4), st.one_of(st.integers(), st.text(max_size=300)), max_size=3),
)
answers = st.one_of(
    junk,
    st.dictionaries(
        st.sampled_from([*before_sign_hook.RESULTS, "acl", "key", "expires_in"]), junk, max_size=5
    ),
)


@given(
    answer=answers,
    filename=st.sampled_from(["a.png", "a.pdf", "a.mp4", "a.html", None]),
    size=st.sampled_from([None, 9, 10, 500, 1000, 1001]),
)
def test_no_hook_result_widens_the_signed_form(answer, filename, size):
    default = read_profiles(TABLE, default_signature="v4")[0]["default"]
    rules = object.__new__(Hooks)
    rules._call = lambda *_arguments: answer
    wanted = UploadRequest(filename=filename, content_type=None if filename else "image/png", size_bytes=size)
    try:
        narrowed, profile = rules.apply(Caller("openid", OWNER, ANYONE), wanted, default, TEST_INSTANT)
        rule = rule_for(narrowed, profile, owner=OWNER, upload_id="i" * 22, now=TEST_INSTANT)
    except UploadError:
        return
    assert default.min_size_bytes <= rule.min_size_bytes <= rule.max_size_bytes <= default.max_size_bytes
    assert default.admits(rule.content_type)
    assert re.fullmatch(rf"uploads/({INNER_FOLDER}/)?{OWNER}/i{{22}}(\.[a-z]+)?", rule.key)
    pinned = {"x-oss-object-acl": "default", "x-oss-forbid-overwrite": "true"}
    assert rule.form.fields.items() >= pinned.items()
    assert rule.expires_at == TEST_INSTANT + default.expires_in
    assert narrowed._replace(context=None) == wanted._replace(context=None)


CLOSED_EVENTS = table_beside(__file__)["CLOSED_EVENTS"]


@pytest.mark.parametrize("event", CLOSED_EVENTS)
def test_only_where_the_rules_work_is_the_network_closed(rules, default, event):
    """The interpreter would call it, untraced; here the rules do, as any other function."""
    refuse = "from function.uploads.before_sign_hook import _refuse_forbidden as do\ndo('open', ())\n"
    with pytest.raises(Misconfigured) as caught:
        rules(f"{refuse}do({event!r}, ())\n")
    assert "importing it raised PermissionError" in why(caught)
    asked = rules(f"{refuse}def before_sign(*_):\n    do('open', ())\n    do({event!r}, ())\n")
    with pytest.raises(Misconfigured) as caught:
        apply(asked, default)
    assert "it raised PermissionError" in why(caught)
    before_sign_hook._refuse_forbidden(event, ())
    # Nor for a thread that never knew of rules.
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(before_sign_hook._refuse_forbidden, event, ()).result() is None


def test_the_interpreter_is_hooked_once_however_many_rules_there_are(rules, monkeypatch):
    added = []
    monkeypatch.setattr(sys, "addaudithook", added.append)
    before_sign_hook._watch.cache_clear()
    for _ in range(3):
        rules(returning("None"))
    assert added == [before_sign_hook._refuse_forbidden]
