"""
Mutation testing: every wrong version of a module must fail a test, or be listed as equivalent with a reason.

Our own small mutator, because most mutants are tried in a fork of a process that has collected the tests
already, by the tests alone that reach their lines (``in_place``), the others in a fork that has imported
everything but the project's modules (``whole_runs``). What was found is stored (``mutation_table``): a later
run tries what is not known yet.
"""

import ast
import json
import os
import random
import subprocess
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from quality.suite import FUNCTION
from quality.torture import mutation_table, traces, whole_runs
from quality.torture.in_place import BROKEN, KILLED, OPEN, SURVIVED, InPlace
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
HOLDING = "holding/"
QUOTA = "limits/memory limits/quota limits/connection limits/counting limits/stores"
QUOTA_IN_REDIS = "limits/connection limits/stores limits/redis_store"
SETTINGS = "config/settings config/profiles config/profile_validation config/settings_validation"
STS = "/tests/test_sts_credentials.py aliyun_sdk"
# Which tests a module's mutants must fail, its own first: the first that fails ends the run.
TESTS = {
    "bytecode": _paths("/tests/test_bytecode.py"),
    "burst_server": _paths("/tests/deploy/test_burst_server.py"),
    "function.aliyun_sdk": _paths(f"aliyun_sdk aliyun_rpc {STS}"),
    "function.app": _paths(
        f"{APP} warm_calls form_life request_log sessions config/bucket_location limits/connection {FORMS}"
        " auth/wechat reading/urls"
    ),
    "function.auth": _paths(f"auth/ app {SETTINGS}"),
    "function.auth.anonymous": _paths("auth/callers"),
    "function.auth.backend": _paths(f"holding/backend {HOLDING} owners/delete"),
    "function.auth.jwt": _paths(f"auth/jwt auth/ {SETTINGS}"),
    "function.auth.session": _paths("auth/session auth/"),
    "function.auth.tokens": _paths("auth/tokens auth/ uploads/claims holding/backend owners/list"),
    "function.auth.wechat": _paths(f"auth/wechat auth/ {SETTINGS}"),
    "function.config.content_types": _paths(f"config/content_types {SETTINGS} {FORMS}"),
    "function.config.jwt_key": _paths("config/jwt_key config/settings"),
    "function.config.key_template": _paths(
        f"config/key_template {SETTINGS} {FORMS} reading/permission owners/ holding/due"
    ),
    "function.config.messages": _paths("config/messages"),
    "function.config.moderation": _paths(f"config/profile_validation {SETTINGS}"),
    "function.config.profile": _paths(
        f"config/bucket_location config/profile_validation {SETTINGS} session_policy sessions "
        f"{FORMS} multipart/multipart_complete holding/submission owners/"
    ),
    "function.config.profile_validation": _paths(f"config/profile_validation {SETTINGS}"),
    "function.config.option_table": _paths(f"config/profiles {SETTINGS} {FORMS}"),
    "function.config.profiles": _paths(f"config/profiles {SETTINGS} {FORMS}"),
    "function.config.setting_table": _paths(f"{SETTINGS} auth/ owners/revocation"),
    "function.config.settings": _paths(f"{SETTINGS} config/jwt_key config/bucket_location {APP}"),
    "function.config.settings_validation": _paths(f"config/settings_validation {SETTINGS}"),
    "function.config.toml_errors": _paths("config/toml_errors"),
    "function.config.typing": _paths("config/typing"),
    "function.config.types": _paths(f"{SETTINGS} config/profile_validation {FORMS}"),
    "function.context": _paths(f"context warm_calls {FORMS} auth/wechat {APP} operations/"),
    "function.credentials": _paths(
        "credentials credentials_model wechat/access_token uploads/callback_signature routes/"
        " /tests/test_sts_credentials.py form_life config/settings"
    ),
    "function.errors": _paths(f"errors {APP} auth/ {STS}"),
    "function.holding.actions": _paths(f"holding/commit {HOLDING} operations/"),
    "function.holding.aliyun_check": _paths(f"holding/aliyun {HOLDING}"),
    "function.holding.aliyun_record": _paths("holding/aliyun"),
    "function.holding.check": _paths(f"holding/submission {HOLDING} operations/tick"),
    "function.holding.events": _paths(f"holding/due holding/decision operations/deliveries {HOLDING}"),
    "function.holding.decision": _paths(f"holding/decision {HOLDING}"),
    "function.holding.publication": _paths(f"holding/decision holding/clean_copy {HOLDING}"),
    "function.holding.clean_copy": _paths(f"holding/clean_copy {HOLDING}"),
    "function.holding.picture_metadata": _paths("holding/picture_metadata"),
    "function.holding.key_deletion": _paths("owners/delete_held"),
    "function.holding.records": _paths(f"holding/records {HOLDING}"),
    "function.holding.replacement": _paths("owners/replaces owners/delete_held"),
    "function.holding.request": _paths(f"holding/commit {HOLDING}"),
    "function.holding.submission": _paths(f"holding/submission {HOLDING}"),
    "function.holding.reviews": _paths("holding/reviews"),
    "function.holding.status": _paths(f"holding/status {HOLDING}"),
    "function.holding.state": _paths(f"holding/status {HOLDING}"),
    "function.holding.held_upload": _paths(f"holding/held_upload {HOLDING}"),
    "function.http.client": _paths("http/client"),
    "function.http.gateway": _paths(f"http/gateway warm_calls {APP}"),
    "function.http.json_body": _paths(f"http/json_body warm_calls {APP} {FORMS}"),
    "function.limits": _paths("limits/rate_limit limits/stores limits/"),
    "function.limits.memory": _paths(QUOTA),
    "function.limits.quota": _paths(QUOTA),
    "function.limits.rate_limit": _paths(f"limits/rate_limit limits/client_ip auth/ reading/read {FORMS}"),
    "function.limits.redis": _paths(QUOTA_IN_REDIS),
    "function.limits.redis_connection": _paths(f"limits/connection {QUOTA} limits/redis_store"),
    "function.moderation.aliyun": _paths("moderation/aliyun moderation/aliyun_media holding/aliyun"),
    "function.moderation.aliyun_verdict": _paths("moderation/aliyun_verdict moderation/aliyun_media"),
    "function.moderation.finding": _paths(f"moderation/finding {HOLDING}"),
    "function.moderation.pictures": _paths("moderation/pictures holding/picture_metadata"),
    "function.moderation.source": _paths("holding/unreachable"),
    "function.moderation.wechat": _paths("moderation/wechat holding/submission"),
    "function.moderation.wechat_verdict": _paths("moderation/wechat_verdict"),
    "function.multipart.lifecycle": _paths("multipart/multipart_parts multipart/"),
    "function.multipart.part_urls": _paths("multipart/part_urls multipart/"),
    "function.outgoing": _paths("outgoing http/client"),
    "function.oss.callback_signature": _paths("uploads/callback_signature uploads/"),
    "function.oss.client": _paths(
        "oss/client oss/objects oss/multipart uploads/confirm sessions config/bucket_location holding/commit"
        " operations/tick owners/"
    ),
    "function.oss.due": _paths("oss/due operations/ owners/replaces"),
    "function.oss.versions": _paths("oss/versions owners/erase"),
    "function.oss.errors": _paths("oss/errors oss/client"),
    "function.oss.listing": _paths("oss/listing oss/due owners/list owners/long_list owners/erase"),
    "function.oss.multipart": _paths("oss/multipart oss/client"),
    "function.oss.objects": _paths("oss/objects oss/client"),
    "function.oss.post_form": _paths(f"oss/post_form warm_calls oss/signature_v4 {FORMS}"),
    "function.oss.presign": _paths("oss/presign reading/ holding/submission"),
    "function.oss.signature_v4": _paths("oss/signature_v4 oss/presign"),
    "function.owners.deletion": _paths("owners/delete owners/delete_held owners/replaces"),
    "function.owners.erasure": _paths("owners/erase owners/revocation"),
    "function.owners.erasure_pass": _paths("owners/erase"),
    "function.owners.erasure_records": _paths("owners/erase owners/revocation"),
    "function.owners.listing": _paths("owners/list owners/long_list"),
    "function.owners.revocation": _paths("owners/revocation routes/wechat_events"),
    "function.reading": _paths("reading/ owners/list owners/delete"),
    "function.request_log": _paths(f"request_log warm_calls {APP} uploads/ operations/tick"),
    "function.routes": _paths(f"{APP} {FORMS} owners/"),
    "function.routes.callback": _paths("uploads/receipt holding/receipts uploads/ owners/replaces"),
    "function.routes.check_source": _paths("holding/unreachable"),
    "function.routes.confirm": _paths("uploads/confirm holding/resume holding/check owners/replaces"),
    "function.routes.erase": _paths("owners/erase"),
    "function.routes.held": _paths(f"holding/commit {HOLDING}"),
    "function.routes.login": _paths("auth/"),
    "function.routes.multipart": _paths("multipart/multipart multipart/ holding/resume owners/replaces"),
    "function.routes.owners": _paths("owners/list owners/delete"),
    "function.routes.read": _paths("reading/read reading/ routes/hooks config/bucket_location"),
    "function.routes.upload_params": _paths(
        f"{FORMS} uploads/form_ticket uploads/deduplication limits/counting request_log {APP} auth/ owners/"
    ),
    "function.routes.wechat_events": _paths("routes/wechat_events"),
    "function.operations": _paths("operations/"),
    "function.operations.tick": _paths("operations/tick operations/ holding/due"),
    "function.operations.deliveries": _paths("operations/deliveries"),
    "function.session_policy": _paths(f"session_policy sessions {SETTINGS} owners/ reading/urls"),
    "function.uploads.callback": _paths("uploads/callback uploads/"),
    "function.uploads.deduplication": _paths(
        "uploads/deduplication uploads/held_receipts config/bucket_location"
    ),
    "function.uploads.hooks": _paths("uploads/hooks routes/hooks"),
    "function.uploads.plan": _paths("uploads/ routes/ owners/replaces"),
    "function.uploads.receipt": _paths(
        "uploads/claims uploads/confirm uploads/held_receipts uploads/receipt uploads/ holding/resume"
        " owners/replaces"
    ),
    "function.uploads.request": _paths(f"uploads/ routes/ {APP} warm_calls owners/replaces"),
    "function.uploads.ticket_limits": _paths("uploads/ticket_limits uploads/confirm multipart/"),
    "function.uploads.tickets": _paths(
        "uploads/claims multipart/ticket uploads/form_ticket multipart/ uploads/ owners/replaces"
    ),
    "function.webhook": _paths(
        "uploads/webhook operations/deliveries holding/commit owners/revocation uploads/"
    ),
    "function.wechat": _paths("wechat/access_token wechat/api config/settings"),
    "function.wechat.api": _paths("wechat/access_token wechat/api moderation/wechat_verdict"),
    "function.wechat.message": _paths("wechat/message wechat/push routes/wechat_events"),
    "function.wechat.push": _paths("wechat/push wechat/message"),
    "handler": _paths(f"/tests/test_handler.py {APP} operations/tick"),
    "sts_credentials": _paths(STS),
}

# What decides which test reaches which line.
EVERY_SOURCE = (*FUNCTION, "function", "bytecode.py", "handler.py", "sts_credentials.py", "deploy/burst")
# The fewest mutants for which seeing what the tests reach pays.
TRACED_FOR = 10


def run(module: str, until: float = float("inf")) -> Result:
    """
    Try what the table does not know of one module, and what survived before its tests changed.

    Args:
        until: begin no mutant after this instant; what is known by then is stored.
    """
    started, result = time.monotonic(), Result("mutation")
    mutants = list(mutants_of(path_of(module).read_text("utf-8")))
    unfinished = mutation_table.Unfinished(module, *present(module))
    row = _row_of_present_source(module)
    outcomes = {**(_outcomes_of(row, module, mutants) if row else {}), **unfinished.outcomes}
    waiting = [mutant for mutant in mutants if mutant.name not in outcomes]
    progress = Progress(f"mutation {module}", len(waiting))
    for done, (name, outcome) in enumerate(_try_all(module, waiting, until) if waiting else (), start=1):
        if outcome == BROKEN:
            result.problems.append(f"{module}: fails without any mutant: {name}")
        else:
            outcomes[name] = outcome
            unfinished.add(name, outcome)
        progress.show(done)
    left = len(mutants) - len(outcomes)
    if result.problems:
        return result
    _judge(module, outcomes, result, is_complete=row is None and not left)
    if left:
        result.notes.append(f"{module}: {left} of {len(mutants)} mutants are still to be tried")
    else:
        if waiting or row is None or _survivors(module, outcomes) != row.surviving:
            _store(module, outcomes)
        unfinished.forget()
    result.seconds = time.monotonic() - started
    return result


def _row_of_present_source(module: str) -> mutation_table.Row | None:
    row = mutation_table.rows().get(module)
    return row if row and row.source == present(module)[0] else None


def _outcomes_of(row: mutation_table.Row, module: str, mutants: list[Mutant]) -> dict[str, str]:
    """What a row says of each mutant; nothing of survivors that other tests may notice by now."""
    listed = equivalents(module)
    outcomes = {mutant.name: SURVIVED if mutant.name in listed else KILLED for mutant in mutants}
    for name in set(row.surviving) - set(listed):
        outcomes[name] = SURVIVED
        if row.tests != present(module)[1]:
            del outcomes[name]
    return outcomes


def _survivors(module: str, outcomes: dict[str, str]) -> tuple[str, ...]:
    """Those that no reason excuses."""
    survivors = {name for name, outcome in outcomes.items() if outcome == SURVIVED}
    return tuple(sorted(survivors - set(equivalents(module))))


def _store(module: str, outcomes: dict[str, str]) -> None:
    alive = _survivors(module, outcomes)
    counts = Counter(outcomes.values())
    row = mutation_table.Row(
        *present(module),
        mutation_table.commit(),
        mutation_table.today(),
        mutants=len(outcomes),
        killed=counts[KILLED],
        equivalent=counts[SURVIVED] - len(alive),
        surviving=alive,
    )
    mutation_table.store(module, row)


def _try_all(module: str, mutants: list[Mutant], until: float) -> Iterator[tuple[str, str]]:
    """In place first; then those that cannot be, those that are said to survive last."""
    with TemporaryDirectory() as folder:
        whole_runs.prepare(folder)
        left = {mutant.name: mutant for mutant in mutants}
        if len(mutants) < TRACED_FOR and not _passes_whole(module, TESTS[module]):
            yield "one of its tests", BROKEN
            return
        inside = [mutant for mutant in mutants if mutant.is_in_a_body()] if len(mutants) >= TRACED_FOR else []
        for name, outcome in _in_place(module, inside, until) if inside else ():
            if outcome == OPEN:
                continue
            if outcome == BROKEN:
                left.clear()
            left.pop(name, None)
            yield name, outcome
        listed = equivalents(module)
        for mutant in sorted(left.values(), key=lambda mutant: mutant.name in listed):
            if time.time() > until:
                return
            yield mutant.name, whole_runs.outcome_of(module, path_of(module), mutant.tree(), TESTS[module])


def _in_place(module: str, mutants: list[Mutant], until: float) -> Iterator[tuple[str, str]]:
    import pytest

    source, target = os.pipe()
    process = os.fork()
    if not process:
        try:
            os.close(source)
            whole_runs.silence()

            def report(name: str, outcome: str) -> None:
                os.write(target, json.dumps([name, outcome]).encode() + b"\n")

            trace = traces.stored(path_of(module), EVERY_SOURCE)
            plugin = InPlace(path_of(module), mutants, report, until, trace)
            pytest.main([*whole_runs.OPTIONS, *TESTS[module]], plugins=[plugin])
        finally:
            os._exit(0)
    os.close(target)
    with os.fdopen(source) as lines:
        for line in lines:
            name, outcome = json.loads(line)
            yield name, outcome
    os.waitpid(process, 0)


def trace_all() -> None:
    """Run all tests once to see which reach which line, for runs over many modules."""
    if traces.folder_of(EVERY_SOURCE).exists():
        return
    print("  tracing the tests once for all modules ...", file=sys.stderr, flush=True)
    command = [sys.executable, "-c", "from quality.torture import mutation; mutation.trace_here()"]
    subprocess.run(command, cwd=ROOT, check=True)


def trace_here() -> None:
    import pytest

    with TemporaryDirectory() as folder:
        whole_runs.prepare(folder)
        whole_runs.silence()
        plugin = traces.Tracing(map(path_of, TESTS), EVERY_SOURCE)
        pytest.main([*whole_runs.OPTIONS, *FUNCTION], plugins=[plugin])


def sample(count: int, seed: int, share: int = 0, shares: int = 1) -> Result:
    """Try some mutants drawn over all modules, whatever the table knows, and store nothing."""
    started, result = time.monotonic(), Result("mutation")
    every = [(module, number) for module in TESTS for number in range(len(_mutants(module)))]
    drawn = sorted(random.Random(seed).sample(every, min(count, len(every))))[share::shares]
    progress = Progress("sample of mutants", len(drawn))
    counts: Counter[str] = Counter()
    with TemporaryDirectory() as folder:
        whole_runs.prepare(folder)
        for done, (module, number) in enumerate(drawn, start=1):
            mutant, tests = _mutants(module)[number], TESTS[module]
            path = path_of(module)
            outcome = "equivalent"
            if mutant.name not in equivalents(module):
                outcome = whole_runs.outcome_of(module, path, mutant.tree(), tests)
            counts[outcome] += 1
            if outcome == SURVIVED:
                result.problems.append(f"{module}: survives: {mutant.name}")
            progress.show(done)
        # Of a module in the table it is known that its tests pass here.
        unknown = {module for module, _ in drawn} - set(mutation_table.rows())
        broken = {module for module in unknown if not _passes_whole(module, TESTS[module][:1])}
    result.problems += [f"{module}: its own tests fail without any mutant" for module in sorted(broken)]
    figures = " / ".join(str(counts[outcome]) for outcome in (KILLED, "equivalent", SURVIVED))
    result.figures.append((f"sample {share + 1} of {shares}: killed / equivalent / surviving", figures))
    result.totals["mutants killed or equivalent"] = len(drawn) - counts[SURVIVED]
    result.totals["mutants surviving"] = counts[SURVIVED]
    result.seconds = time.monotonic() - started
    return result


@cache
def _mutants(module: str) -> list[Mutant]:
    return list(mutants_of(path_of(module).read_text("utf-8")))


def _passes_whole(module: str, tests: Sequence[str]) -> bool:
    path = path_of(module)
    tree = ast.parse(path.read_text("utf-8"))
    return whole_runs.outcome_of(module, path, tree, tests) == SURVIVED


def _judge(module: str, outcomes: dict[str, str], result: Result, is_complete: bool) -> None:
    alive = _survivors(module, outcomes)
    counts = Counter(outcomes.values())
    equivalent = counts[SURVIVED] - len(alive)
    what = f"{module}: mutants killed / equivalent / surviving"
    result.figures.append((what, f"{counts[KILLED]} / {equivalent} / {len(alive)}"))
    result.totals["mutants killed or equivalent"] = counts[KILLED] + equivalent
    result.totals["mutants surviving"] = len(alive)
    result.problems += [f"{module}: survives: {name}" for name in alive]
    if is_complete:
        result.problems += [
            f"{module}: listed as equivalent but {outcomes.get(name, 'not made any more')}: {name}"
            for name in sorted(equivalents(module))
            if outcomes.get(name) != SURVIVED
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


def present(module: str) -> tuple[str, str]:
    """The module's source and its tests, as the table names them."""
    code = mutation_table.code_of(path_of(module).read_text("utf-8"))
    return code, mutation_table.fingerprint_of(TESTS[module])


def is_settled(module: str) -> bool:
    """Return whether ``run`` would try nothing."""
    row = _row_of_present_source(module)
    return row is not None and (not row.surviving or row.tests == present(module)[1])


def report() -> str:
    return mutation_table.report({module: present(module) for module in TESTS})
