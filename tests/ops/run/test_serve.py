import io
import json
import shlex
import struct
import zlib
from types import SimpleNamespace

import pytest

from ops.explain.policy_table import policy_rows
from ops.run.hosting import HostingError, Plan, wanted_port
from ops.run.picture import draw_png
from ops.run.serve import example_lines, show_cloud
from ops.terminal.screen import RED, Screen

ORIGIN = "http://127.0.0.1:9000"


class Terminal(io.StringIO):
    def isatty(self):
        return True


def a_cloud(caller_auth="wechat"):
    server = SimpleNamespace(origin=ORIGIN)
    return SimpleNamespace(
        gateway=server,
        oss=server,
        sts=server,
        wechat=server,
        playground=server,
        caller_auth=caller_auth,
        profiles={"avatar": {"max_size": "2MiB", "content_types": ["image/png"]}},
        business_token=lambda subject: "a.b.c",
    )


def shown(cloud, plan=None):
    stream = io.StringIO()
    show_cloud(cloud, Screen(stream, {}), plan or Plan(port=9000))
    return stream.getvalue()


# ---- the port ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environ", "port"), [({}, 9000), ({"PORT": ""}, 9000), ({"PORT": " 8123 "}, 8123), ({"PORT": "0"}, 0)]
)
def test_the_port_comes_from_the_environment(environ, port):
    assert wanted_port(environ, 9000) == port


@pytest.mark.parametrize("text", ["x", "-1", "65536", "1e3", "٣", "99999999"])
def test_a_port_that_is_none_is_refused_with_a_sentence(text):
    with pytest.raises(HostingError, match="PORT is .* set it to a number"):
        wanted_port({"PORT": text}, 9000)


# ---- what serve prints -----------------------------------------------------------------------------


def test_the_screen_names_addresses_profiles_and_how_to_stop():
    text = shown(a_cloud())
    for part in (ORIGIN, "avatar", "2MiB", "image/png", "Ctrl-C", "curl", "/2016-08-15/proxy/"):
        assert part in text
    assert "was taken" not in text


def test_the_screen_says_when_another_port_was_taken():
    assert "Port 8000 was taken" in shown(a_cloud(), Plan(port=8000))
    assert "was taken" not in shown(a_cloud(), Plan(port=0))


def test_only_an_open_door_is_warned_about():
    assert "anyone who reaches the function may upload" in shown(a_cloud("anonymous"))
    assert "anyone who reaches" not in shown(a_cloud("wechat"))
    assert "anyone who reaches" not in shown(a_cloud("jwt"))


@pytest.mark.parametrize("caller_auth", ["wechat", "jwt", "anonymous"])
def test_the_example_commands_ask_for_a_form_as_this_cloud_wants_it(caller_auth):
    *first, last = example_lines(a_cloud(caller_auth))
    words = shlex.split(last)
    assert words[:3] == ["curl", "-s", f"{ORIGIN}/upload-params"]
    assert json.loads(words[-1])["profile"] == "avatar"
    assert ("Authorization: Bearer $TOKEN" in words) is (caller_auth != "anonymous")
    assert [line.split("=")[0] for line in first] == ([] if caller_auth == "anonymous" else ["TOKEN"])


# ---- the screen --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stream", "environ", "has_colour"),
    [
        (Terminal(), {"TERM": "xterm"}, True),
        (Terminal(), {"TERM": "xterm", "NO_COLOR": ""}, True),
        (Terminal(), {"TERM": "xterm", "NO_COLOR": "1"}, False),
        (Terminal(), {"TERM": "dumb"}, False),
        (io.StringIO(), {"TERM": "xterm"}, False),
    ],
    ids=["terminal", "NO_COLOR empty", "NO_COLOR", "dumb", "pipe"],
)
def test_colour_is_only_for_terminals_that_want_it(stream, environ, has_colour):
    assert ("\x1b[" in Screen(stream, environ).colour("x", RED)) is has_colour


def test_an_encoding_without_chinese_is_no_reason_to_fail():
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    Screen(stream, {}).line("登录 Log in")
    assert raw.getvalue().decode("ascii").strip() == "?? Log in"


def test_values_stand_under_one_another_and_cannot_move_the_cursor():
    stream = io.StringIO()
    Screen(stream, {}).pairs({"a": "1", "long": "2\x1b[2J"})
    assert stream.getvalue() == "    a     1\n    long  2�[2J\n"


# ---- the picture ---------------------------------------------------------------------------------------


def test_the_picture_is_a_real_png_with_something_on_it():
    png = draw_png(40, 30)
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, rest = {}, png[8:]
    while rest:
        (length,), kind = struct.unpack(">I", rest[:4]), rest[4:8]
        data, (crc,) = rest[8 : 8 + length], struct.unpack(">I", rest[8 + length : 12 + length])
        assert crc == zlib.crc32(kind + data)
        chunks[kind], rest = data, rest[12 + length :]
    assert list(chunks) == [b"IHDR", b"IDAT", b"IEND"]
    assert chunks[b"IHDR"] == struct.pack(">II", 40, 30) + bytes([8, 2, 0, 0, 0])
    pixels = zlib.decompress(chunks[b"IDAT"])
    assert len(pixels) == 30 * (1 + 40 * 3)
    assert set(pixels[:: 1 + 40 * 3]) == {0}
    row = pixels[1 + 15 * 121 : 121 + 15 * 121]
    assert len({row[x * 3 : x * 3 + 3] for x in range(40)}) > 1


# ---- the table of a policy ---------------------------------------------------------------------------------


def test_each_condition_is_a_row_with_a_reason():
    policy = {
        "expiration": "2030-01-01T00:00:00.000Z",
        "conditions": [
            {"bucket": "b"},
            ["content-length-range", 7, 7],
            ["starts-with", "$key", "test/"],
            ["in", "$x-oss-content-type", ["image/png", "image/jpeg"]],
            {"x-oss-meta-a": "1"},
            {"x-oss-security-token": "T" * 900},
            {"other": "x"},
        ],
    }
    expiration, rows = policy_rows(json.dumps(policy))
    assert expiration == "2030-01-01T00:00:00Z"
    assert [(field, value) for field, value, _ in rows] == [
        ("bucket", "= b"),
        ("size", "= 7 bytes"),
        ("key", "starts with test/"),
        ("x-oss-content-type", 'in ["image/png", "image/jpeg"]'),
        ("x-oss-meta-a", "= 1"),
        ("x-oss-security-token", rows[5][1]),
        ("other", "= x"),
    ]
    assert all(reason for _, _, reason in rows)
    assert "T" * 20 not in rows[5][1]


def test_a_size_range_shows_both_ends():
    policy = {"expiration": "2030-01-01T00:00:00Z", "conditions": [["content-length-range", 1, 2097152]]}
    assert policy_rows(json.dumps(policy))[1][0][1] == "1 to 2,097,152 bytes"


@pytest.mark.parametrize("policy", ["", "[]", "{}", "not json"])
def test_a_policy_that_is_none_has_one_row_that_says_so(policy):
    assert policy_rows(policy) == ("?", [("(none)", "", "")])
