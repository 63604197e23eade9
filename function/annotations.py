"""
Stand-ins for ``typing``, its ``NamedTuple`` included, whose import a cold start would wait for.

While a program runs, annotations need names and no more. A ``NamedTuple`` does what one of ``typing`` does,
and is made in a sixth of the time: a start makes over thirty. A type checker sees ``typing`` itself.
"""

import sys

__all__ = ["Any", "ClassVar", "Generic", "NamedTuple", "NoReturn", "Protocol", "TypeGuard", "TypeVar", "cast"]

TYPE_CHECKING = False
# From 3.14 on, a class has no annotations before somebody asks for them.
if TYPE_CHECKING or sys.version_info >= (3, 14):
    from typing import Any, ClassVar, Generic, NamedTuple, NoReturn, Protocol, TypeGuard, TypeVar, cast
else:
    from collections import _tuplegetter
    from functools import cache
    from types import FunctionType

    Any = NoReturn = Protocol = object

    class Generic:
        """A type that takes the types of others in brackets."""

        def __class_getitem__(cls, _types):
            return cls

    ClassVar = TypeGuard = Generic

    def TypeVar(_name):
        return object

    def cast(_type, value):
        return value

    class _Fields(tuple):
        """The methods of all named tuples."""

        __slots__ = ()

        def _asdict(self):
            return dict(zip(self._fields, self, strict=True))

        def _replace(self, /, **changed):
            made = tuple.__new__(type(self), map(changed.pop, self._fields, self))
            if changed:
                raise TypeError(f"{type(self).__name__} has no fields {', '.join(changed)}")
            return made

        def __repr__(self):
            fields = (f"{name}={value!r}" for name, value in self._asdict().items())
            return f"{type(self).__name__}({', '.join(fields)})"

        def __getnewargs__(self):
            return tuple(self)

    class _NamedTupleType(type):
        """Makes of a class whose annotations are fields a named tuple."""

        def __new__(cls, name, _bases, body):
            fields = tuple(body["__annotations__"])
            defaults = {field: body[field] for field in fields if field in body}
            code = _code_for(len(fields))
            code = code.replace(co_qualname=f"{name}.__new__", co_varnames=("cls", *fields))
            new = FunctionType(code, {"new": tuple.__new__}, argdefs=tuple(defaults.values()))
            getters = {field: _tuplegetter(index, None) for index, field in enumerate(fields)}
            own = {"__slots__": (), "__new__": new, "_fields": fields, "_field_defaults": defaults}
            return type(name, (_Fields,), {**body, **getters, **own})

    # To compile a function takes thirty times as long as to name its arguments anew.
    @cache
    def _code_for(number):
        """Return the code of a function that makes a tuple of this many arguments."""
        values = "".join(f"_{index}, " for index in range(number))
        return eval(f"lambda cls, {values}: new(cls, ({values}))").__code__

    NamedTuple = type.__new__(_NamedTupleType, "NamedTuple", (), {})
