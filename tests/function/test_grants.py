"""grants: a session may do what the forms need, and nothing else."""

import json

import pytest

from function.grants import OBJECTS, UPLOADS, role_policy, session_policies
from function.profiles import read_profiles


def read(text):
    profiles, problems = read_profiles(text, default_signature="v4")
    assert not problems
    return profiles.values()


def policy(bucket, text):
    return session_policies(bucket, read(text))[UPLOADS]


def with_options(**options):
    """A profile of each name, in a folder of that name, with these options."""
    return read(
        "\n".join(
            f'[{name}]\nkey = "{name.partition("_")[0]}/{{owner}}/{{id}}"\nmax_size = 1\n'
            f'content_types = ["*/*"]\n{lines}'
            for name, lines in options.items()
        )
    )


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


def allow(actions, *folders):
    resources = [f"acs:oss:*:*:b/{folder}/*" for folder in folders]
    return {"Effect": "Allow", "Action": actions, "Resource": resources}


@pytest.mark.parametrize("options", ["", "callback = false", 'acl = "public-read"\nread = "callers"'])
def test_without_an_option_that_needs_it_there_is_no_session_for_objects(options):
    assert set(session_policies("b", with_options(a=options))) == {UPLOADS}


@pytest.mark.parametrize(
    "options",
    [
        "confirm = true",
        'read = "owner"',
        'read = "callers"',
        'read = "callers"\nacl = "private"',
        'confirm = true\nacl = "public-read"',
    ],
)
def test_reading_and_confirming_may_get_objects_and_nothing_else(options):
    policies = session_policies("b", with_options(a=options))
    assert json.loads(policies[OBJECTS])["Statement"] == [allow(["oss:GetObject"], "a")]
    # The keys behind the forms got nothing more by it.
    assert policies[UPLOADS] == session_policies("b", with_options(a=""))[UPLOADS]


OF_PARTS = [
    "oss:AbortMultipartUpload",
    "oss:GetObject",
    "oss:ListParts",
    "oss:PutObject",
    "oss:PutObjectAcl",
]


@pytest.mark.parametrize("options", ["parts = true", 'parts = true\nread = "owner"\nconfirm = true'])
def test_uploads_in_parts_are_begun_listed_completed_and_dropped_by_the_objects_session_alone(options):
    policies = session_policies("b", with_options(a=options, b=""))
    assert json.loads(policies[OBJECTS])["Statement"] == [allow(OF_PARTS, "a")]
    # What leaves the function, the addresses of the parts among it, can do no more than a form can.
    assert policies[UPLOADS] == session_policies("b", with_options(a="", b=""))[UPLOADS]


def test_a_folder_without_parts_gets_nothing_of_what_another_s_need():
    objects = session_policies("b", with_options(a="confirm = true", b="parts = true"))[OBJECTS]
    assert json.loads(objects)["Statement"] == [allow(OF_PARTS, "b"), allow(["oss:GetObject"], "a")]


def test_only_folders_of_profiles_with_an_option_may_be_read_and_each_stands_once():
    profiles = with_options(c='read = "owner"', a="confirm = true", b="", a_too='read = "callers"')
    objects = session_policies("b", profiles)[OBJECTS]
    assert json.loads(objects)["Statement"] == [allow(["oss:GetObject"], "a", "c")]


def test_the_role_allows_what_either_session_asks_for(legacy_profiles):
    profiles = with_options(a="confirm = true", b="")
    assert json.loads(role_policy("b", profiles))["Statement"] == [
        allow(["oss:PutObject", "oss:PutObjectAcl"], "a", "b"),
        allow(["oss:GetObject"], "a"),
    ]
    assert role_policy("my-bucket", read(legacy_profiles)) == policy("my-bucket", legacy_profiles)
