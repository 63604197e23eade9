"""The names in a problem's sentence: tests pin those, not the wording."""

import re

from function.auth import all_settings
from function.config.option_table import OPTION_NAMES

# The option ``callers`` is a word of many sentences.
NAMES = {*OPTION_NAMES, *(row.name for row in all_settings())} - {"callers"}


def named(sentence):
    """Options and settings that a sentence names, in order, each once."""
    words = re.split(r"[\s.,:;()=\[\]'\"]+", sentence.partition("allowed:")[0])
    return " ".join(dict.fromkeys(word for word in words if word in NAMES))
