"""What is fuzzed of reading: any key, asked for by somebody who may read some."""

from typing import Any

from function.config.key_template import HELD_FOLDER, MAX_KEY_BYTES
from function.config.profiles import read_profiles
from function.errors import BadRequest, Forbidden
from function.http.json_body import read_json_object
from function.reading import UrlRequest, read_item, read_items, readable
from tests.support import key_oracle
from tests.support.dice import Dice

OWNER, OTHER = "a2b3c4d5e6f7g2h3i4j5k6l7m2", "z2y3x4w5v6u7t2s3r4q5p6o7n2"
ID, DIGEST = "AbCdEfGhIjKlMnOpQrSt_-", "0123456789abcdef" * 4
LIMITS = 'max_size = 9\ncontent_types = ["image/*"]\n'
PROFILES = f"""
[own]
key = "own/{{owner}}/{{yyyy}}/{{mm}}/{{dd}}/{{id}}{{ext}}"
{LIMITS}read = "owner"
[own.variants]
thumb = "image/resize,w_1"
[all]
key = "墙/{{owner}}-{{id}}{{ext}}/{{sha256}}"
{LIMITS}confirm = true
read = "callers"
[nobody]
key = "own/{{owner}}/{{id}}{{ext}}"
{LIMITS}
"""
KEYS = (
    f"own/{OWNER}/2026/11/24/{ID}.jpg",
    f"own/{OTHER}/2026/11/24/{ID}.jpg",
    f"墙/{OTHER}-{ID}.png/{DIGEST}",
    f"own/{OWNER}/{ID}",
    f"{HELD_FOLDER}own/{OWNER}/2026/11/24/{ID}.jpg",
)
PIECES = (
    *("", "/", "//", "..", "/../", "%2F", "\x00", "\n", "\ud800", "\u202e", "e\u0301", "é", "held/"),
    *("public", OWNER, OTHER, ID, DIGEST, ".jpg", ".JPG", "2026", "٢٠٢٦", "-", "a" * 1023, "猫" * 342),
)
SEEDS = (bytes(20), bytes(range(60)), b"\x01\x04\x01" * 9, b'{"key": "own/x", "variant": "thumb"}')


def _read_profiles() -> list[Any]:
    profiles, problems = read_profiles(PROFILES, default_signature="v4")
    if problems:
        raise AssertionError(problems)
    return list(profiles.values())


class KeysTarget:
    """Keys made of real ones and of what attackers put in; and any body of a request."""

    def __init__(self) -> None:
        self.profiles = _read_profiles()

    def __call__(self, data: bytes) -> None:
        dice = Dice(data)
        key = _key(dice)
        self._compare(key)
        variant = dice.one_of((None, "thumb", "thumbs", dice.text(6)))
        self._ask(UrlRequest(key, variant))
        try:
            fields = read_json_object(dice.rest())
            for wanted in [read_item(fields)] if "items" not in fields else read_items(fields["items"]):
                self._ask(wanted)
        except BadRequest:
            pass

    def _compare(self, key: str) -> None:
        for profile in self.profiles:
            found, expected = profile.key.read(key), key_oracle.read(profile.key.text, key)
            if found != expected:
                raise AssertionError(f"the template reads {found}, the oracle {expected}")
            if found is not None and profile.key.text.format_map(found) != key:
                raise AssertionError("what was read makes another key")

    def _ask(self, wanted: UrlRequest) -> None:
        try:
            (one,) = readable([wanted], OWNER, self.profiles)
        except (BadRequest, Forbidden):
            return
        parts = key_oracle.read(one.profile.key.text, wanted.key)
        if parts is None or wanted.key.startswith(HELD_FOLDER) or len(wanted.key.encode()) > MAX_KEY_BYTES:
            raise AssertionError("a key that no profile makes")
        if one.profile.name == "nobody" or (one.profile.name == "own" and parts["owner"] != OWNER):
            raise AssertionError("a key that is not the caller's to read")
        if wanted.variant is not None and wanted.variant not in one.profile.variants:
            raise AssertionError("a variant of nobody's")


def _key(dice: Dice) -> str:
    number = dice.number(len(KEYS) + 1)
    key = KEYS[number] if number < len(KEYS) else dice.text(200)
    for _ in range(dice.number(4)):
        at, upto = sorted((dice.number(256) % (len(key) + 1), dice.number(256) % (len(key) + 1)))
        piece = dice.one_of((*PIECES, dice.text(9)))
        key = key[:at] + piece + key[upto if dice.number(2) else at :]
    return key
