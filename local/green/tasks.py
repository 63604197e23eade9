"""
Tasks of video and sound: submitted now, their results fetched later.

The file is looked at when it is submitted: what becomes of it afterwards changes nothing.
"""

import threading
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from local.green.codes import NO_SUCH_TASK, RUNNING, GreenError

KEPT_FOR = timedelta(hours=24)

Look = Callable[[str], dict[str, Any]]


class _Task(NamedTuple):
    """
    Args:
        result: the data, or the error of the file.
    """

    action: str
    due: datetime
    result: dict[str, Any] | GreenError


class Tasks:
    """Tasks by their id; thread-safe."""

    def __init__(self) -> None:
        self._tasks: dict[str, _Task] = {}
        self._lock = threading.Lock()

    def submit(self, action: str, due: datetime, look: Look) -> str:
        """
        Args:
            look: gets the task's id, and gives the data of its result, or raises ``GreenError``.
        """
        task_id = f"{action[:2].lower()}_{uuid.uuid4().hex}"
        try:
            result: dict[str, Any] | GreenError = look(task_id)
        except GreenError as error:
            result = error
        with self._lock:
            self._tasks[task_id] = _Task(action, due, result)
        return task_id

    def result(self, action: str, task_id: str, now: datetime) -> dict[str, Any]:
        """
        Raises:
            GreenError: 280 while it runs, 409 for one that is unknown or over a day old, the file's own.
        """
        with self._lock:
            task = self._tasks.get(task_id)
        if task is None or task.action != action or now > task.due + KEPT_FOR:
            raise GreenError(NO_SUCH_TASK)
        if now < task.due:
            raise GreenError(RUNNING)
        if isinstance(task.result, GreenError):
            raise task.result
        return task.result
