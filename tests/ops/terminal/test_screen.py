"""Lines on a terminal: whatever a text holds, only the command itself moves, colours or orders them."""

import io

import pytest

from ops.terminal.screen import GREEN, RED, Screen


class Terminal(io.StringIO):
    def isatty(self):
        return True


def printed(write, stream):
    write(Screen(stream, {"TERM": "xterm"}))
    return stream.getvalue()


HOSTILE = "a\x1b[2J\x07\x9b8m\u202eb\r\x00\u2066c"


@pytest.mark.parametrize("name", ["line", "title", "good", "warn", "fail", "pairs"])
@pytest.mark.parametrize("kind", [io.StringIO, Terminal])
def test_no_text_moves_the_cursor_or_reorders_a_line(name, kind):
    given = {HOSTILE: HOSTILE} if name == "pairs" else HOSTILE
    text = printed(lambda screen: getattr(screen, name)(given), kind())
    for code in ("\x1b[1m", "\x1b[0m", f"\x1b[{GREEN}m", "\x1b[33m", "\x1b[31m"):
        text = text.replace(code, "")
    assert all(mark.isprintable() or mark == "\n" for mark in text)
    assert text.count("\n") == 1
    assert "a" in text and "b" in text and "c" in text


def test_a_text_does_not_colour_itself_where_nothing_is_coloured():
    assert "\x1b" not in printed(lambda screen: screen.line("\x1b[31mred"), io.StringIO())
    assert "\x1b[8m" not in printed(lambda screen: screen.line("\x1b[8mhidden"), Terminal())


@pytest.mark.parametrize(
    ("stream", "environ", "has_colour"),
    [
        (Terminal(), {"TERM": "xterm"}, True),
        (Terminal(), {"TERM": "xterm", "NO_COLOR": ""}, True),
        (Terminal(), {"TERM": "xterm", "NO_COLOR": "1"}, False),
        (Terminal(), {"TERM": "dumb"}, False),
        (io.StringIO(), {"TERM": "xterm"}, False),
    ],
    ids=["terminal", "NO_COLOR empty", "NO_COLOR", "dumb", "pipe"],
)
def test_colour_is_only_for_terminals_that_want_it(stream, environ, has_colour):
    assert ("\x1b[" in Screen(stream, environ).colour("x", RED)) is has_colour


def test_an_encoding_without_chinese_is_no_reason_to_fail():
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    Screen(stream, {}).line("登录 Log in")
    assert raw.getvalue().decode("ascii").strip() == "?? Log in"
