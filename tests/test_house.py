"""The structure of the house: which module may import which, and what happens at import."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Each module of the function with the ones it may import (beside the standard library).
MAY_IMPORT = {
    "errors": set(),
    "profiles": set(),
    "settings": {"errors", "profiles", "cryptography"},
    "http_trigger": {"errors"},
    "outgoing_http": {"requests", "urllib3"},
    "tokens": {"errors", "jwt"},
    "rate_limit": {"errors", "settings"},
    "sts_credentials": {"errors", "outgoing_http", "aliyunsdkcore", "aliyunsdksts"},
    "credentials_cache": {"errors", "sts_credentials"},
    "post_policy": {"sts_credentials"},
    "callers": {"errors", "outgoing_http", "settings", "tokens", "jwt"},
    "upload_request": {"errors", "profiles"},
    "upload_callback": {
        *("callers", "errors", "outgoing_http", "profiles", "rate_limit", "settings", "tokens"),
        *("upload_request", "cryptography"),
    },
    "upload_params": {
        *("callers", "errors", "post_policy", "profiles", "settings", "sts_credentials"),
        *("upload_callback", "upload_request"),
    },
    "handler": {
        *("callers", "credentials_cache", "errors", "http_trigger", "outgoing_http", "post_policy"),
        *("rate_limit", "settings", "sts_credentials", "upload_callback", "upload_params", "upload_request"),
    },
}
# They cost a cold start dearly, so they are imported where they are used.
ONLY_INSIDE_FUNCTIONS = {"aliyunsdkcore", "aliyunsdksts", "cryptography", "jwt", "requests", "urllib3"}


def imports_of(path: Path, *, top_level_only: bool = False) -> set[str]:
    tree = ast.parse(path.read_text("utf-8"))
    nodes = tree.body if top_level_only else ast.walk(tree)
    names = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names


def foreign(names: set[str]) -> set[str]:
    return names - set(sys.stdlib_module_names)


@pytest.mark.parametrize("name", sorted(MAY_IMPORT))
def test_a_module_imports_only_what_stands_below_it(name):
    assert foreign(imports_of(ROOT / f"{name}.py")) <= MAY_IMPORT[name]


def test_every_module_of_the_function_has_its_place_in_the_table():
    modules = {path.stem for path in ROOT.glob("*.py")} - {"manage"}
    assert modules == set(MAY_IMPORT)


def test_imports_go_in_one_direction():
    done: set[str] = set()
    left = {name: imports & set(MAY_IMPORT) for name, imports in MAY_IMPORT.items()}
    while left:
        ready = {name for name, imports in left.items() if imports <= done}
        assert ready, f"a circle among {sorted(left)}"
        done |= ready
        left = {name: imports for name, imports in left.items() if name not in ready}


@pytest.mark.parametrize("name", sorted(MAY_IMPORT))
def test_costly_packages_are_imported_where_they_are_used(name):
    assert not imports_of(ROOT / f"{name}.py", top_level_only=True) & ONLY_INSIDE_FUNCTIONS


def test_signing_sees_no_clock_environment_network_or_log():
    allowed = {"hmac", "json", "base64", "collections", "dataclasses", "datetime", "functools", "typing"}
    assert imports_of(ROOT / "post_policy.py") <= allowed | {"sts_credentials"}
    assert "sts_credentials" not in imports_of(ROOT / "post_policy.py", top_level_only=True)
    assert "now(" not in (ROOT / "post_policy.py").read_text("utf-8")


def test_the_local_cloud_shares_no_code_with_the_function():
    for path in (ROOT / "local").rglob("*.py"):
        assert not imports_of(path) & set(MAY_IMPORT), path


def test_the_operator_s_command_gets_as_far_as_its_sentence_on_an_old_python():
    tree = ast.parse((ROOT / "manage.py").read_text("utf-8"), feature_version=(3, 6))
    hints = [hint for node in ast.walk(tree) if isinstance(node, ast.arg) and (hint := node.annotation)]
    hints += [hint for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and (hint := node.returns)]
    assert hints and not any(isinstance(part, ast.Subscript) for hint in hints for part in ast.walk(hint))


def test_importing_the_handler_only_defines():
    """No environment is read, no handler installed, nothing of the SDK loaded."""
    script = (
        "import json, logging, os, sys\n"
        "class Environ(dict):\n"
        "    def __getitem__(self, name): raise AssertionError(name)\n"
        "    get = __getitem__\n"
        "os.environ = Environ()\n"
        "import handler\n"
        "print(json.dumps([sorted({name.partition('.')[0] for name in sys.modules}),"
        " len(logging.getLogger().handlers), len(logging.getLogger('oss_direct_upload').handlers)]))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    modules, root_handlers, own_handlers = json.loads(shown.stdout)
    assert not set(modules) & ONLY_INSIDE_FUNCTIONS
    assert (root_handlers, own_handlers) == (0, 0)


def test_a_cold_start_loads_nothing_that_a_form_does_not_need():
    script = (
        "import json, sys\n"
        "import handler, sts_credentials\n"
        "sts_credentials._new_client(sts_credentials.AccessKeys('id', 'secret', 'token'), 'cn-hangzhou')\n"
        "real = [name for name, module in sys.modules.items() if getattr(module, '__spec__', None)]\n"
        "print(json.dumps(real))"
    )
    shown = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, '.')\n{script}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    loaded = set(json.loads(shown.stdout))
    assert {"aliyunsdkcore.client", "aliyunsdkcore.vendored.requests"} <= loaded
    unwanted = {"cryptography", "dataclasses", "inspect", "jmespath", "jwt", "requests", "xml.dom"}
    unwanted |= {"aliyunsdkcore.vendored.requests.packages.chardet"}
    assert not loaded & unwanted
