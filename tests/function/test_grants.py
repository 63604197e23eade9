"""grants: a session may do what the forms need, and nothing else."""

import json
from pathlib import Path

from function.grants import UPLOADS, session_policies
from function.profiles import read_profiles

SHIPPED = Path(__file__).parents[2] / "profiles.toml"
GOOD = 'key = "uploads/{owner}/{id}{ext}"\nmax_size = "1MiB"\ncontent_types = ["image/png"]\n'


def read(text: str):
    profiles, problems = read_profiles(text, default_signature="v4")
    assert {problem.setting for problem in problems} <= {"profiles.toml"}
    return profiles, [problem.sentence for problem in problems]


def with_option(line: str) -> str:
    option = line.partition("=")[0].strip()
    kept = [known for known in GOOD.splitlines() if known.partition("=")[0].strip() != option]
    return "\n".join(["[p]", *kept, line])


def test_the_session_may_do_what_the_forms_need_and_nothing_else():
    profiles, _ = read(SHIPPED.read_text("utf-8"))
    assert json.loads(session_policies("my-bucket", profiles.values())[UPLOADS]) == {
        "Version": "1",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["oss:PutObject", "oss:PutObjectAcl"],
                "Resource": [
                    "acs:oss:*:*:my-bucket/avatars/*",
                    "acs:oss:*:*:my-bucket/uploads/*",
                    "acs:oss:*:*:my-bucket/videos/*",
                ],
            },
            {
                "Effect": "Allow",
                "Action": ["oss:PutObject"],
                "Resource": ["acs:oss:*:*:my-bucket/test/*"],
            },
        ],
    }


def test_a_session_without_a_page_s_folder_has_one_statement_in_as_few_characters_as_can_be():
    profiles, _ = read(with_option('key = "图片/{id}"'))
    assert session_policies("b", profiles.values())[UPLOADS] == (
        '{"Version":"1","Statement":[{"Effect":"Allow","Action":["oss:PutObject","oss:PutObjectAcl"],'
        '"Resource":["acs:oss:*:*:b/图片/*"]}]}'
    )
