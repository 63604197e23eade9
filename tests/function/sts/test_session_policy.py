"""sts.session_policy: a session may do what the forms need, and nothing else."""

import json

import pytest

from function.config.profile import NOWHERE
from function.config.profiles import read_profiles
from function.sts.session_policy import (
    DELETIONS,
    OBJECTS,
    UPLOADS,
    grants_for_objects,
    role_policies,
    session_policies,
)
from local.common.ram_policy import fits, is_allowed

ROLE = "acs:ram::1:role/upload"


def read(text, bucket="b"):
    home = NOWHERE._replace(bucket=bucket, region="cn-hangzhou", role_arn=ROLE)
    profiles, problems = read_profiles(text, default_signature="v4", home=home)
    assert not problems
    return profiles.values()


def policies_of(profiles):
    """Of each purpose, where all are in one bucket."""
    policies = session_policies(profiles)
    assert len({session[1:] for session in policies}) == 1
    return {purpose: policy for (purpose, *_), policy in policies.items()}


def policy(bucket, text):
    return policies_of(read(text, bucket))[UPLOADS]


def role_policy(profiles):
    (policy,) = role_policies(profiles).values()
    return policy


def with_options(**options):
    """A profile of each name, in a folder of that name, with these options."""
    return read(
        "\n".join(
            f'[{name}]\nkey = "{name.partition("_")[0]}/{{owner}}/{{id}}"\nmax_size = 1\n'
            f'content_types = ["*/*"]\n{lines}'
            for name, lines in options.items()
        )
    )


def moved(profile, bucket="b2"):
    """The profile with its objects in another bucket."""
    return profile._replace(
        location=profile.location._replace(bucket=bucket, role_arn=f"acs:ram::1:role/{bucket}")
    )


def test_the_upload_session_allows_only_the_needs_of_forms(legacy_profiles):
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


def test_a_session_without_pages_has_one_compact_statement():
    profile = '[p]\nkey = "图片/{id}"\nmax_size = 1\ncontent_types = ["*/*"]'
    assert policy("b", profile) == (
        '{"Version":"1","Statement":[{"Effect":"Allow","Action":["oss:PutObject","oss:PutObjectAcl"],'
        '"Resource":["acs:oss:*:*:b/图片/*"]}]}'
    )


def allow(actions, *folders):
    resources = [f"acs:oss:*:*:b/{folder}/*" for folder in folders]
    return {"Effect": "Allow", "Action": actions, "Resource": resources}


def list_of(*folders, bucket="b"):
    condition = {"StringLike": {"oss:Prefix": [f"{folder}/*" for folder in folders]}}
    target = {"Resource": [f"acs:oss:*:*:{bucket}"], "Condition": condition}
    return {"Effect": "Allow", "Action": ["oss:ListObjects"], **target}


LISTS_DUE = list_of("held/.due")


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
def test_read_and_confirm_may_get_objects_only(options):
    policies = policies_of(with_options(a=options))
    assert json.loads(policies[OBJECTS])["Statement"] == [
        allow(["oss:GetObject"], "a"),
        *[LISTS_DUE] * ("confirm" in options),
    ]
    # The keys behind the forms got nothing more by it.
    assert policies[UPLOADS] == policies_of(with_options(a=""))[UPLOADS]


OF_PARTS = [
    "oss:AbortMultipartUpload",
    "oss:GetObject",
    "oss:ListParts",
    "oss:PutObject",
    "oss:PutObjectAcl",
]


@pytest.mark.parametrize("options", ["parts = true", 'parts = true\nread = "owner"\nconfirm = true'])
def test_only_the_objects_session_begins_lists_completes_and_aborts_parts(options):
    policies = policies_of(with_options(a=options, b=""))
    assert json.loads(policies[OBJECTS])["Statement"] == [allow(OF_PARTS, "a"), LISTS_DUE]
    # What leaves the function, the addresses of the parts among it, can do no more than a form can.
    assert policies[UPLOADS] == policies_of(with_options(a="", b=""))[UPLOADS]


def test_the_role_allows_both_sessions(legacy_profiles):
    profiles = with_options(a="confirm = true", b="")
    assert json.loads(role_policy(profiles))["Statement"] == [
        allow(["oss:PutObject", "oss:PutObjectAcl"], "a", "b"),
        allow(["oss:GetObject"], "a"),
        LISTS_DUE,
    ]
    assert role_policy(read(legacy_profiles, "my-bucket")) == policy("my-bucket", legacy_profiles)


ID = "9JxQ0123456789abcdefgh"

# --- lists and deletions of owners ---

DELETE = 'delete = "owner"'


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"a": "list = true", "b": "confirm = true"}, [list_of("a")]),
        ({"a": DELETE}, [allow(["oss:DeleteObject"], "a")]),
        ({"a": f"list = true\n{DELETE}"}, [list_of("a"), allow(["oss:DeleteObject"], "a")]),
        # A backend may delete whatever is an owner's.
        (
            {"a": DELETE, "b": "", "c": "list = true"},
            [list_of("c"), allow(["oss:DeleteObject"], "a", "b", "c")],
        ),
    ],
)
def test_the_deletion_session_lists_and_deletes_below_its_folders_alone(options, expected):
    policies = policies_of(with_options(**options))
    assert json.loads(policies[DELETIONS])["Statement"] == expected
    # The keys behind forms and addresses got nothing more by it.
    plain = policies_of(
        with_options(**{name: "confirm = true" * ("confirm" in each) for name, each in options.items()})
    )
    assert {**policies, DELETIONS: ""} == {**plain, DELETIONS: ""}


def test_a_backend_deletes_objects_without_an_owner_only_where_receipts_are_given():
    text = '[%s]\nkey = "%s/{id}"\nmax_size = 1\ncontent_types = ["*/*"]\n%s\n'
    others = text % ("n", "n", "") + text % ("r", "r", "confirm = true")
    profiles = [*with_options(a=DELETE), *read(others)]
    assert json.loads(policies_of(profiles)[DELETIONS])["Statement"] == [
        allow(["oss:DeleteObject"], "a", "r")
    ]


ERASED = ["oss:AbortMultipartUpload", "oss:DeleteObject", "oss:DeleteObjectVersion"]
LISTS = {
    "Effect": "Allow",
    "Action": ["oss:ListMultipartUploads", "oss:ListObjectVersions"],
    "Resource": ["acs:oss:*:*:b"],
}


def test_erasing_reaches_the_owners_folders_alone_and_lists_the_bucket():
    other = '[n]\nkey = "n/x{owner}/{id}"\nmax_size = 1\ncontent_types = ["*/*"]\nconfirm = true\n'
    profiles = [*with_options(a="", posts=HOLD, b="list = true"), *read(other)]
    policies = {purpose: policy for (purpose, *_), policy in session_policies(profiles, erases=True).items()}
    statements = json.loads(policies[DELETIONS])["Statement"]
    assert statements == [list_of("b"), allow(ERASED, "a", "b", "held/posts", "posts"), LISTS]
    # Its state is kept by the session that makes the function's other calls.
    for action in ("oss:GetObject", "oss:PutObject", "oss:DeleteObject"):
        assert may(policies[OBJECTS], action, "held/.erasures/x") and may(
            policies[OBJECTS], action, "held/.due/x"
        )
    assert not may(policies[OBJECTS], "oss:DeleteObject", "held/.rejected/x")
    assert list_of("held/.due", "held/.erasures") in json.loads(policies[OBJECTS])["Statement"]
    # The keys behind the forms got nothing more by it.
    assert policies[UPLOADS] == policies_of(profiles)[UPLOADS]


def test_the_state_of_erasures_may_be_in_any_bucket():
    first, second = with_options(a="", b="")
    policies = session_policies([first, moved(second)], erases=True)
    for location in (first.location, moved(second).location):
        assert "erasures" in policies[location.session(OBJECTS)]
        assert location.session(DELETIONS) in policies
    statements = json.loads(policies[first.location.session(OBJECTS)])["Statement"]
    assert allow(OF_DUE, "held/.due", "held/.erasures") in statements


# --- what is held back ---

HOLD = 'confirm = true\nhold = ["commit"]'
HELD_PARTS = 'parts = true\nhold = ["commit"]'
# Whatever somebody might try with the keys behind a form, among it what no form asks for.
ACTIONS = (
    *("oss:PutObject", "oss:PutObjectAcl", "oss:GetObject", "oss:DeleteObject", "oss:ListParts"),
    *("oss:AbortMultipartUpload", "oss:ListObjects", "oss:PutObjectTagging", "oss:GetObjectAcl"),
)


def may(policy, action, key, prefix=None):
    """Whether a session of this policy may do it with this object, or list this prefix of the bucket."""
    resource = f"acs:oss:oss-cn-hangzhou:1:b/{key}".removesuffix("/" if prefix is not None else "\0")
    facts = {} if prefix is None else {"oss:prefix": prefix}
    return is_allowed([json.loads(policy)], action, lambda pattern: fits(pattern, resource), facts)


def held(options=HOLD, **others):
    return policies_of(with_options(posts=options, **others))


@pytest.mark.parametrize("options", [HOLD, HELD_PARTS, 'callback = true\nhold = ["commit"]'])
@pytest.mark.parametrize(
    "key",
    [
        f"posts/public/{ID}",
        f"posts/{ID}",
        *(f"held/.{name}/{ID}" for name in ("decided", "rejected", "accepted", "attempts", "checks")),
        f"held/.verdicts/{ID}",
        f"held/.due/202611241400/decision-{ID}",
        f"held/.review/{ID}",
        f"held/others/{ID}",
        "held/x",
        f"held/held/posts/{ID}",
    ],
)
def test_the_upload_session_writes_no_published_name_and_no_record(options, key):
    """With the whole set stolen, and not only with the form that one of them signed."""
    policy = held(options, others="confirm = true")[UPLOADS]
    assert [action for action in ACTIONS if may(policy, action, key)] == []
    assert [action for action in ACTIONS if may(policy, action, f"held/posts/public/{ID}")] == [
        "oss:PutObject",
        "oss:PutObjectAcl",
    ]


def test_the_objects_session_publishes_deletes_and_writes_records_of_which_it_deletes_only_due_ones():
    statements = json.loads(held(others="confirm = true", silent="")[OBJECTS])["Statement"]
    resources = "acs:oss:*:*:b"
    assert statements == [
        allow(["oss:DeleteObject"], "held/.due"),
        allow(["oss:DeleteObject", "oss:GetObject"], "held/posts", "others"),
        allow(["oss:DeleteObject", "oss:GetObject", "oss:PutObject", "oss:PutObjectAcl"], "posts"),
        {
            "Effect": "Allow",
            "Action": ["oss:GetObject", "oss:PutObject", "oss:PutObjectAcl"],
            "Resource": [f"{resources}/held/.*"],
        },
        LISTS_DUE,
    ]


def test_objects_in_another_bucket_than_held_ones_may_be_discarded():
    """Whoever has a receipt may ask about its object, of whichever profile it is."""
    home, *others = with_options(posts=HOLD, a="confirm = true", b="callback = true", c="")
    profiles, there = [home, *map(moved, others)], moved(home).location
    objects = session_policies(profiles)[there.session(OBJECTS)]
    resources = [f"acs:oss:*:*:b2/{folder}/*" for folder in "ab"]
    statement, lists = json.loads(objects)["Statement"]
    assert lists == list_of("held/.due", bucket="b2")
    assert (statement["Action"], statement["Resource"]) == (["oss:DeleteObject", "oss:GetObject"], resources)
    assert statement in json.loads(role_policies(profiles)[there.role_arn])["Statement"]
    statement, _ = json.loads(session_policies(profiles[1:])[there.session(OBJECTS)])["Statement"]
    assert (statement["Action"], statement["Resource"]) == (["oss:GetObject"], resources[:1])


def test_plain_folders_may_be_discarded_from_where_a_profile_holds():
    grants = dict(grant[:2] for grant in grants_for_objects(with_options(a=HOLD, b="confirm = true")))
    assert grants["oss:DeleteObject", "oss:GetObject"] == ("b/", "held/a/")
    plain = dict(grant[:2] for grant in grants_for_objects(with_options(a="confirm = true")))
    assert plain == {("oss:GetObject",): ("a/",), ("oss:ListObjects",): ("held/.due/",)}


# --- what is due ---


def test_only_what_is_due_may_be_listed():
    policies = policies_of(with_options(a="confirm = true", posts=HOLD))
    prefixes = ("held/.due/", "held/.due/2026", "held/.due", "held/.", "held/", "", "a/", "posts/")
    for policy, listed in ((policies[OBJECTS], prefixes[:2]), (policies[UPLOADS], ())):
        assert tuple(each for each in prefixes if may(policy, "oss:ListObjects", "", each)) == listed
        assert not may(policy, "oss:ListObjects", "held/.due/x", "held/.due/")


CHECKED = 'confirm = true\nhold = ["check"]'


@pytest.mark.parametrize("options", [CHECKED, f"{HOLD}\nstrip = true"])
def test_records_of_reviews_may_be_listed_and_deleted_where_a_human_may_have_to_decide(options):
    prefixes = ("held/.review/", "held/.review/20", "held/.review", "held/.")
    for profile, listed in ((options, prefixes[:2]), (HOLD, ())):
        text = f'[a]\nkey = "posts/{{owner}}/{{id}}"\nmax_size = 1\ncontent_types = ["image/png"]\n{profile}'
        objects = policies_of([*read(text), *with_options(b="confirm = true")])[OBJECTS]
        assert tuple(each for each in prefixes if may(objects, "oss:ListObjects", "", each)) == listed
        assert may(objects, "oss:DeleteObject", f"held/.review/20261124140000-{ID}") is bool(listed)


@pytest.mark.parametrize("receipts", ["confirm = true", "callback = true", "parts = true"])
def test_a_bucket_of_a_profile_that_gives_receipts_may_be_listed(receipts):
    assert LISTS_DUE in json.loads(policies_of(with_options(a=receipts))[OBJECTS])["Statement"]
    assert OBJECTS not in policies_of(with_options(a=""))


OF_DUE = ["oss:DeleteObject", "oss:GetObject", "oss:PutObject", "oss:PutObjectAcl"]


@pytest.mark.parametrize("receipts", ["confirm = true", "callback = true", "parts = true"])
def test_an_object_that_is_replaced_may_be_looked_at_and_is_due(receipts):
    policy = policies_of(with_options(a=f"{receipts}\n{DELETE}"))[OBJECTS]
    assert may(policy, "oss:GetObject", "a/x")
    assert all(may(policy, action, "held/.due/x") for action in OF_DUE)
    assert not may(policy, "oss:DeleteObject", "held/.decided/x")


def test_where_a_webhook_is_set_every_role_writes_reads_and_deletes_what_is_due():
    buckets = ("b", "b2", "b3")
    profiles = [*map(moved, with_options(a="confirm = true", b=HOLD, c=""), buckets)]
    for has_webhook in (False, True):
        policies = role_policies(profiles, has_webhook=has_webhook)
        for bucket in buckets:
            policy = policies[f"acs:ram::1:role/{bucket}"].replace(f":{bucket}/", ":b/")
            may_it = all(may(policy, action, "held/.due/x") for action in OF_DUE)
            assert may_it is (has_webhook or bucket == "b2"), bucket
    sessions = session_policies(profiles[:1], has_webhook=True)
    statements = json.loads(sessions[profiles[0].location.session(OBJECTS)])["Statement"]
    assert allow(OF_DUE, "held/.due") in statements


def test_only_what_waits_in_a_profile_that_strips_may_be_processed():
    profiles = [each._replace(strip=each.name == "a") for each in with_options(a=HOLD, b=HOLD)]
    for policy in (policies_of(profiles)[OBJECTS], role_policy(profiles)):
        assert may(policy, "oss:PostProcessTask", "held/a/x")
        assert not any(
            may(policy, "oss:PostProcessTask", key) for key in ("held/b/x", "a/x", "held/.clean/x")
        )
        assert all(may(policy, action, "held/.clean/x") for action in OF_DUE)
    assert not may(policies_of(profiles)[UPLOADS], "oss:PostProcessTask", "held/a/x")
    plain = with_options(a=HOLD)
    assert "oss:PostProcessTask" not in role_policy(plain)
    assert not may(policies_of(plain)[OBJECTS], "oss:DeleteObject", "held/.clean/x")


def test_a_bucket_without_an_owners_folder_is_not_listed_for_erasing():
    text = '[n]\nkey = "n/{id}"\nmax_size = 1\ncontent_types = ["*/*"]\n'
    assert DELETIONS not in {purpose for purpose, *_ in session_policies(read(text), erases=True)}
