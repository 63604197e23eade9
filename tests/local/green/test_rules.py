"""The pages list each rule of local services other than OSS, with the default that it has."""

from dataclasses import fields
from datetime import timedelta

import pytest

from local.green.plan import CHOICES
from ops.run.rules import KINDS
from tests.docs.markdown import both, names_in, page, tables


def shown(value):
    return str(int(value.total_seconds()) if isinstance(value, timedelta) else value).lower()


@pytest.mark.parametrize("begin", ["moderation", "alipay", "douyin"])
@pytest.mark.parametrize("name", both("docs/local-cloud.md"))
def test_the_page_lists_every_rule_and_its_default(name, begin):
    rows = [row for table in tables(page(name)) for row in table if row[0].startswith(f"`{begin}_")]
    listed = {names_in(row[0])[0]: names_in(row[1])[0] for row in rows}
    rules = [rule for kind in KINDS.values() for rule in fields(kind) if rule.name.startswith(f"{begin}_")]
    assert listed == {rule.name: shown(rule.default) for rule in rules}


@pytest.mark.parametrize("name", both("docs/local-cloud.md"))
def test_the_page_lists_every_shape_and_verdict(name):
    cells = [row for table in tables(page(name)) for row in table if row[0] in ("`verdict`", "`shape`")]
    listed = {text for row in cells for text in names_in(row[1])}
    assert {*CHOICES["verdict"], *CHOICES["shape"]} <= listed
