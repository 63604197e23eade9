"""The proof about large files in short, and that it would notice a file that is not whole, or there twice."""

from dataclasses import replace

import pytest

from quality.torture import parted_uploads
from quality.torture.parted_uploads import PartedUploads
from tests.support.memory_oss import MemoryOss

pytestmark = pytest.mark.usefixtures("quiet")


def test_a_few_lives_end_as_documented():
    result = parted_uploads.run(5, steps=20)
    assert result.problems == []
    assert result.totals == {"lives of large files": 5}


class Losing(MemoryOss):
    """Completes without the last part."""

    def _complete_multipart_upload(self, request, body, size):
        answer = super()._complete_multipart_upload(request, body, size)
        stored = self.objects[request.key]
        self.objects[request.key] = replace(
            stored, parts=stored.parts[:-1] or (replace(stored.parts[0], size=9),)
        )
        return answer


class Reviving(MemoryOss):
    """Says that it aborts, and does not."""

    def _abort_multipart_upload(self, request, body, size):
        kept = dict(self.uploads)
        answer = super()._abort_multipart_upload(request, body, size)
        self.uploads = kept
        return answer


class Changing(MemoryOss):
    """Has another entity tag each time it is asked."""

    def _head_object(self, request, body, size):
        if stored := self.objects.get(request.key):
            last = stored.parts[-1]
            parts = (*stored.parts[:-1], replace(last, name=f"{last.name}x"))
            self.objects[request.key] = replace(stored, parts=parts)
        return super()._head_object(request, body, size)


@pytest.mark.parametrize("wrong", [Losing, Reviving, Changing])
def test_a_broken_oss_is_detected(wrong):
    class Machine(PartedUploads):
        new_oss = wrong

    assert parted_uploads.run(60, Machine, steps=30, shrinks=False).problems
