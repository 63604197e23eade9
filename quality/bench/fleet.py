"""
How Function Compute scales, replayed: requests, the instances they find or start, its limits and that of STS.

A request that finds no room starts an instance or is refused at once, without a queue; the client repeats it.
Time is counted, not passed. How long a start or a request takes was measured in a real process that had the
machine to itself, because in the cloud each instance has a processor of its own.
"""

import heapq
import random
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

# Of an account in a region, in a second; read on 2026-11-25.
# Source: https://help.aliyun.com/zh/ram/developer-reference/api-sts-2015-04-01-quota
ASSUME_ROLES_A_SECOND = 100
# What the function does when STS turns it down: it asks again after this, then answers 503 with Retry-After.
PAUSE_SECONDS, RETRY_AFTER_SECONDS = 0.2, 2.0
# After so many seconds the client repeats a request that Function Compute refused, each times a number.
PAUSES, SPREAD = (1.0, 2.0, 4.0, 8.0), (0.7, 1.3)
# How often the client repeats what the function could not answer.
RETRIES = 2
# How often the function asks STS before it gives up.
ATTEMPTS = 2


# By deployment, plain or BURST=1: requests that an instance takes at once, and phones that it serves while
# they repeat what was refused (15 s), with some room to spare.
PLAIN, BURST = (1, 100), (20, 300)


class Region(NamedTuple):
    """
    What Function Compute grants an account in a region: 100 instances by most pages, 300 by one.

    Args:
        growth: instances that may start at once, and then in a minute: 300 in five regions, else 100.

    Source: https://help.aliyun.com/zh/functioncompute/fc/product-overview/limits-of-usage
    """

    instances: int = 100
    growth: int = 100

    @property
    def most(self) -> int:
        """Instances that one function may have."""
        return self.instances * 9 // 10

    def phones(self, slots: int, served: int) -> tuple[int, int]:
        """Return how many phones find room at once, and how many with what the client repeats."""
        instances = min(self.most, self.growth)
        return instances * slots, instances * served


@dataclass(frozen=True)
class Deployment:
    """
    What was measured of one instance, and what it does.

    Args:
        slots: requests that it takes at once.

        starts: seconds from the start of its process until it can be asked.

        assumes: seconds of a call that asks STS: ``initialize``, or on top of a request.

        requests: of each request of a phone, seconds by how many are under way.

        fills: whether requests wait for an instance that starts for another one; no page says.
    """

    slots: int
    starts: Sequence[float]
    assumes: Sequence[float]
    requests: Sequence[Mapping[int, Sequence[float]]]
    fills: bool = True


@dataclass(frozen=True)
class Outcome:
    """
    Args:
        refused: how many of the calls of AssumeRole were turned down.

        busy: how many responses were refusals of Function Compute itself, 429.

        repeated: phones that were refused at least once; ``lost``: those whose patience ended.

        most_forms: requests for a form of one phone that reached the function.

        seconds: from each phone's first request to its form, where it got one.
    """

    instances: int
    assume_roles: int
    refused: int
    seconds: Sequence[float]
    busy: int
    repeated: int
    lost: int
    most_forms: int


class Request(NamedTuple):
    """
    Args:
        step: the number of the phone's request; the last is that for a form.

        refusals: by Function Compute; ``failures``: by the function, which STS turned down.
    """

    phone: int
    step: int
    refusals: int = 0
    failures: int = 0


@dataclass(eq=False)
class Instance:
    busy: int = 0
    is_ready: bool = False
    has_session: bool = False


@dataclass
class Sts:
    """Admits so many calls in any one second; those that it turns down do not count."""

    limit: int
    admitted: list[float] = field(default_factory=list)
    asked: int = 0

    def admits(self, now: float) -> bool:
        self.asked += 1
        if sum(now - 1 < instant <= now for instant in self.admitted) >= self.limit:
            return False
        self.admitted.append(now)
        return True


class Fleet:
    """One deployment, and the phones that come to it."""

    def __init__(self, deployment: Deployment, dice: random.Random, sts: Sts, region: Region) -> None:
        self._of = deployment
        self._region = region
        self._dice = dice
        self._sts = sts
        self._instances: list[Instance] = []
        self._waiting: deque[Request] = deque()
        self._agenda: list[tuple[float, int, Callable[[float], None]]] = []
        self._planned = 0
        self._forms: dict[int, float] = {}
        self._asked_forms: Counter[int] = Counter()
        self._busy = 0
        self._repeated: set[int] = set()
        self._lost: set[int] = set()

    def run(self, arrivals: Sequence[float]) -> Outcome:
        """Replay phones that send their first request at these instants, in seconds."""
        for phone, instant in enumerate(arrivals):
            self._plan(instant, partial(self._ask, Request(phone, 0)))
        while self._agenda:
            now, _, happen = heapq.heappop(self._agenda)
            happen(now)
            self._dispatch(now)
        return Outcome(
            instances=len(self._instances),
            assume_roles=self._sts.asked,
            refused=self._sts.asked - len(self._sts.admitted),
            seconds=[self._forms[phone] - arrivals[phone] for phone in sorted(self._forms)],
            busy=self._busy,
            repeated=len(self._repeated),
            lost=len(self._lost),
            most_forms=max(self._asked_forms.values(), default=0),
        )

    def _plan(self, instant: float, happen: Callable[[float], None]) -> None:
        # Of what happens at one instant, what was planned first comes first.
        self._planned += 1
        heapq.heappush(self._agenda, (instant, self._planned, happen))

    def _ask(self, request: Request, _now: float) -> None:
        self._waiting.append(request)

    def _dispatch(self, now: float) -> None:
        """Give what waits to free instances, start more for what is left, and refuse the rest."""
        while self._waiting:
            free = [one for one in self._instances if one.is_ready and one.busy < self._of.slots]
            if not free:
                break
            # An instance is filled before another is used.
            self._serve(now, self._waiting.popleft(), max(free, key=lambda one: one.busy))
        starting = sum(not one.is_ready for one in self._instances)
        room = self._of.slots if self._of.fills else 1
        while len(self._waiting) > starting * room and self._may_start(now):
            self._start(now)
            starting += 1
        while len(self._waiting) > starting * room:
            self._refuse(now, self._waiting.pop())

    def _may_start(self, now: float) -> bool:
        return len(self._instances) < min(self._region.most, int(self._region.growth * (1 + now / 60)))

    def _refuse(self, now: float, request: Request) -> None:
        self._busy += 1
        self._repeated.add(request.phone)
        if request.refusals == len(PAUSES):
            self._lost.add(request.phone)
            return
        pause = PAUSES[request.refusals] * self._dice.uniform(*SPREAD)
        self._plan(now + pause, partial(self._ask, request._replace(refusals=request.refusals + 1)))

    def _start(self, now: float) -> None:
        instance = Instance()
        self._instances.append(instance)
        ready = self._assume(now + self._dice.choice(self._of.starts), instance)
        self._plan(ready, partial(self._become_ready, instance))

    def _become_ready(self, instance: Instance, _now: float) -> None:
        instance.is_ready = True

    def _serve(self, now: float, request: Request, instance: Instance) -> None:
        instance.busy += 1
        seconds = self._dice.choice(self._of.requests[request.step][instance.busy])
        needs_session = request.step + 1 == len(self._of.requests)
        self._asked_forms[request.phone] += needs_session
        end = self._assume(now, instance) if needs_session and not instance.has_session else now
        is_good = instance.has_session or not needs_session
        self._plan(end + seconds, partial(self._answer, request, instance, is_good))

    def _answer(self, request: Request, instance: Instance, is_good: bool, now: float) -> None:
        instance.busy -= 1
        if not is_good and request.failures == RETRIES:
            self._lost.add(request.phone)
        elif not is_good:
            later = request._replace(failures=request.failures + 1)
            self._plan(now + RETRY_AFTER_SECONDS, partial(self._ask, later))
        elif request.step + 1 < len(self._of.requests):
            self._ask(Request(request.phone, request.step + 1), now)
        else:
            self._forms[request.phone] = now

    def _assume(self, now: float, instance: Instance) -> float:
        """When STS has answered, well or often enough."""
        for attempt in range(ATTEMPTS):
            now += PAUSE_SECONDS if attempt else 0
            instance.has_session = self._sts.admits(now)
            now += self._dice.choice(self._of.assumes)
            if instance.has_session:
                break
        return now
