"""The sizes of resized and cropped pictures."""

import pytest

from local.oss.errors import OssError
from local.oss.image_steps import IMAGE_STEPS, read_steps
from local.oss.resizing import Resizing, cut_of, resizing_of
from tests.support.cases import cases_beside

cases = cases_beside(__file__)


def step(text):
    return read_steps(text, IMAGE_STEPS)[0]


@cases("text", "scaled", "canvas")
def test_each_mode_has_its_size(text, scaled, canvas):
    assert resizing_of(step(f"resize,{text}"), (600, 400)) == Resizing(scaled, canvas or scaled)


def test_the_longer_side_of_an_upright_picture_is_its_height():
    assert resizing_of(step("resize,l_300"), (400, 600)).scaled == (200, 300)
    assert resizing_of(step("resize,s_100"), (400, 600)).scaled == (100, 150)


def test_no_side_ever_vanishes():
    assert resizing_of(step("resize,w_10"), (10_000, 10)).scaled == (10, 1)


@cases("text", "box")
def test_a_crop_starts_at_its_offset_and_ends_at_the_edge(text, box):
    assert cut_of(step(f"crop,{text}"), (600, 400)) == box


@pytest.mark.parametrize("text", ["x_600", "y_400", "g_se,w_10,h_10,x_10"])
def test_a_cut_outside_the_picture_is_refused(text):
    with pytest.raises(OssError) as refused:
        cut_of(step(f"crop,{text}"), (600, 400))
    assert (refused.value.refusal.status, refused.value.refusal.code) == (400, "BadRequest")
