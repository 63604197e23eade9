"""The sizes of resized and cropped pictures."""

import pytest

from local.oss.errors import OssError
from local.oss.image_steps import IMAGE_STEPS, read_steps
from local.oss.resizing import Resizing, cut_of, resizing_of


def step(text):
    return read_steps(text, IMAGE_STEPS)[0]


@pytest.mark.parametrize(
    ("text", "scaled", "canvas"),
    [
        ("w_200", (200, 133), None),
        ("h_200", (300, 200), None),
        ("w_200,h_200", (200, 133), None),
        ("m_lfit,w_200,h_100", (150, 100), None),
        ("m_mfit,w_200,h_200", (300, 200), None),
        ("m_mfit,w_200", (200, 133), None),
        ("m_fill,w_200,h_200", (300, 200), (200, 200)),
        ("m_fill,w_200", (300, 200), (200, 200)),
        ("m_pad,w_200,h_200", (200, 133), (200, 200)),
        ("m_pad,h_200", (200, 133), (200, 200)),
        ("m_fixed,w_100,h_100", (100, 100), None),
        ("m_fixed,w_300", (300, 200), None),
        ("m_fixed,h_100", (150, 100), None),
        ("l_300", (300, 200), None),
        ("s_100", (150, 100), None),
        ("l_300,s_100", (150, 100), None),
        ("m_fill,l_300,s_100", (300, 200), (300, 100)),
        ("p_50", (300, 200), None),
        ("w_1,p_50", (1, 1), None),
        # Nothing is enlarged unless asked for.
        ("w_1200", (600, 400), None),
        ("w_1200,limit_0", (1200, 800), None),
        ("p_200", (600, 400), None),
        ("p_200,limit_0", (1200, 800), None),
        ("m_fixed,w_100,h_500", (600, 400), None),
        ("m_fixed,w_700,h_100", (600, 400), None),
        ("m_pad,l_200,s_200", (200, 133), (200, 200)),
        ("m_fill,w_601,h_100", (600, 400), None),
        ("m_pad,w_1200,h_400,limit_0", (600, 400), (1200, 400)),
    ],
)
def test_each_mode_has_its_size(text, scaled, canvas):
    assert resizing_of(step(f"resize,{text}"), (600, 400)) == Resizing(scaled, canvas or scaled)


def test_the_longer_side_of_an_upright_picture_is_its_height():
    assert resizing_of(step("resize,l_300"), (400, 600)).scaled == (200, 300)
    assert resizing_of(step("resize,s_100"), (400, 600)).scaled == (100, 150)


def test_no_side_ever_vanishes():
    assert resizing_of(step("resize,w_10"), (10_000, 10)).scaled == (10, 1)


@pytest.mark.parametrize(
    ("text", "box"),
    [
        ("w_100,h_100", (0, 0, 100, 100)),
        ("x_50,y_30", (50, 30, 600, 400)),
        ("w_100", (0, 0, 100, 400)),
        ("w_100,h_100,x_550,y_350", (550, 350, 600, 400)),
        ("w_100,h_100,g_center", (250, 150, 350, 250)),
        ("w_100,h_100,g_north", (250, 0, 350, 100)),
        ("w_100,h_100,g_east", (500, 150, 600, 250)),
        ("w_100,h_100,g_sw", (0, 300, 100, 400)),
        ("w_100,h_100,g_se,x_20", (520, 300, 600, 400)),
        ("w_1000,h_100,g_center", (0, 150, 600, 250)),
    ],
)
def test_a_cut_is_where_it_was_asked_for_and_ends_at_the_edge(text, box):
    assert cut_of(step(f"crop,{text}"), (600, 400)) == box


@pytest.mark.parametrize("text", ["x_600", "y_400", "g_se,w_10,h_10,x_10"])
def test_a_cut_outside_the_picture_is_refused(text):
    with pytest.raises(OssError) as refused:
        cut_of(step(f"crop,{text}"), (600, 400))
    assert (refused.value.refusal.status, refused.value.refusal.code) == (400, "BadRequest")
