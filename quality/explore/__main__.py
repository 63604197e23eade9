"""
``make explore``: every order of the calls of a few actors, scenario by scenario.

With ``--prove`` lines that protect something are taken out of the function, one at a time, and each must be
missed.
"""

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed

from quality.explore.deletions import DELETIONS
from quality.explore.exemptions import EXEMPTIONS
from quality.explore.run import Summary, run


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m quality.explore", description=__doc__)
    parser.add_argument("--only", action="append", help="scenarios whose name has this in it")
    parser.add_argument("--faults", type=int, help="so many in one order, whatever the scenario says")
    parser.add_argument("--prove", action="store_true", help="take out lines that protect something")
    parser.add_argument("--without", choices=DELETIONS, help="take out this one, and show what happens")
    parser.add_argument(
        "--at-a-time", type=int, default=os.cpu_count() or 2, help="processes (all processors)"
    )
    args = parser.parse_args(arguments)
    began = time.monotonic()
    if args.prove or args.without:
        names = [args.without] if args.without else [*DELETIONS]
        is_well = prove(names, args.at_a_time)
    else:
        from quality.explore.scenarios import BY_NAME

        chosen = [name for name in BY_NAME if not args.only or any(part in name for part in args.only)]
        is_well = explore(chosen, args.faults, args.at_a_time)
        if not args.only:
            is_well = beside_a_crowd() and is_well
            tell_what_is_exempt()
    print(f"in {(time.monotonic() - began) / 60:.1f} minutes on {args.at_a_time} processors")
    return 0 if is_well else 1


def explore(names: Iterable[str], faults: int | None, at_a_time: int) -> bool:
    """Explore these scenarios, and print a table and each counterexample."""
    # Not for the processes that take a line out first.
    from quality.explore.scenarios import BY_NAME

    summaries: list[Summary] = []
    # The largest first, so that no processor waits for one at the end.
    names = sorted(names, key=lambda name: -len(BY_NAME[name].actors))
    with _pool(at_a_time) as pool:
        for done in as_completed([pool.submit(run, name, "", faults) for name in names]):
            summary = done.result()
            summaries.append(summary)
            print(f"{len(summaries)} of {len(names)}  {_row(summary)}", flush=True)
            if summary.problems:
                print(f"{', '.join(summary.problems)}\n\n{summary.counterexample}", flush=True)
    found = [summary.scenario for summary in summaries if summary.problems]
    states, orders = (sum(column) for column in zip(*((s.states, s.orders) for s in summaries), strict=True))
    print(f"\n{states:,} states, {orders:,} orders of calls and faults; counterexamples: {len(found)}")
    return not found


def beside_a_crowd() -> bool:
    """Try a delivery beside many running checks, and say when the business hears."""
    from quality.explore.crowd import RUNNING, TICKS, Crowd

    hears = Crowd().hears_in(TICKS)
    print(
        f"a delivery beside {RUNNING} running checks: {f'tick {hears}' if hears else f'not in {TICKS} ticks'}"
    )
    return bool(hears)


def tell_what_is_exempt() -> None:
    for rule, scenario, why, is_fault, _ in EXEMPTIONS:
        print(f"{'known fault' if is_fault else 'does not apply'}: {rule}, {scenario}: {why}")


def _row(summary: Summary) -> str:
    return (
        f"{summary.scenario:<30} {summary.actors} actors {summary.faults} faults"
        f" {summary.states:>9,} states {summary.orders:>20,} orders {summary.seconds:>6.1f} s"
    )


def prove(names: Iterable[str], at_a_time: int) -> bool:
    """Explore without each of these lines, and say what is found."""
    missed: list[str] = []
    # A line is taken out before anything is imported, so each has a process of its own.
    with _pool(at_a_time, 1) as pool:
        running = {pool.submit(run, DELETIONS[name].scenario, name): name for name in names}
        for done in as_completed(running):
            name, summary = running[done], done.result()
            expected = DELETIONS[name].finds
            if expected not in summary.problems:
                missed.append(name)
            print(f"without {name}: {', '.join(summary.problems) or 'nothing is found'}\n")
            print(summary.counterexample, flush=True)
    print(f"{len(running) - len(missed)} of {len(running)} found; missed: {', '.join(missed) or 'none'}")
    return not missed


def _pool(at_a_time: int, most_tasks: int | None = None) -> ProcessPoolExecutor:
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(at_a_time, mp_context=context, max_tasks_per_child=most_tasks)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
