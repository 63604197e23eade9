"""The shipped ``s.yaml`` once it is configured, and ways to change it."""

import argparse
import re
import tomllib
from pathlib import Path

from ops.deploy import check_deploy
from ops.deploy.check_deploy import Report, add_arguments
from tests.ops.words import in_english

ROOT = Path(__file__).resolve().parents[3]

TOKEN_SECRET = "token-secret-0123456789abcdefghi"

CONFIGURED = {
    "OSS_BUCKET": "photos-of-users",
    "STS_ROLE_ARN": "acs:ram::1000000000000001:role/oss-direct-upload",
    "CALLER_AUTH": "wechat",
    "WECHAT_APPID": "wx00112233445566ff",
    "WECHAT_SECRET": "0123456789abcdef0123456789abcdef",
    "TOKEN_SECRET": TOKEN_SECRET,
}

FOR_OPTIONAL_BLOCKS = {
    "CUSTOM_DOMAIN": "upload.example.com",
    "CERTIFICATE_FILE": "upload.pem",
    "CERTIFICATE_KEY_FILE": "upload.key",
    "LOG_PROJECT": "uploads",
    "VPC_ID": "vpc-1",
    "SECURITY_GROUP_ID": "sg-1",
    "VSWITCH_ID": "vsw-1",
}

CLOUD_KEYS = {"AccountID": "1000000000000001", "AccessKeyID": "LTAI", "AccessKeySecret": "s"}

# See the remarks in the file.
REFUSED = tomllib.loads(Path(__file__).with_name("refused.toml").read_text("utf-8"))


def check(file: Path, environ: dict[str, str], **more: bool) -> Report:
    """What ``check-deploy`` finds, in English."""
    report = check_deploy.check(file, environ, **more)
    return Report(in_english(report.problems), in_english(report.hints))


def replace(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file.name}"
    file.write_text(text.replace(old, new), "utf-8")


def mutated(project: Path, old: str, new: str) -> Report:
    replace(project / "s.yaml", old, new)
    return check(project / "s.yaml", CONFIGURED)


def refuses(report: Report, place: str, said: str = "") -> None:
    """One of the problems is at this place, which is empty of the whole file; each has a file."""
    found = [re.fullmatch(r"s\.\w*\.?yaml: ([\w.-]*)(.*)", problem, re.S) for problem in report.problems]
    assert all(found), report.problems
    places = [(one[1].removeprefix("resources.upload.").rstrip(":."), one[2]) for one in found if one]
    assert any(where == place and said in what for where, what in places), report.problems


def arguments(file: Path, *more: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args([str(file), *more])
