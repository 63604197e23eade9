"""``profiles.toml`` as JSON: written where the function reads the same from it, else left out."""

import json
import tomllib
from hashlib import sha256

import pytest

from ops.package.profiles import prepare_profiles
from tests.ops.package.project import ROOT
from tests.ops.package.services import run_bare, settings

SHIPPED = (ROOT / "profiles.example.toml").read_text("utf-8")


def prepare(folder, content):
    (folder / "profiles.toml").write_bytes(content)
    (folder / "profiles.json").write_text("of an older build", "utf-8")
    is_written = prepare_profiles(folder)
    assert is_written is (folder / "profiles.json").exists()
    return json.loads((folder / "profiles.json").read_text("utf-8")) if is_written else None


@pytest.mark.parametrize(
    "text",
    [
        SHIPPED,
        "",
        '["头像"]\ntitle = "头像"\nkey = "a/{id}"\n',
        "[p]\nlist = true\nparts_within = 1\nhold_days = 1.0\nmax_size = inf\nhold = [[], {a = 1}]\n",
        '[p]\r\nkey = "a"\r\n',
    ],
    ids=["shipped", "empty", "Chinese", "every type", "CR LF"],
)
def test_the_json_has_what_the_file_says_under_the_hash_of_its_text(tmp_path, text):
    prepared = prepare(tmp_path, text.encode())
    read = text.replace("\r\n", "\n")
    assert repr(prepared) == repr({sha256(read.encode()).hexdigest(): tomllib.loads(read)})


@pytest.mark.parametrize(
    "text",
    [
        "[p\n",
        "a = 1\na = 2\n",
        "[p]\nsince = 2026-11-28\n",
        f"a = {'[' * 5000}{']' * 5000}\n",
        "a = '\udcff'",
    ],
    ids=["no TOML", "twice", "a date", "deep", "no UTF-8"],
)
def test_a_file_that_json_cannot_hold_is_left_to_the_function(tmp_path, text):
    assert prepare(tmp_path, text.encode("utf-8", "surrogateescape")) is None


READ = """
import json, os, sys
sys.path.insert(0, sys.argv[1])
from function.app import load_settings
settings = load_settings(os.environ)
sizes = {name: profile.max_size_bytes for name, profile in settings.profiles.items()}
print(json.dumps([sizes, "tomllib" in sys.modules]))
"""


def test_a_packaged_function_reads_no_toml(package, python312):
    own = {"CALLER_AUTH": "wechat", "WECHAT_APPID": "wx0123456789abcdef", "WECHAT_SECRET": "s"}
    environ = settings("http://127.0.0.1:9", PROFILES_FILE="profiles.toml", **own)
    sizes, is_toml_read = json.loads(run_bare(python312, READ, package[0], environ))
    assert (sizes["default"], is_toml_read) == (10 * 2**20, False)
