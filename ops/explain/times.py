"""
Lengths of time, and instants beside now, in words.
"""

from datetime import UTC, datetime, timedelta

from ops.terminal.language import Text

WORDS = {
    "expires": Text("expires", "有效期至"),
    "expired": Text("{when} UTC, expired {ago} ago", "{when} UTC，已过期 {ago}"),
    "valid": Text("{when} UTC, in {left}", "{when} UTC，还剩 {left}"),
}


def expiry_line(end: datetime, now: datetime, language: str) -> str:
    """Return the end and its distance from now; both timezone-aware."""
    when = end.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    if end <= now:
        said = WORDS["expired"].say(language, when=when, ago=span(now - end, language))
    else:
        said = WORDS["valid"].say(language, when=when, left=span(end - now, language))
    return f"  {WORDS['expires'].say(language):<10} {said}"


def span(length: timedelta, language: str) -> str:
    """A length of time in its two largest units."""
    seconds = int(length.total_seconds())
    units = [(86400, "d", "天"), (3600, "h", "小时"), (60, "min", "分"), (1, "s", "秒")]
    parts = []
    for size, en, zh in units:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {zh if language == 'zh' else en}")
    return " ".join(parts[:2]) or ("0 秒" if language == "zh" else "0 s")
