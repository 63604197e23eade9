"""
The steps of a scenario: what each of its actors may do next, and what follows from it.

A state is everything in the cloud, where each actor stands, and the model. From each state every actor that
can makes its next call, in each way that the scenario's faults leave: heard; not made, for a failure; made,
its response lost; late; made, and then its instance ends. A call that is made once more at the same moment is
not made again: its outcome is known.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from function.http.client import ExchangeFailed
from quality.explore.calls import Call, Footprint
from quality.explore.cloud import COPY_ENDS, Cloud, Moment
from quality.explore.exemptions import EXEMPTIONS, Exemption
from quality.explore.hands import Hands, Local, Outcome, Paused
from quality.explore.model import Event, Model, Sight
from quality.explore.rest import rest
from quality.explore.rules import ALWAYS, broken, no_answer_contradicts_a_final_one
from tests.support.memory_oss import DENIED, MALFORMED

# Not made; made, but not heard; ends later; made by an instance that ends then. Of one actor alone also:
# refused; made, but its response says nothing.
OK, UNHEARD, LOST, LATE, KILLED = "ok", "unheard", "lost", "late", "killed"
LANDS = "late-copy"

Given = dict[str, Any]
Act = Callable[[Hands, Given], object]


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
    """
    A place in the history of one actor: what came of each of its calls so far.

    Attributes:
        begins: whether the model notes that something begins with its next call.
        next_call: what that reads and writes; ``footprint``: also all that may follow, as far as is known.
    """

    __slots__ = ("before", "begins", "failed", "following", "footprint", "history", "local", "next_call")

    def __init__(
        self, history: tuple[Outcome, ...], local: Local, before: "Node | None" = None, failed: object = None
    ) -> None:
        self.history, self.local, self.before = history, local, before
        self.failed = failed
        self.following: dict[object, Node] = {}
        self.begins = any(at == len(history) and event.kind == "begun" for at, event in local.events)
        self.footprint = self.next_call = local.call.footprint if local.call else Footprint()

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


class Steps:
    """
    The states of one scenario, and the steps between them.

    Args:
        exemptions: what may be broken.
    """

    def __init__(self, scenario: Scenario, exemptions: Iterable[Exemption] = EXEMPTIONS) -> None:
        self.scenario, self.exemptions = scenario, exemptions
        self.names = [*scenario.actors]
        self.cloud = Cloud(**scenario.environ)
        self.given, model = scenario.prepare(self.cloud)
        self.cloud.events.clear()
        # How often an actor was run, for the first time in its history.
        self.runs = 0
        self._steps: dict[object, tuple[Node | None, Moment, tuple[Event, ...]]] = {}
        self._ready: dict[object, bool] = {}
        self._models: dict[Model, Model] = {}
        self._looks: dict[object, tuple[Model, list[str]]] = {}
        self._rests: dict[object, list[str]] = {}
        moment = self.cloud.moment()
        nodes = tuple(self._run(number, ()) for number in range(len(self.names)))
        self.first = State(moment, nodes, self._same(model.seeing(moment.places)), scenario.faults)

    def _same(self, model: Model) -> Model:
        """The one of all equal models."""
        return self._models.setdefault(model, model)

    # --- one actor ---

    def _run(
        self, number: int, history: tuple[Outcome, ...], before: Node | None = None, failed: object = None
    ) -> Node:
        """Run an actor up to its next call."""
        self.runs += 1
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
        for number, name in enumerate(self.names):
            node = state.nodes[number]
            call = node.local.call
            if call is None or not self._can(state, node, call):
                continue
            yield Move(name)
            if call.is_the_functions:
                yield from self._faults(state, name, node, call)

    def _can(self, state: State, node: Node, call: Call) -> bool:
        if call.name.startswith("wait"):
            # Requests end within half a minute, and late copies a minute after.
            is_idle = all(node.local.in_request is None for node in state.nodes)
            return is_idle and not state.moment.oss.under_way
        if call.is_ready is None:
            return True
        key = (id(state.moment), id(node))
        if key not in self._ready:
            self.cloud.go_to(state.moment)
            self._ready[key] = call.is_ready()
        return self._ready[key]

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
        if move.actor == LANDS:
            _, moment, _ = self._step(state.moment, -1, None, LANDS)
            return self._seen(state, state.nodes, state.model, state.faults, moment, [])
        number = self.names.index(move.actor)
        node = state.nodes[number]
        call, done = node.local.call, len(node.history)
        following, moment, heard = self._step(state.moment, number, node, move.how)
        assert call is not None and following is not None
        nodes = (*state.nodes[:number], following, *state.nodes[number + 1 :])
        before = [event for at, event in node.local.events if at == done]
        events = [*_unbegun(before), *_heard_at_once(following.local.events, done + 1), *heard]
        is_again = move.how in (UNHEARD, LOST) and node.failed is not None and node.failed == call.identity
        faults = state.faults - (move.how != OK and not is_again)
        problems, model = [*following.local.problems], state.model
        for event in events:
            if model.contradicted_by(event):
                problems.append(no_answer_contradicts_a_final_one.__name__)
            model = model.after(event)
        return self._seen(state, nodes, model, faults, moment, problems)

    def _step(
        self, moment: Moment, number: int, node: Node | None, how: str
    ) -> tuple[Node | None, Moment, tuple[Event, ...]]:
        """Make a call at a moment: where its actor stands then, the next moment, and who heard of it."""
        key = (id(moment), id(node), how)
        if key not in self._steps:
            self.cloud.go_to(moment)
            self._steps[key] = self._new_step(moment, number, node, how)
        return self._steps[key]

    def _new_step(
        self, moment: Moment, number: int, node: Node | None, how: str
    ) -> tuple[Node | None, Moment, tuple[Event, ...]]:
        cloud, late_until = self.cloud, moment.late_until
        if node is None:
            cloud.oss.land()
            return None, cloud.moment(), ()
        call = node.local.call
        assert call is not None
        outcome, token = self._make(call, how)
        heard = tuple(cloud.heard())
        if how == LATE:
            late_until = (node.local.in_request or cloud.instant) + COPY_ENDS
        next_moment = moment if how == UNHEARD else cloud.moment(late_until if cloud.oss.under_way else None)
        failed = call.identity if outcome.how == "failed" else None
        following = self._follow(number, node, outcome, token, failed)
        while how == UNHEARD and following.local.call and following.local.call.identity == failed:
            # Nor is it heard when it is tried again.
            following = self._follow(number, following, outcome, token, failed)
        return following, next_moment, heard

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
        moment: Moment,
        problems: list[str],
    ) -> tuple[State, list[str]]:
        failures = self.scenario.faults - faults
        model = model if model is state.model else self._same(model)
        key = (id(model), id(moment), failures)
        if key not in self._looks:
            seen = self._same(model.seeing(moment.places))
            submitted = max(len(moment.submitted), moment.paid)
            sight = Sight(seen, moment.places, moment.counted, submitted, failures)
            self._looks[key] = seen, self._not_exempt(broken(sight, ALWAYS))
        model, wrong = self._looks[key]
        return State(moment, nodes, model, faults), [*self._not_exempt(problems), *wrong]

    # --- at rest ---

    def at_rest(self, state: State) -> list[str]:
        """What is wrong once ticks have run, and each status was asked for twice; see ``rest``."""
        # Instances whose requests are under way end here.
        cut_off = sum(node.local.in_request is not None for node in state.nodes)
        model = state.model._replace(unheard=state.model.unheard + cut_off)
        is_calm = not cut_off and state.faults == self.scenario.faults
        key = (id(state.moment), model, is_calm)
        if key not in self._rests:
            self._rests[key] = self._not_exempt(rest(self.cloud, state.moment, model, is_calm))
        return self._rests[key]

    def _not_exempt(self, problems: list[str]) -> list[str]:
        name = self.scenario.name
        exempt = {each.rule for each in self.exemptions if each.is_everywhere or each.scenario == name}
        return [problem for problem in problems if problem.rpartition(": ")[2] not in exempt]


def _unbegun(before: list[Event]) -> list[Event]:
    """What an actor does with the call that it makes now."""
    return [event for event in before if event.kind == "begun"]


def _heard_at_once(events: tuple[tuple[int, Event], ...], at: int) -> list[Event]:
    """What an actor hears after its last call; what it begins then counts with its next call."""
    return [event for done, event in events if done >= at and event.kind != "begun"]
