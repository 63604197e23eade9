"""
Two plots in plain SVG: bars, and small charts of growth, legible on a light page and on a dark one.
"""

import math
from collections.abc import Container, Sequence
from html import escape

BAR, OURS, TEXT, RULE = "#8aa4c8", "#e8590c", "#6b7280", "#9ca3af"
FONT = 'font-family="system-ui, sans-serif" font-size="12"'
ROW, LABELS, BARS = 26, 300, 360
PANEL_WIDTH, PANEL_HEIGHT, MARGIN = 330, 190, 52


def bars(title: str, rows: Sequence[tuple[str, float, float, float]], unit: str, ours: Container[str]) -> str:
    """
    Horizontal bars with their spread.

    Args:
        rows: name, median, least, most.

        ours: the names to set off.
    """
    largest = max(most for *_, most in rows)
    parts = [_text(8, 18, title, weight="bold")]
    for index, (name, median, least, most) in enumerate(rows):
        y = 32 + index * ROW
        width, low, high = (value / largest * BARS for value in (median, least, most))
        colour = OURS if name in ours else BAR
        parts += [
            _text(LABELS - 8, y + 14, name, anchor="end"),
            f'<rect x="{LABELS}" y="{y + 2}" width="{width:.1f}" height="16" fill="{colour}"/>',
            _line(LABELS + low, y + 10, LABELS + high, y + 10, TEXT),
            _text(LABELS + high + 6, y + 14, f"{median:,.0f} {unit}"),
        ]
    return _svg(LABELS + BARS + 80, 40 + len(rows) * ROW, parts)


def panels(charts: Sequence[tuple[str, str, Sequence[tuple[float, float]]]], columns: int = 2) -> str:
    """
    Small charts side by side, each from zero.

    Args:
        charts: title, name of the horizontal axis, points; a span over 1,000 is drawn logarithmic.
    """
    parts = []
    for index, (title, axis, points) in enumerate(charts):
        left = index % columns * (PANEL_WIDTH + 20)
        top = index // columns * (PANEL_HEIGHT + 20)
        parts.append(f'<g transform="translate({left} {top})">{"".join(_panel(title, axis, points))}</g>')
    rows = -(-len(charts) // columns)
    return _svg(columns * (PANEL_WIDTH + 20), rows * (PANEL_HEIGHT + 20), parts)


def _panel(title: str, axis: str, points: Sequence[tuple[float, float]]) -> list[str]:
    right, bottom = PANEL_WIDTH - 16, PANEL_HEIGHT - 36
    is_wide = points[-1][0] > 1000 * points[0][0]
    places = [math.log10(x) if is_wide else x for x, _ in points]
    first, last = (places[0], places[-1]) if is_wide else (0.0, places[-1])
    top_value = max(max(y for _, y in points) * 1.15, 1e-9)

    def at(place: float, value: float) -> tuple[float, float]:
        x = MARGIN + (place - first) / (last - first or 1) * (right - MARGIN)
        return x, bottom - max(value, 0) / top_value * (bottom - 30)

    drawn = [at(place, y) for place, (_, y) in zip(places, points, strict=True)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in drawn)
    parts = [_text(8, 16, title, weight="bold")]
    parts += [_line(MARGIN, bottom, right, bottom, RULE), _line(MARGIN, 30, MARGIN, bottom, RULE)]
    parts.append(f'<polyline points="{path}" fill="none" stroke="{OURS}" stroke-width="1.5"/>')
    if len(points) <= 12:
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{OURS}"/>' for x, y in drawn]
    parts += [
        _text(MARGIN - 6, bottom, "0", anchor="end"),
        _text(MARGIN - 6, 36, f"{top_value:,.3g}" if top_value < 1000 else f"{top_value:,.0f}", anchor="end"),
        _text(MARGIN, bottom + 15, f"{points[0][0]:,.0f}" if is_wide else "0"),
        _text(right, bottom + 15, f"{points[-1][0]:,.0f}", anchor="end"),
        _text(
            (MARGIN + right) / 2, bottom + 30, axis + (" (logarithmic)" if is_wide else ""), anchor="middle"
        ),
    ]
    return parts


def _text(x: float, y: float, text: str, anchor: str = "start", weight: str = "normal") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{TEXT}" text-anchor="{anchor}" font-weight="{weight}" {FONT}>'
        f"{escape(text)}</text>"
    )


def _line(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"/>'


def _svg(width: float, height: float, parts: Sequence[str]) -> str:
    inside = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" viewBox="0 0 {width:.0f} {height:.0f}">'
        f"\n{inside}\n</svg>\n"
    )
