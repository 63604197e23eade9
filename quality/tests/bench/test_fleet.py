"""fleet: how many instances a burst starts, who waits for what, and what STS turns down."""

import random

import pytest

from quality.bench.fleet import (
    RETRIES,
    Deployment,
    Fleet,
    Patience,
    Region,
    Sts,
)

ENDLESS = 10**9


def deployment(slots=1, **changes):
    """Ready after a second and a tenth; a login takes 0.2 s, a form 0.05 s."""
    given = {
        "slots": slots,
        "starts": [1.0],
        "assumes": [0.1],
        "requests": [dict.fromkeys(range(1, slots + 1), [seconds]) for seconds in (0.2, 0.05)],
        **changes,
    }
    return Deployment(**given)


ALMOST = Patience((1.0, 2.0), (1.0, 1.0))


def run(arrivals, of, limit=ENDLESS, **around):
    return Fleet(of, random.Random(0), Sts(limit), **around).run(arrivals)


def test_a_phone_alone_waits_for_a_start_and_its_two_requests():
    outcome = run([0.0], deployment())
    assert (outcome.instances, outcome.assume_roles, outcome.refused) == (1, 1, 0)
    assert outcome.seconds == [pytest.approx(1.35)]


def test_a_later_request_uses_the_running_instance():
    outcome = run([0.0, 2.0], deployment())
    assert (outcome.instances, outcome.assume_roles) == (1, 1)
    assert outcome.seconds == pytest.approx([1.35, 0.25])


@pytest.mark.parametrize(("slots", "instances"), [(1, 40), (20, 2), (30, 2), (40, 1)])
def test_phones_at_one_instant_start_as_many_instances_as_they_fill(slots, instances):
    outcome = run([0.0] * 40, deployment(slots))
    assert (outcome.instances, outcome.assume_roles) == (instances, instances)
    assert max(outcome.seconds) == pytest.approx(1.35)


def test_an_instance_takes_no_more_requests_than_it_has_room_for():
    requests = [{1: [1.0], 2: [1.0]}]
    outcome = run([0.0, 5.0, 5.0, 5.0], deployment(2, requests=requests))
    assert outcome.instances == 2
    # The third of those that come together waits for a place, which is free before a start ends.
    assert sorted(outcome.seconds) == pytest.approx([1.0, 1.0, 2.0, 2.1])


def test_a_request_takes_as_long_as_measured_with_so_many_under_way():
    requests = [{1: [1.0], 2: [2.0], 3: [3.0]}]
    outcome = run([0.0, 5.0, 5.1, 5.2], deployment(3, requests=requests))
    assert outcome.seconds == pytest.approx([2.1, 1.0, 2.0, 3.0])


@pytest.mark.parametrize(
    ("region", "instances", "busy"),
    [
        (Region(10, 100), 9, {429: 1}),
        (Region(300, 4), 4, {429: 6 + 2}),
        (Region(300, 100, 6), 6, {503: 4}),
        (Region(), 10, {}),
    ],
    ids=["nine tenths of the account's", "growth", "machines", "enough"],
)
def test_a_request_without_an_instance_is_refused_at_once_and_repeated(region, instances, busy):
    outcome = run([0.0] * 10, deployment(), region=region, patience=Patience((1.4,) * 4, (1.0, 1.0)))
    assert (outcome.instances, outcome.busy, outcome.lost) == (instances, busy, 0)
    assert outcome.repeated == 10 - instances
    # Nobody waits in a queue: a phone has its form when its repeated request has run.
    again = 2.8 if sum(busy.values()) > 10 - instances else 1.4
    assert min(outcome.seconds) == pytest.approx(1.35)
    assert max(outcome.seconds) == pytest.approx(again + 0.25 if busy else 1.35)


def test_more_instances_may_start_as_minutes_pass():
    arrivals = [0.0, 0.0, 60.0, 60.0, 60.0]
    outcome = run(arrivals, deployment(requests=[{1: [500.0]}]), region=Region(300, 2))
    assert (outcome.instances, outcome.lost) == (4, 1)


def test_patience_ends_after_the_last_pause():
    endless = deployment(requests=[{1: [900.0]}])
    outcome = run([0.0] * 3, endless, region=Region(3, 100), patience=ALMOST)
    assert (outcome.instances, outcome.lost, len(outcome.seconds)) == (2, 1, 2)
    assert (outcome.busy, outcome.repeated) == ({429: 3}, 1)


def test_pauses_are_spread_so_that_repeated_requests_do_not_meet_again():
    short = deployment(requests=[{1: [0.1]}], starts=[0.1], assumes=[0.0])
    outcome = run([0.0] * 4, short, region=Region(2, 100), patience=Patience((10.0,)))
    assert (outcome.repeated, outcome.lost) == (3, 0)
    assert min(outcome.seconds[1:]) > 7 and max(outcome.seconds) < 13.2


@pytest.mark.parametrize(("fills", "refused"), [(True, 0), (False, 19)])
def test_requests_share_a_starting_instance_only_where_it_fills(fills, refused):
    outcome = run([0.0] * 20, deployment(20, fills=fills), region=Region(2, 100))
    assert (outcome.instances, outcome.repeated, outcome.lost) == (1, refused, 0)


def test_a_throttled_start_retries_sts_once_then_leaves_it_to_the_request():
    # Ready after both tries, the second still logs a phone in; the first has the session for its form.
    outcome = run([0.0, 0.0], deployment(requests=[{1: [5.0]}, {1: [0.05]}]), limit=1)
    assert (outcome.instances, outcome.assume_roles, outcome.refused) == (2, 3, 2)
    assert outcome.seconds == pytest.approx([1.1 + 5.05, 1.4 + 5.05])


def test_a_form_without_a_session_is_retried_as_often_as_the_client_retries():
    one_step = deployment(requests=[{1: [0.05]}])
    outcome = run([0.0], one_step, limit=0)
    assert (outcome.lost, outcome.most_forms, outcome.busy) == (1, 1 + RETRIES, {})


def test_sts_admits_so_many_in_any_second_and_counts_no_other():
    sts = Sts(2)
    assert [sts.admits(instant) for instant in (0.0, 0.5, 0.9, 1.0, 1.4, 1.5)] == [
        *(True, True, False),
        *(True, False, True),
    ]
    assert (sts.asked, len(sts.admitted)) == (6, 4)
