"""The PHP lines on the page of signers do what the page says, and the function gives the fields it names."""

import json
import re
import subprocess
from contextlib import ExitStack
from datetime import UTC, datetime

import pytest
import requests

from function.app import load_settings
from function.auth.jwt import identify
from function.config.profiles import read_profiles
from local.addresses import FUNCTION_KEY
from tests.docs.backends.run import skip_without
from tests.docs.markdown import code_blocks, page
from tests.ops.client.conftest import start_cloud

NAME = "docs/from-php.md"
SIGNER, TOKEN = [code for kind, code in code_blocks(page(NAME)) if kind == "php"]


def run_php(lines):
    command = ["php", "-r", lines]
    skip_without([command])
    return subprocess.run(command, capture_output=True, text=True, timeout=600, check=True).stdout


def test_the_copied_signer_lets_anyone_store_any_name_and_type(tmp_path):
    """What the page warns of is so; the local OSS takes a V1 form of a long-lived key."""
    with ExitStack() as stack:
        cloud = start_cloud(stack, tmp_path, "anonymous")
        lines = SIGNER.replace("LTAI5t…", FUNCTION_KEY.access_key_id)
        lines = lines.replace("'secret'", f"'{FUNCTION_KEY.access_key_secret}'")
        form = json.loads(run_php(re.sub(r"https://my-bucket[^']+", cloud.oss.origin, lines)))
        fields = {
            "OSSAccessKeyId": form["accessid"],
            "policy": form["policy"],
            "signature": form["signature"],
        }
        for name in ("one.html", "another.html"):
            sent = {"key": form["dir"] + name, **fields, "x-oss-content-type": "text/html"}
            assert (
                requests.post(form["host"], data=sent, files={"file": b"<p>"}, timeout=60).status_code == 204
            )


def test_the_token_of_php_is_taken_by_the_function():
    secret = "php-secret-0123456789abcdef0123456789"
    token = run_php(f"{TOKEN}\necho upload_token('user-7', '{secret}');")
    environ = {
        "CALLER_AUTH": "jwt",
        "JWT_KEY": secret,
        "JWT_ALGORITHM": "HS256",
        "TOKEN_SECRET": secret[::-1],
    }
    place = {"OSS_BUCKET": "b-1", "OSS_REGION": "cn-hangzhou", "STS_ROLE_ARN": "acs:ram::1:role/upload"}
    settings = load_settings({**environ, **place})
    caller = identify({"authorization": f"Bearer {token}"}, settings.only, settings, datetime.now(UTC))
    assert caller.subject == "user-7"


@pytest.mark.parametrize("version", ["v1", "v4"])
def test_the_page_names_each_field_of_the_response(version, instance, good_sts, tmp_path):
    (profile,) = [code for kind, code in code_blocks(page(NAME)) if kind == "toml"]
    assert read_profiles(profile, default_signature="v4")[0]["legacy"].signature_version == "v1"
    file = tmp_path / "profiles.toml"
    file.write_text(profile.replace('"v1"', f'"{version}"'))
    given = instance(PROFILES_FILE=str(file)).ask(body={"profile": "legacy", "filename": "a.jpg"}).json
    (script,) = [code for kind, code in code_blocks(page(NAME)) if kind == "js"]
    assert set(re.findall(r"data\.(\w+)", script)) >= set(given) - {"expire"}
