"""Finding: what a checker, or the function itself, found out about a held object."""

from collections.abc import Mapping
from enum import Enum, auto

from function.annotations import Any, NamedTuple
from function.config.green import ALIYUN, WECHAT

# Codes of what leaves an object to a human, or rejects it.
LABEL, ERRCODE, SILENT, CHANGED = "label", "errcode", "silent", "changed"
UNSUPPORTED, ANIMATED, UNREACHABLE = "unsupported", "animated", "unreachable"
NOT_CHECKED, METADATA, UNREADABLE, RULES = "not-checked", "metadata", "unreadable", "rules"
AI_LABEL = "ai-label"
# The caller whose secrets a check needs is no caller any more.
REMOVED = "removed"
# A checker has some hundred labels; a record has room for these.
MAX_LABELS, MAX_LABEL = 64, 128

Label = int | str


class Outcome(Enum):
    """Meaning of a checker's verdict."""

    PASS = auto()
    RISKY = auto()
    REVIEW = auto()
    ERROR = auto()


class Finding(NamedTuple):
    """
    Reason of a rejection, a review or a publication by a check.

    Args:
        reason: code, such as ``LABEL``.
        by: ``WECHAT``, ``ALIYUN``, or empty for the function itself.
        label: the one that decided: a number of WeChat's or a text of Aliyun's.
        labels: all of them.
        errcode: of a checker that refused.
    """

    reason: str
    by: str = ""
    label: Label | None = None
    labels: tuple[Label, ...] = ()
    errcode: Label | None = None

    @property
    def fields(self) -> dict[str, Any]:
        """Return the fields of a record, without those that have no value."""
        return {
            name: [*value] if isinstance(value, tuple) else value
            for name, value in self._asdict().items()
            if value not in (None, "", ())
        }

    @property
    def event(self) -> dict[str, Any]:
        """Return the fields of an event: checker and labels, as far as there are any."""
        return {name: value for name, value in self.fields.items() if name in ("by", "label", "labels")}


def read_finding(fields: Mapping[str, Any]) -> Finding:
    """Read the fields of a record; of another type than ours they count as ``UNREADABLE`` or absent."""
    found, reason, by = fields.get("labels"), fields.get("reason"), fields.get("by")
    labels = map(_label, found[:MAX_LABELS] if isinstance(found, list) else ())
    return Finding(
        reason if isinstance(reason, str) else UNREADABLE,
        by if by in (WECHAT, ALIYUN) else "",
        _label(fields.get("label")),
        tuple(each for each in labels if each is not None),
        _label(fields.get("errcode")),
    )


def _label(value: object) -> Label | None:
    if isinstance(value, str):
        # A lone surrogate can stand in no text that others read.
        return value[:MAX_LABEL].encode(errors="replace").decode()
    return value if isinstance(value, int) and not isinstance(value, bool) else None
