"""A list of 10,000 objects, page by page, while its owner and others upload and delete."""

import random

import pytest

from tests.function.owners.conftest import THEIRS, key
from tests.function.owners.test_list import pages
from tests.support.memory_oss import BROKEN, HALF, LOST

COUNT = 10_000


@pytest.mark.not_for_coverage
def test_ten_thousand_objects_come_once_and_in_order_while_others_change(house_of, oss):
    house, dice = house_of(READ_RATE="100000/min"), random.Random(1)
    stays = [key("picture", count) for count in range(0, 2 * COUNT, 2)]
    for each in stays:
        oss.store(each, b"x", content_type="image/png")

    def change():
        """Objects come and go before and behind the page, and a call of OSS fails once."""
        for owner in (None, THEIRS):
            for _ in range(20):
                named = {"owner": owner} if owner else {}
                name = key("picture", dice.randrange(1, 2 * COUNT, 2), **named)
                if oss.objects.pop(name, None) is None:
                    oss.store(name, b"x", content_type="image/png")
        oss.fail("ListObjectsV2", dice.choice((LOST, BROKEN, HALF, "")))

    found = []
    for page in pages(house, change):
        # Otherwise a list that begins again would have no end.
        assert not found or not page or found[-1] < page[0]
        found += page
    assert found == sorted(set(found)) and set(stays) <= set(found)
    assert not any(THEIRS in each for each in found)
    assert oss.asked.count("ListObjectsV2") < 2.2 * len(found) / 100
