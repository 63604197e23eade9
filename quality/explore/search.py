"""
Search through every order of the calls of a scenario's actors.

States that nothing can tell apart are gone through once; the number of orders that lead through them is
counted all the same. Orders that differ only in calls that have nothing to do with each other count as one.
"""

from collections.abc import Callable, Iterable
from random import Random
from typing import Any, NamedTuple

from quality.explore.calls import Footprint, meet
from quality.explore.exemptions import EXEMPTIONS, Exemption
from quality.explore.steps import LANDS, OK, Move, Node, Scenario, State, Steps

# Ways that are gone by chance first, and how much of them without any failure.
WALKS, CALM = 1000, 0.9


class Found(NamedTuple):
    """A counterexample."""

    problems: list[str]
    moves: list[Move]


class Counts(NamedTuple):
    """
    How much was tried.

    Args:
        states, moves: different ones; ``ends``: states in which nobody has anything left to do.
        orders: how many different orders of calls and faults were covered.
        runs: how often an actor was run.
    """

    states: int = 0
    moves: int = 0
    ends: int = 0
    orders: int = 0
    runs: int = 0


class Reliance(NamedTuple):
    """A state in which one actor alone moves, because its call meets nothing that the others may still do."""

    key: int
    state: State
    node: Node

    @property
    def is_wrong(self) -> bool:
        """Whether the others may do more than was known then."""
        footprint = self.node.next_call
        return any(
            meet(footprint, other.footprint)
            for other in self.state.nodes
            if other is not self.node and other.local.call
        )


class Explorer(Steps):
    """
    Every order of one scenario.

    Args:
        reduces: leave out orders that differ only in calls that have nothing to do with each other.
    """

    def __init__(
        self, scenario: Scenario, *, reduces: bool = True, exemptions: Iterable[Exemption] = EXEMPTIONS
    ) -> None:
        super().__init__(scenario, exemptions)
        self.reduces = reduces
        self.counts = Counts()
        self._relied_on: list[Reliance] = []
        # By key of a state: those that follow, and the one and the move that it was first reached by.
        self._edges: dict[int, list[int]] = {}
        self._came: dict[int, tuple[int, Move] | None] = {}

    def explore(self, tell: Callable[[int, int], Any] = lambda *_: None, most: int = 0) -> Found | None:
        """
        Go through all states, those with the fewest calls first; the first that is wrong, or ``None``.

        Args:
            tell: told of each layer: how many states there are so far, and how many are next.
            most: end after so many states.
        """
        if self.reduces:
            self._learn()
        first = self._key(self.first)
        self._came[first] = None
        layer = {first: self.first}
        while layer and not (most and len(self._came) > most):
            following: dict[int, State] = {}
            for key, state in layer.items():
                if found := self._expand(key, state, following):
                    return found
            layer = following or self._wrongly_reduced()
            tell(len(self._came), len(layer))
        ends = sum(not edges for edges in self._edges.values())
        moves = sum(map(len, self._edges.values()))
        self.counts = Counts(len(self._came), moves, ends, 0 if layer else self._orders(first), self.runs)
        return None

    def _expand(self, key: int, state: State, following: dict[int, State]) -> Found | None:
        """Make every move from a state; the counterexample, if one of them is wrong."""
        edges = self._edges[key] = []
        for move in self._reduced(key, state):
            after, problems = self.after(state, move)
            if problems:
                return Found(problems, [*self._way(key), move])
            new = self._key(after)
            edges.append(new)
            if new not in self._came:
                self._came[new] = key, move
                following[new] = after
        if not edges and (problems := self.at_rest(state)):
            return Found(problems, self._way(key))
        return None

    def _learn(self) -> None:
        """Go a few ways by chance, to see what each actor may touch."""
        dice = Random(1)
        for _ in range(WALKS):
            state = self.first
            while moves := [*self.moves(state)]:
                calm = [move for move in moves if move.how == OK]
                state, _ = self.after(state, dice.choice(calm if dice.random() < CALM else moves))

    def _reduced(self, key: int, state: State) -> list[Move]:
        """
        The moves to try: those of one actor alone where its call meets nothing that others may still do.

        Not if the model notes that somebody begins something: that others do more before it may matter.
        """
        moves = [*self.moves(state)]
        if not self.reduces:
            return moves
        late = Footprint(writes=frozenset(each.key for each in state.moment.oss.under_way))
        for number in dict.fromkeys(self.names.index(move.actor) for move in moves if move.actor != LANDS):
            node = state.nodes[number]
            relied = Reliance(key, state, node)
            if not (node.begins or meet(node.next_call, late) or relied.is_wrong):
                chosen = [move for move in moves if move.actor == self.names[number]]
                if len(chosen) < len(moves):
                    self._relied_on.append(relied)
                return chosen
        return moves

    def _wrongly_reduced(self) -> dict[int, State]:
        """The states from which others must move as well, by what is known of them now."""
        wrong = {each.key: each.state for each in self._relied_on if each.is_wrong}
        self._relied_on = [each for each in self._relied_on if each.key not in wrong]
        return wrong

    def _orders(self, first: int) -> int:
        """How many ways there are from a state to the ends."""
        orders: dict[int, int] = {}
        stack = [first]
        while stack:
            edges = self._edges[stack[-1]]
            if left := [key for key in edges if key not in orders]:
                stack += left
            else:
                orders[stack.pop()] = sum(orders[key] for key in edges) or 1
        return orders[first]

    def _key(self, state: State) -> int:
        """Equal for states that nothing can tell apart."""
        # What came of an actor that has ended stands in the model.
        nodes = tuple(id(node) if node.local.call else 0 for node in state.nodes)
        return hash((id(state.moment), nodes, id(state.model), state.faults))

    def _way(self, key: int) -> list[Move]:
        """The moves that led to a state."""
        moves: list[Move] = []
        while came := self._came[key]:
            key, move = came
            moves.append(move)
        return moves[::-1]
