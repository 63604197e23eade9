"""A QR code in a terminal is read back from its lines."""

import io

import pytest
import segno

from ops.terminal.qr import qr_lines, show_qr
from ops.terminal.screen import Screen

PAGE = "http://192.168.100.205:9004/"
HALVES = {" ": (0, 0), "▀": (1, 0), "▄": (0, 1), "█": (1, 1)}


def read_back(lines, ink):
    """Whether each module is dark, row by row."""
    rows = []
    for line in lines:
        rows += zip(*(HALVES[mark] for mark in line), strict=True)
    return [[half == ink for half in row] for row in rows]


@pytest.mark.parametrize(("ink_is_dark", "ink"), [(True, 1), (False, 0)])
def test_every_module_is_drawn_with_four_of_nothing_around(ink_is_dark, ink):
    drawn = read_back(qr_lines(PAGE, ink_is_dark=ink_is_dark), ink)
    code = segno.make(PAGE, error="m", micro=False)
    wanted = [[bool(dark) for dark in row] for row in code.matrix]
    size = len(wanted)
    assert [row[4 : 4 + size] for row in drawn[4 : 4 + size]] == wanted
    around = drawn[:4] + drawn[4 + size :] + [row[:4] + row[4 + size :] for row in drawn]
    assert not any(map(any, around))
    assert len(drawn[0]) == size + 8 <= 40


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_qr_code_is_black_on_white_with_colours():
    coloured, plain = Terminal(), io.StringIO()
    show_qr(Screen(coloured, {"TERM": "xterm"}), PAGE)
    show_qr(Screen(plain, {}), PAGE)
    lines = coloured.getvalue().splitlines()
    assert all(line.startswith("\x1b[30;107m") and line.endswith("\x1b[0m") for line in lines)
    assert [line[9:-4] for line in lines] == list(qr_lines(PAGE, ink_is_dark=True))
    assert plain.getvalue().splitlines() == list(qr_lines(PAGE, ink_is_dark=False))


def test_a_terminal_without_block_letters_is_not_filled_with_question_marks():
    stream = io.TextIOWrapper(io.BytesIO(), encoding="gb2312")
    show_qr(Screen(stream, {}), PAGE)
    stream.flush()
    assert stream.buffer.getvalue() == b""
