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
# Which tests a module's mutants must fail, its own first: the first that fails ends the run.
ROOM = "tests/function"
APP = (f"{ROOM}/test_app.py", f"{ROOM}/test_hostile_requests.py", "tests/test_handler.py")
FORMS = (f"{ROOM}/routes", f"{ROOM}/uploads")
RECEIPTS = (f"{ROOM}/receipts",)
PARTS = (f"{ROOM}/multipart", "quality/tests/torture/test_lives.py")
HOLDING = tuple(
    f"{ROOM}/holding/test_{name}.py"
    for name in ("publishing", "checking", "status", "discard", "commit", "recall")
)
QUOTA = tuple(
    f"{ROOM}/limits/test_{name}.py" for name in ("memory", "asked", "connection", "counting", "stores")
)
QUOTA_IN_REDIS = tuple(f"{ROOM}/limits/test_{name}.py" for name in ("connection", "stores", "redis_store"))
SETTINGS = (
    f"{ROOM}/config/test_settings.py",
    f"{ROOM}/config/test_profiles.py",
    f"{ROOM}/config/test_settings_validation.py",
)
READING = tuple(f"{ROOM}/reading/test_{name}.py" for name in ("wanted", "permission", "urls", "read"))
PROOF = "quality/tests/torture/test_policy_proof.py"
STS = ("tests/test_sts_credentials.py", f"{ROOM}/test_aliyun_sdk.py")
TESTS = {
    "burst_server": ("tests/deploy/test_burst_server.py",),
    "function.aliyun_sdk": (*reversed(STS),),
    "function.app": (
        *(*APP, f"{ROOM}/test_form_life.py", f"{ROOM}/test_request_log.py", *FORMS),
        *(f"{ROOM}/auth/test_wechat.py", *RECEIPTS),
        f"{ROOM}/reading/test_urls.py",
    ),
    "function.auth": (f"{ROOM}/auth", f"{ROOM}/test_app.py"),
    "function.auth.anonymous": (f"{ROOM}/auth/test_callers.py",),
    "function.auth.backend": (f"{ROOM}/holding/test_backend.py", *HOLDING),
    "function.auth.jwt": (f"{ROOM}/auth/test_jwt.py", f"{ROOM}/auth"),
    "function.auth.tokens": (f"{ROOM}/auth/test_tokens.py", f"{ROOM}/auth"),
    "function.auth.wechat": (f"{ROOM}/auth/test_wechat.py", f"{ROOM}/auth"),
    "function.config.content_types": (f"{ROOM}/config/test_content_types.py", *reversed(SETTINGS), *FORMS),
    "function.config.jwt_key": (f"{ROOM}/config/test_jwt_key.py", f"{ROOM}/config/test_settings.py"),
    "function.config.key_template": (
        *(f"{ROOM}/config/test_key_template.py", *SETTINGS, *FORMS),
        *(f"{ROOM}/reading/test_permission.py", f"{ROOM}/receipts/test_stored_already.py"),
    ),
    "function.config.messages": (f"{ROOM}/config/test_messages.py",),
    "function.config.profile": (
        *(
            f"{ROOM}/config/test_bucket_location.py",
            f"{ROOM}/config/test_profile_validation.py",
            *SETTINGS,
        ),
        *(
            *(
                f"{ROOM}/test_{name}.py"
                for name in ("profiles", "profile_contradictions", "grants", "sessions")
            ),
            *(
                *FORMS,
                f"{ROOM}/multipart/test_multipart_complete.py",
                f"{ROOM}/holding/test_check.py",
                *SETTINGS,
            ),
        ),
    ),
    "function.config.profile_validation": (f"{ROOM}/config/test_profile_validation.py", *reversed(SETTINGS)),
    "function.config.profiles": (
        *(f"{ROOM}/config/test_profiles.py", *FORMS),
        *(*reversed(SETTINGS), *FORMS),
    ),
    "function.config.setting_table": (f"{ROOM}/config/test_settings.py", f"{ROOM}/auth"),
    "function.config.settings": (
        *SETTINGS,
        f"{ROOM}/config/test_jwt_key.py",
        f"{ROOM}/config/test_bucket_location.py",
        *APP,
    ),
    "function.config.settings_validation": (f"{ROOM}/config/test_settings_validation.py", *SETTINGS),
    "function.config.types": (
        *SETTINGS,
        *(
            f"{ROOM}/config/test_profiles.py",
            f"{ROOM}/config/test_profile_validation.py",
            *FORMS,
        ),
    ),
    "function.context": (f"{ROOM}/test_context.py", *FORMS, f"{ROOM}/auth/test_wechat.py", *APP),
    "function.credentials": (
        *(
            f"{ROOM}/test_credentials.py",
            f"{ROOM}/test_credentials_model.py",
            f"{ROOM}/routes",
            "tests/test_sts_credentials.py",
        ),
        *(*(f"{ROOM}/test_form_life.py", f"{ROOM}/config/test_settings.py", f"{ROOM}/test_credentials.py"),),
    ),
    "function.errors": (f"{ROOM}/test_errors.py", *APP, f"{ROOM}/auth", *STS),
    "function.holding.actions": (f"{ROOM}/holding/test_commit.py", *HOLDING),
    "function.holding.check": (f"{ROOM}/holding/test_checking.py", *HOLDING),
    "function.holding.decision": (f"{ROOM}/holding/test_publishing.py", *HOLDING),
    "function.holding.publishing": (f"{ROOM}/holding/test_publishing.py", *HOLDING),
    "function.holding.records": (f"{ROOM}/holding/test_markers.py", *HOLDING),
    "function.holding.request": (
        *(*(f"{ROOM}/holding/test_commit.py", f"{ROOM}/holding/test_backend.py", *HOLDING),),
        *(f"{ROOM}/holding/test_commit.py", *HOLDING),
    ),
    "function.holding.state": (f"{ROOM}/holding/test_status.py", *HOLDING),
    "function.holding.upload": (f"{ROOM}/holding/test_upload.py", *HOLDING),
    "function.http.client": (f"{ROOM}/http/test_client.py",),
    "function.http.gateway": (f"{ROOM}/http/test_gateway.py", *APP),
    "function.http.json_body": (f"{ROOM}/http/test_json_body.py", *APP, *FORMS),
    "function.limits.memory": QUOTA,
    "function.limits.quota": (*QUOTA, *(*reversed(QUOTA),)),
    "function.limits.rate_limit": (
        *(
            f"{ROOM}/limits/test_client_ip.py",
            f"{ROOM}/auth",
            f"{ROOM}/reading/test_read.py",
        ),
        *(f"{ROOM}/limits/test_rate_limit.py", *FORMS, f"{ROOM}/auth"),
    ),
    "function.limits.redis": (*QUOTA_IN_REDIS, *QUOTA_IN_REDIS),
    "function.limits.redis_connection": (*QUOTA_IN_REDIS, *QUOTA),
    "function.multipart.lifecycle": (
        *(f"{ROOM}/multipart/test_multipart_parts.py", *PARTS),
        *(f"{ROOM}/multipart/test_multipart_complete.py", *PARTS),
    ),
    "function.multipart.upload": (
        *(f"{ROOM}/multipart/test_upload.py", *PARTS),
        *(f"{ROOM}/multipart/test_multipart.py", *PARTS),
    ),
    "function.oss.callback_signature": (f"{ROOM}/receipts/test_oss_keys.py", *RECEIPTS),
    "function.oss.client": (
        *(*(f"{ROOM}/oss/test_{name}.py" for name in ("calls", "objects", "multipart")),),
        *(
            *(f"{ROOM}/{name}.py" for name in ("receipts/test_confirm", "test_sessions", "test_places")),
            f"{ROOM}/holding/test_commit.py",
        ),
    ),
    "function.oss.errors": (f"{ROOM}/oss/test_errors.py", f"{ROOM}/oss/test_client.py"),
    "function.oss.multipart": (f"{ROOM}/oss/test_multipart.py", f"{ROOM}/oss/test_client.py"),
    "function.oss.objects": (f"{ROOM}/oss/test_objects.py", f"{ROOM}/oss/test_client.py"),
    "function.oss.post_form": (
        f"{ROOM}/oss/test_post_form.py",
        f"{ROOM}/oss/test_signature_v4.py",
        PROOF,
        *FORMS,
    ),
    "function.oss.presign": (f"{ROOM}/oss/test_presign.py",),
    "function.oss.signature_v4": (f"{ROOM}/oss/test_signature_v4.py", f"{ROOM}/oss/test_presign.py", PROOF),
    "function.reading": (*READING, *(*reversed(READING),), *READING),
    "function.request_log": (
        *(f"{ROOM}/test_request_log.py", *APP, *RECEIPTS),
        *(f"{ROOM}/test_trace.py", f"{ROOM}/test_request_log.py"),
    ),
    "function.routes.callback": (
        *(f"{ROOM}/receipts/test_receipt.py", f"{ROOM}/holding/test_receipts.py", *RECEIPTS),
    ),
    "function.routes.confirm": (
        *(f"{ROOM}/receipts/test_confirm.py", f"{ROOM}/holding/test_recall.py"),
        f"{ROOM}/holding/test_checking.py",
    ),
    "function.routes.held": (
        *(f"{ROOM}/holding/test_commit.py", *HOLDING),
        *(f"{ROOM}/holding/test_discard.py", *HOLDING),
        *(f"{ROOM}/holding/test_status.py", *HOLDING),
    ),
    "function.routes.login": (f"{ROOM}/auth",),
    "function.routes.multipart": (
        *(f"{ROOM}/multipart/test_multipart.py", *PARTS),
        *(f"{ROOM}/multipart/test_multipart_abort.py", *PARTS),
        *(*(f"{ROOM}/multipart/test_multipart_complete.py", *PARTS, f"{ROOM}/holding/test_recall.py"),),
        *(f"{ROOM}/multipart/test_multipart_parts.py", *PARTS),
    ),
    "function.routes.read": (
        *(*reversed(READING), f"{ROOM}/routes/test_own_rules.py", f"{ROOM}/config/test_bucket_location.py"),
    ),
    "function.routes.upload_params": (
        *(*FORMS, *(f"{ROOM}/receipts/test_{name}.py" for name in ("ticket", "stored_already"))),
        *(f"{ROOM}/test_request_log.py", *APP, f"{ROOM}/auth"),
    ),
    "function.routes.wechat_events": (f"{ROOM}/holding/test_wechat_events.py",),
    "function.session_policy": (f"{ROOM}/test_session_policy.py", *SETTINGS),
    "function.uploads.callback": (f"{ROOM}/receipts/test_callback.py", *RECEIPTS),
    "function.uploads.deduplication": (
        *(f"{ROOM}/receipts/test_{name}.py" for name in ("stored_already", "held")),
        f"{ROOM}/config/test_bucket_location.py",
    ),
    "function.uploads.hooks": tuple(f"{ROOM}/{room}/test_own_rules.py" for room in ("uploads", "routes")),
    "function.uploads.plan": (*(*reversed(FORMS), PROOF), *(*reversed(FORMS), *RECEIPTS)),
    "function.uploads.receipt": (
        *(f"{ROOM}/receipts/test_confirm.py", f"{ROOM}/receipts/test_held.py"),
        *(f"{ROOM}/receipts/test_receipt.py", *RECEIPTS),
    ),
    "function.uploads.request": (*reversed(FORMS), *APP),
    "function.uploads.tickets": (
        *(f"{ROOM}/multipart/test_ticket.py", *PARTS),
        *(f"{ROOM}/receipts/test_ticket.py", *RECEIPTS),
    ),
    "function.webhook": (f"{ROOM}/receipts/test_webhook.py", *RECEIPTS),
    "function.wechat.api": (
        *(f"{ROOM}/holding/test_access_token.py",),
        *(*(f"{ROOM}/holding/test_{name}.py" for name in ("wechat_api", "access_token", "verdict")),),
    ),
    "function.wechat.media_check": (
        *(f"{ROOM}/holding/test_check.py",),
        *(f"{ROOM}/holding/test_media.py", f"{ROOM}/holding/test_check.py"),
    ),
    "function.wechat.push": (f"{ROOM}/holding/test_push.py",),
    "function.wechat.verdict": (f"{ROOM}/holding/test_verdict.py",),
    "handler": ("tests/test_handler.py", *APP),
    "sts_credentials": STS,
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
