"""Whether a text is whole in one language: names, values and what others say excepted."""

import re

# What stands in quotes or backquotes is a value, a command, or another program's own words.
QUOTED = re.compile(r"“[^”]*”|`[^`]*`|'[^']*'|\"[^\"]*\"")
COMMAND = re.compile(
    r"\b(?:(?:python3? )?manage\.py [a-z-]+|make [a-z-]+|cp \S+ \S+|s config add|apt install \S+)"
    r"(?: -{1,2}[a-z-]+(?: [A-Z][\w-]*| \S+://\S+)?)*"
)
WORD = re.compile(r"[A-Za-z]?[a-z]+(?:'s|'t)?")
# One of these is enough: they are nobody's name.
GRAMMAR = frozenset(
    "a an and are as at be but by for from has have if in is it its must no not of on one or set that the"
    " then there this to was were what where which with you your".split()
)


def english_in(text):
    """The runs of English words of a text that should be Chinese."""
    plain = COMMAND.sub("·", QUOTED.sub("·", text))
    return [run for run in re.split(r"[^\x20-\x7e]+|[,;:()=]|\s{2,}", plain) if is_english(run.split())]


def is_english(parts):
    """Whether two words of it stand side by side, or one that nothing is named."""
    words = [part if WORD.fullmatch(part) else "" for part in parts]
    pairs = zip(words, words[1:], strict=False)
    side_by_side = any(one and two and (one.islower() or two.islower()) for one, two in pairs)
    return side_by_side or bool(GRAMMAR & set(words))


def chinese_in(text):
    """The runs of Chinese of a text that should be English; labels of Chinese consoles are quoted."""
    return re.findall(r"[\u4e00-\u9fff，。；：（）]+", re.sub(r"“[^”]*”", "", text))


def in_english(texts):
    """The sentences in English, once each of them is found whole in both languages."""
    found = list(texts)
    for text in found:
        assert not chinese_in(text.en), text.en
        assert text.zh != text.en and not english_in(text.zh), text.zh
    return [text.en for text in found]
