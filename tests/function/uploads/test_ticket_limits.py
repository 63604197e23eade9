"""uploads.rates_by_ticket: an owner's calls with tickets are counted together, for all of its tickets."""

import pytest

from function.config.types import Rate
from function.context import RequestContext
from function.errors import TooManyRequests
from function.http.gateway import Request
from function.request_log import LogLine
from function.uploads.rates_by_ticket import count_call
from function.uploads.tickets import FormTicket
from tests.docs.openapi import check_answer
from tests.support.cases import profile_toml
from tests.support.world import HELD, PLAIN, World

LARGE = profile_toml("video", "videos", max_size="1GiB", content_types=["video/mp4"], parts=True)
OWNERS = 600


@pytest.fixture
def world(clock):
    return World(HELD, clock, check=check_answer)


@pytest.fixture
def public(clock, profiles_file):
    return World(
        {**PLAIN, "CALLER_AUTH": "anonymous", "PROFILES_FILE": profiles_file(LARGE)},
        clock,
        check=check_answer,
    )


def counted(world, calls, *, owner="o", ip="198.51.100.7", token="", is_from_oss=False):
    """How many of these calls are taken, each with a ticket of its own."""
    headers = {"authorization": f"Bearer {token}"} if token else {}
    request = Request("POST", "/", {}, "", headers, b"", ip)
    settings, taken = world.function.ready().settings, 0
    profile = next(iter(settings.profiles))
    for number in range(calls):
        context = RequestContext(request, world.function.ready(), LogLine("r"))
        ticket = FormTicket(
            f"id-{number}", "k", False, "", 0, 1, profile, "s", owner, None, None, None, world.now()
        )
        ticket = ticket._replace(app=settings.only.app)
        try:
            count_call(context, "calls", Rate(30, 60), ticket, is_from_oss=is_from_oss)
        except TooManyRequests:
            continue
        taken += 1
    return taken


def test_an_owner_has_six_hundred_calls_a_minute_with_any_number_of_tickets(world, clock):
    assert counted(world, 700) == OWNERS
    assert counted(world, 10) == 0
    # Neither another owner nor what comes from OSS itself is kept waiting by another limit.
    assert counted(world, 10, owner="other") == 10
    clock.tick(seconds=60)
    assert counted(world, 10) == 10


def test_callbacks_are_counted_by_owner_and_of_shared_owners_by_form_alone(world, public):
    assert counted(world, 700, is_from_oss=True) == OWNERS
    assert counted(public, 700, owner="public", is_from_oss=True) == 700


def test_callers_without_a_login_are_counted_by_address(public):
    assert counted(public, 700, owner="public") == OWNERS
    assert counted(public, 10, owner="public", ip="198.51.100.8") == 10


def test_a_backend_is_not_counted_under_an_owner(world):
    assert counted(world, 700, token=world.backend()) == 700
    assert counted(world, 700, token="no.backend.token") == OWNERS
