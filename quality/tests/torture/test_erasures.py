"""The proof of erasing in short, and that it would notice what is left, and what was another's."""

import pytest

from quality.torture import erasures
from quality.torture.erasures import Erasures
from tests.support.memory_oss import MemoryOss

pytestmark = pytest.mark.usefixtures("quiet")
FEW = 2500


def test_a_few_thousand_objects_are_erased():
    result = erasures.run(FEW)
    assert result.problems == []
    assert result.totals["objects erased"] > FEW


class Forgetting(MemoryOss):
    """Says of one key in a hundred that it deletes it, and does not."""

    def _delete(self, key, version=None):
        return (version or "", False) if key.endswith("15.png") else super()._delete(key, version)


class Confusing(MemoryOss):
    """Deletes another owner's object, too."""

    def _delete(self, key, version=None):
        self.objects.pop("other/", None)
        for other in [other for other in self.objects if other.endswith("x/y.png")]:
            del self.objects[other]
        return super()._delete(key, version)


class Hiding(MemoryOss):
    """Lists no unfinished uploads."""

    def _list_multipart_uploads(self, request, body, size):
        uploads, self.uploads = self.uploads, {}
        try:
            return super()._list_multipart_uploads(request, body, size)
        finally:
            self.uploads = uploads


@pytest.mark.parametrize("wrong", [Forgetting, Confusing, Hiding])
def test_a_broken_oss_is_detected(wrong):
    class Broken(Erasures):
        new_oss = wrong

    assert erasures.run(300, Broken).problems
