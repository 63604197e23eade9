"""``.env`` as the deployment tool reads it, with a warning for each of that reader's traps."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ops.terminal.language import Text, why_unreadable

ASSIGNMENT = re.compile(
    r"""[ \t]*(?:export[ \t]+)?(?P<name>[A-Za-z_][A-Za-z0-9_.-]*)[ \t]*=[ \t]*
        (?:(?P<quote>['"`])(?P<quoted>(?:\\(?=[\s\S])[\s\S]|(?!(?P=quote))[\s\S])*)(?P=quote)
           |(?P<plain>[^\r\n]*))""",
    re.VERBOSE,
)
IGNORED = re.compile(r"[ \t]*(#[^\n]*)?(\r?\n|$)")
REST_OF_LINE = re.compile(r"[ \t]*(?:#[^\r\n]*)?(?:\r?\n|$)")
SAVE_AS_UTF8 = Text("save it as UTF-8", "请存为 UTF-8")
NO_ASSIGNMENT = Text(
    "is not NAME=value, NAME='value' or NAME=\"value\"", "应为 NAME=value、NAME='value' 或 NAME=\"value\""
)
TWICE = Text("is set twice; keep one of the lines", "设置了两次，请只留一行")
CUT_SHORT = Text("holds a # and ends there; write {quoted}", "含有 #，值到此为止；请写成 {quoted}")
UNCLOSED = Text(
    "begins with a quote that is never closed on its own; close or drop it",
    "开头的引号没有配对，请补上或去掉",
)
# Twice, and a backslash or single quotes do not keep it from that.
NO_DOLLAR = Text(
    "the tool puts a variable there, however it is quoted: take a value without a $",
    "无论加什么引号，部署工具都会把 $ 后面当作变量替换：请换一个不含 $ 的值",
)


@dataclass(frozen=True)
class EnvFile:
    """
    Args:
        values: what each name is set to; names set to nothing are there with an empty text.
        problems: one sentence for each line that the tool reads otherwise than it looks; holds no values.
        places: file and line of each name.
    """

    values: Mapping[str, str]
    problems: tuple[Text, ...] = ()
    places: Mapping[str, str] = field(default_factory=dict)


def read_env_file(path: Path) -> EnvFile:
    """
    Read it; a missing file has no values.

    Source: https://github.com/motdotla/dotenv and dotenv-expand, which Serverless Devs loads it with.
    """
    try:
        # Notepad puts a mark before the first line; the tool reads over it.
        text = path.read_text("utf-8-sig")
    except FileNotFoundError:
        return EnvFile({})
    except (OSError, UnicodeDecodeError) as error:
        why = why_unreadable(error) if isinstance(error, OSError) else SAVE_AS_UTF8
        said = Text(f"{path.name} cannot be read: {why.en}", f"无法读取 {path.name}：{why.zh}")
        return EnvFile({}, (said,))
    return parse_env(text, path.name)


def parse_env(text: str, file_name: str = ".env") -> EnvFile:
    values: dict[str, str] = {}
    places: dict[str, str] = {}
    problems: list[Text] = []
    position = 0
    while position < len(text):
        line = text.count("\n", 0, position) + 1
        place = f"{file_name}:{line}"
        if ignored := IGNORED.match(text, position):
            position = max(ignored.end(), position + 1)
            continue
        match = ASSIGNMENT.match(text, position)
        rest = REST_OF_LINE.match(text, match.end()) if match else None
        if match is None or rest is None:
            problems.append(Text(f"{place}: {NO_ASSIGNMENT.en}", f"{place}：{NO_ASSIGNMENT.zh}"))
            position = text.find("\n", position) + 1 or len(text)
            continue
        name, where = match["name"], f"{place}: {match['name']}"
        if name in values:
            problems.append(_said(where, TWICE))
        values[name] = _value(match, where, problems)
        places[name] = place
        position = rest.end()
    return EnvFile(values, tuple(problems), places)


def exported_problems(env_file: EnvFile, environ: Mapping[str, str]) -> Iterator[Text]:
    """What the tool would replace in the environment itself: it expands each variable that the file names."""
    for name, place in env_file.places.items():
        if "$" in environ.get(name, ""):
            yield Text(
                f"{place}: {name} is exported with a $ and stands here too; {NO_DOLLAR.en},"
                " or drop this line",
                f"{place}：{name} 已导出且含 $，这里又写了一次；{NO_DOLLAR.zh}，或删去这一行",
            )


def _said(where: str, sentence: Text) -> Text:
    """The sentence behind the name that it is about."""
    return Text(f"{where} {sentence.en}", f"{where} {sentence.zh}")


def _value(match: re.Match[str], where: str, problems: list[Text]) -> str:
    if match["quote"]:
        value = match["quoted"]
        if match["quote"] == '"':
            value = value.replace("\\n", "\n").replace("\\r", "\r")
    else:
        value, hash_sign, _ = match["plain"].partition("#")
        # "NAME=value # remark" is what the remark looks like; "NAME=a#b" is a value cut short.
        if hash_sign and value and not value[-1].isspace():
            problems.append(_said(where, CUT_SHORT.filled(quoted=f'{match["name"]}="..."')))
        value = value.strip()
        if value[:1] in ("'", '"', "`"):
            problems.append(_said(where, UNCLOSED))
    if "$" in value:
        problems.append(
            Text(
                f"{where} holds a $; {NO_DOLLAR.en}, or export it and drop this line",
                f"{where} 含有 $；{NO_DOLLAR.zh}，或改为导出到环境变量并删去这一行",
            )
        )
    return value
