"""
Progress of an upload in one line of a terminal.
"""

import sys

from ops.client.form_upload import Progress

BAR_CELLS = 30


def progress_bar(is_terminal: bool) -> Progress:
    """A line on stderr that is drawn anew for each percent; silent where nobody watches."""
    drawn = -1

    def draw(sent: int, total: int) -> None:
        nonlocal drawn
        percent = sent * 100 // max(total, 1)
        if not is_terminal or percent == drawn:
            return
        drawn = percent
        cells = percent * BAR_CELLS // 100
        end = "\n" if percent >= 100 else ""
        bar = "#" * cells + "." * (BAR_CELLS - cells)
        print(f"\r    [{bar}] {percent:3d} %", end=end, file=sys.stderr, flush=True)

    return draw
