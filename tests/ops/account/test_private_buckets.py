"""private_buckets: a bucket that is not private is refused where a profile has ``strip``."""

import io

import pytest
import responses

from ops.account.private_buckets import public_buckets
from ops.terminal.screen import Screen
from tests.conftest import ENVIRONMENT

KEYS = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "LTAIexample", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "canary"}
SECRET = "canary-0123456789abcdef0123456789abcdef"
PROFILE = """
[post]
key = "posts/{owner}/{id}{ext}"
max_size = "1MiB"
content_types = ["image/jpeg"]
confirm = true
hold = ["commit"]
"""
ACL = """<AccessControlPolicy><Owner><ID>1</ID><DisplayName>1</DisplayName></Owner>
<AccessControlList><Grant>{}</Grant></AccessControlList></AccessControlPolicy>"""
REFUSAL = "<Error><Code>AccessDenied</Code><Message>m</Message></Error>"


@pytest.fixture
def found(tmp_path):
    """Ask about a bucket: the problems, and what was printed."""

    def ask(options, *answers):
        (tmp_path / "profiles.toml").write_text(PROFILE + options)
        environ = {
            **ENVIRONMENT,
            **KEYS,
            "TOKEN_SECRET": SECRET,
            "PROFILES_FILE": str(tmp_path / "profiles.toml"),
        }
        printed = io.StringIO()
        with responses.RequestsMock() as oss:
            for status, body in answers:
                oss.get(
                    f"https://{environ['OSS_BUCKET']}.oss-cn-hangzhou.aliyuncs.com/", status=status, body=body
                )
            problems = public_buckets(environ, Screen(printed), "en")
        return [problem.en for problem in problems], printed.getvalue()

    return ask


@pytest.mark.parametrize("acl", ["public-read", "public-read-write"])
def test_a_public_bucket_is_refused_for_a_profile_with_strip(found, acl):
    [problem], printed = found("strip = true\n", (200, ACL.format(acl)))
    assert acl in problem and "[post]" in problem and printed == ""


def test_a_private_bucket_is_fine(found):
    assert found("strip = true\n", (200, ACL.format("private"))) == ([], "")


def test_no_bucket_is_read_without_strip(found):
    assert found("") == ([], "")


def test_an_unreadable_acl_is_a_warning(found):
    problems, printed = found("strip = true\n", (403, REFUSAL))
    assert problems == [] and ENVIRONMENT["OSS_BUCKET"] in printed and "canary" not in printed
