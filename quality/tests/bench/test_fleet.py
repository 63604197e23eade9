"""fleet: how many instances a burst starts, who waits for what, and what STS turns down."""

import random

import pytest

from quality.bench.fleet import FRESH, MOST_INSTANCES, RETRY_AFTER_SECONDS, Deployment, Fleet, Sts

ENDLESS = 10**9


def deployment(slots=1, **changes):
    """Ready after a second and a tenth; a login takes 0.2 s, a form 0.05 s."""
    given = {
        "slots": slots,
        "starts": [1.0],
        "assumes": [0.1],
        "requests": [{1: [0.2]}, {1: [0.05]}],
        "start_cpu": 0.5,
        "request_cpu": [0.01, 0.02],
        **changes,
    }
    return Deployment(**given)


def run(arrivals, of, limit=ENDLESS, warm=0):
    return Fleet(of, random.Random(0), Sts(limit), warm).run(arrivals)


def test_a_phone_alone_waits_for_a_start_and_its_two_requests():
    outcome = run([0.0], deployment())
    assert (outcome.instances, outcome.assume_roles, outcome.refused) == (1, 1, 0)
    assert outcome.seconds == [pytest.approx(1.35)]
    assert outcome.cpu_seconds == pytest.approx(0.53)
    assert outcome.instance_seconds == pytest.approx(1.35)


def test_a_later_request_uses_the_running_instance():
    outcome = run([0.0, 2.0], deployment())
    assert (outcome.instances, outcome.assume_roles) == (1, 1)
    assert outcome.seconds == pytest.approx([1.35, 0.25])


@pytest.mark.parametrize(("slots", "instances"), [(1, 40), (20, 2), (30, 2), (40, 1)])
def test_phones_at_one_instant_start_as_many_instances_as_they_fill(slots, instances):
    outcome = run([0.0] * 40, deployment(slots))
    assert (outcome.instances, outcome.assume_roles) == (instances, instances)
    # What several requests have under way at once is billed once.
    assert outcome.instance_seconds == pytest.approx(1.35 * instances)
    assert max(outcome.seconds) == pytest.approx(1.35)


def test_an_instance_that_is_there_takes_no_more_than_it_has_room_for():
    requests = [{1: [1.0]}]
    outcome = run([0.0] * 3, deployment(2, requests=requests, request_cpu=[0.0]), warm=1)
    assert outcome.instances == 2
    assert sorted(outcome.seconds) == pytest.approx([1.0, 1.0, 2.0])


def test_a_request_takes_as_long_as_it_was_measured_to_with_so_many_under_way():
    requests = [{FRESH: [9.0], 1: [1.0], 2: [2.0]}]
    outcome = run([0.0, 0.1, 0.2], deployment(3, requests=requests, request_cpu=[0.0]), warm=1)
    assert outcome.seconds == pytest.approx([1.0, 2.0, 2.0])
    outcome = run([0.0], deployment(requests=requests, request_cpu=[0.0]))
    assert outcome.seconds == pytest.approx([1.1 + 9.0])


def test_over_the_region_s_number_phones_wait_for_those_that_are_there():
    outcome = run([0.0] * (MOST_INSTANCES + 1), deployment())
    assert outcome.instances == MOST_INSTANCES


def test_a_throttled_start_retries_sts_once_then_leaves_it_to_the_request():
    # Ready after both tries, the second still logs a phone in; the first has the session for its form.
    outcome = run([0.0, 0.0], deployment(requests=[{1: [5.0]}, {1: [0.05]}]), limit=1)
    assert (outcome.instances, outcome.assume_roles, outcome.refused) == (2, 3, 2)
    assert outcome.seconds == pytest.approx([1.1 + 5.05, 1.4 + 5.05])


def test_a_form_without_a_session_is_retried_after_retry_after():
    one_step = deployment(requests=[{1: [0.05]}], request_cpu=[0.0], attempts=1, keeps_session=False)
    outcome = run([0.0, 0.0], one_step, limit=1)
    assert (outcome.assume_roles, outcome.refused) == (3, 1)
    first, second = sorted(outcome.seconds)
    assert first == pytest.approx(1.15)
    assert second == pytest.approx(1.15 + RETRY_AFTER_SECONDS + 0.15)


def test_sts_admits_so_many_in_any_second_and_counts_no_other():
    sts = Sts(2)
    assert [sts.admits(instant) for instant in (0.0, 0.5, 0.9, 1.0, 1.4, 1.5)] == [
        *(True, True, False),
        *(True, False, True),
    ]
    assert (sts.asked, len(sts.admitted)) == (6, 4)
