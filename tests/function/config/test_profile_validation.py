"""profile_validation: rules that relate the options of profiles."""

import pytest

from function.config.profile import NOWHERE
from function.config.profiles import read_profiles
from tests.function.config.named import named

GOOD = {
    "key": '"uploads/{owner}/{id}{ext}"',
    "max_size": '"1MiB"',
    "content_types": '["image/png"]',
}
GIB = 1024**3


def read(**options):
    """The one profile with these options, each as TOML, and what is wrong with it."""
    lines = "\n".join(f"{name} = {value}" for name, value in {**GOOD, **options}.items())
    profiles, problems = read_profiles(f"[p]\n{lines}", default_signature="v4")
    assert all(problem.sentence.startswith("profiles.toml [p]: ") for problem in problems)
    clauses = [named(problem.sentence.removeprefix("profiles.toml [p]: ")) for problem in problems]
    return profiles.get("p"), clauses


def test_a_profile_has_no_parts_until_it_says_so():
    profile, clauses = read()
    assert not clauses
    assert not profile.parts


def test_parts_are_of_one_mebibyte_and_take_a_day_unless_the_profile_says_otherwise():
    profile, clauses = read(parts="true")
    assert not clauses
    assert profile.parts
    assert (profile.part_size_bytes, profile.parts_within.total_seconds()) == (1024**2, 86400)


def test_a_profile_says_how_large_parts_are_and_how_long_they_may_take():
    profile, clauses = read(parts="true", part_size='"100KiB"', parts_within="604800")
    assert not clauses
    assert (profile.part_size_bytes, profile.parts_within.total_seconds()) == (102_400, 604_800)


@pytest.mark.parametrize("size", ['"100KiB"', "102400", '"100MiB"', "104857600"])
def test_a_part_may_have_from_100_kib_to_100_mib(size):
    assert read(parts="true", part_size=size)[1] == []


@pytest.mark.parametrize("size", ["102399", "104857601", "0", '"1GiB"'])
def test_a_smaller_or_a_larger_part_is_refused(size):
    assert read(parts="true", part_size=size)[1] == ["part_size"]


@pytest.mark.parametrize("life", ["899", "604801", "true", '"1 day"'])
def test_parts_take_from_a_quarter_of_an_hour_to_a_week(life):
    (clause,) = read(parts="true", parts_within=life)[1]
    assert clause == "parts_within"
    assert read(parts="true", parts_within="900")[1] == []


@pytest.mark.parametrize(("option", "value"), [("part_size", '"2MiB"'), ("parts_within", "3600")])
def test_what_is_said_of_parts_needs_parts(option, value):
    expected = [f"{option} parts"]
    assert read(**{option: value})[1] == expected
    assert read(parts="false", **{option: value})[1] == expected


def test_parts_may_make_up_to_48_gib_together_and_a_form_still_takes_5():
    profile, clauses = read(parts="true", part_size='"5MiB"', max_size='"48GiB"')
    assert not clauses
    assert profile.max_size_bytes == 48 * GIB
    assert profile.for_forms() == profile._replace(max_size_bytes=5 * GIB)


def test_what_one_form_can_carry_is_not_made_smaller_for_forms():
    profile, _ = read(parts="true")
    assert profile.for_forms() == profile


def test_more_than_48_gib_is_refused_even_in_parts():
    assert read(parts="true", part_size='"100MiB"', max_size='"49GiB"')[1] == ["max_size"]
    assert read(parts="true", part_size='"100MiB"', max_size=48 * GIB + 1)[1] != []


@pytest.mark.parametrize("value", ['"6GiB"', 5 * GIB + 1])
def test_over_5_gib_needs_parts(value):
    assert read(max_size=value)[1] == ["max_size parts"]
    assert read(max_size='"5GiB"')[1] == []


def test_a_least_size_over_what_a_form_takes_is_refused_with_parts_as_well():
    """A form of such a profile could admit nothing."""
    clauses = read(parts="true", part_size='"100MiB"', max_size='"40GiB"', min_size='"6GiB"')[1]
    assert clauses == ["min_size"]


def test_the_least_size_may_be_all_that_a_form_takes():
    profile, clauses = read(max_size='"5GiB"', min_size='"5GiB"')
    assert not clauses
    assert profile.min_size_bytes == 5 * GIB


@pytest.mark.parametrize(("size", "is_enough"), [(102_400 * 10_000, True), (102_400 * 10_000 + 1, False)])
def test_the_largest_file_fits_into_ten_thousand_parts(size, is_enough):
    clauses = read(parts="true", part_size='"100KiB"', max_size=size)[1]
    assert clauses == ["max_size parts part_size"] * (not is_enough)


def test_a_wrong_part_size_is_not_also_called_too_small():
    assert len(read(parts="true", part_size='"1KiB"', max_size='"48GiB"')[1]) == 1


def test_a_page_that_names_its_files_has_no_parts():
    (clause,) = read(key='"test/{filename}"', content_types='["*/*"]', parts="true")[1]
    assert clause == "parts key"


def test_metadata_of_the_profile_is_not_where_the_id_of_the_upload_is_kept():
    metadata = '{ upload-id = "mine", source = "app" }'
    assert read(parts="true", metadata=metadata)[1] == ["metadata"]
    assert read(metadata=metadata)[1] == []


def texts(characters):
    """Metadata of so many characters, in texts that a header may have."""
    names = [f"n{number}" for number in range(8)]
    lengths = [1024] * 7 + [characters - 7 * 1024 - 16]
    return (
        "{ "
        + ", ".join(f'{name} = "{"x" * length}"' for name, length in zip(names, lengths, strict=True))
        + " }"
    )


@pytest.mark.parametrize(("characters", "is_enough"), [(8192 - 31, True), (8192 - 30, False)])
def test_metadata_leaves_room_for_the_id_of_an_upload_in_parts(characters, is_enough):
    assert read(parts="true", metadata=texts(characters))[1] == ["metadata"] * (not is_enough)
    assert read(metadata=texts(characters))[1] == []


@pytest.mark.parametrize(
    ("storage_class", "is_refused"),
    [("Standard", False), ("IA", False), ("Archive", True), ("ColdArchive", True), ("DeepColdArchive", True)],
)
def test_nobody_reads_what_has_to_be_restored_first(storage_class, is_refused):
    clauses = read(read='"owner"', storage_class=f'"{storage_class}"')[1]
    assert clauses == ["read storage_class"] * is_refused


def test_an_owner_s_day_is_not_limited_until_the_profile_says_so():
    profile, clauses = read()
    assert not clauses
    assert (profile.files_per_day, profile.bytes_per_day, profile.has_quota) == (None, None, False)


@pytest.mark.parametrize(
    ("options", "files", "bytes_"),
    [
        ({"files_per_day": "1"}, 1, None),
        ({"files_per_day": "1000000000"}, 10**9, None),
        ({"bytes_per_day": '"1MiB"'}, None, 1024**2),
        ({"bytes_per_day": '"1048576GiB"', "files_per_day": "7"}, 7, 2**50),
    ],
)
def test_a_profile_says_how_much_an_owner_may_upload_in_a_day(options, files, bytes_):
    profile, clauses = read(**options)
    assert not clauses
    assert (profile.files_per_day, profile.bytes_per_day, profile.has_quota) == (files, bytes_, True)


@pytest.mark.parametrize("value", ["0", "1000000001", "true", '"5"', "1.0"])
def test_files_of_a_day_are_a_whole_number_within_bounds(value):
    (clause,) = read(files_per_day=value)[1]
    assert clause == "files_per_day"


@pytest.mark.parametrize("value", ["0", '"1048577GiB"'])
def test_bytes_of_a_day_are_from_one_to_what_the_store_counts_exactly(value):
    clauses = read(bytes_per_day=value)[1]
    assert "bytes_per_day" in clauses


def test_bytes_of_a_day_are_written_as_other_sizes():
    (clause,) = read(bytes_per_day='"much"')[1]
    assert clause == "bytes_per_day"


def test_a_day_holds_at_least_one_form_without_a_size():
    assert read(bytes_per_day="1048576")[1] == []
    assert read(bytes_per_day="1048575")[1] == ["bytes_per_day max_size"]


@pytest.mark.parametrize("option", ["files_per_day", "bytes_per_day"])
def test_a_page_that_chooses_its_names_has_no_quota(option):
    (clause,) = read(key='"test/{owner}/{filename}"', content_types='["*/*"]', **{option: "1048576"})[1]
    assert clause.startswith(f"{option} key")


# --- what is held back ---

COMMIT, CHECK, BOTH = '["commit"]', '["check"]', '["commit", "check"]'


def held(hold=COMMIT, **options):
    return read(hold=hold, **{"confirm": "true", **options})


def test_nothing_is_held_back_until_a_profile_says_so():
    profile, clauses = read()
    assert not clauses
    assert (profile.hold, profile.is_held, profile.is_checked) == ((), False, False)
    assert profile.stored_folder == "uploads/"


@pytest.mark.parametrize(
    ("hold", "steps"), [(COMMIT, ("commit",)), (CHECK, ("check",)), (BOTH, ("commit", "check"))]
)
def test_a_profile_says_what_must_happen_before_an_object_is_published(hold, steps):
    profile, clauses = held(hold)
    assert not clauses
    assert (profile.hold, profile.is_held, profile.is_checked) == (steps, True, "check" in steps)
    assert (profile.hold_days, profile.commit_by, profile.check_scene) == (1, "backend", 1)
    assert profile.stored_folder == "held/uploads/"


@pytest.mark.parametrize(
    "hold", ['["check", "commit"]', '["commit", "commit"]', "[]", '"commit"', "true", '["publish"]', "{}"]
)
def test_the_steps_have_one_order_and_no_others_are_known(hold):
    (clause,) = held(hold)[1]
    assert clause == "hold"


def test_what_is_held_back_is_private_and_what_is_published_as_the_profile_says():
    profile, clauses = held(acl='"public-read"', storage_class='"IA"')
    assert not clauses
    assert dict(profile.pinned) == {"x-oss-object-acl": "private", "x-oss-storage-class": "IA"}
    assert (profile.stored_acl, profile.acl) == ("private", "public-read")
    assert held()[0].acl == "default"


@pytest.mark.parametrize(("option", "least", "most"), [("hold_days", 1, 30), ("check_scene", 1, 4)])
def test_days_and_scenes_are_whole_numbers(option, least, most):
    for value in (least, most):
        assert held(BOTH, **{option: value})[1] == []
    for value in (least - 1, most + 1, "true", '"1"', "1.5"):
        (clause,) = held(BOTH, **{option: value})[1]
        assert clause == option


def test_a_commit_is_the_word_of_a_backend_or_of_the_owner():
    assert held(commit_by='"owner"')[0].commit_by == "owner"
    assert held(commit_by='"anybody"')[1] == ["commit_by"]


@pytest.mark.parametrize(
    ("option", "value", "clause"),
    [
        ("hold_days", 2, "hold_days hold"),
        ("commit_by", '"owner"', "commit_by hold"),
        ("check_scene", 2, "check_scene hold"),
    ],
)
def test_what_is_said_of_a_step_needs_that_step(option, value, clause):
    assert read(**{option: value})[1] == [clause]
    without = {"hold_days": None, "commit_by": CHECK, "check_scene": COMMIT}[option]
    if without:
        assert held(without, **{option: value})[1] == [clause]
    assert held(BOTH, **{option: value})[1] == []


@pytest.mark.parametrize("option", ["confirm", "parts", "callback"])
def test_what_is_held_back_needs_a_way_to_a_receipt(option):
    assert read(hold=COMMIT)[1] == ["hold confirm parts callback"]
    assert read(hold=COMMIT, **{option: "true"})[1] == []


def test_no_key_looks_like_the_records_that_lie_beside_what_is_held():
    key = '".decided/{owner}/{id}"'
    assert held(key=key)[1] == ["key hold"]
    assert read(key=key)[1] == []
    (clause,) = held(key='"held/{owner}/{id}"')[1]
    assert clause.startswith("key")


def test_the_name_that_waits_is_no_longer_than_oss_takes_either():
    def key(length):
        return '"' + "k" * (length - 23) + '/{id}"'

    assert held(key=key(1018))[1] == []
    for length in (1019, 1023):
        assert held(key=key(length))[1] == ["key"]
        assert read(key=key(length))[1] == []
    assert held(key=key(1024))[1] == ["key"]


@pytest.mark.parametrize("name", ["Archive", "ColdArchive", "DeepColdArchive"])
def test_what_must_be_restored_first_cannot_be_published(name):
    assert held(storage_class=f'"{name}"')[1] == ["hold storage_class"]


def test_no_more_is_held_back_than_one_copy_can_publish():
    options = {"parts": "true", "part_size": '"5MiB"'}
    assert held(max_size='"5GiB"', **options)[1] == []
    assert held(max_size=5 * GIB + 1, **options)[1] == ["hold max_size"]


def test_the_metadata_leave_room_for_the_upload_s_id():
    taken = '{"upload-id" = "x"}'
    assert held(metadata=taken)[1] == ["metadata"]
    # Said once, whichever of the two it is that needs it.
    assert held(metadata=taken, parts="true")[1] == ["metadata"]
    names = {f"n{number:02}": "v" * 1021 for number in range(7)}
    room = 8192 - 7 * 1024 - len("upload-id") - 22 - len("last")
    for more, clauses in (
        (0, []),
        (1, ["metadata"]),
    ):
        table = {**names, "last": "v" * (room + more)}
        written = ", ".join(f'{name} = "{value}"' for name, value in table.items())
        assert held(metadata=f"{{{written}}}")[1] == clauses


@pytest.mark.parametrize("kind", ["image/*", "image/png", "audio/mpeg", "audio/*"])
def test_wechat_checks_pictures_and_sounds(kind):
    assert held(CHECK, content_types=f'["{kind}"]')[1] == []


@pytest.mark.parametrize(
    "kind", ["video/mp4", "video/*", "*/*", "image/svg+xml", "application/pdf", "text/plain", "imagex/png"]
)
def test_what_wechat_does_not_check_is_not_held_back_for_it(kind):
    clause = "content_types"
    assert held(CHECK, content_types=f'["image/png", "{kind}"]')[1] == [clause]
    assert held(COMMIT, content_types=f'["image/png", "{kind}"]')[1] == []


def test_what_is_checked_cannot_be_replaced_meanwhile():
    assert held(BOTH, overwrite="true")[1] == ["overwrite hold"]
    assert held(COMMIT, overwrite="true")[1] == []


def test_a_page_that_names_its_files_cannot_hold_them_back():
    page = {"key": '"test/{filename}"', "content_types": '["*/*"]'}
    (clause,) = read(hold=COMMIT, **page)[1]
    assert clause.startswith("hold key")


def two(held_key, other_key, other_options=""):
    options = 'max_size = 1\ncontent_types = ["image/png"]\nconfirm = true\n'
    return read_profiles(
        f'[a]\nkey = "{held_key}"\n{options}hold = ["commit"]\n'
        f'[b]\nkey = "{other_key}"\n{options}{other_options}',
        default_signature="v4",
    )[1]


@pytest.mark.parametrize(
    ("ours", "theirs"), [("posts/", "posts/"), ("posts/", "posts/deep/"), ("posts/deep/", "posts/")]
)
def test_nobody_writes_where_what_was_held_back_is_published(ours, theirs):
    """Its form would publish at once, without the steps."""
    (problem,) = two(f"{ours}{{owner}}/{{id}}", f"{theirs}{{id}}")
    assert named(problem.sentence) == "hold"
    assert two(f"{ours}{{owner}}/{{id}}", f"{theirs}{{id}}", 'hold = ["commit"]') == []


def test_a_folder_whose_name_only_begins_like_a_held_one_is_another():
    assert two("posts/{id}", "posts2/{id}") == []


# --- buckets of their own ---

SHANGHAI = NOWHERE._replace(bucket="home", region="cn-shanghai")


def places(*tables, home=SHANGHAI):
    """What is wrong with profiles ``a``, ``b``, …: each a key and further lines."""
    text = "\n".join(
        f'[{name}]\nkey = "{key}"\nmax_size = 1\ncontent_types = ["*/*"]\n{lines}'
        for name, (key, lines) in zip("abc", tables, strict=False)
    )
    problems = read_profiles(text, default_signature="v4", home=home)[1]
    return [named(problem.sentence) for problem in problems]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("bucket", "My_Bucket"),
        ("region", "oss-cn-hangzhou"),
        ("host", "https://c.example.com/"),
        ("host", "http://c.example.com"),
        ("role", "contracts"),
        ("role", "acs:ram::\u0661\u0662:role/x"),
    ],
)
def test_options_have_the_types_of_their_settings(option, value):
    lines = f'{option} = "{value}"' + ('\nbucket = "other"' if option == "region" else "")
    assert places(("a/{id}", lines)) == [option]


def test_what_is_no_text_is_no_bucket():
    assert places(("a/{id}", "bucket = 5")) == ["bucket"]


def test_a_region_alone_moves_no_bucket():
    assert places(("a/{id}", 'region = "cn-shanghai"')) == ["region bucket"]


def test_a_bucket_is_in_one_region():
    there, elsewhere = 'bucket = "other"\nregion = "cn-beijing"', 'bucket = "other"'
    assert places(("a/{id}", there), ("b/{id}", elsewhere)) == ["bucket"]
    assert places(("a/{id}", 'bucket = "home"\nregion = "cn-beijing"')) == ["bucket"]
    assert places(("a/{id}", there), ("b/{id}", there), ("c/{id}", "")) == []


def test_without_settings_nobody_knows_the_region_of_a_bucket():
    there, elsewhere = 'bucket = "other"\nregion = "cn-beijing"', 'bucket = "other"'
    assert places(("a/{id}", there), ("b/{id}", elsewhere), home=NOWHERE) == []


READ = 'read = "callers"\n'
OTHER = 'bucket = "other"'


@pytest.mark.parametrize(("ours", "theirs"), [("x/", "x/"), ("x/", "x/deep/"), ("x/deep/", "x/")])
def test_a_key_that_is_read_does_not_tell_its_bucket(ours, theirs):
    told = "read bucket key"
    assert places((f"{ours}{{id}}", READ), (f"{theirs}{{id}}", OTHER)) == [told]
    assert places((f"{ours}{{id}}", READ + OTHER), (f"{theirs}{{id}}", "")) == [told]
    assert places((f"{ours}{{id}}", READ), (f"{theirs}{{id}}", "")) == []
    assert places((f"{ours}{{id}}", ""), (f"{theirs}{{id}}", OTHER)) == []


def test_without_settings_a_bucket_that_is_named_may_be_that_of_all_others():
    both = (("x/{id}", READ), ("x/{id}", READ + OTHER))
    assert places(*both, home=NOWHERE) == places(*both, home=NOWHERE._replace(bucket="other")) == []
    assert len(places(*both)) == 2


def test_pages_and_what_is_held_back_share_no_folder_in_one_bucket_and_any_name_in_two():
    hold = 'confirm = true\nhold = ["commit"]\n'
    page, held, form = ("x/{filename}", ""), ("x/{id}", hold), ("x/{id}", "confirm = true")
    assert len(places(page, form)) == len(places(held, form)) == 1
    for one, (key, lines) in ((page, form), (held, form)):
        assert places(one, (key, lines + "\n" + OTHER)) == []
        assert places((one[0], one[1] + OTHER), (key, lines)) == []


def test_of_several_folders_each_is_looked_at():
    hold = ("x/{id}", 'confirm = true\nhold = ["commit"]')
    (problem,) = places(hold, ("y/{id}", ""), ("x/deep/{id}", ""))
    assert problem == "hold"


@pytest.mark.parametrize("options", [{"commit_by": '"owner"'}, {"check_scene": "2"}, {"hold_days": "2"}])
def test_where_hold_cannot_be_read_nothing_is_said_of_what_needs_it(options):
    (clause,) = read(hold='"commit"', confirm="true", **options)[1]
    assert clause == "hold"


@pytest.mark.parametrize("option", ["confirm", "parts", "callback"])
def test_where_what_hold_needs_cannot_be_read_that_alone_is_said(option):
    (clause,) = read(hold='["commit"]', **{option: '"yes"'})[1]
    assert clause == option
