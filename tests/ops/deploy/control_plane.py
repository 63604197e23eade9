"""The deployment tool with Function Compute behind it, for one function; in place of ``Cli``."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from ops.deploy import deploy
from ops.deploy.cli import CliFailed
from ops.terminal.command_line import run_command

S_YAML = """
edition: 3.0.0
resources:
  upload:
    component: fc3
    props:
      region: cn-hangzhou
      functionName: signs
      environmentVariables: {CALLER_AUTH: wechat, TOKEN_SECRET: "${env('TOKEN_SECRET')}"}
      triggers: [{triggerName: http, triggerType: http}, {triggerName: timer, triggerType: timer}]
"""
NO_CHANGE = "VersionPublishError: code: 400, detail: 'No changes were made since last publish'"


def run_in(folder: Path, *options: str, command: ModuleType = deploy) -> int:
    """Run the command for the project in this folder, where the tool is, too."""
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    given = [str(folder / "s.yaml"), "--tool", str(folder / "s"), "--lang", "en", *options]
    return run_command(command.run, parser.parse_args(given))


class Interrupted(BaseException):
    """The machine died after a step."""


class ControlPlane:
    """
    Args:
        keeps_weights: an empty mapping of weights changes nothing.

    Attributes:
        package: profiles and settings of each version that the key may read.

        settings: of the function as it was last deployed.
    """

    def __init__(self, keeps_weights: bool = False) -> None:
        self.keeps_weights = keeps_weights
        self.is_there, self.has_changed = False, True
        self.keeps_qualifier = self.is_deaf = False
        self.versions: list[str] = []
        self.alias: dict[str, Any] = {}
        self.address, self.qualifier, self.dies_after = "", "LATEST", ""
        self.calls: list[str] = []
        self.failing: dict[str, CliFailed] = {}
        self.settings = {"TOKEN_SECRET": "s"}
        self.package: dict[str, tuple[str, dict[str, str]]] = {}

    @property
    def changes(self) -> list[str]:
        return [call for call in self.calls if call not in ("verify", "list", "info", "sync")]

    def show(self, *step: str) -> None:
        if step == ("deploy", "-y", "--function"):
            self._done("function", lambda: setattr(self, "is_there", True))
        elif step == ("deploy", "-y", "--skip-actions"):
            self._done("rest", self._make_triggers)
        else:
            assert step == ("verify",)
            self._done("verify", lambda: None)

    def change(self, *step: str) -> None:
        if step[0] == "sync":
            self._done("sync", lambda: self._hand_out(dict(zip(step[1::2], step[2::2], strict=True))))
        elif step[:2] == ("version", "publish"):
            self._done("publish", self._publish)
        else:
            options = dict(zip(step[2::2], step[3::2], strict=True))
            assert (step[:2], options["--alias-name"]) == (("alias", "publish"), "live")
            self._done("alias", lambda: self._move(options))

    def _done(self, name: str, act: Callable[[], None]) -> None:
        self.calls.append(name)
        if name in self.failing:
            raise self.failing[name]
        act()
        if self.dies_after == name:
            self.dies_after = ""
            raise Interrupted

    def _make_triggers(self) -> None:
        if not self.alias:
            raise CliFailed("deploy", 101, "AliasNotFound")
        if not (self.address and self.keeps_qualifier):
            self.address, self.qualifier = "https://live.example", "live"

    def _publish(self) -> None:
        if not self.has_changed:
            raise CliFailed("version", 101, "VersionPublishError", NO_CHANGE)
        self.has_changed = False
        self.versions.insert(0, str(int(self.versions[0]) + 1 if self.versions else 1))

    def _move(self, options: dict[str, str]) -> None:
        weights = json.loads(options["--vw"])
        assert {options["--version-id"], *weights} <= set(self.versions)
        if self.is_deaf:
            return
        before = self.alias.get("additionalVersionWeight", {})
        self.alias = {
            "aliasName": "live",
            "versionId": options["--version-id"],
            "description": options["--description"],
            "additionalVersionWeight": before if self.keeps_weights and not weights else weights,
        }

    def _hand_out(self, options: dict[str, str]) -> None:
        """Source: https://github.com/devsapp/fc3, src/subCommands/sync."""
        name = f"{options['--region']}_{options['--function-name']}"
        there, version = Path(options["--target-dir"]), options["--qualifier"]
        assert version in self.versions
        if version not in self.package:
            raise CliFailed("sync", 101, "AccessDenied")
        profiles, settings = self.package[version]
        (there / name).mkdir(parents=True)
        (there / name / "profiles.toml").write_text(profiles, "utf-8")
        props = {"region": options["--region"], "function": {"environmentVariables": settings}}
        (there / f"{name}.yaml").write_text(json.dumps({"resources": {"r": {"props": props}}}), "utf-8")

    def read(self, *step: str) -> Any:
        self.calls.append("info" if step == ("info",) else "list")
        if "read" in self.failing:
            raise self.failing["read"]
        if not self.is_there:
            raise CliFailed(step[0], 101, "FunctionNotFound")
        if step == ("alias", "list"):
            return [{"aliasName": "other", "versionId": "1"}, *([self.alias] if self.alias else [])]
        if step == ("version", "list"):
            return [
                {"versionId": one, "description": "0.2.0", "createdTime": "2026"} for one in self.versions
            ]
        if not self.address:
            raise CliFailed(step[0], 101, "TriggerNotFound")
        trigger = {"triggerName": "http", "qualifier": self.qualifier, "triggerConfig": {}}
        trigger["httpTrigger"] = {"urlInternet": self.address}
        return {"triggers": [trigger], "environmentVariables": self.settings}

    def live(self) -> tuple[str, dict[str, float], str]:
        """Version, weights that count, description."""
        weights = {
            version: weight for version, weight in self.alias["additionalVersionWeight"].items() if weight
        }
        return self.alias["versionId"], weights, self.alias["description"]
