"""oss.open_points: the page of OSS's open points, made from the rules of the local OSS."""

from local.oss.open_points import PAGE, STATES, explained, page, switches


def test_every_rule_that_can_be_read_in_two_ways_is_explained():
    assert set(switches()) <= set(explained())
    assert set(STATES) < set(switches())


def test_the_page_is_as_the_rules_make_it():
    assert PAGE.read_text("utf-8") == page(), "run: python3 -m local.oss.open_points"
