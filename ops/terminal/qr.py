"""
A QR code in lines of text: two of its rows in each line.
"""

from collections.abc import Iterator

from ops.terminal.screen import BLACK_ON_WHITE, Screen

QUIET_ZONE = 4  # modules of nothing around it, which scanners want
BLOCKS = {(0, 0): " ", (1, 0): "▀", (0, 1): "▄", (1, 1): "█"}


def show_qr(screen: Screen, text: str) -> None:
    """Print the code, where the terminal has letters to draw it with."""
    if screen.can_write("".join(BLOCKS.values())):
        for line in qr_lines(text, ink_is_dark=screen.has_colour):
            screen.line(screen.colour(line, BLACK_ON_WHITE))


def qr_lines(text: str, *, ink_is_dark: bool) -> Iterator[str]:
    """
    Args:
        ink_is_dark: whether the letters are darker than what they stand on, as on paper. In most terminals
            they are lighter: there what is left out is the code.

    Source: ISO/IEC 18004
    """
    import segno  # not needed by any other command

    code = segno.make(text, error="m", micro=False)
    rows = [[dark == ink_is_dark for dark in row] for row in code.matrix_iter(border=QUIET_ZONE)]
    if len(rows) % 2:
        rows.append([not ink_is_dark] * len(rows[0]))
    for upper, lower in zip(rows[::2], rows[1::2], strict=True):
        yield "".join(BLOCKS[pair] for pair in zip(upper, lower, strict=True))
