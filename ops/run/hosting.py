"""Running the function in this process, behind the local cloud, whatever the caller's shell holds."""

import logging
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from function.app import Function, load_settings
from function.config.settings import Settings
from function.context import HOOKS_FILE, Dependencies
from function.errors import Misconfigured
from handler import serve
from local.cloud import LocalCloud
from local.common.reach import HERE_ONLY, Reach
from local.deployment import Deployment
from local.fc.gateway import FcGateway
from local.profiles import DEMO
from local.shell import clear_inherited_settings, use_utc
from ops.client.form_upload import open_session
from ops.terminal.language import Failure, Text, why_unreadable
from ops.terminal.messages import in_both

DEFAULT_PORT = 9000
HIGHEST_PORT = 65535
READY_SECONDS = 10
BAD_FOLDER = Text(
    "The folder {folder} cannot be used ({why}); name another one with --folder.",
    "无法使用目录 {folder}（{why}）；请用 --folder 换一个。",
)
TAKEN = Text(
    "No server could start at port {port} ({why}); choose another: PORT=...",
    "无法在端口 {port} 上启动服务（{why}）；请换一个：PORT=...",
)
IDLE_TICK = ('"route":"tick"', '"code":null', '"due":0')


class HostingError(Failure):
    """The local cloud cannot run; its sentences say what to change."""

    exit_code = 1


class Hosted:
    """The function in front of a local cloud; another deployment may take the place of the one that runs."""

    cloud: LocalCloud
    _function: Function

    def deploy(self, deployment: Deployment, hooks_file: Path) -> None:
        """
        Run this deployment from the next request on.

        Args:
            hooks_file: need not be there.

        Raises:
            HostingError: the function refuses its settings; what ran before still runs.
        """
        environ = self.cloud.environment(deployment)
        check_settings(environ)
        self.cloud.deploy(deployment)
        self._function = Function(Dependencies(environ, now=self.cloud.clock, hooks_file=hooks_file))

    def handle(self, event_or_environ: Any, context_or_start_response: Any) -> Any:
        return serve(self._function, event_or_environ, context_or_start_response)

    def initialize(self, context: Any) -> None:
        self._function.initialize(context)


def deploy_samples(hosted: Hosted) -> None:
    """Run the samples of ``local/demo/``, with which the cloud begins."""
    hosted.deploy(hosted.cloud.deployment, DEMO / HOOKS_FILE.name)


@dataclass(frozen=True)
class Plan:
    """
    Plan of the services to run.

    Args:
        port: of the function; the emulators follow it. A taken port is stepped over, 0 means any.
        folder: where objects are kept; ``None`` for a temporary one, removed at the end.
        settings: variables of the function that replace those of the local cloud.
        rules: how the local services read what their documentation leaves open, by the argument of
            ``LocalCloud``.
        reach: who besides this machine may use it.
        deploy: puts the function there before the first request.
    """

    port: int = 0
    caller_auth: str = "wechat"
    folder: Path | None = None
    settings: dict[str, str] = field(default_factory=dict)
    rules: Mapping[str, Any] = field(default_factory=dict)
    reach: Reach = HERE_ONLY
    deploy: Callable[[Hosted], None] = deploy_samples


def wanted_port(environ: Mapping[str, str], default: int) -> int:
    """The port named by ``PORT``, else the default; raise ``HostingError`` if it is none."""
    text = environ.get("PORT", "").strip()
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 6 and int(text) <= HIGHEST_PORT):
        raise HostingError(
            Text(
                f"PORT is {text!r}; set it to a number from 0 (any free port) to {HIGHEST_PORT}.",
                f"PORT 是 {text!r}；请设为 0（任意空闲端口）到 {HIGHEST_PORT} 之间的数字。",
            )
        )
    return int(text)


@contextmanager
def running_cloud(plan: Plan) -> Iterator[LocalCloud]:
    """
    Run the function and everything around it until the block ends.

    This process is given over to it: its environment, its time zone and its logging are replaced.

    Raises:
        HostingError: a port, the folder or a setting of the function is at fault.
    """
    clear_inherited_settings(os.environ)
    use_utc(os.environ)
    logging.basicConfig(stream=sys.stderr, format="%(message)s", level=logging.INFO, force=True)
    logging.getLogger().handlers[0].addFilter(is_worth_a_line)
    with tempfile.TemporaryDirectory(prefix="oss-direct-upload-") as temporary:
        folder, hosted = plan.folder or Path(temporary), Hosted()
        with _refused_by_system(BAD_FOLDER, folder=folder):
            folder.mkdir(parents=True, exist_ok=True)
        with _refused_by_system(TAKEN, port=plan.port):
            gateway = FcGateway(hosted.handle, hosted.initialize, plan.port, reach=plan.reach)
        try:
            first_port = int(gateway.origin.rpartition(":")[2]) + 1 if plan.port else 0
            with _refused_by_system(TAKEN, port=first_port):
                cloud = LocalCloud(gateway, folder, plan.caller_auth, first_port, plan.settings, **plan.rules)
            with cloud:
                hosted.cloud = cloud
                plan.deploy(hosted)
                os.environ.update(cloud.environment())
                gateway.start()
                # Which has the function initialized, of which nobody needs the lines.
                with quiet_log(), open_session(gateway.origin) as session:
                    session.get(f"{gateway.origin}/health", timeout=READY_SECONDS)
                cloud.timer.start()
                try:
                    yield cloud
                finally:
                    cloud.timer.stop()
        finally:
            gateway.stop()


def is_worth_a_line(record: logging.LogRecord) -> bool:
    """Return whether a line is no tick with nothing due, of which there is one each minute."""
    return not all(piece in record.getMessage() for piece in IDLE_TICK)


@contextmanager
def quiet_log() -> Iterator[None]:
    """Keep lines below WARNING off stderr: while steps are printed, they would come in between."""
    handler = logging.getLogger().handlers[0]
    level = handler.level
    handler.setLevel(logging.WARNING)
    try:
        yield
    finally:
        handler.setLevel(level)


@contextmanager
def _refused_by_system(sentence: Text, **values: object) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise HostingError(sentence.filled(**values, why=why_unreadable(error))) from error


def check_settings(
    environ: Mapping[str, str], read_text: Callable[[Path], str] = lambda path: path.read_text("utf-8")
) -> Settings:
    """Read the settings; raise ``HostingError`` with the function's sentences, in the place of a log line."""
    try:
        return load_settings(environ, read_text)
    except Misconfigured as error:
        raise refused(error) from None


def refused(error: Misconfigured) -> HostingError:
    """Return what the function refuses as sentences for a person."""
    return HostingError(*(in_both(problem.sentence) for problem in error.problems))
