"""
``python -m quality.torture``: everything, on all processors, and a table; ``--quick`` is a hundredth of the
inputs, and no mutants.

With ``--minutes`` what changed last comes first, and the table names what did not run.
"""

import argparse
import os
import sys
import time
from functools import partial

from quality.torture import faults, fuzz, held_uploads, mutation, option_pairs, traces
from quality.torture.mutation_table import rows
from quality.torture.report import print_table
from quality.torture.tasks import Task, last_changes, run_all

PARTS = ("faults", "fuzz", "proof", "mutation")
QUICK = 100
# A budget of so many minutes lets fuzzing and proofs do all they do.
FULL_MINUTES = 60
# Tracing the tests of more modules one by one takes longer than tracing all tests once.
TRACED_ALONE = 8


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m quality.torture", description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"a {QUICK}th of the inputs, to try it out")
    parser.add_argument("--minutes", type=float, help="begin nothing after so many, the riskiest first")
    parser.add_argument("--only", choices=PARTS, action="append", help="this part; may be repeated")
    parser.add_argument("--mutation-report", action="store_true", help="what is stored about mutation")
    parser.add_argument(
        "--trace", nargs="*", metavar="FILE", help="write which tests (all) reach which module"
    )
    parser.add_argument(
        "--at-a-time", type=int, default=os.cpu_count() or 2, help="processes (all processors)"
    )
    args = parser.parse_args(arguments)
    if args.mutation_report:
        print(mutation.report())
        return 0
    if args.trace is not None:
        results, _ = run_all([Task("mutation", "trace", partial(mutation.write_reached, args.trace))], 1)
        return 0 if print_table(results) else 1
    started = time.time()
    until = started + 60 * args.minutes if args.minutes else float("inf")
    divisor = QUICK if args.quick else max(1, round(FULL_MINUTES / args.minutes)) if args.minutes else 1
    parts = set(args.only or PARTS) - ({"mutation"} if args.quick else set())
    tasks = _tasks(parts, divisor, until, args.at_a_time)
    if args.minutes:
        tasks = by_risk(tasks)
    results, not_run = run_all(tasks, args.at_a_time, until)
    order = {part: number for number, part in enumerate(PARTS)}
    is_well = print_table(sorted(results, key=lambda result: order[result.name]))
    for why, names in not_run.items():
        print(f"{why}: {', '.join(names)}")
    print(f"in {(time.time() - started) / 60:.1f} minutes on {args.at_a_time} processors")
    return 0 if is_well else 1


def by_risk(tasks: list[Task]) -> list[Task]:
    """Put the latest changes first, and mutation that the table answers already last, oldest answer first."""
    changes, stored = last_changes(), rows()

    def risk(task: Task) -> tuple[bool, int, str]:
        row = stored.get(task.name)
        is_answered = task.part == "mutation" and mutation.is_settled(task.name)
        changed = max((time for path, time in changes.items() if path.startswith(task.files)), default=0)
        return is_answered, -changed, str(row.on) if row else ""

    return sorted(tasks, key=risk)


def _tasks(parts: set[str], divisor: int, until: float, at_a_time: int) -> list[Task]:
    """The longest first, so that the processors end together."""
    tasks: list[Task] = []
    if "fuzz" in parts:
        tasks += _fuzzing(divisor)
    if "mutation" in parts:
        unsettled = [module for module in traces.tests() if not mutation.is_settled(module)]
        if len(unsettled) > TRACED_ALONE:
            run_all([Task("mutation", "trace", mutation.trace_all)], 1)
            shares = [unsettled[number::at_a_time] for number in range(at_a_time)]
            run_all(
                [
                    Task("mutation", "in place", partial(mutation.try_in_place, share, until))
                    for share in shares
                ],
                at_a_time,
                until,
            )
        tasks += [
            Task("mutation", module, partial(mutation.run, module, until), (_in_repository(module),))
            for module in traces.tests()
        ]
    if "proof" in parts:
        tasks += _proofs(divisor)
    if "faults" in parts:
        tasks.append(Task("faults", "faults", faults.run, ("function",)))
    return tasks


def _in_repository(module: str) -> str:
    return str(mutation.path_of(module).relative_to(mutation.ROOT))


def _fuzzing(divisor: int) -> list[Task]:
    if reason := fuzz.prepare():
        print(f"  no fuzzing: {reason}", file=sys.stderr, flush=True)
        return []
    inputs = fuzz.INPUTS // divisor
    return [
        Task("fuzz", f"fuzz {name}", partial(fuzz.run, name, inputs), ("function",)) for name in fuzz.NAMES
    ]


def _proofs(divisor: int) -> list[Task]:
    lives = partial(held_uploads.run, held_uploads.LIVES // divisor)
    held = ("function/holding", "function/operations")
    return [
        *(Task("proof", f"held uploads {number + 1}", lives, held) for number in range(held_uploads.TASKS)),
        Task("proof", "pairs of options", partial(option_pairs.run, divisor), ("function",)),
    ]


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
