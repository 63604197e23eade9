"""
What is wrong once a scenario has come to rest: ticks have run, and each status was asked for.

Where no call failed, it also goes on to the end: each tick at the minute of the next due record, until there
is none; then beyond the end of every hold.
"""

from datetime import UTC, datetime, timedelta

from quality.explore.cloud import COPY_ENDS, Cloud, Moment
from quality.explore.model import OPEN, Event, Model, Sight
from quality.explore.rules import AT_ONCE, AT_REST, IN_THE_END, broken

# Ticks after which nothing may be left to do: a copy may be under way, and the business may be asked again.
LAST_TICKS = 5
# Ticks in which everything ends that waits for somebody's answer: WeChat is silent twice, and the business
# hears of it.
TICKS_TO_THE_END = 12
MINUTE = timedelta(minutes=1)
# Records of no work: of what the business has taken already.
TAKEN = "taken-"


def rest(cloud: Cloud, moment: Moment, model: Model, is_calm: bool) -> list[str]:
    """
    Return what is wrong; the cloud is another one afterwards.

    Args:
        is_calm: whether no call failed so far, and no instance ended.
    """
    if is_calm and (problems := broken(Sight(model, moment.places), AT_ONCE)):
        return [f"at once: {name}" for name in problems]
    cloud.go_to(moment)
    cloud.oss.land()
    cloud.renew_randomness(99)
    cloud.instant += COPY_ENDS
    for _ in range(LAST_TICKS):
        _tick(cloud, cloud.instant + MINUTE)
    model = _hearing(cloud, model)
    ticked = cloud.moment()
    problems = [f"at rest: {name}" for name in broken(_soon(cloud, model), AT_REST)]
    if is_calm and not problems:
        cloud.go_to(ticked)
        problems = [f"in the end: {name}" for name in broken(_in_the_end(cloud, model), IN_THE_END)]
    return problems


def _soon(cloud: Cloud, model: Model) -> Sight:
    """As it is when the ticks are over, and somebody asks."""
    due = tuple(name for name in _due(cloud) if _at(name) <= cloud.instant - MINUTE)
    says = _ask(cloud, model)
    model, places = _hearing(cloud, model), cloud.places()
    return Sight(model.seeing(places), places, cloud.counted, says=says, due=due)


def _in_the_end(cloud: Cloud, model: Model) -> Sight:
    """As it is when ticks have done all that was due, and nobody asked before."""
    for _ in range(TICKS_TO_THE_END):
        if not (due := _due(cloud)):
            break
        _tick(cloud, max(cloud.instant, *map(_at, due[:1])))
    places, due = cloud.places(), _due(cloud)
    says = _ask(cloud, model)
    sight = Sight(_hearing(cloud, model), places, says=says, due=due)
    if not any(said in OPEN for said, _ in says.values()):
        return sight
    cloud.instant = max(_held_until(cloud, model)) + MINUTE
    for _ in range(2):
        _tick(cloud, cloud.instant + MINUTE)
    later = {id: said for id, (said, _) in _ask(cloud, model).items() if says[id][0] in OPEN}
    return sight._replace(model=_hearing(cloud, sight.model), later=later)


def _tick(cloud: Cloud, at: datetime) -> None:
    cloud.instant = at
    cloud.renew()
    cloud.tick()


def _due(cloud: Cloud) -> tuple[str, ...]:
    """The names of the due records, earliest first."""
    return tuple(sorted(name for name in cloud.due() if TAKEN not in name))


def _at(name: str) -> datetime:
    return datetime.strptime(name[:12], "%Y%m%d%H%M").replace(tzinfo=UTC)


def _ask(cloud: Cloud, model: Model) -> dict[str, tuple[str, str]]:
    """What the status of each upload is, twice, by the last of its receipts."""
    says = {}
    for id, life in model.lives:
        for text, _ in sorted(life.receipts):
            asked = [cloud.ask("status", receipt=text) for _ in range(2)]
            first, second = (reply.code or str(reply.json["state"]) for reply in asked)
            says[id] = (first, second)
    return says


def _held_until(cloud: Cloud, model: Model) -> list[datetime]:
    """The end of each hold: a receipt lives a day longer."""
    texts = [text for _, life in model.lives for text, _ in life.receipts]
    return [datetime.fromtimestamp(cloud.claims_of(text)["exp"], UTC) - timedelta(days=1) for text in texts]


def _hearing(cloud: Cloud, model: Model) -> Model:
    """The model of what the business heard since, or the log names as lost."""
    for event in [*cloud.heard(), *(Event("told", id, event) for id, event in cloud.lost)]:
        model = model.after(event)
    cloud.lost.clear()
    return model
