"""profiles: what may be uploaded, read strictly; and the least a session needs for it."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from function.config.key_template import KeyTemplate
from function.config.profile import MAX_FORM_BYTES, NOWHERE, Profile
from function.config.profiles import read_profiles
from ops.terminal.messages import in_both
from tests.ops.words import in_english

SHIPPED = Path(__file__).parents[3] / "profiles.toml"
NOW = datetime(2026, 11, 24, tzinfo=UTC)
GOOD = 'key = "uploads/{owner}/{id}{ext}"\nmax_size = "1MiB"\ncontent_types = ["image/png"]\n'


def read(text: str):
    profiles, problems = read_profiles(text, default_signature="v4")
    # What is wrong with the file itself waits for no other setting.
    assert {(problem.setting, problem.needs) for problem in problems} <= {("profiles.toml", "")}
    return profiles, in_english(in_both(problem.sentence) for problem in problems)


def with_option(line: str) -> str:
    option = line.partition("=")[0].strip()
    kept = [known for known in GOOD.splitlines() if known.partition("=")[0].strip() != option]
    return "\n".join(["[p]", *kept, line])


def test_the_file_that_ships_is_right_as_it_is():
    profiles, problems = read(SHIPPED.read_text("utf-8"))
    assert not problems
    assert set(profiles) == {"default", "avatar", "video"}
    assert not any(profile.callback for profile in profiles.values())
    assert profiles["default"].max_size_bytes == 10 * 1024 * 1024
    # A new bucket blocks public access, and would refuse a form that asks for it.
    assert {profile.acl for profile in profiles.values()} == {"default"}


def test_as_it_ships_no_form_lets_its_holder_choose_a_name():
    profiles, _ = read(SHIPPED.read_text("utf-8"))
    assert not [name for name, profile in profiles.items() if profile.takes_filename]


def test_the_profile_that_ships_commented_out_holds_pictures_back_when_it_is_switched_on():
    lines = SHIPPED.read_text("utf-8").splitlines()
    start = lines.index("# [post]")
    table = [line.removeprefix("# ") for line in lines[start : lines.index("", start)]]
    profiles, problems = read("\n".join(table))
    assert not problems
    post = profiles["post"]
    assert (post.hold, post.hold_days, post.check_scene) == (("commit", "check"), 1, 3)
    assert (post.confirm, post.read, post.acl) == (True, "callers", "default")
    # Every option of holding back that the page lists stands there, but who commits.
    assert {"hold", "hold_days", "check_scene"} <= {line.partition(" ")[0] for line in table}


def test_a_page_s_profile_when_switched_on_gives_each_caller_a_folder_and_a_small_size(legacy_profiles):
    profiles, problems = read(legacy_profiles)
    assert not problems
    page = profiles["legacy"]
    assert page.key.render(owner="one", upload_id="i", now=NOW, extension="") == "test/one/"
    assert (page.max_size_bytes, page.expires_in) == (100 * 1024**2, timedelta(seconds=60))
    # Its page sends no field of ours, so there is none to pin.
    assert (page.pinned, page.acl) == ((), "default")
    local, _ = read((SHIPPED.parent / "local" / "profiles.toml").read_text("utf-8"))
    assert page == local["legacy"]


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ('"10MiB"', 10 * 1024**2),
        ('"1KiB"', 1024),
        ('"5GiB"', MAX_FORM_BYTES),
        ('"5 GiB"', MAX_FORM_BYTES),
        ("1", 1),
        ('"1024"', 1024),
    ],
)
def test_reads_sizes_with_units(text, size):
    profiles, problems = read(with_option(f"max_size = {text}"))
    assert not problems
    assert profiles["p"].max_size_bytes == size


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('max_size = "10M"', "MiB"),
        ('max_size = "10MB"', "MiB"),
        ('max_size = "-1"', "max_size"),
        ("max_size = -1", "max_size"),
        ("max_size = 1.5", "max_size"),
        ("max_size = 1.0", "max_size"),
        ("max_size = [1]", "max_size"),
        ("max_size = 2026-11-24", "max_size"),
        ("max_size = true", "max_size"),
        ("max_size = false", "max_size"),
        ("max_size = 0", "max_size"),
        ('max_size = "6GiB"', "5GiB"),
        ("max_size = 5368709121", "5GiB"),
        ('min_size = "2MiB"', "min_size (2097152) must not be over max_size (1048576)"),
        ('key = "{owner}/{id}{ext}"', "folder of fixed text"),
        ('key = "u{owner}/{id}"', "folder of fixed text"),
        ('key = "/uploads/{id}"', "folder of fixed text"),
        ('key = "uploads//{id}"', "empty, . or .. parts"),
        ('key = "uploads/../{id}"', "empty, . or .. parts"),
        ('key = "uploads/./{id}"', "empty, . or .. parts"),
        ('key = "~//{id}"', "empty, . or .. parts"),
        ('key = ""', "key is missing"),
        ('key = "uploads/x}/{id}"', "opens or closes no placeholder"),
        ('key = "uploads/{filename}/{filename}"', "once, and without {ext}"),
        ('key = "uploads/{ext}/{filename}"', "once, and without {ext}"),
        ('key = "uploads/{owner}{ext}"', "{id}"),
        ('key = "uploads/${filename}"', "'$'"),
        ('key = "uploads/*/{id}"', "'*'"),
        ('key = "uploads/a?/{id}"', "'?'"),
        ('key = "uploads/\\\\{id}"', "must not hold"),
        ('key = "uploads/\\u0000{id}"', "'\\x00'"),
        ('key = "uploads/\\u001f{id}"', "'\\x1f'"),
        ('key = "uploads/\\u007f{id}"', "'\\x7f'"),
        ('key = "uploads/{user}/{id}"', "{user}"),
        ('key = "uploads/{id"', "opens or closes no placeholder"),
        ('key = "uploads/{filename}/{id}"', "only as its end"),
        ('key = "uploads/x{filename}"', "/{filename}"),
        ("key = 5", "key is missing"),
        ("content_types = []", "content_types"),
        ('content_types = "image/png"', "content_types"),
        ('content_types = ["IMAGE/PNG"]', "lower case"),
        ('content_types = ["*"]', "type/*"),
        ('content_types = ["image/p*"]', "type/*"),
        ("content_types = [1]", "type/*"),
        ("expires_in = 0", "expires_in"),
        ('expires_in = "300"', "expires_in"),
        ("expires_in = true", "expires_in"),
        ("expires_in = 43201", "expires_in"),
        ('acl = "public-read-write"', "default, private, public-read"),
        ("acl = true", "acl"),
        ('overwrite = "no"', "true or false"),
        ("callback = 1", "true or false"),
        ('signature = "v2"', "v4, v1"),
        ('cache_control = "a$b"', "without $"),
        ('cache_control = "caché"', "cache_control"),
        ('content_disposition = "a\\nb"', "printable"),
        ('storage_class = "standard"', "Standard, IA"),
        ('metadata = "x"', "metadata"),
        ('metadata = {"UPPER" = "x"}', "metadata has 'UPPER'"),
        ("metadata = {a = 1}", "metadata has 'a'"),
        ('key = "u/{owner}/{sha256}"', "key with {sha256} needs {owner} and confirm = true"),
        ('key = "u/{owner}/{sha256}"\nconfirm = false', "key with {sha256} needs {owner}"),
        ('key = "u/{sha256}"\nconfirm = true', "key with {sha256} needs {owner}"),
        ('key = "u/{owner}/{sha256}"\nconfirm = true\nparts = true', "key with {sha256} excludes parts"),
        ('key = "u/{owner}/{sha256}/{filename}"', "key with {sha256} needs {owner} and confirm = true"),
        ("confirm = 1", "confirm = 1 must be true or false"),
        ('read = "everybody"', "read = 'everybody' must be one of owner, callers"),
        ('read = ""', "read = '' must be one of owner, callers"),
        ("read = true", "read = True must be one of"),
        ('read = "owner"\nread_for = 0', "read_for = 0 must be whole seconds from 1 to 43200"),
        ('read = "owner"\nread_for = 1.5', "read_for = 1.5"),
        ('key = "all/{id}"\nread = "owner"', 'read = "owner" needs {owner} in key'),
        ('read = "owner"\nstorage_class = "Archive"', "read excludes 'Archive' in storage_class"),
        ('key = "held/{owner}/{id}"', "key must not start with held/"),
        ("read_for = 60", "read_for needs read"),
        ('variants = {thumb = "image/info"}', "variants needs read"),
        ('read = "owner"\nvariants = "thumb"', "variants = "),
        ('read = "owner"\nvariants = false', "variants = "),
        ('read = "owner"\nvariants = {thumb = ""}', "variants has 'thumb'"),
        ('read = "owner"\nvariants = {thumb = 5}', "variants has 'thumb'"),
        ('read = "owner"\nvariants = {thumb = "image/a b"}', "variants has 'thumb'"),
        ('read = "owner"\nvariants = {thumb = "image/图"}', "variants has 'thumb'"),
        ('read = "owner"\nvariants = {thumb = "image/a\\n"}', "variants has 'thumb'"),
        (f'read = "owner"\nvariants = {{thumb = "{"v" * 1025}"}}', "variants has 'thumb'"),
        ('read = "owner"\nvariants = {"a b" = "image/info"}', "variants has 'a b'"),
        ('read = "owner"\nvariants = {"" = "image/info"}', "variants has ''"),
        ("maxsize = 1", "maxsize is no option"),
    ],
)
def test_refuses_and_names_what_is_wrong(line, says):
    profiles, problems = read(with_option(line))
    assert "p" not in profiles
    assert any(says in problem and problem.startswith("profiles.toml [p]: ") for problem in problems), (
        problems
    )


@pytest.mark.parametrize(("more", "is_over"), [(0, False), (1, True)])
def test_metadata_over_the_8_kib_of_one_object_is_refused(more, is_over):
    table = {f"name-{number:03}": "v" * (1024 - 8) for number in range(8)}
    assert sum(len(name) + len(value) for name, value in table.items()) == 8 * 1024
    table["name-000"] += "v" * more
    _, problems = read(f"[p]\n{GOOD}[p.metadata]\n" + "\n".join(f'{n} = "{v}"' for n, v in table.items()))
    assert ["8KiB" in problem for problem in problems] == [True] * is_over


PLACEHOLDERS = "{owner}, {yyyy}, {mm}, {dd}, {id}, {sha256}, {ext}, {filename}"
OPTIONS = (
    "acl, bucket, bytes_per_day, cache_control, callback, check_scene, commit_by, confirm,"
    " content_disposition, content_types, expires_in, files_per_day, hold, hold_days, host, key, max_size,"
    " metadata, min_size, overwrite, part_size, parts, parts_within, read, read_for, region, role, signature,"
    " storage_class, variants"
)
PAGE_OPTIONS = (
    "bucket, callback, content_types, expires_in, host, key, max_size, min_size, region, role, signature"
)
# Each wrong option is one problem, and no other problem follows from it.
SENTENCES = {
    f"[p]: key has {{user}}; allowed: {PLACEHOLDERS}": f"[p]\n{GOOD.replace('{ext}', '{user}')}",
    # As long as a key may become, whatever the placeholder that there is not would have become.
    f"[p]: key has {{x}}; allowed: {PLACEHOLDERS}": with_option(f'key = "{"k" * 1000}/{{id}}{{x}}"'),
    f"[p]: maxsize is no option of a profile; allowed: {OPTIONS}": with_option("maxsize = 1"),
    "[p]: acl is no option of a profile whose key ends in {filename};"
    f" allowed: {PAGE_OPTIONS}": '[p]\nkey = "a/{filename}"\nmax_size = 1\nacl = "private"',
    "[p]: max_size is missing; it must be a size from 1 to 48GiB, such as 10MiB": (
        '[p]\nkey = "a/{id}"\nmin_size = 5\ncontent_types = ["*/*"]'
    ),
    "[p]: max_size = 'x' must be a size from 1 to 48GiB, such as 10MiB": (
        '[p]\nkey = "a/{id}"\nmax_size = "x"\nmin_size = 5\ncontent_types = ["*/*"]'
    ),
    "[p]: min_size (1048577) must not be over max_size (1048576)": with_option("min_size = 1048577"),
    "[p]: min_size (2) must not be over max_size (1)": (
        '[p]\nkey = "a/{id}"\nmax_size = 1\nmin_size = 2\ncontent_types = ["*/*"]'
    ),
    "[p]: expires_in = 0 must be whole seconds from 1 to 43200": with_option("expires_in = 0"),
    "[a]: key with {filename} needs a folder of its own; u/ overlaps u/v/ of [b]": (
        '[a]\nkey = "u/{filename}"\nmax_size = 1\n'
        '[b]\nkey = "u/v/{id}"\nmax_size = 1\ncontent_types = ["*/*"]'
    ),
    "'p' must be a table of options: [p]": f"p = 1\n[q]\n{GOOD}",
}


@pytest.mark.parametrize(("sentence", "text"), SENTENCES.items(), ids=SENTENCES)
def test_one_wrong_option_is_one_sentence_that_says_what_is_allowed(sentence, text):
    _, problems = read(text)
    where = "profiles.toml " if sentence.startswith("[") else "profiles.toml: "
    assert problems == [where + sentence]


@pytest.mark.parametrize("option", ["key", "max_size", "content_types"])
def test_says_which_option_is_missing(option):
    kept = [line for line in GOOD.splitlines() if not line.startswith(option)]
    _, problems = read("\n".join(["[p]", *kept]))
    assert any(option in problem for problem in problems)


def test_reports_every_problem_at_once():
    _, problems = read('[a]\nkey = "x"\nmax_size = "1M"\ncontent_types = 1\n[b]\nfoo = 1\n')
    assert len([problem for problem in problems if "[a]" in problem]) >= 3
    assert len([problem for problem in problems if "[b]" in problem]) >= 3


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x = ", "not TOML"),
        ("x = " + "[" * 100_000, "not TOML"),
        ("", "no profile"),
        ("default = 1", "must be a table"),
        ('["a b"]\n' + GOOD, "named with"),
        ("[[p]]\n" + GOOD, "must be a table"),
    ],
)
def test_refuses_a_file_without_profiles(text, says):
    profiles, problems = read(text)
    assert profiles == {}
    assert any(says in problem for problem in problems)


@pytest.mark.parametrize(
    "option",
    [
        "confirm = true",
        'read = "owner"',
        'hold = ["commit"]',
        "read_for = 60",
        'variants = {thumb = "image/info"}',
        'acl = "private"',
        "overwrite = true",
        'cache_control = "no-cache"',
        'content_disposition = "inline"',
        'storage_class = "IA"',
        'metadata = {a = "b"}',
        'content_types = ["image/png"]',
    ],
)
def test_a_page_that_names_its_files_cannot_be_promised_anything_else(option):
    profiles, problems = read(f'[p]\nkey = "test/{{filename}}"\nmax_size = "1MiB"\n{option}\n')
    assert not profiles
    assert len(problems) == 1


@pytest.mark.parametrize(
    ("end", "grows_to"), [("/{owner}{yyyy}{mm}{dd}{id}{ext}", 68), ("/{filename}", 1), ("图/{id}", 26)]
)
def test_a_key_that_could_grow_over_the_1023_bytes_of_oss_is_refused(end, grows_to):
    def problems_with(folder):
        return read(f'[p]\nkey = "{folder}{end}"\nmax_size = 1\ncontent_types = ["*/*"]\n')[1]

    assert problems_with("x" * (1023 - grows_to)) == []
    assert problems_with("x" * (1024 - grows_to)) == [
        "profiles.toml [p]: key may become 1024 bytes long; OSS allows 1023"
    ]


@pytest.mark.parametrize(
    ("page", "other"),
    [("test/", "test/"), ("test/", "test/deep/"), ("test/deep/", "test/")],
)
def test_a_page_s_folder_must_not_overlap_one_where_the_session_may_set_acls(page, other):
    _, problems = read(
        f'[page]\nkey = "{page}{{filename}}"\nmax_size = 1\n'
        f'[other]\nkey = "{other}{{id}}"\nmax_size = 1\ncontent_types = ["*/*"]\n'
    )
    assert any("folder of its own" in problem for problem in problems)


def test_folders_that_only_share_letters_do_not_overlap():
    _, problems = read(
        '[page]\nkey = "test/{filename}"\nmax_size = 1\n'
        '[other]\nkey = "tests/{id}"\nmax_size = 1\ncontent_types = ["*/*"]\n'
    )
    assert not problems


@pytest.mark.parametrize(
    ("types", "kind", "is_admitted"),
    [
        (["image/*"], "image/png", True),
        (["image/*"], "imagex/png", False),
        (["image/png"], "image/png", True),
        (["image/png"], "image/pngx", False),
        (["*/*"], "text/css", True),
        (["video/mp4", "image/*"], "video/quicktime", False),
    ],
)
def test_admits_types_by_pattern(types, kind, is_admitted):
    profiles, problems = read(with_option(f"content_types = {json.dumps(types)}"))
    assert not problems
    assert profiles["p"].admits(kind) is is_admitted


RUN_BY_BROWSERS = [
    *("image/svg+xml", "text/html", "application/xhtml+xml", "text/webviewhtml"),
    *("text/xml", "application/xml", "text/xsl", "application/rss+xml", "application/xml-dtd", "a/b-c+xml"),
    *("text/javascript", "application/javascript", "application/x-javascript", "text/javascript1.5"),
    *("text/ecmascript", "text/jscript", "text/livescript", "multipart/x-mixed-replace"),
    *("unknown/unknown", "application/unknown"),
]
ONLY_SHOWN_OR_SAVED = [
    *("image/png", "image/avif", "image/x-xml", "video/mp4", "text/plain", "text/csv", "text/css"),
    *("application/pdf", "application/json", "application/zip", "application/octet-stream"),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    *("application/postscript", "image/svg+xml+png", "application/vnd.unknown", "unknown/x"),
]


@pytest.mark.parametrize("kind", RUN_BY_BROWSERS)
def test_no_wildcard_lets_in_what_browsers_run_but_a_profile_may_name_it(kind):
    wildcards = [f"{kind.partition('/')[0]}/*", "*/*"]
    for types, is_admitted in ((wildcards, False), ([*wildcards, kind], True), ([kind], True)):
        profiles, problems = read(with_option(f"content_types = {json.dumps(types)}"))
        assert not problems
        assert profiles["p"].admits(kind) is is_admitted, types


@pytest.mark.parametrize("kind", ONLY_SHOWN_OR_SAVED)
def test_a_wildcard_lets_in_all_that_browsers_only_show_or_save(kind):
    for wildcard in (f"{kind.partition('/')[0]}/*", "*/*"):
        assert read(with_option(f'content_types = ["{wildcard}"]'))[0]["p"].admits(kind)


def test_what_a_profile_does_not_say_is_what_is_published():
    profiles, problems = read(f"[p]\n{GOOD}")
    assert not problems
    assert profiles["p"] == Profile(
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
        location=NOWHERE,
    )


@pytest.mark.parametrize(
    "line",
    [
        'key = "up loads/~/{id}"',
        'key = "u/{owner}/{sha256}{ext}"\nconfirm = true',
        'key = "u/{owner}/{sha256}-{id}{ext}"\nconfirm = true',
        "min_size = 0",
        "expires_in = 1",
        "expires_in = 43200",
        *(f'acl = "{acl}"' for acl in ("default", "private", "public-read")),
        *(
            f'storage_class = "{name}"'
            for name in ("Standard", "IA", "Archive", "ColdArchive", "DeepColdArchive")
        ),
        'signature = "v1"',
    ],
)
def test_takes_what_is_allowed(line):
    profiles, problems = read(with_option(line))
    assert not problems
    assert set(profiles) == {"p"}


def test_a_profile_may_have_64_variants_and_no_more():
    def problems_with(number):
        names = ", ".join(f'v{index} = "image/info"' for index in range(number))
        return read(with_option(f'read = "owner"\nvariants = {{{names}}}'))[1]

    assert problems_with(64) == []
    (problem,) = problems_with(65)
    assert problem.startswith("profiles.toml [p]: variants has '65 names';")


def test_what_may_be_read_and_how_is_as_it_was_written():
    profiles, problems = read(
        f'[p]\n{GOOD}confirm = true\nread = "callers"\nread_for = 43200\n'
        f'[p.variants]\nthumb = "image/resize,w_200"\n"2-{"x" * 62}" = "style/{"a" * 1018}"\n'
    )
    assert not problems
    profile = profiles["p"]
    assert (profile.confirm, profile.read, profile.read_for) == (True, "callers", timedelta(seconds=43200))
    assert profile.read_life == timedelta(seconds=86400)
    assert profile.variants == {"thumb": "image/resize,w_200", f"2-{'x' * 62}": f"style/{'a' * 1018}"}
    # No variant is a field of a form.
    assert {name for name, _ in profile.pinned} == {"x-oss-object-acl", "x-oss-storage-class"}


def test_variants_cannot_be_changed_once_they_are_read():
    profiles, _ = read(with_option('read = "owner"\nvariants = {thumb = "image/info"}'))
    with pytest.raises(TypeError):
        profiles["p"].variants["more"] = "image/info"


@pytest.mark.parametrize(
    ("options", "is_signed"),
    [
        ("", False),
        ('read = "owner"', True),
        ('read = "callers"', True),
        ('read = "callers"\nacl = "private"', True),
        ('read = "callers"\nacl = "public-read"', False),
    ],
)
def test_what_everybody_may_read_needs_no_signature(options, is_signed):
    profiles, problems = read(f"[p]\n{GOOD}{options}\n")
    assert not problems
    assert profiles["p"].is_read_signed is is_signed


@pytest.mark.parametrize("acl", ["default", "private", "public-read"])
def test_the_acl_of_a_profile_is_the_one_that_its_forms_pin(acl):
    profiles, _ = read(with_option(f'acl = "{acl}"'))
    assert profiles["p"].acl == dict(profiles["p"].pinned)["x-oss-object-acl"] == acl


def test_options_become_pinned_form_fields_under_oss_s_names():
    profiles, problems = read(
        "[p]\n" + GOOD + 'cache_control = "no-cache"\ncontent_disposition = "inline"\nstorage_class = "IA"\n'
        'metadata = {source = "mini-program"}\nexpires_in = 60\nsignature = "v1"\noverwrite = true\n'
    )
    assert not problems
    profile = profiles["p"]
    assert dict(profile.pinned) == {
        "x-oss-object-acl": "default",
        "Cache-Control": "no-cache",
        "Content-Disposition": "inline",
        "x-oss-storage-class": "IA",
        "x-oss-meta-source": "mini-program",
    }
    assert (profile.expires_in, profile.signature_version, profile.overwrite) == (
        timedelta(seconds=60),
        "v1",
        True,
    )
    assert profile.key.literal_folder == "uploads/"
