"""``callers.toml``, the operator's own file of several callers: its entries, and what they point to."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from function.auth.callers_file import VARIABLE
from function.config import settings
from ops.terminal.language import Failure, Text

CALLERS_TOML, SEVERAL = "callers.toml", "several"
# The key with the id that the platform gave, by kind; ``anonymous`` has none.
PLATFORM_IDS = {"wechat": "appid", "alipay": "app_id", "douyin": "appid", "jwt": "issuer"}
NO_CALLERS = Text(
    f"{CALLERS_TOML} is not there: docs/callers.md shows one to copy; for a new project make init writes one",
    f"没有 {CALLERS_TOML}：可以照抄 docs/callers.zh-CN.md 里的例子；新项目由 make init 生成",
)
CALLER = Text(
    "of several callers the one whose users are meant: its name in callers.toml, or its id (default: the"
    " unnamed one)",
    "多个调用者时，指哪个调用者的用户：callers.toml 里的名字或 id（默认：unnamed 的那个）",
)
WHICH = Text(
    "Name the caller with --caller, by its name in callers.toml or its id: {names}",
    "请用 --caller 指定调用者，写 callers.toml 里的名字或 id：{names}",
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
    named = pointed_to("env", *own_entries().values())
    return frozenset(name for name in named if re.fullmatch(VARIABLE, name))


def id_of(entry: Mapping[str, Any]) -> str:
    """Return the stable id of a caller, such as ``wechat:wx…``."""
    kind = str(entry.get("kind", ""))
    return f"{kind}:{entry.get(PLATFORM_IDS.get(kind, ''), '')}"


def pointed_to(scheme: str, *entries: Mapping[str, Any]) -> Iterator[str]:
    """Yield what stands behind ``env:`` or ``file:``."""
    for value in (value for entry in entries for value in entry.values()):
        if isinstance(value, str) and value.startswith(f"{scheme}:"):
            yield value.removeprefix(f"{scheme}:")


def callers_of(settings: Mapping[str, str], entries: Entries) -> dict[str, bool]:
    """Return the callers by id, each with whether its owners are unnamed, as those of one caller are."""
    kind = settings.get("CALLER_AUTH") or "anonymous"
    if kind == SEVERAL:
        return {id_of(entry): entry.get("owners") == "unnamed" for entry in entries.values()}
    setting = f"{kind}_{PLATFORM_IDS.get(kind)}".upper()
    return {f"{kind}:{settings.get(setting) or ''}": True}


def caller_called(name: str, settings: Mapping[str, str]) -> tuple[str, str]:
    """
    Return a caller by its name in the file or its id, without either the unnamed one; its entry may be gone.

    Returns:
        its id, and the id that its owners are made with, which is empty of the unnamed one.

    Raises:
        Failure: it is neither.
    """
    entries = own_entries()
    callers = callers_of(settings, entries)
    called = id_of(entries[name]) if name in entries else name
    called = called or next((each for each, is_unnamed in callers.items() if is_unnamed), "")
    if ":" not in called:
        raise Failure(WHICH.filled(names=", ".join([*entries, *callers])))
    return called, "" if callers.get(called) else called
