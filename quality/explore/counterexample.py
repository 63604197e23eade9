"""A counterexample: made as short as it can be, and printed as a test."""

import re
from itertools import groupby

from quality.explore.scenarios import BY_NAME
from quality.explore.search import Explorer
from quality.explore.steps import LANDS, OK, Move

# Attempts to make a counterexample shorter or easier to read.
ATTEMPTS = 400


def replay(scenario: str, moves: str) -> list[str]:
    """
    Make these moves, and return what is wrong: after a move, or once everything has come to rest.

    Args:
        moves: as ``written`` writes them, such as ``commit*3 discard!lost late-copy``.
    """
    return problems_after(Explorer(BY_NAME[scenario], reduces=False), read(moves))


def problems_after(explorer: Explorer, moves: list[Move]) -> list[str]:
    """What is wrong after these moves; nothing, where one of them cannot be made."""
    state = explorer.first
    for move in moves:
        if move not in explorer.moves(state):
            return []
        state, problems = explorer.after(state, move)
        if problems:
            return problems
    return explorer.at_rest(state)


def shortened(explorer: Explorer, moves: list[Move], problem: str) -> list[Move]:
    """The moves without those that do not matter, and with as few changes from one actor to the other."""
    left = ATTEMPTS
    is_shorter = True
    while is_shorter and left > 0:
        is_shorter = False
        for shorter in [*_without_one(moves), *_without_faults(moves), *_with_fewer_turns(moves)]:
            left -= 1
            if problem in problems_after(explorer, shorter):
                moves, is_shorter = shorter, True
                break
    return moves


def _without_one(moves: list[Move]) -> list[list[Move]]:
    return [[*moves[:at], *moves[at + 1 :]] for at in reversed(range(len(moves)))]


def _without_faults(moves: list[Move]) -> list[list[Move]]:
    return [
        [*moves[:at], Move(move.actor), *moves[at + 1 :]] for at, move in enumerate(moves) if move.how != OK
    ]


def _with_fewer_turns(moves: list[Move]) -> list[list[Move]]:
    """The same, one move earlier each, where it follows its actor's last one then."""
    found = []
    for at, move in enumerate(moves):
        before = [earlier for earlier in range(at) if moves[earlier].actor == move.actor]
        if before and before[-1] < at - 1:
            to = before[-1] + 1
            changed = [*moves[:to], move, *moves[to:at], *moves[at + 1 :]]
            if _turns(changed) < _turns(moves):
                found.append(changed)
    return found


def _turns(moves: list[Move]) -> int:
    return sum(1 for _ in groupby(moves, key=lambda move: move.actor))


def written(moves: list[Move]) -> str:
    """The moves in one line."""
    runs = [(str(move), len([*same])) for move, same in groupby(moves)]
    return " ".join(text if count == 1 else f"{text}*{count}" for text, count in runs)


def read(text: str) -> list[Move]:
    moves: list[Move] = []
    for word in text.split():
        found = re.fullmatch(r"([a-z-]+?)(?:!([a-z]+))?(?:\*([0-9]+))?", word)
        assert found, word
        actor, how, count = found.groups()
        moves += [Move(LANDS if actor == LANDS else actor, how or OK)] * int(count or 1)
    return moves


def calls_of(explorer: Explorer, moves: list[Move]) -> list[str]:
    """A line for each move: who calls what, and what becomes of it."""
    state, lines = explorer.first, []
    for move in moves:
        if move.actor == LANDS:
            call = "the copy ends"
        else:
            call = str(state.nodes[explorer.names.index(move.actor)].local.call)
        lines.append(f"{move.actor}: {call}{'' if move.how == OK else f' ({move.how})'}")
        state, _ = explorer.after(state, move)
    return lines


def as_test(explorer: Explorer, moves: list[Move], problems: list[str]) -> str:
    """A test that fails as long as this can happen."""
    name = re.sub("[^a-z]+", "_", f"{explorer.scenario.name} {problems[0].rpartition(': ')[2]}")
    steps = "\n".join(f"    # {line}" for line in calls_of(explorer, moves))
    return (
        "from quality.explore.counterexample import replay\n\n\n"
        f"def test_{name}():\n{steps}\n"
        f'    assert replay("{explorer.scenario.name}", "{written(moves)}") == []\n'
    )
