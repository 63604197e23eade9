"""Anonymous callers: they share one folder, and are rate-limited by client IP."""

from collections.abc import Mapping
from datetime import datetime

from function.auth import Caller
from function.config.key_template import PUBLIC_OWNER
from function.config.setting_table import CallerEntry, CallerKind
from function.config.settings import Settings


def identify(_headers: Mapping[str, str], entry: CallerEntry, _settings: Settings, _now: datetime) -> Caller:
    """Return the one caller that stands for all."""
    return Caller(PUBLIC_OWNER, PUBLIC_OWNER, entry)


KIND = CallerKind(identify, needs_tokens=False, identifies_callers=False)
