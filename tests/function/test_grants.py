"""grants: a session may do what the forms need, and nothing else."""

import json

from function.grants import UPLOADS, session_policies
from function.profiles import read_profiles


def policy(bucket, text):
    profiles, problems = read_profiles(text, default_signature="v4")
    assert not problems
    return session_policies(bucket, profiles.values())[UPLOADS]


def test_the_session_may_do_what_the_forms_need_and_nothing_else(legacy_profiles):
    assert json.loads(policy("my-bucket", legacy_profiles)) == {
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
            {
                "Effect": "Deny",
                "Action": ["oss:PutObject"],
                "Resource": ["acs:oss:*:*:my-bucket/test/*"],
                "Condition": {"StringEquals": {"oss:x-oss-object-acl": ["public-read", "public-read-write"]}},
            },
        ],
    }


def test_a_session_without_a_page_s_folder_has_one_statement_in_as_few_characters_as_can_be():
    profile = '[p]\nkey = "图片/{id}"\nmax_size = 1\ncontent_types = ["*/*"]'
    assert policy("b", profile) == (
        '{"Version":"1","Statement":[{"Effect":"Allow","Action":["oss:PutObject","oss:PutObjectAcl"],'
        '"Resource":["acs:oss:*:*:b/图片/*"]}]}'
    )
