"""
Write profiles.d.ts: the names of the profiles and their variants, as TypeScript checks them.

A page that hands the type Profiles to createUploader cannot misspell one any more.
"""

import argparse
import json
from collections.abc import Iterable
from pathlib import Path

from function.config import settings
from function.config.profile import Profile
from function.config.profiles import read_profiles
from ops.deploy.profile_lines import NO_PROFILES, is_unmade
from ops.terminal.language import Failure, Text, add_language_argument, chosen_language, why_unreadable
from ops.terminal.messages import in_both
from ops.terminal.screen import Screen

SUMMARY = Text(
    "write profiles.d.ts, with which tsc finds misspelt profiles",
    "生成 profiles.d.ts，让 tsc 找出写错的用途名",
)
ABOUT = Text(
    __doc__,
    "生成 profiles.d.ts：各用途与其图片变体的名字，供 TypeScript 检查。\n\n"
    "页面把类型 Profiles 交给 createUploader，就不会再写错这些名字。",
)
HELP = {
    "file": Text("the profiles (default: profiles.toml)", "用途的文件（默认：profiles.toml）"),
    "output": Text("where to write it (default: profiles.d.ts)", "写到哪里（默认：profiles.d.ts）"),
    "check": Text(
        "write nothing; fail when the file is not what would be written",
        "不写文件；文件与应有的内容不同时失败",
    ),
}
UNREADABLE = Text("Cannot read {path}: {why}.", "无法读取 {path}：{why}。")
UNWRITABLE = Text("Cannot write {path}: {why}.", "无法写入 {path}：{why}。")
WRITTEN = Text(
    "{path}: {names}. Commit it, and run this again when {file} changes.",
    "{path}：{names}。请提交到 git；{file} 变了就再运行一次。",
)
OUTDATED = Text(
    "{path} is not what {file} says. Run: python3 manage.py types",
    "{path} 与 {file} 不一致。请运行：python3 manage.py types",
)
HEAD = """\
// 由 python3 manage.py types 根据 profiles.toml 生成，请勿手改。

/** 用途的名字，各自带着它的图片变体；交给 createUploader<Profiles>。 */
export type Profiles = {
"""


def add_arguments(parser: argparse.ArgumentParser, language: str = "en") -> None:
    parser.add_argument(
        "file", nargs="?", type=Path, default=settings.DEFAULT_PROFILES_FILE, help=HELP["file"].say(language)
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help=HELP["output"].say(language))
    parser.add_argument("--check", action="store_true", help=HELP["check"].say(language))
    add_language_argument(parser, language)


def run(args: argparse.Namespace) -> int:
    output = args.output or args.file.with_suffix(".d.ts")
    try:
        profiles, problems = read_profiles(args.file.read_text("utf-8"), default_signature="v4")
    except (OSError, UnicodeDecodeError) as error:
        said = UNREADABLE.filled(path=args.file, why=why_unreadable(error))
        raise Failure(NO_PROFILES if is_unmade(args.file) else said) from None
    if problems:
        raise Failure(*(in_both(problem.sentence) for problem in problems))
    # Pages of classic forms do without the client.
    known = [profile for profile in profiles.values() if not profile.takes_filename]
    text = types_of(known)
    if args.check:
        if output.exists() and output.read_text("utf-8") == text:
            return 0
        raise Failure(OUTDATED.filled(path=output, file=args.file))
    try:
        output.write_text(text, "utf-8")
    except OSError as error:
        raise Failure(UNWRITABLE.filled(path=output, why=why_unreadable(error))) from None
    names = ", ".join(profile.name for profile in known)
    written = WRITTEN.filled(path=output, names=names, file=args.file.name)
    Screen().line(written.say(chosen_language(args.lang)))
    return 0


def types_of(profiles: Iterable[Profile]) -> str:
    """The text of ``profiles.d.ts``; a profile without variants has none to ask for."""
    lines = ""
    for profile in profiles:
        variants = " | ".join(map(json.dumps, profile.variants)) or "never"
        lines += f"  {json.dumps(profile.name)}: {{ variants: {variants} }}\n"
    return f"{HEAD}{lines}}}\n"
