"""
Search through every order of the calls of a scenario's actors.

A state is everything in the cloud, where each actor stands, and the model. From each state every actor that
can makes its next call, in each way that the scenario's faults leave: heard; not made, for a failure; made,
its response lost; late; made, and then its instance ends. States that nothing can tell apart are gone through
once; the number of orders that led there is counted all the same.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any, NamedTuple

from function.http.client import ExchangeFailed
from quality.explore.cloud import COPY_ENDS, Call, Cloud, Footprint, Moment
from quality.explore.hands import Hands, Local, Outcome, Paused
from quality.explore.model import ALWAYS, AT_REST, Event, Model, Sight, broken
from tests.support.memory_oss import DENIED, MALFORMED

# Not made; made, but not heard; ends later; made by an instance that ends then. Of one actor alone also:
# refused; made, but its response says nothing.
OK, UNHEARD, LOST, LATE, KILLED = "ok", "unheard", "lost", "late", "killed"
LANDS = "late-copy"
# Ticks after which nothing may be left to do: a copy may be under way, and the business may be asked again.
LAST_TICKS = 5
# Ways that are gone by chance first, and how much of them without any failure.
WALKS, CALM = 1000, 0.9

Given = dict[str, Any]
Act = Callable[[Hands, Given], None]


class Scenario(NamedTuple):
    """
    A few actors before one cloud.

    Args:
        prepare: does what was before, and returns what the actors are given and the model of it.
        actors: by name, each with an instance of its own.
        faults: how many calls may fail, or end their instance, in one order.
        environ: further settings.
    """

    name: str
    prepare: Callable[[Cloud], tuple[Given, Model]]
    actors: dict[str, Act]
    faults: int = 1
    environ: dict[str, str] = {}  # noqa: RUF012 - never changed


class Node:
    """A place in the history of one actor: what came of each of its calls so far."""

    __slots__ = ("before", "failed", "following", "footprint", "history", "local")

    def __init__(
        self,
        history: tuple[Outcome, ...],
        local: Local,
        before: "Node | None" = None,
        failed: object = None,
    ) -> None:
        self.history, self.local, self.before = history, local, before
        self.failed = failed
        self.following: dict[object, Node] = {}
        # Of its next call and of all that may follow, as far as is known.
        self.footprint = local.call.footprint if local.call else Footprint()

    def widen(self) -> None:
        """Tell all before it of its footprint."""
        node = self.before
        while node is not None and (wider := node.footprint | self.footprint) != node.footprint:
            node.footprint, node = wider, node.before


class State(NamedTuple):
    moment: Moment
    nodes: tuple[Node, ...]
    model: Model
    faults: int


class Move(NamedTuple):
    """A call of an actor, and what becomes of it; ``LANDS`` is a copy that was late."""

    actor: str
    how: str = OK

    def __str__(self) -> str:
        return self.actor if self.how == OK else f"{self.actor}!{self.how.replace(' ', '-')}"


class Found(NamedTuple):
    """A counterexample."""

    problems: list[str]
    moves: list[Move]


class Counts:
    """
    How much was tried.

    Attributes:
        states, moves: different ones; ``ends``: states in which nobody has anything left to do.
        orders: how many different orders of calls and faults were covered.
    """

    def __init__(self) -> None:
        self.states = self.moves = self.ends = self.orders = self.runs = 0


class Explorer:
    """
    The states of one scenario.

    Args:
        reduces: leave out orders that differ only in calls that have nothing to do with each other.
    """

    def __init__(self, scenario: Scenario, *, reduces: bool = True) -> None:
        self.reduces = reduces
        self.scenario = scenario
        self.names = [*scenario.actors]
        self.counts = Counts()
        self.cloud = Cloud(**scenario.environ)
        self.given, model = scenario.prepare(self.cloud)
        self.cloud.events.clear()
        self._relied_on: list[tuple[Footprint, list[Node]]] = []
        self._rests: dict[object, list[str]] = {}
        moment = self.cloud.moment()
        nodes = tuple(self._run(number, ()) for number in range(len(self.names)))
        self.first = State(moment, nodes, model.seeing(self.cloud.places()), scenario.faults)

    # --- one actor ---

    def _run(
        self, number: int, history: tuple[Outcome, ...], before: Node | None = None, failed: object = None
    ) -> Node:
        """Run an actor up to its next call."""
        self.counts.runs += 1
        cloud, name = self.cloud, self.names[number]
        instant = cloud.instant
        hands = cloud.hands = Hands(cloud, name, history)
        cloud.renew_randomness(number + 1)
        cloud.renew()
        cloud.lost.clear()
        try:
            self.scenario.actors[name](hands, self.given)
        except Paused:
            pass
        finally:
            cloud.hands, cloud.instant = None, instant
        local = Local(hands.pending, tuple(hands.events), hands.in_request, tuple(hands.problems))
        node = Node(history, local, before, failed)
        node.widen()
        return node

    def _follow(self, number: int, node: Node, outcome: Outcome, token: object, failed: object) -> Node:
        found = node.following.get(token)
        if found is None:
            found = node.following[token] = self._run(number, (*node.history, outcome), node, failed)
        return found

    # --- all of them ---

    def moves(self, state: State) -> Iterator[Move]:
        """Everything that may happen next."""
        if state.moment.oss.under_way:
            yield Move(LANDS)
        self.cloud.go_to(state.moment)
        for number, name in enumerate(self.names):
            node = state.nodes[number]
            call = node.local.call
            if call is None or not self._can(state, number, call):
                continue
            yield Move(name)
            if call.is_the_functions:
                yield from self._faults(state, name, node, call)

    def _can(self, state: State, number: int, call: Call) -> bool:
        if call.name.startswith("wait"):
            # Requests end within half a minute, and late copies a minute after.
            is_idle = all(node.local.in_request is None for node in state.nodes)
            return is_idle and not state.moment.oss.under_way
        return call.is_ready()

    def _faults(self, state: State, name: str, node: Node, call: Call) -> Iterator[Move]:
        """To end after a call is to end before the next one; what is not heard may be tried again at once."""
        is_again = node.failed is not None and node.failed == call.identity
        is_read = not call.writes and call.kind == "oss"
        if state.faults or is_again:
            yield Move(name, UNHEARD)
            if not is_read:
                yield Move(name, LOST)
        if state.faults:
            yield Move(name, KILLED)
            if call.name in ("CopyObject", "PostProcessTask"):
                yield Move(name, LATE)
            if len(self.names) == 1 and call.kind == "oss":
                yield Move(name, MALFORMED)
                # A role that may write no due records is one without a timer.
                if not call.key.startswith("held/.due/"):
                    yield Move(name, DENIED)

    def after(self, state: State, move: Move) -> tuple[State, list[str]]:
        """The state after a move, and what is wrong there."""
        cloud = self.cloud
        cloud.go_to(state.moment)
        if move.actor == LANDS:
            cloud.oss.land()
            return self._seen(state, state.nodes, state.model, state.faults, [], None)
        number = self.names.index(move.actor)
        node = state.nodes[number]
        call = node.local.call
        assert call is not None
        done = len(node.history)
        before = [event for at, event in node.local.events if at == done]
        outcome, token = self._make(call, move.how)
        failed = call.identity if outcome.how == "failed" else None
        following = self._follow(number, node, outcome, token, failed)
        while move.how == UNHEARD and following.local.call and following.local.call.identity == failed:
            # Nor is it heard when it is tried again.
            following = self._follow(number, following, outcome, token, failed)
        nodes = (*state.nodes[:number], following, *state.nodes[number + 1 :])
        events = _unbegun(before) + _heard_at_once(following.local.events, done + 1) + cloud.heard()
        is_again = move.how in (UNHEARD, LOST) and node.failed is not None and node.failed == call.identity
        faults = state.faults - (move.how != OK and not is_again)
        problems = [*following.local.problems]
        model, late_until = state.model, state.moment.late_until
        for event in events:
            if model.contradicted_by(event):
                problems.append(f"{event.request}_said_{event.what}_against_what_was_final")
            model = model.after(event)
        if move.how == LATE:
            late_until = (node.local.in_request or cloud.instant) + COPY_ENDS
        return self._seen(state, nodes, model, faults, problems, late_until)

    def _make(self, call: Call, how: str) -> tuple[Outcome, object]:
        """Make a call, and return what its actor gets of it."""
        if how == LATE:
            self.cloud.late(call)
        elif how != UNHEARD:
            if how in (DENIED, MALFORMED):
                self.cloud.oss.fault_of_the_next(how)
            try:
                value = call.do()
            except ExchangeFailed:
                how = LOST
        if how in (OK, DENIED, MALFORMED):
            return Outcome("ok", value), repr(value)
        outcome = Outcome("killed" if how == KILLED else "failed")
        return outcome, outcome.how

    def _seen(
        self,
        state: State,
        nodes: tuple[Node, ...],
        model: Model,
        faults: int,
        problems: list[str],
        late_until: datetime | None,
    ) -> tuple[State, list[str]]:
        cloud = self.cloud
        places = cloud.places()
        model = model.seeing(places)
        failures = self.scenario.faults - faults
        submitted = max(len(cloud.wechat.submitted), cloud.paid)
        sight = Sight(model, places, cloud.counted, submitted, failures)
        moment = cloud.moment(late_until if cloud.oss.under_way else None)
        return State(moment, nodes, model, faults), [*problems, *broken(sight, ALWAYS)]

    # --- at rest ---

    def at_rest(self, state: State) -> list[str]:
        """What is wrong once ticks have run, and each status was asked for twice."""
        # Instances whose requests are under way end here.
        cut_off = sum(node.local.in_request is not None for node in state.nodes)
        model = state.model._replace(unheard=state.model.unheard + cut_off)
        key = (self.cloud.key_of(state.moment), model)
        if key not in self._rests:
            self._rests[key] = self._rest(state.moment, model)
        return self._rests[key]

    def _rest(self, moment: Moment, model: Model) -> list[str]:
        cloud = self.cloud
        cloud.go_to(moment)
        cloud.oss.land()
        cloud.renew_randomness(99)
        cloud.instant += COPY_ENDS
        for _ in range(LAST_TICKS):
            cloud.instant += timedelta(minutes=1)
            cloud.renew()
            cloud.tick()
        ticked = cloud.places()
        decided = frozenset(name[8:] for name in cloud.oss.records() if name.startswith("decided/"))
        latest = f"{cloud.instant - timedelta(minutes=1):%Y%m%d%H%M}"
        says = {}
        for id, life in model.lives:
            for text, _ in life.receipts:
                asked = [cloud.ask("status", receipt=text) for _ in range(2)]
                first, second = (reply.code or str(reply.json["state"]) for reply in asked)
                says[id] = (first, second)
        for event in [*cloud.heard(), *(Event("told", id, event) for id, event in cloud.lost)]:
            model = model.after(event)
        places = cloud.places()
        due = tuple(name for name in cloud.due() if name <= latest)
        sight = Sight(
            model.seeing(places), places, cloud.counted, says=says, due=due, ticked=ticked, decided=decided
        )
        return [f"at rest: {name}" for name in broken(sight, AT_REST)]

    # --- the search ---

    def explore(self, tell: Callable[[Counts, int], Any] = lambda *_: None, most: int = 0) -> Found | None:
        """
        Go through all states, those with the fewest calls first; the first that is wrong, or ``None``.

        Args:
            tell: told of each layer.
            most: end after so many states.
        """
        if self.reduces:
            self._learn()
        while True:
            self._relied_on.clear()
            runs, self.counts = self.counts.runs, Counts()
            self.counts.runs = runs
            found = self._explore(tell, most)
            # What was relied on may have turned out wrong since; then once more, with what is known now.
            if found or not any(
                call.meets(other.footprint) for call, others in self._relied_on for other in others
            ):
                return found

    def _learn(self) -> None:
        """Go a few ways by chance, to see what each actor may touch."""
        dice = Random(1)
        for _ in range(WALKS):
            state = self.first
            while moves := [*self.moves(state)]:
                calm = [move for move in moves if move.how == OK]
                state, _ = self.after(state, dice.choice(calm if dice.random() < CALM else moves))

    def _explore(self, tell: Callable[[Counts, int], Any], most: int) -> Found | None:
        key = self._key(self.first)
        layer: dict[object, tuple[State, int]] = {key: (self.first, 1)}
        came: list[dict[object, tuple[object, Move]]] = []
        while layer and not (most and self.counts.states > most):
            following: dict[object, tuple[State, int]] = {}
            came.append({})
            for key, (state, orders) in layer.items():
                moves = self._reduced(state)
                self.counts.states += 1
                self.counts.moves += len(moves)
                for move in moves:
                    after, problems = self.after(state, move)
                    if problems:
                        return Found(problems, [*self._way(came, key), move])
                    new = self._key(after)
                    if new in following:
                        following[new] = (following[new][0], following[new][1] + orders)
                    else:
                        following[new] = (after, orders)
                        came[-1][new] = (key, move)
                if not moves:
                    self.counts.ends += 1
                    self.counts.orders += orders
                    if problems := self.at_rest(state):
                        return Found(problems, self._way(came, key))
            layer = following
            tell(self.counts, len(layer))
        return None

    def _reduced(self, state: State) -> list[Move]:
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
            call = node.local.call
            assert call is not None
            others = [other for other in state.nodes if other is not node and other.local.call]
            begins = any(at == len(node.history) and event.kind == "begun" for at, event in node.local.events)
            footprints = [late, *(other.footprint for other in others)]
            if not begins and not any(call.footprint.meets(other) for other in footprints):
                self._relied_on.append((call.footprint, others))
                return [move for move in moves if move.actor == self.names[number]]
        return moves

    def _key(self, state: State) -> object:
        """Equal for states that nothing can tell apart."""
        # What came of an actor that has ended stands in the model.
        nodes = tuple(id(node) if node.local.call else 0 for node in state.nodes)
        return hash((self.cloud.key_of(state.moment), nodes, state.model, state.faults))

    def _way(self, came: list[dict[object, tuple[object, Move]]], key: object) -> list[Move]:
        """The moves that led to a state."""
        moves: list[Move] = []
        for layer in reversed(came):
            if key in layer:
                key, move = layer[key]
                moves.append(move)
        return moves[::-1]


def _unbegun(before: list[Event]) -> list[Event]:
    """What an actor does with the call that it makes now."""
    return [event for event in before if event.kind == "begun"]


def _heard_at_once(events: tuple[tuple[int, Event], ...], at: int) -> list[Event]:
    """What an actor hears after its last call; what it begins then counts with its next call."""
    return [event for done, event in events if done >= at and event.kind != "begun"]
