"""What a value of x-oss-process asks for, read strictly."""

import pytest

from local.oss.errors import OssError
from local.oss.image_steps import IMAGE_STEPS, VIDEO_STEPS, Step, read_steps
from tests.support.cases import cases_beside

cases = cases_beside(__file__)


def test_steps_are_read_in_order():
    assert read_steps(
        "resize,m_fill,w_200,h_100,limit_0,color_ff00AA/quality,q_80/format,webp", IMAGE_STEPS
    ) == (
        Step("resize", {"m": "fill", "w": "200", "h": "100", "limit": "0", "color": "ff00AA"}),
        Step("quality", {"q": "80"}),
        Step("format", {"": "webp"}),
    )
    assert read_steps("info", IMAGE_STEPS) == (Step("info", {}),)
    assert read_steps("snapshot,t_7000,f_jpg,w_800,h_600,m_fast,ar_auto", VIDEO_STEPS)[0].number("t") == 7000


def refusal_of(text, steps):
    with pytest.raises(OssError) as refused:
        read_steps(text, steps)
    return refused.value.refusal.status, refused.value.refusal.code


def test_a_number_that_is_not_given_is_none():
    assert Step("resize", {"w": "7"}).number("h") is None


@cases("text")
def test_an_unknown_image_step_is_an_invalid_argument(text):
    assert refusal_of(text, IMAGE_STEPS) == (400, "InvalidArgument")


@pytest.mark.parametrize(
    "text", ["snapshot", "snapshot,f_jpg", "snapshot,t_1,f_gif", "snapshot,t_1/snapshot,t_2"]
)
def test_a_frame_needs_its_instant(text):
    assert refusal_of(text, VIDEO_STEPS) == (400, "InvalidArgument")


def test_an_unsupported_image_step_is_not_implemented():
    assert refusal_of("resize,w_1/watermark,text_SGk", IMAGE_STEPS) == (501, "NotImplemented")
