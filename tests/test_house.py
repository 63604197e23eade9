"""The structure of the house: who may import whom, and what happens at import."""

import ast
import json
import re
import subprocess
import sys
import time
import tomllib
from functools import cache
from pathlib import Path

import jwt
import pytest

from function import VERSION
from function.app import ROUTES
from function.auth import all_settings
from function.config.option_table import OPTION_NAMES
from quality import architecture, house
from tests.conftest import ENVIRONMENT, PLAIN_PROFILES
from tests.support.stage import make_event

ROOT = Path(__file__).parents[1]
# From the ground up; a module imports what stands on a lower floor, or before it on its own, and of another
# room of its own floor nothing. ``room/`` stands for the modules of one folder, which may use each other.
FLOORS = (
    "bytecode function function.annotations function.messages function.errors function.config/".split(),
    "function.time_limit function.tls_trust function.http/ function.request_log function.sts/"
    " function.limits/ sts_credentials".split(),
    "function.context function.oss/ function.wechat/".split(),
    "function.auth/".split(),
    "function.webhook function.moderation/ function.ai_label/ function.uploads/".split(),
    "function.multipart/ function.holding/ function.reading function.owners/ function.lifecycle/".split(),
    "function.operations/ function.routes/".split(),
    "function.app handler burst_server".split(),
)
ROOMS = tuple(
    f"function.{room}"
    for room in (
        "config http sts limits oss wechat auth moderation ai_label uploads multipart holding owners"
        " lifecycle operations routes".split()
    )
)
# They cost a cold start dearly, so they are imported where they are used.
ONLY_INSIDE_FUNCTIONS = {"aliyunsdkcore", "aliyunsdksts", "cryptography", "jwt", "certifi", "redis"}
# Each foreign package with the modules that know it.
KNOWN_TO = {
    "aliyunsdkcore": {"function.sts.aliyun_sdk"},
    "aliyunsdksts": {"function.sts.assume_role"},
    "jwt": {"function.auth.jwt"},
    "cryptography": {
        *("function.config.jwt_key", "function.auth.alipay"),
        *("function.oss.callback_signature", "function.wechat.push"),
    },
    "redis": {"function.limits.redis_connection"},
    # The server of the deployment for bursts, which no other deployment has.
    "waitress": {"burst_server"},
}


PATHS = (
    *(
        ROOT / f"{name}.py"
        for name in ("handler", "bytecode", "sts_credentials", "deploy/burst/burst_server")
    ),
    *(ROOT / "function").rglob("*.py"),
)


def dotted(path):
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    return name.removeprefix("deploy.burst.")


MODULES = {dotted(path): path for path in PATHS}


def room_of(module):
    if any(module in floor for floor in FLOORS):
        return module
    return next((room for room in ROOMS if module == room or module.startswith(f"{room}.")), module)


def place_of(module):
    """Floor, and place on it."""
    name = f"{room_of(module)}/" if room_of(module) in ROOMS else module
    return next((floor, names.index(name)) for floor, names in enumerate(FLOORS) if name in names)


@cache
def modules_imported_by(path: Path, *, top_level_only: bool = False) -> frozenset[str]:
    """Dotted names; ``from function.oss import objects`` counts as the package and as the module."""
    tree = ast.parse(path.read_text("utf-8"))
    names = set()
    for node in tree.body if top_level_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            below = {f"{node.module}.{alias.name}" for alias in node.names} & set(MODULES)
            names |= {node.module, *below}
    return frozenset(names)


def imports_of(path: Path, *, top_level_only: bool = False) -> set[str]:
    """The first words of these names."""
    names = modules_imported_by(path, top_level_only=top_level_only)
    return {name.partition(".")[0] for name in names}


def is_below(imported, importer):
    if room_of(imported) == room_of(importer):
        return True
    floor, place = place_of(imported)
    own_floor, own_place = place_of(importer)
    return (floor, place) < (own_floor, own_place)


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_go_down_and_never_to_another_room_of_the_same_floor(module):
    ours = modules_imported_by(MODULES[module]) & set(MODULES)
    assert [name for name in ours if not is_below(name, module)] == []


def test_a_circle_of_imports_is_found():
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}
    assert architecture.circles(graph) == ["a", "b", "c"]
    imports = architecture.imports()
    assert "function.holding.delete_by_key" in imports["function.holding.replaced_deletion"]
    assert "function.sts.aliyun_sdk" in imports["function.sts.assume_role"]


def test_every_module_has_its_place_on_a_floor():
    named = {name.rstrip("/") for floor in FLOORS for name in floor}
    assert {room_of(module) for module in MODULES} == named


@pytest.mark.parametrize("module", sorted(MODULES))
def test_each_foreign_package_is_known_to_its_modules_only(module):
    ours = {*sys.stdlib_module_names, "bytecode", "function", "handler", "sts_credentials"}
    packages = imports_of(MODULES[module]) - ours
    assert packages <= set(KNOWN_TO)
    assert all(module in KNOWN_TO[package] for package in packages)


@pytest.mark.parametrize("module", sorted(MODULES))
def test_costly_packages_are_imported_where_they_are_used(module):
    assert not imports_of(MODULES[module], top_level_only=True) & ONLY_INSIDE_FUNCTIONS


# Of function.oss the half that signs; the other makes the calls.
PURE = tuple(f"function.oss{name}" for name in ("", ".instants", ".post_form", ".presign", ".signature_v4"))


@pytest.mark.parametrize("module", PURE)
def test_signing_sees_no_clock_environment_network_or_log(module):
    allowed = "hashlib hmac json base64 collections datetime functools types urllib function"
    assert imports_of(MODULES[module]) <= {*allowed.split()}
    ours = {name for name in modules_imported_by(MODULES[module]) if name.startswith("function")}
    assert ours <= {*PURE, "function.annotations"}
    assert "now(" not in MODULES[module].read_text("utf-8")


@pytest.mark.parametrize("figure", [*house.FIGURES, *house.WARM_FIGURES], ids=lambda figure: figure.name)
def test_a_figure_is_within_its_cap(figure):
    if figure.name.startswith("Python calls") and house.python_3_12() is None:
        pytest.skip("needs Python 3.12 (apt install python3.12)")
    assert figure.value() <= figure.cap, figure.found()


def test_architecture_has_the_table_of_floors():
    """Made by ``python -m quality.house --floors``."""
    assert architecture.floor_table(FLOORS) in (ROOT / "ARCHITECTURE.md").read_text("utf-8")


@pytest.mark.parametrize("folder", ["ops", "local"])
def test_a_module_around_the_function_has_at_most_270_lines(folder):
    lines = {path: len(path.read_text("utf-8").splitlines()) for path in (ROOT / folder).rglob("*.py")}
    assert len(lines) > 30
    assert [path.name for path, count in lines.items() if count > 270] == []


# Each room of the operator's commands uses those before it; a room inside one belongs to it.
ROOMS_OF_OPS = "terminal deploy explain account client package run doctor".split()


def test_every_room_of_the_operator_has_its_place():
    assert {path.parent.name for path in (ROOT / "ops").glob("*/__init__.py")} == set(ROOMS_OF_OPS)
    assert [path.parent.name for path in (ROOT / "ops").glob("*/*/__init__.py")] == ["proof"]
    assert [path.name for path in (ROOT / "ops").glob("*.py")] == ["__init__.py"]


@pytest.mark.parametrize("room", ROOMS_OF_OPS)
def test_a_room_of_the_operator_uses_only_those_before_it(room):
    may_use = set(ROOMS_OF_OPS[: ROOMS_OF_OPS.index(room) + 1])
    for path in (ROOT / "ops" / room).rglob("*.py"):
        used = {name.split(".")[1] for name in modules_imported_by(path) if name.startswith("ops.")}
        assert used <= may_use, path


def test_the_local_cloud_shares_no_code_with_the_function():
    for path in (ROOT / "local").rglob("*.py"):
        assert not imports_of(path) & {"function", "sts_credentials"}, path
        if path != ROOT / "local" / "fc" / "gateway.py":
            assert "handler" not in modules_imported_by(path), path


def test_the_operator_s_command_gets_as_far_as_its_sentence_on_an_old_python():
    tree = ast.parse((ROOT / "manage.py").read_text("utf-8"), feature_version=(3, 6))
    hints = [hint for node in ast.walk(tree) if isinstance(node, ast.arg) and (hint := node.annotation)]
    hints += [hint for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and (hint := node.returns)]
    assert hints and not any(isinstance(part, ast.Subscript) for hint in hints for part in ast.walk(hint))


def in_another_process(script, environ=None, *options):
    """Run a program, and return the JSON that it prints last; above it stand log lines."""
    command = [sys.executable, *options, "-c", script]
    shown = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=600, env=environ
    )
    return json.loads(shown.stdout.splitlines()[-1])


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
    modules, root_handlers, own_handlers = in_another_process(script)
    assert not set(modules) & ONLY_INSIDE_FUNCTIONS
    assert (root_handlers, own_handlers) == (0, 0)


def test_a_cold_start_loads_nothing_that_a_form_does_not_need():
    script = (
        "import json, sys\n"
        "sys.path.insert(0, '.')\n"
        "import function.routes.upload_params, function.routes.login, function.auth.anonymous, handler\n"
        "from function.sts import aliyun_sdk\n"
        "aliyun_sdk.prepare()\n"
        "import aliyunsdkcore.vendored.requests.adapters\n"
        "import aliyunsdksts.request.v20150401.AssumeRoleRequest\n"
        "real = [name for name, module in sys.modules.items() if getattr(module, '__spec__', None)]\n"
        "absent = all(sys.modules[name] is None for name in aliyun_sdk.ABSENT)\n"
        "print(json.dumps([real, absent]))"
    )
    modules, never_there_was_not_looked_for = in_another_process(script, None, "-I")
    assert never_there_was_not_looked_for
    assert "aliyunsdkcore.vendored.requests.adapters" in modules
    unwanted = "aliyunsdkcore.client concurrent.futures cryptography dataclasses inspect jmespath"
    unwanted += " jwt requests urllib3 xml.dom function.auth.jwt http.cookiejar http.cookies"
    unwanted += " urllib.request calendar locale mimetypes platform xml xml.etree.ElementTree typing"
    unwanted += " array email.header random selectors stringprep zlib"
    unwanted += " aliyunsdkcore.vendored.requests.packages.chardet certifi"
    unwanted += " function.oss.callback_signature"
    assert sorted({*modules} & {*unwanted.split()}) == []


MODES = {
    "anonymous": {},
    "wechat": {"WECHAT_APPID": "wx0123456789abcdef", "WECHAT_SECRET": "s"},
    "jwt": {"JWT_KEY": "k" * 32, "JWT_ALGORITHM": "HS256"},
}


def plain(environment, mode):
    """The environment of a deployment with only the required settings, whose STS does not answer."""
    return {
        **environment,
        **MODES[mode],
        "CALLER_AUTH": mode,
        "TOKEN_SECRET": "0123456789abcdef" * 2,
        "STS_ENDPOINT": "http://127.0.0.1:9",
    }


def a_request(event):
    # The function in the other process goes by the real clock.
    token = jwt.encode({"sub": "u", "exp": int(time.time()) + 600}, "k" * 32, algorithm="HS256")
    body = {"filename": "a.png", "contentType": "image/png"}
    return event(body, headers={"Authorization": f"Bearer {token}"})


# The operator may have some beside the handler.
WITHOUT_HOOKS = "from function import context; context.HOOKS_FILE = context.HOOKS_FILE / 'none'\n"


@cache
def first_request(mode):
    """The response to the first caller of a process, the modules before it and those after."""
    script = (
        "import json, sys\n"
        "sys.path.insert(0, '.')\n"
        "import handler\n"
        "handler.initialize(None)\n"
        "before = sorted(sys.modules)\n"
        f"answer = handler.handler({a_request(make_event)!r}, None)\n"
        "print(json.dumps([json.loads(answer['body']), before, sorted(sys.modules)]))"
    )
    return in_another_process(WITHOUT_HOOKS + script, plain(ENVIRONMENT, mode))


@pytest.mark.parametrize("mode", MODES)
def test_initialize_imports_all_that_the_first_caller_needs(mode):
    """STS does not answer here; what is asked before it has been imported by then."""
    answer, before, after = first_request(mode)
    assert answer["error"]["code"] == ("unauthorized" if mode == "wechat" else "sts_unavailable")
    assert before == after


def test_a_start_collects_no_garbage_and_requests_do():
    """Counted, since the time it takes is a twentieth of a start's."""
    script = (
        "import gc, json, sys\n"
        "sys.path.insert(0, '.')\n"
        "collected = []\n"
        "gc.callbacks.append(lambda phase, _: collected.append(phase))\n"
        "import handler\n"
        "enabled = [gc.isenabled()]\n"
        "handler.initialize(None)\n"
        "print(json.dumps([len(collected), *enabled, gc.isenabled()]))"
    )
    assert in_another_process(WITHOUT_HOOKS + script, plain(ENVIRONMENT, "wechat")) == [0, True, True]


# What exists by option (``python -m quality.house --options``): the first that names a module opens it. All
# else costs every cold start.
OPTIONS = {
    "`CALLER_AUTH=anonymous`": "auth/anonymous.py",
    "`CALLER_AUTH=jwt`": "auth/jwt.py config/jwt_key.py",
    "`CALLER_AUTH=wechat`": "auth/wechat.py auth/session.py wechat/__init__.py",
    "`CALLER_AUTH=alipay`, `CALLER_AUTH=douyin`, `CALLER_AUTH=several`": "auth/alipay.py auth/douyin.py"
    " auth/login_code.py auth/several.py auth/callers_file.py",
    "`/login`, `confirm`, `read`": "routes/login.py routes/confirm.py routes/read.py reading.py"
    " lifecycle/confirmation.py auth/business_token.py uploads/receipt.py uploads/ai_labels.py"
    " uploads/rates_by_ticket.py webhook.py oss/client.py oss/responses.py oss/objects.py oss/presign.py",
    "`/introspect`": "routes/introspect.py",
    "`callback`": "routes/callback.py uploads/callback_verification.py oss/callback_signature.py",
    "`{sha256}` in `key`": "lifecycle/deduplication.py",
    "`before_sign`": "uploads/before_sign_hook.py",
    "`QUOTA_URL`": "limits/memory.py limits/quota.py limits/redis",
    "`parts`": "multipart/ routes/multipart.py oss/multipart.py",
    "`list`, `delete`, `replaces`": "routes/owners.py owners/__init__.py owners/listing.py owners/deletion.py"
    " holding/replaced_deletion.py holding/delete_by_key.py oss/listing.py",
    "`ERASE`": "routes/erase.py owners/erasure oss/versions.py",
    "`ai_label`, `strip`": "ai_label/ holding/label lifecycle/labelling.py holding/clean holding/picture_",
    "`hold` with `check`": "moderation/ holding/wechat_ holding/aliyun_ wechat/api.py routes/check_source.py",
    "`WECHAT_PUSH_TOKEN`": "routes/wechat_events.py owners/withdrawal.py wechat/",
    "`hold`": "holding/ routes/held.py",
    "the timer, or a webhook": "operations/ oss/due.py",
    "a file that is no TOML": "config/toml_errors.py",
    "the public name of AssumeRole": "sts_credentials.py",
}
BY_OPTION = {
    option: set(map(dotted, map(ROOT.joinpath, paths)))
    for option, paths in architecture.by_option(OPTIONS).items()
}


def test_each_row_of_options_is_an_option_a_setting_or_a_route_and_opens_modules():
    settings = {row.name for row in all_settings()}
    known = {*OPTION_NAMES, *settings, *(f"/{route}" for route in ROUTES), "{sha256}", "key", "check"}
    named = {name.partition("=")[0] for row in OPTIONS for name in re.findall("`([^`]+)`", row)}
    # One is a function of hooks.py, one a field of requests.
    assert named - known == {"before_sign", "replaces"}
    assert [row for row in OPTIONS if not BY_OPTION[row]] == []


@pytest.mark.parametrize("mode", MODES)
def test_a_plain_deployment_imports_what_every_request_needs_and_its_caller_kind(mode):
    loaded = set(first_request(mode)[2]) & set(MODULES)
    assert loaded == BY_OPTION[""] | BY_OPTION[f"`CALLER_AUTH={mode}`"]


A_LOGIN_AN_UPLOAD_AND_ITS_READER = """
import json, os, sys
sys.path.insert(0, ".")
from datetime import UTC, datetime
from function.app import Function
from function.context import Dependencies
from function.http.client import HttpResponse
from tests.support.memory_oss import MemoryOss
from tests.support.stage import ask_event, make_event

now = datetime.now(UTC)
oss = MemoryOss("my-bucket", "cn-hangzhou", lambda: now)
login = HttpResponse(200, b'{"openid": "o", "session_key": "k"}')
send = lambda method, url, **rest: login if "jscode2session" in url else oss.send(method, url, **rest)
function = Function(Dependencies(os.environ, lambda: now, send=send))
oss.give_sessions(function)

def ask(route, token="", **body):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return ask_event(function, make_event(body, path=f"/{route}", headers=headers)).json

token = ask("login", code="c")["token"]
form = ask("upload-params", token, filename="a.png")
oss.post(form["formData"], "a.png", 3, b"abc")
answers = [ask("confirm", ticket=form["ticket"]), ask("read", token, key=form["key"])]
print(json.dumps([["url" in answer for answer in answers], sorted(sys.modules)]))
"""
CONFIRMED = PLAIN_PROFILES.read_text("utf-8").replace("expires_in = 300", 'confirm = true\nread = "owner"')


def test_nothing_of_an_option_is_imported_by_a_login_an_upload_and_its_reader(profiles_file):
    """But of those whose routes they are."""
    environ = {**plain(ENVIRONMENT, "wechat"), "PROFILES_FILE": profiles_file(CONFIRMED)}
    answered, loaded = in_another_process(WITHOUT_HOOKS + A_LOGIN_AN_UPLOAD_AND_ITS_READER, environ)
    assert answered == [True, True]
    asked = BY_OPTION["`CALLER_AUTH=wechat`"] | BY_OPTION["`/login`, `confirm`, `read`"]
    assert set(loaded) & set(MODULES) == BY_OPTION[""] | asked


def names_patched_in(path):
    """Names of the function, or attributes of a finished instance, that a test replaces."""
    text = path.read_text("utf-8")
    if "setattr" not in text and ".ready()." not in text:
        return
    tree = ast.parse(text)
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    ours = re.compile(r"(function|handler|sts_credentials)\b")
    bound = {
        alias.asname or alias.name
        for node in imports
        for alias in node.names
        if ours.match(getattr(node, "module", None) or alias.name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "setattr":
            target, *rest = map(ast.unparse, node.args)
            if target.partition(".")[0] in bound or ours.match(target.strip("'")):
                yield target.strip("'").rpartition(".")[2] if len(rest) < 2 else rest[0].strip("'")
        # A name kept in a table or a constant.
        elif isinstance(node, ast.Constant) and "setattr" in text:
            module, _, name = str(node.value).rpartition(".")
            is_file = name in ("", "py") or not ours.match(module)
            if not is_file and (ROOT / module.replace(".", "/")).with_suffix(".py").exists():
                yield name
        targets = node.targets if isinstance(node, ast.Assign) and ".ready()." in text else ()
        yield from (ast.unparse(each) for each in targets if ".ready()." in ast.unparse(each))


def test_a_test_patches_no_name_of_the_function():
    """Constants apart: sizes, paths and tables."""
    for path in (ROOT / "tests").rglob("*.py"):
        assert [name for name in names_patched_in(path) if not name.isupper()] == [], path


def is_always_true(test):
    """``x or True``, a tuple, a text, a lambda: linters leave out what calls something."""
    if isinstance(test, ast.BoolOp):
        is_or = isinstance(test.op, ast.Or)
        return (any if is_or else all)(is_always_true(value) for value in test.values)
    if isinstance(test, ast.IfExp):
        # ``x == a if c else b`` asserts b itself where c is not so.
        return is_always_true(test.body) or is_always_true(test.orelse)
    if isinstance(test, ast.Constant):
        return bool(test.value)
    shown = ast.Tuple | ast.List | ast.Set | ast.Dict | ast.JoinedStr
    return isinstance(test, ast.Lambda | ast.GeneratorExp | shown)


def all_statements(body):
    """Each statement with those inside it; a walk through every expression takes twice as long."""
    for node in body:
        yield node
        for name in ("body", "handlers", "orelse", "finalbody", "cases"):
            yield from all_statements(getattr(node, name, ()))


def test_every_assertion_can_fail():
    files = [file for folder in ("tests", "quality") for file in (ROOT / folder).rglob("*.py")]
    for file in files:
        statements = all_statements(ast.parse(file.read_text("utf-8")).body)
        asserts = [node for node in statements if isinstance(node, ast.Assert)]
        assert [node.lineno for node in asserts if is_always_true(node.test)] == [], file


def test_the_version_is_the_project_s():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    client = json.loads(
        (ROOT / "miniprogram/example/utils/oss-direct-upload/package.json").read_text("utf-8")
    )
    assert [project["version"], client["version"]] == [VERSION, VERSION]
    for readme in ("README.md", "README.zh-CN.md"):
        text = (ROOT / readme).read_text("utf-8")
        assert re.findall(r"^\*\*(?:Version |版本 )([0-9.]*[0-9])", text, re.M) == [VERSION]


def test_names_of_tests_are_plain_words():
    """A name that starts in the middle of a sentence, or hides who acts, says no behaviour."""
    starts = r"^test_(nor|also|it|its|so_is|and|but|who|what|whoever)_"
    words = r"_(told|asked|nobody|whose|anew|one_s|whoever)(_|$)"
    files = [file for folder in ("tests", "quality") for file in (ROOT / folder).rglob("*.py")]
    names = [
        name
        for file in files
        for name in re.findall(r"^\s*(?:async )?def (test_\w+)", file.read_text("utf-8"), re.M)
    ]
    assert [name for name in names if re.search(f"{starts}|{words}", name)] == []


def test_a_test_opens_with_a_module_that_exists():
    """``oss.client: …``, where its name begins with one; of the folder whose tests these are."""
    for folder, tests in (("function", "tests/function"), ("ops", "tests/ops"), ("quality", "quality/tests")):
        paths = [path for path in (ROOT / folder).rglob("*.py") if "tests" not in path.parts[-4:]]
        modules = "\n".join(f".{'.'.join(path.relative_to(ROOT).with_suffix('').parts)}" for path in paths)
        modules = modules.replace(".__init__", "")
        for path in (ROOT / tests).rglob("*.py"):
            named = re.match(r'"""([a-z_]+(?:\.[a-z_]+)*):', path.read_text("utf-8"))
            assert not named or re.search(rf"\.{re.escape(named[1])}$", modules, re.M), path
