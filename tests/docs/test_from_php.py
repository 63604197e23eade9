"""The PHP lines on the page of signers do what the page says, and the function gives the fields it names."""

import re
import subprocess
from datetime import UTC, datetime

import pytest

from function.app import load_settings
from function.auth.jwt import identify
from function.config.profiles import read_profiles
from tests.docs.backends.run import skip_without
from tests.docs.markdown import code_blocks, page

NAME = "docs/from-php.md"
(TOKEN,) = [code for kind, code in code_blocks(page(NAME)) if kind == "php"]


def run_php(lines):
    command = ["php", "-r", lines]
    skip_without([command])
    return subprocess.run(command, capture_output=True, text=True, timeout=600, check=True).stdout


def test_the_token_of_php_is_taken_by_the_function(environment):
    secret = "php-secret-0123456789abcdef0123456789"
    token = run_php(f"{TOKEN}\necho upload_token('user-7', '{secret}');")
    jwt = {"CALLER_AUTH": "jwt", "JWT_KEY": secret, "JWT_ALGORITHM": "HS256", "TOKEN_SECRET": secret[::-1]}
    settings = load_settings({**environment, **jwt})
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
