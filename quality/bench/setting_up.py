"""Set-up of a run: the package, the peers in an environment of their own, and how to start either."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from function.config.profiles import PROFILES_TOML
from ops.package.authorities import trust
from ops.package.bytecode import compile_folder, find_python
from ops.package.command import build
from ops.package.pins import read_pins
from ops.package.profiles import prepare_profiles
from quality.bench.peers import task
from quality.bench.stand_ins import StandIns

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "build" / "function"
PROFILES = ROOT / "tests" / "support" / "plain_profiles.toml"
WORKSHOP = ROOT / "build" / "bench"
VENV = ROOT / "build" / "bench-venv"
REQUIREMENTS = ROOT / "quality" / "bench" / "requirements-bench.txt"
SCRIPTS = ROOT / "quality" / "bench" / "peers"
SHOWN_PEERS = (
    *("aliyun-python-sdk-core", "alibabacloud-sts20150401", "alibabacloud-credentials", "Flask", "gunicorn"),
)

# The mode of a mini-program stands first: its figures are the ones that count.
WECHAT, ANONYMOUS = MODES = "this function, wechat", "this function, anonymous"
PACKAGE_MB = "package, zipped, MB"

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Bench:
    """
    Args:
        python: runs the function and every Python peer alike.

        package: as it is deployed, but that it trusts the stand-ins as well.

        peers: the site-packages of the peers.

        scripts: the contestants' programs, compiled as the package is.

        modes: all that the function sees of the surroundings, by contestant.
    """

    python: str
    venv_python: str
    package: Path
    zipped_mb: float
    peers: Path
    scripts: Path
    modes: Mapping[str, Mapping[str, str]]

    def environ_of(self, contestant: str) -> Mapping[str, str]:
        """Who is none of the modes sees the same as the plainest of them."""
        return self.modes.get(contestant, self.modes[ANONYMOUS])

    def run_python(self, module: str, *folders: Path) -> list[str]:
        """Command of a bare interpreter (no site, no user folders) that imports a module."""
        paths = [str(folder) for folder in (self.scripts, *folders)]
        program = f"import sys; sys.path[:0] = {paths!r}; import {module}"
        return [self.python, "-I", "-S", "-B", "-c", program]


def set_up(stand_ins: StandIns, progress: Progress) -> Bench:
    """Package the function, install the peers once, and compile all of it the same way."""
    target = find_python(None, os.environ)
    python = target or sys.executable
    progress(f"packaging the function ({PACKAGE.relative_to(ROOT)})")
    # Without the target's Python there is no bytecode to ship; the running one compiles for itself.
    zipped = build(ROOT, PACKAGE, target)
    package = _copied(PACKAGE, WORKSHOP / PACKAGE.name)
    if target is None:
        compile_folder(python, package)
    # It trusts nobody else than the authorities that it brings, whatever the environment says.
    trust(package, stand_ins.authorities_file)
    # The profiles of the task, packaged as an operator's are.
    shutil.copyfile(PROFILES, package / PROFILES_TOML)
    prepare_profiles(package)
    venv_python = _install_peers(python, progress)
    scripts = _copied(SCRIPTS, WORKSHOP / "scripts")
    compile_folder(python, scripts)
    surroundings = contestant_environment(stand_ins)
    wechat = {"WECHAT_APPID": "wx0123456789abcdef", "WECHAT_SECRET": "bench"}
    return Bench(
        python=python,
        venv_python=venv_python,
        package=package,
        zipped_mb=len(zipped) / 1e6,
        peers=_site_packages(venv_python),
        scripts=scripts,
        modes={
            WECHAT: {**surroundings, "CALLER_AUTH": "wechat", "WECHAT_ENDPOINT": stand_ins.origin, **wechat},
            ANONYMOUS: {**surroundings, "CALLER_AUTH": "anonymous"},
        },
    )


def _copied(source: Path, target: Path) -> Path:
    shutil.rmtree(target, ignore_errors=True)
    return Path(shutil.copytree(source, target))


def contestant_environment(stand_ins: StandIns) -> dict[str, str]:
    """Settings of the function, and the authorities to trust under the name that each library looks for."""
    authorities = str(stand_ins.authorities_file)
    return {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        "OSS_BUCKET": task.BUCKET,
        "OSS_REGION": task.REGION,
        "STS_ROLE_ARN": task.ROLE_ARN,
        "PROFILES_FILE": str(PROFILES),
        "STS_ENDPOINT": stand_ins.origin,
        "CALLER_RATE": "999999999/s",
        "TOKEN_SECRET": task.TOKEN_SECRET,
        "ALIBABA_CLOUD_ACCESS_KEY_ID": task.OWN_KEY_ID,
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": task.OWN_SECRET,
        "ALIBABA_CLOUD_SECURITY_TOKEN": task.OWN_TOKEN,
        "ALIBABA_CLOUD_CA_BUNDLE": authorities,
        "REQUESTS_CA_BUNDLE": authorities,
        "SSL_CERT_FILE": authorities,
    }


def versions(bench: Bench) -> dict[str, str]:
    """Versions of everything measured, by name."""
    pins = read_pins(REQUIREMENTS.read_text("utf-8"))
    return {
        "Python": _output([bench.python, "-c", "import platform; print(platform.python_version())"]),
        **{name: pins[name.lower()] for name in SHOWN_PEERS},
    }


def _install_peers(python: str, progress: Progress) -> str:
    venv_python = str(VENV / "bin" / "python")
    ready = VENV / ".ready"
    wanted = f"{python}\n{REQUIREMENTS.read_text('utf-8')}"
    if ready.is_file() and ready.read_text("utf-8") == wanted:
        return venv_python
    progress(f"installing the peers ({VENV.relative_to(ROOT)}, once, a minute or two)")
    subprocess.run([python, "-m", "venv", "--clear", str(VENV)], check=True)
    pip = [venv_python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    subprocess.run([*pip, "--no-deps", "--requirement", str(REQUIREMENTS)], check=True)
    # As the package is compiled, so that none of them checks time stamps when it starts.
    compiling = [venv_python, "-m", "compileall", "-q", "-f", "--invalidation-mode", "unchecked-hash"]
    subprocess.run([*compiling, str(_site_packages(venv_python))], check=False, stdout=subprocess.DEVNULL)
    ready.write_text(wanted, "utf-8")
    return venv_python


def _site_packages(venv_python: str) -> Path:
    return Path(_output([venv_python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]))


def _output(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
