"""The code on the English pages does what they say; ``test_pages`` holds the Chinese to the same code."""

import subprocess
from datetime import UTC, datetime

import pytest

from function.auth import Caller
from function.config.profiles import read_profiles
from function.errors import Forbidden
from function.uploads.before_sign_hook import Hooks
from function.uploads.request import UploadRequest
from tests.docs.markdown import ROOT, code_blocks, page
from tests.support.cases import ANYONE

CLIENT_PAGES = ("docs/client.md", "docs/large-files.md")


def test_the_copy_lines_copy_the_client(tmp_path):
    blocks = [block for name in CLIENT_PAGES for block in code_blocks(page(name))]
    lines = "\n".join(code for kind, code in blocks if kind == "bash")
    (tmp_path / "miniprogram").symlink_to(ROOT / "miniprogram")
    subprocess.run(["bash", "-euc", lines], cwd=tmp_path, timeout=600, check=True)
    copied = tmp_path / "your-app/utils/oss-direct-upload"
    pasted = ROOT / "miniprogram/example/utils/oss-direct-upload"
    for path in (each for each in pasted.rglob("*") if each.is_file()):
        assert (copied / path.relative_to(pasted)).read_bytes() == path.read_bytes()


def test_the_hooks_on_the_page_work_as_described(tmp_path):
    (code,) = [code for kind, code in code_blocks(page("docs/profiles.md")) if kind == "python"]
    (tmp_path / "hooks.py").write_text(code, "utf-8")
    profiles, _ = read_profiles((ROOT / "profiles.example.toml").read_text("utf-8"), default_signature="v4")
    rules, default = Hooks(tmp_path / "hooks.py", 20.0), profiles["default"]
    seller, request = (
        Caller("openid", "a" * 26, ANYONE, {"shop": 7}),
        UploadRequest(context={"shop": 8, "order": 2}),
    )
    wanted, profile = rules.apply(seller, request, default, datetime(2026, 11, 24, 13, 59, tzinfo=UTC))
    assert wanted.context == {"shop": 7, "order": 2}
    assert profile.key.text == default.key.text.replace("uploads/", "uploads/shop-7/")
    assert (profile.max_size_bytes, profile.content_types) == (2 * 1024**2, ("image/jpeg",))
    for caller, hour in ((Caller("openid", "a" * 26, ANYONE), 13), (seller, 14)):
        with pytest.raises(Forbidden):
            rules.apply(caller, request, default, datetime(2026, 11, 24, hour, tzinfo=UTC))


def test_each_profile_on_the_page_is_valid():
    shown = [code for kind, code in code_blocks(page("docs/profiles.md")) if kind == "toml"]
    assert len([read_profiles(text, default_signature="v4") for text in shown]) == len(shown) > 1
