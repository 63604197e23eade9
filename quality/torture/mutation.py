"""
Mutation testing: every wrong version of a module must fail a test, or be listed as equivalent with a reason.

Our own small mutator, because each mutant runs in a fork of a process that has everything but the project's
modules imported already, which takes a fraction of what a new process takes.
"""

import ast
import gc
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
from importlib.machinery import SourceFileLoader
from pathlib import Path
from tempfile import TemporaryDirectory
from types import CodeType

from quality.torture.mutants import Mutant, mutants_of
from quality.torture.report import Progress, Result

ROOT = Path(__file__).resolve().parents[2]
EQUIVALENT = ROOT / "quality" / "torture" / "equivalent_mutants.toml"
# Where tests stand whose path does not begin with a slash; those paths have neither ``test_`` nor ``.py``.
ROOM = "tests/function"


def _paths(words: str) -> tuple[str, ...]:
    """The paths of tests; a folder ends with a slash."""

    def path_of_test(word: str) -> str:
        folder, _, name = word.rpartition("/")
        where = f"{ROOM}/{folder}".rstrip("/")
        return word[1:] if word.startswith("/") else f"{where}/test_{name}.py" if name else where

    return tuple(dict.fromkeys(map(path_of_test, words.split())))


# Groups of tests, as words for ``_paths``.
APP = "app hostile_requests /tests/test_handler.py"
FORMS = "routes/ uploads/"
PARTS = "multipart/ /quality/tests/torture/test_lives.py"
HOLDING = "holding/decision holding/check holding/status holding/discard holding/commit holding/resume"
QUOTA = "limits/memory limits/quota limits/connection limits/counting limits/stores"
QUOTA_IN_REDIS = "limits/connection limits/stores limits/redis_store"
SETTINGS = "config/settings config/profiles config/profile_validation config/settings_validation"
STS = "/tests/test_sts_credentials.py aliyun_sdk"
PROOF = "/quality/tests/torture/test_policy_proof.py"
# Which tests a module's mutants must fail, its own first: the first that fails ends the run.
TESTS = {
    "burst_server": _paths("/tests/deploy/test_burst_server.py"),
    "function.aliyun_sdk": _paths(f"aliyun_sdk {STS}"),
    "function.app": _paths(f"{APP} form_life request_log {FORMS} auth/wechat reading/urls"),
    "function.auth": _paths("auth/ app"),
    "function.auth.anonymous": _paths("auth/callers"),
    "function.auth.backend": _paths(f"holding/backend {HOLDING}"),
    "function.auth.jwt": _paths("auth/jwt auth/"),
    "function.auth.session": _paths("auth/session auth/"),
    "function.auth.tokens": _paths("auth/tokens auth/ uploads/claims holding/backend"),
    "function.auth.wechat": _paths("auth/wechat auth/"),
    "function.config.content_types": _paths(f"config/content_types {SETTINGS} {FORMS}"),
    "function.config.jwt_key": _paths("config/jwt_key config/settings"),
    "function.config.key_template": _paths(
        f"config/key_template {SETTINGS} {FORMS} reading/permission uploads/deduplication"
    ),
    "function.config.messages": _paths("config/messages"),
    "function.config.profile": _paths(
        f"config/bucket_location config/profile_validation {SETTINGS} session_policy sessions "
        f"{FORMS} multipart/multipart_complete holding/submission"
    ),
    "function.config.profile_validation": _paths(f"config/profile_validation {SETTINGS}"),
    "function.config.profiles": _paths(f"config/profiles {SETTINGS} {FORMS}"),
    "function.config.setting_table": _paths("config/settings auth/"),
    "function.config.settings": _paths(f"{SETTINGS} config/jwt_key config/bucket_location {APP}"),
    "function.config.settings_validation": _paths(f"config/settings_validation {SETTINGS}"),
    "function.config.types": _paths(f"{SETTINGS} config/profile_validation {FORMS}"),
    "function.context": _paths(f"context {FORMS} auth/wechat {APP}"),
    "function.credentials": _paths(
        "credentials credentials_model routes/ /tests/test_sts_credentials.py form_life config/settings"
    ),
    "function.errors": _paths(f"errors {APP} auth/ {STS}"),
    "function.holding.actions": _paths(f"holding/commit {HOLDING}"),
    "function.holding.check": _paths(f"holding/submission holding/check {HOLDING}"),
    "function.holding.decision": _paths(HOLDING),
    "function.holding.records": _paths(f"holding/records {HOLDING}"),
    "function.holding.request": _paths(f"holding/commit {HOLDING} holding/backend"),
    "function.holding.state": _paths(f"holding/status {HOLDING}"),
    "function.holding.held_upload": _paths(f"holding/held_upload {HOLDING}"),
    "function.http.client": _paths("http/client"),
    "function.http.gateway": _paths(f"http/gateway {APP}"),
    "function.http.json_body": _paths(f"http/json_body {APP} {FORMS}"),
    "function.limits": _paths("limits/rate_limit limits/stores limits/"),
    "function.limits.memory": _paths(QUOTA),
    "function.limits.quota": _paths(QUOTA),
    "function.limits.rate_limit": _paths(f"limits/rate_limit limits/client_ip auth/ reading/read {FORMS}"),
    "function.limits.redis": _paths(QUOTA_IN_REDIS),
    "function.limits.redis_connection": _paths(f"limits/connection {QUOTA} limits/redis_store"),
    "function.multipart.lifecycle": _paths(f"multipart/multipart_parts {PARTS}"),
    "function.multipart.part_urls": _paths(f"multipart/part_urls {PARTS}"),
    "function.outgoing": _paths("outgoing http/client"),
    "function.oss.callback_signature": _paths("uploads/callback_signature uploads/"),
    "function.oss.client": _paths(
        "oss/client oss/objects oss/multipart uploads/confirm sessions config/bucket_location holding/commit"
    ),
    "function.oss.errors": _paths("oss/errors oss/client"),
    "function.oss.multipart": _paths("oss/multipart oss/client"),
    "function.oss.objects": _paths("oss/objects oss/client"),
    "function.oss.post_form": _paths(f"oss/post_form oss/signature_v4 {PROOF} {FORMS}"),
    "function.oss.presign": _paths("oss/presign"),
    "function.oss.signature_v4": _paths(f"oss/signature_v4 oss/presign {PROOF}"),
    "function.reading": _paths("reading/"),
    "function.request_log": _paths(f"request_log {APP} uploads/"),
    "function.routes": _paths(f"{APP} {FORMS}"),
    "function.routes.callback": _paths("uploads/receipt holding/receipts uploads/"),
    "function.routes.confirm": _paths("uploads/confirm holding/resume holding/check"),
    "function.routes.held": _paths(f"holding/commit {HOLDING}"),
    "function.routes.login": _paths("auth/"),
    "function.routes.multipart": _paths(f"multipart/multipart {PARTS} holding/resume"),
    "function.routes.read": _paths("reading/read reading/ routes/hooks config/bucket_location"),
    "function.routes.upload_params": _paths(
        f"{FORMS} uploads/form_ticket uploads/deduplication limits/counting request_log {APP} auth/"
    ),
    "function.routes.wechat_events": _paths("routes/wechat_events"),
    "function.session_policy": _paths(f"session_policy {SETTINGS}"),
    "function.uploads.callback": _paths("uploads/callback uploads/"),
    "function.uploads.deduplication": _paths(
        "uploads/deduplication uploads/held_receipts config/bucket_location"
    ),
    "function.uploads.hooks": _paths("uploads/hooks routes/hooks"),
    "function.uploads.plan": _paths(f"uploads/ routes/ {PROOF}"),
    "function.uploads.receipt": _paths(
        "uploads/claims uploads/confirm uploads/held_receipts uploads/receipt uploads/ holding/resume"
    ),
    "function.uploads.request": _paths(f"uploads/ routes/ {APP}"),
    "function.uploads.tickets": _paths(
        f"uploads/claims multipart/ticket uploads/form_ticket {PARTS} uploads/"
    ),
    "function.webhook": _paths("uploads/webhook uploads/"),
    "function.wechat": _paths("wechat/access_token wechat/api"),
    "function.wechat.api": _paths("wechat/access_token wechat/api wechat/verdict"),
    "function.wechat.media_check": _paths("wechat/media_check holding/submission"),
    "function.wechat.push": _paths("wechat/push"),
    "function.wechat.verdict": _paths("wechat/verdict"),
    "handler": _paths(f"/tests/test_handler.py {APP}"),
    "sts_credentials": _paths(STS),
}
# What costs the most to import; the project's own modules must not be among them.
IMPORTED_BEFORE = (
    *("pytest", "_pytest.assertion.rewrite", "hypothesis", "hypothesis.stateful", "responses", "requests"),
    *("jwt", "cryptography.hazmat.primitives.serialization", "aliyunsdkcore.client"),
    *("aliyunsdksts.request.v20150401.AssumeRoleRequest", "cryptography.hazmat.primitives.asymmetric.rsa"),
    # The document that every answer of a test is held against.
    *("yaml", "jsonschema", "referencing.jsonschema"),
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
    for name in IMPORTED_BEFORE:
        importlib.import_module(name)
    with TemporaryDirectory() as folder:
        os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = folder
        before = time.monotonic()
        if _finish(_start(module, ast.parse(source), TESTS[module])) != SURVIVED:
            result.problems.append(f"{module}: its tests fail without any mutant")
            return result
        limit = max(LEAST_SECONDS, TIME_FACTOR * (time.monotonic() - before))
        outcomes = dict(_try_all(module, mutants, TESTS[module], limit, at_a_time))
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
    if module == "burst_server":
        return ROOT / "deploy" / "burst" / "burst_server.py"
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
    # pytest ends with ten collections, which need not look at what was imported before the fork.
    gc.freeze()
    _import(module, tree)
    options = ["-x", "-q", "--assert=plain", "-p", "no:cacheprovider", "--hypothesis-seed=1"]
    return int(pytest.main([*options, *tests]))


class Wrong(SourceFileLoader):
    """Loads a tree in place of the file, also for who starts the module as a program."""

    def __init__(self, module: str, path: Path, tree: ast.Module) -> None:
        super().__init__(module, str(path))
        self._tree = tree

    def get_code(self, fullname: str) -> CodeType:
        return compile(self._tree, self.path, "exec")


def _import(module: str, tree: ast.Module) -> None:
    """What importing the module would do if its file held this tree."""
    path = path_of(module)
    parts = [str(path.parent)] if path.name == "__init__.py" else None
    loader = Wrong(module, path, tree)
    spec = importlib.util.spec_from_file_location(
        module, path, loader=loader, submodule_search_locations=parts
    )
    assert spec is not None
    sys.modules[module] = wrong = importlib.util.module_from_spec(spec)
    loader.exec_module(wrong)
    package, _, name = module.rpartition(".")
    if package:
        setattr(importlib.import_module(package), name, wrong)
