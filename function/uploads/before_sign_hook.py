"""
Hooks: ``before_sign`` of ``hooks.py`` refuses an upload, or narrows what will be signed for it.

Its result can only restrict the profile: a smaller size, fewer types, a folder inside the profile's, more
context. It gets no secret and no network; any other outcome is ``misconfigured``, and nothing is signed.

It has 50 ms; a later result is never used, and the request is ``hooks_unavailable``. A thread cannot be
ended: a call that sleeps costs a thread, one that computes shares the interpreter, and a regular expression
holds it, so that no other thread runs until it is through.
"""

import re
import sys
import threading
import time
from collections.abc import Callable, Mapping
from copy import deepcopy
from datetime import datetime
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from traceback import walk_tb
from types import MappingProxyType

from function.annotations import Any
from function.auth import Caller
from function.config.content_types import bare_type
from function.config.key_template import HELD_FOLDER, INNER_FOLDER, MAX_KEY_BYTES, KeyTemplate
from function.config.profile import Profile
from function.context import HOOKS_FILE, HOOKS_SECONDS
from function.errors import Forbidden, HooksUnavailable, Misconfigured, Problem
from function.messages import Message
from function.time_limit import OVERDUE, TIMED_OUT, ExchangeFailed, with_timeout
from function.uploads.request import UploadRequest, is_small_json

# Late calls that have not ended, while which no further call is made.
MAX_LATE = 8
# Bounds of the claims that a hook gets; a token has 4096 characters at most.
MAX_CLAIMS = 64
MAX_CLAIM_DEPTH = 8
MAX_TEXT_CHARACTERS = 200
MODULE = "hooks"
RESULTS = ("refuse", "max_size", "content_types", "folder", "context")
# Events of the interpreter that only the network, other programs and further threads cause.
FORBIDDEN_EVENTS = (
    *("socket.", "subprocess.", "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn"),
    "_thread.start",
)

# Arguments: the caller, the file with the instant, and the limits of the profile, each a mapping.
BeforeSign = Callable[..., Any]
_working = threading.local()


class Hooks:
    """
    ``before_sign`` of a file, called in a thread of its own; ``Misconfigured`` if it cannot be used.

    Args:
        clock: monotonic, in seconds.
    """

    def __init__(
        self, path: Path, seconds: float = HOOKS_SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.before_sign = _load(path)
        self._seconds = seconds
        self._clock = clock

    def apply(
        self, caller: Caller, file: UploadRequest, profile: Profile, now: datetime
    ) -> tuple[UploadRequest, Profile]:
        """
        Return the upload and its profile as the hook restricts them.

        Raises:
            Forbidden: it refuses; ``details`` have the text for the user.
            Misconfigured: its result is invalid.
            HooksUnavailable: it is late, or too many late calls have not ended.
        """
        result = self._call(*_arguments(caller, file, profile, now))
        if result is None:
            return file, profile
        if not isinstance(result, dict) or set(result) - set(RESULTS):
            raise _unusable(Message("it must return None or a dict of {names}", names=", ".join(RESULTS)))
        if "refuse" in result:
            raise _refusal(result["refuse"])
        return _with_context(file, result.get("context")), _narrowed(profile, result)

    def _call(self, *arguments: Mapping[str, Any]) -> Any:
        # With its id: several of a process share no late calls.
        name = f"{HOOKS_FILE.name} {id(self)}"
        late = f"{HOOKS_FILE.name} took {self._seconds * 1000:g} ms or more"
        reasons = {TIMED_OUT: late, OVERDUE: f"{MAX_LATE} late calls of {HOOKS_FILE.name} have not ended"}
        try:
            result, raised, took = with_timeout(
                self._seconds, name, lambda: self._work(arguments), max_overdue=MAX_LATE
            )
        except ExchangeFailed as error:
            reason = reasons.get(error.kind, f"no thread for {HOOKS_FILE.name}")
            raise HooksUnavailable(reason=reason) from None
        # A call that held the interpreter kept this thread from waking in time.
        if took >= self._seconds:
            raise HooksUnavailable(reason=late)
        if raised is not None:
            raise _unusable(Message("it raised {kind} at {place}", **_failure(raised)))
        return result

    def _work(self, arguments: tuple[Mapping[str, Any], ...]) -> tuple[Any, BaseException | None, float]:
        """Return the result or the exception of one call, and how many seconds it took."""
        _working.here = True
        result, raised, started = None, None, self._clock()
        try:
            result = self.before_sign(*arguments)
        except BaseException as error:  # noqa: BLE001 - the waiting request must learn of it
            raised = error
        return result, raised, self._clock() - started


def _load(path: Path) -> BeforeSign:
    spec = spec_from_file_location(MODULE, path)
    if spec is None or spec.loader is None:
        raise _unusable(Message("it is not a Python module"))
    module = module_from_spec(spec)
    _watch()
    # Its top level may do no more than its function.
    _working.here = True
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        raise _unusable(Message("line {line} is not valid Python", line=error.lineno or 1)) from None
    except (Exception, SystemExit) as error:  # noqa: BLE001 - it is not our code
        raise _unusable(Message("importing it raised {kind} at {place}", **_failure(error))) from None
    finally:
        _working.here = False
    before_sign: BeforeSign | None = getattr(module, "before_sign", None)
    if not callable(before_sign):
        raise _unusable(Message("it has no function before_sign(caller, wanted, profile)"))
    return before_sign


def _failure(error: BaseException) -> dict[str, str]:
    """Return the type of an exception and its last line in the file: its text may hold secrets."""
    lines = [
        line for frame, line in walk_tb(error.__traceback__) if frame.f_globals.get("__name__") == MODULE
    ]
    place = HOOKS_FILE.name + "".join(f":{line}" for line in lines[-1:])
    return {"kind": type(error).__name__, "place": place}


# Once a process: an audit hook cannot be removed.
@cache
def _watch() -> None:
    sys.addaudithook(_refuse_forbidden)


def _refuse_forbidden(event: str, _arguments: Any) -> None:
    if event.startswith(FORBIDDEN_EVENTS) and getattr(_working, "here", False):
        raise PermissionError(event)


def _arguments(
    caller: Caller, request: UploadRequest, profile: Profile, now: datetime
) -> tuple[Mapping[str, Any], ...]:
    """Return the arguments of ``before_sign``: three read-only mappings."""
    if len(caller.claims) > MAX_CLAIMS:
        raise _unusable(Message("the caller's token has over {most} claims", most=MAX_CLAIMS))
    verified = {
        "subject": caller.subject,
        "owner": caller.owner,
        "claims": _read_only(caller.claims, MAX_CLAIM_DEPTH),
        # With one caller it has no name, and hooks get what they always got.
        **({"caller": caller.entry.id} if caller.entry.name else {}),
    }
    file = {
        "filename": request.filename,
        "contentType": request.content_type,
        "size": request.size_bytes,
        "sha256": request.sha256,
        "context": deepcopy(request.context),
        "now": now,
    }
    limits = {"name": profile.name, **profile.limits}
    return MappingProxyType(verified), MappingProxyType(file), MappingProxyType(limits)


def _read_only(value: Any, depth: int) -> Any:
    """Return a copy with read-only mappings, and tuples for lists, of at most this depth."""
    if not isinstance(value, Mapping | list):
        return value
    if not depth:
        raise _unusable(Message("the caller's token has claims over {most} deep", most=MAX_CLAIM_DEPTH))
    if isinstance(value, list):
        return tuple(_read_only(each, depth - 1) for each in value)
    return MappingProxyType({name: _read_only(each, depth - 1) for name, each in value.items()})


def _refusal(text: Any) -> Forbidden | Misconfigured:
    if not isinstance(text, str) or not 0 < len(text) <= MAX_TEXT_CHARACTERS:
        return _unusable(
            Message("refuse must be a string of 1 to {most} characters", most=MAX_TEXT_CHARACTERS)
        )
    return Forbidden("This service's rules refuse this upload.", details={"text": text})


def _with_context(file: UploadRequest, added: Any) -> UploadRequest:
    if added is None:
        return file
    if not isinstance(added, dict):
        raise _unusable(Message("context must be a dict"))
    context = {**(file.context or {}), **added}
    if not is_small_json(context):
        raise _unusable(Message("context is not JSON, or too long with the caller's own"))
    return file._replace(context=context)


def _narrowed(profile: Profile, result: Mapping[str, Any]) -> Profile:
    if "max_size" in result:
        profile = profile._replace(max_size_bytes=_smaller(profile, result["max_size"]))
    if "content_types" in result:
        profile = profile._replace(content_types=_fewer(profile, result["content_types"]))
    if "folder" in result:
        profile = profile._replace(key=_inside(profile, result["folder"]))
    return profile


def _smaller(profile: Profile, most: Any) -> int:
    if type(most) is not int or most < profile.min_size_bytes:
        least = profile.min_size_bytes
        raise _unusable(Message("max_size must be bytes, {least} at least", least=least))
    return min(most, profile.max_size_bytes)


def _fewer(profile: Profile, types: Any) -> tuple[str, ...]:
    """Return the types; wildcards are for profiles only."""
    if profile.takes_filename:
        raise _unusable(Message("content_types is not allowed with {{filename}}"))
    if not isinstance(types, list | tuple) or not types:
        raise _unusable(Message("content_types must be a list of types such as image/jpeg"))
    for each in types:
        if not isinstance(each, str) or bare_type(each) != each or not profile.admits(each):
            raise _unusable(Message("content_types has what the profile does not allow: {each!r}", each=each))
    return tuple(types)


def _inside(profile: Profile, folder: Any) -> KeyTemplate:
    if not isinstance(folder, str) or not re.fullmatch(INNER_FOLDER, folder):
        raise _unusable(
            Message("folder must be 1 to 3 parts of letters, digits, _ and -, such as shop-7/2026")
        )
    key = profile.key.inside(folder)
    if key is None:
        raise _unusable(Message("folder needs {{owner}}/ in the key of a profile with list or delete"))
    most = MAX_KEY_BYTES - len(HELD_FOLDER) * profile.is_held
    if key.longest_bytes > most:
        raise _unusable(Message("folder makes a key of over {most} bytes", most=most))
    return key


def _unusable(clause: Message) -> Misconfigured:
    sentence = Message("{file} cannot be used: {clause}", file=HOOKS_FILE.name, clause=clause)
    return Misconfigured([Problem(HOOKS_FILE.name, sentence)])
