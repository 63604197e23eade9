"""The names of ``typing`` without its import; a named tuple does what one of ``typing`` itself does."""

import copy
import pickle
import runpy
import sys
import typing

import pytest

from function import annotations as ours

CLASSES = '''
class Point(NamedTuple):
    """Place on a map."""

    x: int
    y: int = 2
    label: str = ""

    @property
    def sum(self):
        return self.x + self.y

class Secret(NamedTuple):
    key: str
'''


def classes(module):
    made = {"NamedTuple": module.NamedTuple, "__name__": __name__}
    exec(CLASSES, made)
    return made["Point"], made["Secret"]


# Pickled by this name.
Point = classes(ours)[0]
BOTH = pytest.mark.parametrize("point", [Point, classes(typing)[0]], ids=["ours", "typing"])


@BOTH
def test_a_named_tuple_takes_its_fields_by_place_by_name_and_by_default(point):
    assert point(1) == point(1, 2, "") == point(x=1) == point(label="", y=2, x=1) == (1, 2, "")
    assert point(1, label="a") == (1, 2, "a")
    assert hash(point(1)) == hash((1, 2, ""))
    assert (point(1).x, point(1).y, point(1).label, point(4).sum) == (1, 2, "", 6)


@BOTH
@pytest.mark.parametrize(
    ("values", "named"), [((), {}), ((1, 2, "", 4), {}), ((1,), {"x": 1}), ((1,), {"z": 1}), ((), {"y": 1})]
)
def test_other_fields_are_refused_and_the_same_twice(point, values, named):
    with pytest.raises(TypeError, match=r"Point\.__new__\(\)"):
        point(*values, **named)


@BOTH
def test_fields_are_replaced_in_a_new_one_and_no_others(point):
    made = point(1)
    changed = made._replace(y=3)
    assert (changed, type(changed), made) == ((1, 3, ""), point, (1, 2, ""))
    with pytest.raises((TypeError, ValueError), match="z"):
        made._replace(z=3)


def test_a_copy_and_a_pickled_one_are_equal_and_of_its_type():
    made = Point(1, label="a")
    for again in (copy.copy(made), copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
        assert (again, type(again)) == (made, Point)


def test_constructors_are_compiled_once_for_each_number_of_fields():
    """To compile one takes most of the time that a start has for a named tuple."""
    classes(ours)
    before = ours._code_for.cache_info()
    for _ in range(10):
        classes(ours)
    after = ours._code_for.cache_info()
    assert (after.misses, after.hits) == (before.misses, before.hits + 20)


def test_a_python_of_lazy_annotations_gets_what_typing_has(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 14))
    names = runpy.run_path(ours.__file__)
    assert {*ours.__all__} == {*names} & {*typing.__all__} - {"TYPE_CHECKING"}
    assert [name for name in ours.__all__ if names[name] is not getattr(typing, name)] == []


@BOTH
def test_a_named_tuple_is_frozen(point):
    made = point(1)
    for name in ("x", "z"):
        with pytest.raises(AttributeError):
            setattr(made, name, 2)
    assert not hasattr(made, "__dict__")


@BOTH
def test_a_named_tuple_tells_its_fields(point):
    assert (point._fields, point._field_defaults) == (("x", "y", "label"), {"y": 2, "label": ""})
    assert list(point.__annotations__) == ["x", "y", "label"]
    assert (point.__name__, point.__doc__, point.__module__) == ("Point", "Place on a map.", __name__)
    assert point(1)._asdict() == {"x": 1, "y": 2, "label": ""}
    assert repr(point(1, label="a")) == "Point(x=1, y=2, label='a')"


def test_names_in_annotations_do_nothing_while_a_program_runs():
    given = ours.TypeVar("given")

    class Box(ours.Generic[given], ours.Protocol):
        kind: ours.ClassVar[ours.Any]

        def is_full(self) -> ours.TypeGuard[int] | ours.NoReturn: ...

    assert isinstance(Box[given | None](), Box)
    assert ours.cast(int, "1") == "1"
