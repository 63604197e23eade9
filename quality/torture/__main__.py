"""
``python -m quality.torture``: everything, on all processors, and a table; ``--quick`` is a hundredth of it.
"""

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from functools import partial

from quality.torture import (
    advisories,
    faults,
    fuzz,
    held_faults,
    held_uploads,
    machine_faults,
    mutation,
    oss_faults,
    package_secrets,
    parted_uploads,
    policy_proof,
    quota_faults,
    route_faults,
    soak,
    wechat_faults,
)
from quality.torture.report import Result, print_table

PARTS = ("faults", "soak", "fuzz", "proof", "mutation", "package")
QUICK = 100
SOAK_INSTANCES = 2
QUICK_MUTANTS = 10

Task = Callable[[], Result]


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m quality.torture", description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"a {QUICK}th of the inputs, to try it out")
    parser.add_argument("--only", choices=PARTS, action="append", help="this part; may be repeated")
    parser.add_argument("--quotas", action="store_true", help="the soak counts in a Redis")
    parser.add_argument(
        "--at-a-time", type=int, default=os.cpu_count() or 2, help="processes (all processors)"
    )
    args = parser.parse_args(arguments)
    started = time.monotonic()
    tasks = _tasks(set(args.only or PARTS), QUICK if args.quick else 1, with_quotas=args.quotas)
    results = _run(tasks, args.at_a_time)
    order = {part: number for number, part in enumerate(PARTS)}
    is_well = print_table(sorted(results, key=lambda result: order[result.name]))
    print(f"in {(time.monotonic() - started) / 60:.1f} minutes on {args.at_a_time} processors")
    return 0 if is_well else 1


def _tasks(parts: set[str], divisor: int, *, with_quotas: bool = False) -> list[tuple[str, Task]]:
    """The longest first, so that the processors end together."""
    tasks: list[tuple[str, Task]] = []
    if "soak" in parts:
        requests = soak.REQUESTS // SOAK_INSTANCES // divisor
        soaking = partial(soak.run, requests, with_quotas=with_quotas)
        tasks += [("soak", soaking) for _ in range(SOAK_INSTANCES)]
    if "fuzz" in parts:
        reason = fuzz.prepare()
        if reason:
            print(f"  {reason}; fuzzing goes on without coverage", file=sys.stderr, flush=True)
        tasks += [
            ("fuzz", partial(fuzz.run, name, fuzz.INPUTS // divisor, with_atheris=not reason))
            for name in fuzz.NAMES
        ]
    if "mutation" in parts:
        only = QUICK_MUTANTS if divisor > 1 else None
        tasks += [("mutation", partial(mutation.run, module, 1, only)) for module in mutation.TESTS]
    if "proof" in parts:
        tasks.append(("proof", partial(policy_proof.run, policy_proof.PAIRS // divisor)))
        share = held_uploads.STEPS // held_uploads.TASKS // divisor
        tasks += [("proof", partial(held_uploads.run, share)) for _ in range(held_uploads.TASKS)]
        tasks.append(("proof", partial(parted_uploads.run, parted_uploads.LIVES // divisor)))
    if "faults" in parts:
        matrices = (
            faults,
            oss_faults,
            wechat_faults,
            quota_faults,
            route_faults,
            held_faults,
            machine_faults,
        )
        tasks += [("faults", part.run) for part in matrices]
    if "package" in parts:
        tasks += [("package", package_secrets.run), ("package", advisories.run)]
    return tasks


def _run(tasks: list[tuple[str, Task]], at_a_time: int) -> list[Result]:
    # One fresh process for each: what a part loads, patches or leaves in memory touches no other.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(at_a_time, mp_context=context, max_tasks_per_child=1) as pool:
        running = [(name, pool.submit(task)) for name, task in tasks]
        return [_result_of(name, future) for name, future in running]


def _result_of(name: str, future: Future[Result]) -> Result:
    error = future.exception()
    if error is not None:
        return Result(name, problems=[f"the part itself ended in {type(error).__name__}: {error}"])
    return future.result()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
