"""Random lives of large files in short; ``make torture`` lives more of them, and longer."""

from hypothesis import HealthCheck, settings

from quality.torture.parted_uploads import PartedUploads

TestLives = PartedUploads.TestCase
TestLives.settings = settings(
    max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
