"""torture.option_pairs: plays an upload of each profile to its end, and notices an option that is lost."""

import pytest

from function.config.option_table import OPTION_NAMES
from function.holding import publication
from quality.torture import option_pairs

pytestmark = pytest.mark.usefixtures("quiet")


def test_uploads_of_a_sample_of_pairs_end_as_their_options_say():
    assert option_pairs.run(5, seed=1).problems == []


def test_every_option_has_a_value_in_the_table():
    assert {*option_pairs.VALUES, "max_size"} == {*OPTION_NAMES}


def test_an_acl_that_is_not_published_is_detected(tmp_path, monkeypatch):
    copy = publication.copy_object
    monkeypatch.setattr(
        publication, "copy_object", lambda *args, **options: copy(*args, **{**options, "acl": "default"})
    )
    pair = {"acl": '"public-read"', "hold": '["commit"]'}
    assert option_pairs.probe(tmp_path / "profiles.toml", pair, b"picture") == ["acl default"]
