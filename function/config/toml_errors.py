"""Sentences about a file that is no TOML: its line, and the slip that is usual there."""

import re

from function.messages import Message

AT_LINE = re.compile(r"\(at line (\d+)")
LONGEST_SHOWN = 60
# The first that fits the line is the likely slip. The line is without its comment and its finished texts.
SLIPS = (
    (
        r"^\[+[^\]]*[^\]\[A-Za-z0-9_.\"'-][^\]]*\]",
        Message("a name has letters, digits, _ and -; for people there is title"),
    ),
    (
        r"[“”‘’＂＝［］｛｝，：\u3000]",
        Message('marks of full width; write " = [ ] , and blanks in half width'),
    ),
    (
        r"^\[(?:[^\]]*$|\[[^\]]*\]$|[^\]]*\]\])",
        Message("a profile begins with its name in brackets, such as [avatar]"),
    ),
    (r"^[\w.-]+\s*:", Message("write name = value; there is no colon in TOML")),
    (r"^[\w.-]+(?:$|\s+[^=\s]|\[)", Message("the = between name and value is missing")),
    (r"=$", Message("the value after = is missing")),
    (r",$", Message("a line ends without a comma; in a list the ] is missing")),
    (r"=\s*(?i:true|false|yes|no|on|off)$", Message("write true or false, in lower case")),
    (r"=\s*[\d.]+\s*[A-Za-z%]+$", Message('a value with a unit needs quotes, such as "10MiB"')),
    (r"[\"']", Message("a quote is missing; a text begins and ends with one")),
    (r"=\s*[^\W\d]|=\s*[/*]", Message('text needs quotes, such as "uploads"')),
    (r"=\s*\[", Message('a list reads ["a", "b"]; a comma or the ] is missing')),
)
TWICE = re.compile(r"Cannot (?:overwrite|declare)")
FINISHED_TEXT = re.compile(r"\"[^\"]*\"|'[^']*'")
UNFINISHED_LIST = re.compile(r"=\s*\[[^\]]*$")


def message_of(name: str, text: str, error: Exception, *, is_secret: bool = False) -> Message:
    """
    Return the sentence about a file: ``NAME:LINE``, the line itself, and what is wrong with it.

    Args:
        is_secret: True if the line is not shown.
    """
    lines = text.split("\n")
    at = AT_LINE.search(str(error))
    number = int(at[1]) if at else len(lines)
    while number > 1 and not _code(lines[number - 1]):
        number -= 1
    if "array" in str(error):
        number = _beginning_of_list(lines, number)
    line = _code(lines[number - 1])
    longest = 0 if is_secret else LONGEST_SHOWN
    shown = line if len(line) <= longest else line[:longest] + "…"
    why = _slip(line, str(error))
    return Message("{file}:{line} is not TOML: {text} ({why})", file=name, line=number, text=shown, why=why)


def _slip(line: str, error: str) -> Message:
    if TWICE.search(error):
        return Message("this name stands twice")
    if "Unescaped" in error:
        return Message("write / for \\")
    rest = FINISHED_TEXT.sub("•", line)
    for pattern, sentence in SLIPS:
        if re.search(pattern, rest):
            return sentence
    return Message("the parser says: {why}", why=error)


def _beginning_of_list(lines: list[str], number: int) -> int:
    """Return the line where an unfinished list begins: the parser complains about what follows it."""
    begun = [n for n in range(1, number + 1) if UNFINISHED_LIST.search(_code(lines[n - 1]))]
    return begun[-1] if begun else number


def _code(line: str) -> str:
    """Return the line without its comment; a ``#`` in quotes stays."""
    return re.sub(r"^((?:[^\"'#]|\"[^\"]*\"|'[^']*')*)#.*$", r"\1", line).strip()
