"""Posts of the pretend business and the states of their pictures, in memory."""

import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

POSTS_KEPT = 200
# A state gives way to a higher one only: the function's answer and its webhook may overtake each other.
RANKS = {"held": 0, "checking": 1, "review": 2, "published": 3, "rejected": 3, "gone": 4}


@dataclass
class Picture:
    """
    Args:
        receipt: with which the function is asked.

        upload_id: the receipt's ``jti``, which names this upload and no other.

        label: what WeChat's check said it shows, where it said so.
    """

    receipt: str
    upload_id: str
    key: str
    state: str = "held"
    url: str | None = None
    label: int | None = None

    @property
    def is_settled(self) -> bool:
        return RANKS[self.state] >= RANKS["published"] and (self.state != "published" or bool(self.url))

    def told(self) -> dict[str, Any]:
        label = {} if self.label is None else {"label": self.label}
        return {"key": self.key, "state": self.state, "url": self.url, **label}


@dataclass
class Post:
    text: str
    pictures: list[Picture]
    id: str = field(default_factory=lambda: secrets.token_hex(8))

    def told(self) -> dict[str, Any]:
        return {"id": self.id, "text": self.text, "pictures": [picture.told() for picture in self.pictures]}


class AlreadyPosted(ValueError):
    """Raised for a picture that another post has."""


class Posts:
    """The posts, newest first, safe to use from several server threads."""

    def __init__(self) -> None:
        self._posts: list[Post] = []
        self._pictures: dict[str, Picture] = {}
        self._lock = threading.Lock()

    def add(self, post: Post) -> Post:
        """
        Keep a post; whoever lost the answer and sends it again gets the one that is there.

        Raises:
            AlreadyPosted: one of its pictures is in another post, or twice in this one.
        """
        ids = [picture.upload_id for picture in post.pictures]
        with self._lock:
            for kept in self._posts:
                if kept.text == post.text and [picture.upload_id for picture in kept.pictures] == ids:
                    return kept
            if len(set(ids)) < len(ids) or not self._pictures.keys().isdisjoint(ids):
                raise AlreadyPosted
            self._pictures |= dict(zip(ids, post.pictures, strict=True))
            self._posts.insert(0, post)
            for old in self._posts[POSTS_KEPT:]:
                for picture in old.pictures:
                    del self._pictures[picture.upload_id]
            del self._posts[POSTS_KEPT:]
            return post

    def hear(self, upload_id: str, said: Mapping[str, Any]) -> None:
        """
        Take in what the function says of a picture; of one in no post, nothing.

        Args:
            said: ``state``, ``url`` and ``label``, each where it is known.
        """
        with self._lock:
            picture = self._pictures.get(upload_id)
            if picture is None:
                return
            if RANKS.get(said.get("state", ""), -1) > RANKS[picture.state]:
                picture.state, picture.url = said["state"], None
            if picture.state == "published":
                picture.url = said.get("url") or picture.url
            picture.label = said.get("label", picture.label)

    def unsettled(self) -> list[Picture]:
        """Of which the function has more to tell: undecided, or published at an address not known yet."""
        with self._lock:
            return [picture for picture in self._pictures.values() if not picture.is_settled]

    def told(self) -> list[dict[str, Any]]:
        with self._lock:
            return [post.told() for post in self._posts]
