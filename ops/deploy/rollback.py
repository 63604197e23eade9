"""
Move the alias `live` back, without a build: end a canary, else go to the version that was live before.

Called again, it goes one further; a version given by its number is live at once. The settings and secrets
of that version come back with it, for they are part of it.
"""

import argparse

from ops.deploy.cli import Cli
from ops.deploy.live import Live, current, move, rolled_back, shown
from ops.deploy.target import add_target_arguments, target_of
from ops.terminal.language import Failure, Text, chosen_language
from ops.terminal.screen import Screen

SUMMARY = Text("go back to an earlier version within seconds", "几秒内回退到之前的版本")
ABOUT = Text(
    __doc__,
    "把别名 `live` 移回去，不用重新打包：有灰度就结束灰度，否则回到之前上线的版本。\n\n"
    "再运行一次就再退一个；给出版本号就直接用那个版本。设置和密钥属于版本，会随它一起回来。",
)
WORDS = {
    "version": Text("the version to go to, by its number", "要回到的版本号"),
    "list": Text("show the versions, and change nothing", "列出版本，什么都不改"),
    "number": Text(
        "VERSION = {version}: must be the number of a version, such as 7 (LIST=1 shows them). Nothing"
        " was changed.",
        "VERSION = {version}：应为版本号，如 7（LIST=1 列出全部）。什么都没有改动。",
    ),
    "not_live": Text("Nothing is live yet: run make deploy.", "还没有上线的版本：请运行 make deploy。"),
    "none": Text("There is no version before {version}.", "版本 {version} 之前没有别的版本。"),
    "unknown": Text(
        "There is no version {version}; there are: {known}.", "没有版本 {version}；现有：{known}。"
    ),
    "secrets": Text(
        "The settings of version {version} are back, and with them its secrets: one that was rotated since is"
        " the old one again.",
        "版本 {version} 的设置回来了，密钥也一样：之后换过的密钥，现在又是旧的。",
    ),
}


def add_arguments(parser: argparse.ArgumentParser, language: str = "en") -> None:
    add_target_arguments(parser, language)
    parser.add_argument("--version", metavar="NUMBER", default="", help=WORDS["version"].say(language))
    parser.add_argument("--list", action="store_true", help=WORDS["list"].say(language))


def run(args: argparse.Namespace) -> int:
    language, screen = chosen_language(args.lang), Screen()
    if args.version and not (args.version.isascii() and args.version.isdecimal()):
        raise Failure(WORDS["number"].filled(version=args.version))
    with target_of(args.file, args.tool, screen) as target:
        live = current(target.cli)
        if live is None:
            raise Failure(WORDS["not_live"])
        act = _list if args.list else _roll_back
        act(target.cli, live, args.version, screen, language)
    return 0


def _roll_back(cli: Cli, live: Live, version: str, screen: Screen, language: str) -> None:
    known = [str(one["versionId"]) for one in cli.read("version", "list")]
    wanted = rolled_back(live, known, version)
    if wanted is None:
        words = WORDS["unknown" if version else "none"]
        raise Failure(words.filled(version=version or live.version, known=", ".join(known)))
    move(cli, wanted)
    screen.good(shown(wanted).say(language))
    if wanted.version != live.version:
        screen.line("      " + WORDS["secrets"].say(language, version=wanted.version))


def _list(cli: Cli, live: Live, _version: str, screen: Screen, language: str) -> None:
    screen.line(shown(live).say(language))
    versions = cli.read("version", "list")
    about = ("createdTime", "description")
    screen.pairs({str(one["versionId"]): "  ".join(filter(None, map(one.get, about))) for one in versions})
