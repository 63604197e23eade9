"""``callers.toml``, the operator's own file of several callers: its entries, and what they point to."""

import tomllib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from function.config import settings
from ops.terminal.language import Text

CALLERS_TOML, SEVERAL = "callers.toml", "several"
# The key with the id that the platform gave, by kind; ``anonymous`` has none.
PLATFORM_IDS = {"wechat": "appid", "alipay": "app_id", "douyin": "appid", "jwt": "issuer"}
NO_CALLERS = Text(
    f"{CALLERS_TOML} is not there: docs/callers.md shows one to copy; for a new project make init writes one",
    f"没有 {CALLERS_TOML}：可以照抄 docs/callers.zh-CN.md 里的例子；新项目由 make init 生成",
)
Entries = Mapping[str, Mapping[str, Any]]


@lru_cache(maxsize=4)
def entries_in(text: str) -> Entries:
    """Return the sections by name; none of a text that is no TOML, which the function itself refuses."""
    try:
        document = tomllib.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        return {}
    return {name: entry for name, entry in document.items() if isinstance(entry, dict)}


def own_entries(file: Path | None = None) -> Entries:
    """Return the entries of a file, by default of the project's; none where it cannot be read."""
    file = file or settings.DEFAULT_PROFILES_FILE.with_name(CALLERS_TOML)
    try:
        return entries_in(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError):
        return {}


def own_variables() -> frozenset[str]:
    """Return the names of the variables that the project's entries take secrets from."""
    return frozenset(pointed_to("env", *own_entries().values()))


def id_of(entry: Mapping[str, Any]) -> str:
    """Return the stable id of a caller, such as ``wechat:wx…``."""
    kind = str(entry.get("kind", ""))
    return f"{kind}:{entry.get(PLATFORM_IDS.get(kind, ''), '')}"


def pointed_to(scheme: str, *entries: Mapping[str, Any]) -> Iterator[str]:
    """Yield what stands behind ``env:`` or ``file:``."""
    for value in (value for entry in entries for value in entry.values()):
        if isinstance(value, str) and value.startswith(f"{scheme}:"):
            yield value.removeprefix(f"{scheme}:")
