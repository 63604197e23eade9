"""profiles: options read strictly, each invalid one reported."""

import json
import tomllib
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from function.config import profiles
from function.config.key_template import KeyTemplate
from function.config.profile import NOWHERE, Profile
from function.config.profiles import read_profiles
from function.config.types import TITLE
from ops.terminal.messages import in_both
from tests.function.config.named import named
from tests.ops.words import in_english
from tests.support.cases import cases_beside, table_beside

cases = cases_beside(__file__)
TABLE = table_beside(__file__)
SHIPPED = Path(__file__).parents[3] / "profiles.example.toml"
NOW = datetime(2026, 11, 24, tzinfo=UTC)
GOOD = 'key = "uploads/{owner}/{id}{ext}"\nmax_size = "1MiB"\ncontent_types = ["image/png"]\n'


def read(text: str):
    """Return the profiles, and the sentences of the problems; each problem is the file's own."""
    profiles, problems = read_profiles(text, default_signature="v4")
    assert {(problem.setting, problem.needs) for problem in problems} <= {("profiles.toml", "")}
    assert len(in_english(in_both(problem.sentence) for problem in problems)) == len(problems)
    return profiles, [problem.sentence for problem in problems]


def with_option(line: str) -> str:
    option = line.partition("=")[0].strip()
    kept = [known for known in GOOD.splitlines() if known.partition("=")[0].strip() != option]
    return "\n".join(["[p]", *kept, line])


def profile_of(text: str) -> Profile:
    profiles, problems = read(text)
    assert not problems
    return profiles["p"]


def test_the_mark_that_notepad_writes_before_a_file_is_read_over():
    assert profile_of(f"\ufeff[p]\n{GOOD}") == profile_of(f"[p]\n{GOOD}")


def test_the_shipped_file_is_valid_and_lets_no_form_choose_a_name():
    profiles, problems = read(SHIPPED.read_text("utf-8"))
    assert not problems
    assert set(profiles) == {"default", "avatar", "video"}
    assert not any(profile.callback or profile.takes_filename for profile in profiles.values())
    assert all(profile.confirm for profile in profiles.values())
    readers = {name: profile.read for name, profile in profiles.items()}
    assert readers == {"default": "owner", "avatar": "callers", "video": "owner"}
    assert [name for name, profile in profiles.items() if profile.parts] == ["video"]
    assert profiles["default"].max_size_bytes == 10 * 1024 * 1024
    # A new bucket blocks public access, and would refuse a form that asks for it.
    assert {profile.acl for profile in profiles.values()} == {"default"}


PACKAGED = f"[p]\n{GOOD}"


@pytest.mark.parametrize(
    ("text", "size"),
    [(PACKAGED, 2**21), (f"{PACKAGED}# changed\n", 2**20), (PACKAGED.replace("1MiB", "3MiB"), 3 * 2**20)],
    ids=["as packaged", "a comment more", "another size"],
)
def test_tables_of_packaging_count_for_exactly_their_text(monkeypatch, tmp_path, text, size):
    """Theirs says 2 MiB, to tell them from the file."""
    tables = {"p": {**tomllib.loads(PACKAGED)["p"], "max_size": "2MiB"}}
    prepared = tmp_path / "profiles.json"
    prepared.write_text(json.dumps({sha256(PACKAGED.encode()).hexdigest(): tables}), "utf-8")
    monkeypatch.setattr(profiles, "PREPARED", prepared)
    assert profile_of(text).max_size_bytes == size


def test_tables_of_packaging_are_beside_the_file():
    assert SHIPPED.with_name("profiles.json") == profiles.PREPARED


@pytest.mark.parametrize("content", [None, b"", b'{"', b"\xff", b"{}"])
def test_without_tables_of_packaging_the_file_is_read(monkeypatch, tmp_path, content):
    monkeypatch.setattr(profiles, "PREPARED", tmp_path / "profiles.json")
    if content is not None:
        profiles.PREPARED.write_bytes(content)
    assert profile_of(PACKAGED).max_size_bytes == 2**20


def test_the_shipped_comment_about_posts_is_a_profile_that_holds_pictures():
    lines = SHIPPED.read_text("utf-8").splitlines()
    start = lines.index("# [post]")
    table = [line.removeprefix("# ") for line in lines[start : lines.index("", start)]]
    profiles, problems = read("\n".join(table))
    assert not problems
    post = profiles["post"]
    assert (post.hold, post.hold_days, post.check_scene) == (("commit", "check"), 7, 3)
    assert (post.confirm, post.read, post.acl) == (True, "callers", "default")
    without_days = "\n".join(line for line in table if "hold_days" not in line)
    assert read(without_days)[0]["post"].hold_days == 7
    # The comment shows every option of holding that the page lists, except commit_by.
    assert {"hold", "hold_days", "check_scene"} <= {line.partition(" ")[0] for line in table}


def test_the_shipped_comment_about_pages_gives_each_caller_a_folder_and_a_small_size(legacy_profiles):
    profiles, problems = read(legacy_profiles)
    assert not problems
    page = profiles["legacy"]
    assert page.key.render(owner="one", upload_id="i", now=NOW, extension="") == "test/one/"
    assert (page.max_size_bytes, page.expires_in) == (100 * 1024**2, timedelta(seconds=60))
    # Its page sends no field of ours, so there is none to pin.
    assert (page.pinned, page.acl) == ((), "default")
    local, _ = read((SHIPPED.parent / "local" / "demo" / "profiles.toml").read_text("utf-8"))
    assert page == local["legacy"]


@cases("line", "size")
def test_sizes_have_units(line, size):
    assert profile_of(with_option(line)).max_size_bytes == size


@cases("line", "expected")
def test_an_invalid_option_is_reported(line, expected):
    profiles, problems = read(with_option(line))
    assert "p" not in profiles
    assert all(problem.startswith("profiles.toml [p]: ") for problem in problems)
    found = [named(problem)[: len(names)] for problem, names in zip(problems, expected, strict=True)]
    assert tuple(found) == expected


@pytest.mark.parametrize("item", ["1", '"IMAGE/PNG"', '"*"', '"image/p*"'])
def test_each_item_of_a_list_is_a_text_of_its_pattern(item):
    _, (problem,) = read(with_option(f"content_types = [{item}]"))
    assert problem.values["clause"].values["name"] == "content_types"


@cases("text", "values")
def test_a_problem_holds_the_values_to_correct(text, values):
    _, (problem,) = read(text)
    clause = problem.values.get("clause", problem)
    assert clause.values.items() >= dict(values).items()


@pytest.mark.parametrize(
    ("option", "problem"),
    [("metadata", '"UPPER" = "x"'), ("metadata", f'a = "{"v" * 1025}"'), ("variants", f'a = "{"v" * 1025}"')],
)
def test_texts_and_names_of_a_table_are_checked(option, problem):
    _, problems = read(with_option(f'read = "owner"\n{option} = {{{problem}}}'))
    assert [named(each) for each in problems] == [option]


@pytest.mark.parametrize(("more", "is_over"), [(0, False), (1, True)])
def test_metadata_has_at_most_8_kib(more, is_over):
    table = {f"name-{number:03}": "v" * (1024 - 8) for number in range(8)}
    assert sum(len(name) + len(value) for name, value in table.items()) == 8 * 1024
    table["name-000"] += "v" * more
    _, problems = read(f"[p]\n{GOOD}[p.metadata]\n" + "\n".join(f'{n} = "{v}"' for n, v in table.items()))
    assert [named(problem) for problem in problems] == ["metadata"] * is_over


@pytest.mark.parametrize("option", ["content_types", "key", "max_size"])
def test_a_missing_option_is_reported(option):
    kept = [line for line in GOOD.splitlines() if not line.startswith(option)]
    _, problems = read("\n".join(["[p]", *kept]))
    assert option in " ".join(map(named, problems)).split()


def test_every_problem_is_reported_at_once():
    _, problems = read('[a]\nkey = "x"\nmax_size = "1M"\ncontent_types = 1\n[b]\nfoo = 1\n')
    assert len([problem for problem in problems if "[a]" in problem]) >= 3
    assert len([problem for problem in problems if "[b]" in problem]) >= 3


@cases("text")
def test_a_file_without_profiles_is_refused(text):
    profiles, problems = read(text)
    assert (profiles, len(problems)) == ({}, 1)


def test_a_file_that_is_nested_too_deeply_is_refused():
    profiles, problems = read("x = " + "[" * 100_000)
    assert (profiles, len(problems)) == ({}, 1)


@cases("option")
def test_a_page_cannot_have_other_options(option):
    profiles, problems = read(f'[p]\nkey = "test/{{filename}}"\nmax_size = "1MiB"\n{option}\n')
    assert (profiles, len(problems)) == ({}, 1)


@pytest.mark.parametrize(
    ("end", "grows_to"), [("/{owner}{yyyy}{mm}{dd}{id}{ext}", 68), ("/{filename}", 1), ("图/{id}", 26)]
)
def test_a_key_has_at_most_1023_bytes(end, grows_to):
    def problems_with(folder):
        return read(f'[p]\nkey = "{folder}{end}"\nmax_size = 1\ncontent_types = ["*/*"]\n')[1]

    assert problems_with("x" * (1023 - grows_to)) == []
    (problem,) = problems_with("x" * (1024 - grows_to))
    assert problem.values["clause"].values == {"longest": 1024, "most": 1023}


@cases("types", "kind", "is_admitted")
def test_types_are_admitted_by_pattern(types, kind, is_admitted):
    assert profile_with(types).admits(kind) is is_admitted


def profile_with(types):
    return profile_of(with_option("content_types = [" + ", ".join(f'"{kind}"' for kind in types) + "]"))


@pytest.mark.parametrize("kind", TABLE["RUN_BY_BROWSERS"])
def test_only_a_named_type_admits_content_that_browsers_run(kind):
    wildcards = [f"{kind.partition('/')[0]}/*", "*/*"]
    for types, is_admitted in ((wildcards, False), ([*wildcards, kind], True), ([kind], True)):
        assert profile_with(types).admits(kind) is is_admitted, types


@pytest.mark.parametrize("kind", TABLE["ONLY_SHOWN_OR_SAVED"])
def test_a_wildcard_admits_content_that_browsers_only_show_or_save(kind):
    for wildcard in (f"{kind.partition('/')[0]}/*", "*/*"):
        assert profile_with([wildcard]).admits(kind)


def test_options_have_the_published_defaults():
    assert profile_of(f"[p]\n{GOOD}") == Profile(
        name="p",
        key=KeyTemplate("uploads/{owner}/{id}{ext}"),
        max_size_bytes=1024 * 1024,
        min_size_bytes=1,
        content_types=("image/png",),
        expires_in=timedelta(seconds=300),
        overwrite=False,
        callback=False,
        signature_version="v4",
        acl="default",
        pinned=(("x-oss-object-acl", "default"), ("x-oss-storage-class", "Standard")),
        confirm=False,
        read="",
        read_for=timedelta(seconds=600),
        parts=False,
        part_size_bytes=1024 * 1024,
        parts_within=timedelta(seconds=86400),
        variants={},
        files_per_day=None,
        bytes_per_day=None,
        hold=(),
        hold_days=1,
        commit_by="backend",
        check_scene=1,
        check_by=("wechat",),
        check_service="baselineCheck",
        check_reject=(
            "pornographic_",
            "violent_",
            "horrific_",
            "terrorism_",
            "contraband_",
            "drug_",
            "gambling_",
        ),
        check_animated="review",
        strip=False,
        ai_label=False,
        list=False,
        delete="",
        callers=(),
        location=NOWHERE,
    )


def test_a_family_stands_for_the_prefixes_of_its_labels():
    lines = 'confirm = true\nhold = ["check"]\ncheck_by = ["aliyun"]'
    profile = profile_of(f'[p]\n{GOOD}{lines}\ncheck_reject = ["politics", "sexual", "ads"]')
    assert profile.check_reject == ("political_", "sexual_", "pt_", "logo_")


@cases("line")
def test_allowed_values_are_accepted(line):
    assert profile_of(with_option(line)).name == "p"


def test_a_title_is_kept_as_written():
    assert TITLE.read("晒单") == "晒单"


def test_a_profile_has_at_most_64_variants():
    def problems_with(number):
        names = ", ".join(f'v{index} = "image/info"' for index in range(number))
        return read(with_option(f'read = "owner"\nvariants = {{{names}}}'))[1]

    assert problems_with(64) == []
    (problem,) = problems_with(65)
    assert problem.values["clause"].values["part"] == "65 names"


def test_a_misspelt_option_gets_another_hint_than_an_unknown_one():
    problems = (read(with_option(f"{option} = 1"))[1][0] for option in ("max_sizes", "colour"))
    near, strange = (problem.values["clause"] for problem in problems)
    assert near.values["names"] == "max_size"
    assert near.template != strange.template


def test_read_options_are_kept_as_written():
    profile = profile_of(
        f'[p]\n{GOOD}confirm = true\nread = "callers"\nread_for = 43200\n'
        f'[p.variants]\nthumb = "image/resize,w_200"\n"2-{"x" * 62}" = "style/{"a" * 1018}"\n'
    )
    assert (profile.confirm, profile.read, profile.read_for) == (True, "callers", timedelta(seconds=43200))
    assert profile.read_life == timedelta(seconds=86400)
    assert profile.variants == {"thumb": "image/resize,w_200", f"2-{'x' * 62}": f"style/{'a' * 1018}"}
    # No variant is a field of a form.
    assert {name for name, _ in profile.pinned} == {"x-oss-object-acl", "x-oss-storage-class"}
    with pytest.raises(TypeError):
        profile.variants["more"] = "image/info"


@cases("options", "is_signed")
def test_only_private_objects_need_signed_urls(options, is_signed):
    assert profile_of(f"[p]\n{GOOD}{options}\n").is_read_signed is is_signed


@pytest.mark.parametrize("acl", ["default", "private", "public-read"])
def test_forms_pin_the_acl_of_the_profile(acl):
    profile = profile_of(with_option(f'acl = "{acl}"'))
    assert profile.acl == dict(profile.pinned)["x-oss-object-acl"] == acl


def test_options_become_pinned_form_fields_under_oss_names():
    profile = profile_of(
        "[p]\n" + GOOD + 'cache_control = "no-cache"\ncontent_disposition = "inline"\nstorage_class = "IA"\n'
        'metadata = {source = "mini-program"}\nexpires_in = 60\nsignature = "v1"\noverwrite = true\n'
    )
    assert dict(profile.pinned) == {
        "x-oss-object-acl": "default",
        "Cache-Control": "no-cache",
        "Content-Disposition": "inline",
        "x-oss-storage-class": "IA",
        "x-oss-meta-source": "mini-program",
    }
    others = (profile.expires_in, profile.signature_version, profile.overwrite)
    assert others == (timedelta(seconds=60), "v1", True)
