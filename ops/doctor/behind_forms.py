"""
The attacks of ``doctor``: keys behind forms, of this bucket or another, must be good for nothing else.
"""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta

import requests

from function.config.settings import Settings
from function.oss.presign import NONE, OssRequest, presign
from function.sts.credentials import StsCredentials
from ops.client.form_upload import open_session
from ops.doctor.findings import Finding, State, same, unreachable
from ops.doctor.uploads import Uploads
from ops.terminal.language import Text

TIMEOUT_SECONDS = 10
URL_LIFE = timedelta(minutes=1)
BEHIND_FORMS = Text("Keys behind forms", "表单背后的密钥")


def check_behind_forms(course: Uploads, credentials: StsCredentials) -> Finding:
    """Check that they read and delete nothing, and write into no folder that no form is for."""
    held = [one for one in course.settings.profiles.values() if one.is_held]
    # Where what was held back is published: it would skip the steps.
    folders = ["", *(profile.key.literal_folder for profile in held[:1])]
    said = Text("no other folder, no reading, no deleting", "不能写别的目录，不能读，不能删")
    return _attack(course, BEHIND_FORMS, credentials, folders, said)


def check_keys_of(course: Uploads, bucket: str, credentials: StsCredentials) -> Finding:
    """Check that those of another bucket can do nothing in this one."""
    check = Text(f"Keys of {bucket}", f"{bucket} 的密钥")
    folder = next(iter(course.settings.profiles.values())).stored_folder
    said = Text("nothing can be written, read or deleted with them", "不能写、不能读、不能删")
    return _attack(course, check, credentials, [folder], said)


def _attack(
    course: Uploads, check: Text, credentials: StsCredentials, folders: list[str], said: Text
) -> Finding:
    settings, name = course.settings, f"doctor-{secrets.token_hex(8)}/must-be-refused.txt"
    stored = next(iter(course.stored.values()), name)
    let_in = []
    for method, key in [("GET", stored), ("DELETE", stored), *(("PUT", f"{each}{name}") for each in folders)]:
        try:
            answer = signed_request(settings, credentials, course.now, method, key)
        except requests.RequestException as error:
            where = same(f"{settings.host}: {type(error).__name__}")
            return Finding(check, State.BAD, where, unreachable("OSS_HOST"))
        # Who hears that nothing is there was let in as well.
        if answer.status_code != 403:
            let_in.append(f"{method} {key}: HTTP {answer.status_code}")
        if method == "PUT" and answer.status_code == 200:
            course.keys_left.append(key)
    if let_in:
        return Finding(check, State.BAD, same(", ".join(let_in)), _LETS_OTHERS_IN)
    return Finding(check, State.GOOD, said)


def signed_request(
    settings: Settings,
    credentials: StsCredentials,
    now: datetime,
    method: str,
    key: str,
    query: Mapping[str, str] = NONE,
) -> requests.Response:
    """
    Raises:
        requests.RequestException: no answer.
    """
    request = OssRequest(method, settings.bucket, settings.region, key, query)
    url = presign(request, credentials, now, origin=settings.host, expires_in=URL_LIFE)
    body = b"." if method == "PUT" else None
    with open_session(url) as session:
        return session.request(method, url, data=body, timeout=TIMEOUT_SECONDS, allow_redirects=False)


_LETS_OTHERS_IN = Text(
    "Anything but 403 is wrong: look for a bucket policy or a public ACL that lets everybody in, set the ACL"
    " to private, and see that OSS_HOST is OSS.",
    "除 403 以外都不对：请检查是否有对所有人开放的桶策略或公共权限，把权限设为私有，并确认 OSS_HOST 是 OSS。",
)
