"""
The developer's own files in the local cloud: ``profiles.toml``, ``hooks.py``, and of ``.env`` what concerns
behaviour. They are read again when they change; while one is broken, the last good ones stay.
"""

import tomllib
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import NamedTuple

from function.config.profiles import PROFILES_TOML
from function.context import HOOKS_FILE
from function.errors import Misconfigured
from function.uploads.before_sign_hook import Hooks
from local.callers import CALLERS_TOML, SEVERAL, Callers, read_callers, sample_callers
from local.deployment import Deployment
from ops.deploy.env_file import EnvFile, read_env_file
from ops.deploy.profile_lines import EXAMPLE, with_lines
from ops.run.hosting import Hosted, HostingError, check_settings, refused
from ops.terminal.language import Text
from ops.terminal.screen import Screen

ENV = ".env"
# How often they are looked at.
EVERY_SECONDS = 1.0
# Of .env; addresses, buckets, keys and the store of quotas are the local cloud's own.
BEHAVIOUR = (
    *("ALLOWED_ORIGINS", "CALLER_AUTH", "CALLER_RATE", "ERASE", "ERASE_ON", "LOGIN_RATE", "READ_RATE"),
    *("PROFILES_FILE", "QUOTA_UTC_OFFSET", "RECEIPT_SECRET", "TOKEN_SECONDS"),
)
WORDS = {
    "read": Text("read {file}: {what}", "已读取 {file}：{what}"),
    "again": Text("changed, read again: {file}: {what}", "有改动，重新读取 {file}：{what}"),
    "gone": Text("gone: {file}", "已删除：{file}"),
    "hooks": Text("called before each form is signed", "每次签表单之前调用"),
    "nothing": Text("nothing that concerns the local cloud", "没有与本地云有关的设置"),
    "stays": Text(
        "Until that is mended, the local cloud goes on with what it read before.",
        "改好之前，本地云继续使用上一次读到的内容。",
    ),
}


class _Found(NamedTuple):
    """Bytes of each file by the name it is shown with; ``None`` for one that is not there."""

    files: dict[str, bytes | None]
    env: EnvFile
    profiles: Path
    caller_auth: str

    @property
    def callers(self) -> Path:
        return self.profiles.with_name(CALLERS_TOML)


class OwnFiles:
    """The files of a project's folder; ``caller_auth``, if any, is instead of that of ``.env``."""

    def __init__(self, folder: Path, caller_auth: str, screen: Screen, language: str) -> None:
        self._folder, self._caller_auth = folder, caller_auth
        self._screen, self._language = screen, language
        self._good: _Found | None = None
        self._seen: dict[str, bytes | None] = {}

    def deploy(self, hosted: Hosted) -> None:
        """Run them, a line for each that was read; raise ``HostingError`` if the function refuses them."""
        self._hosted = hosted
        found = self._find()
        self._run(found)
        self._seen = found.files

    def look(self) -> None:
        """Run what has changed; print why not where it cannot be run."""
        found = self._find()
        before, self._seen = self._seen, found.files
        if found.files == before:
            return
        try:
            self._run(found)
        except HostingError as error:
            self._screen.fail_with(error, self._language)
            self._screen.line("    " + WORDS["stays"].say(self._language))

    def _find(self) -> _Found:
        env = read_env_file(self._folder / ENV)
        profiles = self._folder / (env.values.get("PROFILES_FILE") or PROFILES_TOML)
        if profiles == self._folder / PROFILES_TOML and not profiles.exists():
            profiles = self._folder / EXAMPLE
        found = _Found({}, env, profiles, self._caller_auth or env.values.get("CALLER_AUTH") or "wechat")
        callers = [found.callers] if found.caller_auth == SEVERAL else []
        for path in (profiles, *callers, self._folder / HOOKS_FILE.name, self._folder / ENV):
            found.files[self._name_of(path)] = _bytes_of(path)
        return found

    def _name_of(self, path: Path) -> str:
        return str(path.relative_to(self._folder) if path.is_relative_to(self._folder) else path)

    def _run(self, found: _Found) -> None:
        """Run them, and name what differs from the last good files; all of them where nothing does."""
        if found.env.problems:
            raise HostingError(*found.env.problems)
        deployment = self._deployment(found)
        hooks = self._hooks(found, deployment)
        self._hosted.deploy(deployment, hooks)
        before, self._good = self._good, found
        known = before.files if before else {}
        changed = {name: content for name, content in found.files.items() if known.get(name) != content}
        for name, content in (changed or found.files).items():
            if changed or content is not None:
                self._tell(name, content, found, is_again=before is not None)

    def _deployment(self, found: _Found) -> Deployment:
        cloud = self._hosted.cloud
        values = found.env.values
        settings = {name: values[name] for name in BEHAVIOUR if values.get(name)}
        callers = self._callers(found)
        here = cloud.prepare(found.caller_auth, {}, settings, callers)
        # The sentences are about the file as it is written, before its buckets become those of this cloud.
        as_written = replace(here, profiles_file=found.profiles)
        local = here.profiles_file.with_name(CALLERS_TOML)
        read_text = cache(
            lambda path: (local if callers and path == found.callers else path).read_text("utf-8")
        )
        try:
            check_settings(cloud.environment(as_written), read_text)
        except HostingError as error:
            raise HostingError(*with_lines(error.sentences, found.profiles)) from None
        profiles = tomllib.loads(read_text(found.profiles))
        return cloud.prepare(found.caller_auth, profiles, settings, callers)

    def _callers(self, found: _Found) -> Callers:
        """Return the entries of the project's file, or the samples; none of a file that cannot be read."""
        content = found.files.get(self._name_of(found.callers))
        if content is None:
            return sample_callers(found.caller_auth)
        return read_callers(content.decode("utf-8", "replace")) or {}

    def _hooks(self, found: _Found, deployment: Deployment) -> Path:
        """Return a copy that nobody edits: an instance reads it with its first upload only."""
        path = deployment.profiles_file.with_name(HOOKS_FILE.name)
        if (content := found.files[HOOKS_FILE.name]) is not None:
            path.write_bytes(content)
            try:
                Hooks(path)
            except Misconfigured as error:
                raise refused(error) from None
        return path

    def _tell(self, name: str, content: bytes | None, found: _Found, *, is_again: bool) -> None:
        if content is None:
            if is_again:
                self._screen.line(WORDS["gone"].say(self._language, file=name))
            return
        settings = [each for each in BEHAVIOUR if found.env.values.get(each)]
        special = {
            HOOKS_FILE.name: WORDS["hooks"].say(self._language),
            ENV: ", ".join(settings) or WORDS["nothing"].say(self._language),
            self._name_of(found.callers): ", ".join(self._hosted.cloud.deployment.callers),
        }
        what = special.get(name, ", ".join(self._hosted.cloud.profiles))
        self._screen.line(WORDS["again" if is_again else "read"].say(self._language, file=name, what=what))


def _bytes_of(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
