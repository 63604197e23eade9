"""profile_contradictions: what the options of one profile must not say together."""

import pytest

from function.profiles import read_profiles

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
    clauses = [problem.sentence.removeprefix("profiles.toml [p]: ") for problem in problems]
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
    shown = size.replace('"', "'")
    assert read(parts="true", part_size=size)[1] == [f"part_size = {shown} must be from 100KiB to 100MiB"]


@pytest.mark.parametrize("life", ["899", "604801", "true", '"1 day"'])
def test_parts_take_from_a_quarter_of_an_hour_to_a_week(life):
    (clause,) = read(parts="true", parts_within=life)[1]
    assert clause.endswith("must be whole seconds from 900 to 604800")
    assert read(parts="true", parts_within="900")[1] == []


@pytest.mark.parametrize(("option", "value"), [("part_size", '"2MiB"'), ("parts_within", "3600")])
def test_what_is_said_of_parts_needs_parts(option, value):
    expected = [f"{option} needs parts = true: nothing else asks for it"]
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
    assert read(parts="true", part_size='"100MiB"', max_size='"49GiB"')[1] == [
        "max_size = '49GiB' is over the 48GiB of an upload in parts"
    ]
    assert read(parts="true", part_size='"100MiB"', max_size=48 * GIB + 1)[1] != []


@pytest.mark.parametrize("value", ['"6GiB"', 5 * GIB + 1])
def test_over_5_gib_needs_parts(value):
    shown = str(value).replace('"', "'")
    assert read(max_size=value)[1] == [
        f"max_size = {shown} is over the 5GiB that OSS takes in one form; more needs parts = true"
    ]
    assert read(max_size='"5GiB"')[1] == []


def test_a_least_size_over_what_a_form_takes_is_refused_with_parts_as_well():
    """A form of such a profile could admit nothing."""
    clauses = read(parts="true", part_size='"100MiB"', max_size='"40GiB"', min_size='"6GiB"')[1]
    assert clauses == ["min_size = '6GiB' is over the 5GiB that OSS takes in one form"]


def test_the_least_size_may_be_all_that_a_form_takes():
    profile, clauses = read(max_size='"5GiB"', min_size='"5GiB"')
    assert not clauses
    assert profile.min_size_bytes == 5 * GIB


@pytest.mark.parametrize(("size", "is_enough"), [(102_400 * 10_000, True), (102_400 * 10_000 + 1, False)])
def test_the_largest_file_fits_into_ten_thousand_parts(size, is_enough):
    clauses = read(parts="true", part_size='"100KiB"', max_size=size)[1]
    assert clauses == [
        f"max_size ({size}) is over 10000 parts of part_size (102400): OSS takes no more parts"
    ] * (not is_enough)


def test_a_wrong_part_size_is_not_also_called_too_small():
    assert len(read(parts="true", part_size='"1KiB"', max_size='"48GiB"')[1]) == 1


def test_a_page_that_names_its_files_has_no_parts():
    (clause,) = read(key='"test/{filename}"', content_types='["*/*"]', parts="true")[1]
    assert clause.startswith("parts is no option of a profile whose key ends in {filename}")


def test_metadata_of_the_profile_is_not_where_the_id_of_the_upload_is_kept():
    metadata = '{ upload-id = "mine", source = "app" }'
    assert read(parts="true", metadata=metadata)[1] == [
        "metadata.upload-id is where parts = true keeps the id of the upload"
    ]
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
    assert read(parts="true", metadata=texts(characters))[1] == [
        "metadata leaves no room for the upload's id, which parts = true keeps with it"
    ] * (not is_enough)
    assert read(metadata=texts(characters))[1] == []


@pytest.mark.parametrize(
    ("storage_class", "is_refused"),
    [("Standard", False), ("IA", False), ("Archive", True), ("ColdArchive", True), ("DeepColdArchive", True)],
)
def test_nobody_reads_what_has_to_be_restored_first(storage_class, is_refused):
    clauses = read(read='"owner"', storage_class=f'"{storage_class}"')[1]
    assert (
        clauses
        == [f"read excludes storage_class = '{storage_class}': OSS shows nothing of it before it is restored"]
        * is_refused
    )


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
    assert clause.endswith("must be a whole number from 1 to 1000000000")
    assert clause.startswith("files_per_day = ")


@pytest.mark.parametrize("value", ["0", '"1048577GiB"'])
def test_bytes_of_a_day_are_from_one_to_what_the_store_counts_exactly(value):
    clauses = read(bytes_per_day=value)[1]
    assert f"bytes_per_day = {value.replace(chr(34), chr(39))} must be from 1 byte to 1048576GiB" in clauses


def test_bytes_of_a_day_are_written_as_other_sizes():
    (clause,) = read(bytes_per_day='"much"')[1]
    assert clause.startswith("bytes_per_day = 'much' must be bytes, or a number of KiB")


def test_a_day_holds_at_least_one_form_without_a_size():
    assert read(bytes_per_day="1048576")[1] == []
    assert read(bytes_per_day="1048575")[1] == [
        "bytes_per_day (1048575) must not be under max_size (1048576)"
    ]


@pytest.mark.parametrize("option", ["files_per_day", "bytes_per_day"])
def test_a_page_that_chooses_its_names_has_no_quota(option):
    (clause,) = read(key='"test/{owner}/{filename}"', content_types='["*/*"]', **{option: "1048576"})[1]
    assert clause.startswith(f"{option} is no option of a profile whose key ends in {{filename}}")
