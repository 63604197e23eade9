"""
Mutation testing: every wrong version of a module must fail a test, or be listed as equivalent with a reason.

Our own small mutator, because each mutant runs in a fork of a process that has everything but the project's
modules imported already, which takes a fraction of what a new process takes.
"""

import ast
import importlib.util
import os
import signal
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from torture.mutants import Mutant, mutants_of
from torture.report import Progress, Result

ROOT = Path(__file__).resolve().parent.parent
EQUIVALENT = ROOT / "torture" / "equivalent_mutants.toml"
# Which tests a module's mutants must fail: the first file that fails ends the run, so its own come first.
OF_CALLERS = ("tests/torture/test_mutants_of_callers.py", "tests/test_callers.py", "tests/test_login.py")
OF_CACHE = (
    *("tests/test_credentials.py", "tests/torture/test_credentials_model.py"),
    "tests/torture/test_mutants_of_credentials_cache.py",
)
OF_EDGE = ("tests/test_handler.py", "tests/torture/test_hostile_http.py")
OF_WANTED = ("tests/torture/test_mutants_of_upload_request.py", *OF_EDGE)
OF_SETTINGS = ("tests/test_settings.py", "tests/test_profiles.py")
TESTS = {
    "function.aliyun_sdk": ("tests/test_aliyun_sdk.py", "tests/test_sts_credentials.py"),
    "function.app": OF_EDGE,
    "function.body": OF_WANTED,
    "function.callers": OF_CALLERS,
    "function.callers.anonymous": OF_CALLERS,
    "function.callers.business_jwt": ("tests/test_business_jwt.py", *OF_CALLERS),
    "function.callers.wechat": OF_CALLERS,
    "function.credentials": OF_CACHE,
    "function.errors": OF_EDGE,
    "function.form_life": (*OF_EDGE, "tests/test_settings.py"),
    "function.grants": OF_SETTINGS,
    "function.http": OF_EDGE,
    "function.instance": OF_EDGE,
    "function.jwt_key": ("tests/test_settings.py",),
    "function.key_template": (*OF_SETTINGS, *OF_WANTED),
    "function.kinds": ("tests/test_settings.py",),
    "function.limits": ("tests/test_limits.py", *OF_EDGE),
    "function.log_line": OF_EDGE,
    "function.oss.post_form": ("tests/test_post_policy.py", "tests/torture/test_policy_proof.py"),
    "function.oss.v4": ("tests/test_post_policy.py", "tests/torture/test_policy_proof.py"),
    "function.outgoing": ("tests/test_outgoing.py",),
    "function.profile_options": OF_SETTINGS,
    "function.profiles": OF_SETTINGS,
    "function.receipts.callback": ("tests/callback",),
    "function.receipts.oss_keys": ("tests/callback",),
    "function.receipts.receipt": ("tests/callback",),
    "function.receipts.ticket": ("tests/callback",),
    "function.receipts.webhook": ("tests/callback",),
    "function.routes.callback": ("tests/callback",),
    "function.routes.login": OF_CALLERS,
    "function.routes.upload_params": (*OF_EDGE, *OF_CALLERS),
    "function.setting_table": ("tests/test_settings.py",),
    "function.settings": OF_SETTINGS,
    "function.tokens": ("tests/test_tokens.py",),
    "function.uploads.classic_page": (*OF_EDGE, "tests/torture/test_policy_proof.py"),
    "function.uploads.media_types": OF_WANTED,
    "function.uploads.plan": (*OF_WANTED, "tests/callback"),
    "function.uploads.wanted": OF_WANTED,
    "handler": OF_EDGE,
    "sts_credentials": ("tests/test_sts_credentials.py", "tests/test_aliyun_sdk.py"),
}
# What costs the most to import; the project's own modules must not be among them.
IMPORTED_BEFORE = (
    *("pytest", "_pytest.assertion.rewrite", "hypothesis", "hypothesis.stateful", "responses", "requests"),
    *("jwt", "cryptography.hazmat.primitives.serialization", "aliyunsdkcore.client"),
    *("aliyunsdksts.request.v20150401.AssumeRoleRequest", "cryptography.hazmat.primitives.asymmetric.rsa"),
)
TIME_FACTOR = 3
LEAST_SECONDS = 10.0
KILLED, SURVIVED = "killed", "survived"


@dataclass
class Running:
    mutant: Mutant
    process: int
    until: float


def run(module: str, at_a_time: int = 1, only: int | None = None) -> Result:
    """
    Try the mutants of one module.

    Args:
        only: at most so many, spread over the module; for a quick look.
    """
    started = time.monotonic()
    result = Result("mutation")
    source = path_of(module).read_text("utf-8")
    mutants = list(mutants_of(source))
    if only is not None:
        mutants = mutants[:: max(1, len(mutants) // only)]
    tests = [path for path in TESTS[module] if (ROOT / path).exists()]
    for name in IMPORTED_BEFORE:
        importlib.import_module(name)
    with TemporaryDirectory() as folder:
        os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = folder
        before = time.monotonic()
        if _finish(_start(module, ast.parse(source), tests)) != SURVIVED:
            result.problems.append(f"{module}: its tests fail without any mutant")
            return result
        limit = max(LEAST_SECONDS, TIME_FACTOR * (time.monotonic() - before))
        outcomes = dict(_try_all(module, mutants, tests, limit, at_a_time))
    _judge(module, outcomes, result, is_complete=only is None)
    result.seconds = time.monotonic() - started
    return result


def _judge(module: str, outcomes: dict[str, str], result: Result, is_complete: bool) -> None:
    listed = equivalents(module)
    survivors = {name for name, outcome in outcomes.items() if outcome == SURVIVED}
    alive = sorted(survivors - set(listed))
    equivalent = len(survivors & set(listed))
    killed = len(outcomes) - len(survivors)
    result.figures.append(
        (f"{module}: mutants killed / equivalent / surviving", f"{killed} / {equivalent} / {len(alive)}")
    )
    result.totals = Counter(
        {"mutants killed or equivalent": killed + equivalent, "mutants surviving": len(alive)}
    )
    result.problems += [f"{module}: survives: {name}" for name in alive]
    if is_complete:
        result.problems += [
            f"{module}: listed as equivalent but {outcomes.get(name, 'not made any more')}: {name}"
            for name in sorted(set(listed) - survivors)
        ]


def path_of(module: str) -> Path:
    """Where a module or package of the function lies, by its dotted name."""
    base = ROOT / module.replace(".", "/")
    return base / "__init__.py" if base.is_dir() else base.with_suffix(".py")


def equivalents(module: str) -> dict[str, str]:
    """The mutants that no test can tell from the module, with the reason."""
    table = tomllib.loads(EQUIVALENT.read_text("utf-8"))
    return {entry["mutant"]: entry["reason"] for entry in table.get(module, [])}


def _try_all(
    module: str, mutants: Sequence[Mutant], tests: Sequence[str], limit: float, at_a_time: int
) -> Iterator[tuple[str, str]]:
    progress = Progress(f"mutation {module}", len(mutants))
    waiting, done = list(reversed(mutants)), 0
    running: list[Running] = []
    while waiting or running:
        while waiting and len(running) < at_a_time:
            mutant = waiting.pop()
            running.append(Running(mutant, _start(module, mutant.tree(), tests), time.monotonic() + limit))
        for one in list(running):
            outcome = _outcome(one)
            if outcome:
                running.remove(one)
                done += 1
                yield one.mutant.name, outcome
        progress.show(done)
        time.sleep(0.01)


def _outcome(one: Running) -> str:
    """Empty while it runs; a mutant that never ends counts as killed."""
    process, status = os.waitpid(one.process, os.WNOHANG)
    if process:
        return SURVIVED if os.waitstatus_to_exitcode(status) == 0 else KILLED
    if time.monotonic() > one.until:
        with suppress(ProcessLookupError):
            os.killpg(one.process, signal.SIGKILL)
        os.waitpid(one.process, 0)
        return KILLED
    return ""


def _finish(process: int) -> str:
    return SURVIVED if os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0 else KILLED


def _start(module: str, tree: ast.Module, tests: Sequence[str]) -> int:
    process = os.fork()
    if process:
        return process
    code = 1
    try:
        os.setsid()
        code = _test(module, tree, tests)
    finally:
        os._exit(code)


def _test(module: str, tree: ast.Module, tests: Sequence[str]) -> int:
    """In the fork: put the mutant in the module's place and run the tests, silently."""
    import pytest

    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    os.chdir(ROOT)
    _import(module, tree)
    options = ["-x", "-q", "--assert=plain", "-p", "no:cacheprovider", "--hypothesis-seed=1"]
    return int(pytest.main([*options, *tests]))


def _import(module: str, tree: ast.Module) -> None:
    """What importing the module would do if its file held this tree."""
    path = path_of(module)
    parts = [str(path.parent)] if path.name == "__init__.py" else None
    spec = importlib.util.spec_from_file_location(module, path, submodule_search_locations=parts)
    assert spec is not None
    sys.modules[module] = wrong = importlib.util.module_from_spec(spec)
    exec(compile(tree, str(path), "exec"), wrong.__dict__)
    package, _, name = module.rpartition(".")
    if package:
        setattr(importlib.import_module(package), name, wrong)
