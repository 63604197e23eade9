"""Several calls at once, a step of one of them at a time, in an order that is told; any may be killed."""

import threading
from collections.abc import Callable, Sequence
from typing import Any


class Killed(BaseException):
    """An instance ends here, whatever it was about to do. No handler of errors takes it for one."""


class Turns:
    """
    Who goes on next, whenever somebody comes to a point where another may.

    Attributes:
        points: how many were passed.
    """

    def __init__(self) -> None:
        self.points = 0
        self._runners: dict[int, _Runner] = {}

    def point(self) -> None:
        """Another may go on here. Called by whoever runs; of no effect where nobody takes turns."""
        self.points += 1
        runner = self._runners.get(threading.get_ident())
        if runner is not None:
            runner.stop_here()

    def run(self, acts: Sequence[Callable[[], Any]], order: Sequence[int], kills: Sequence[int]) -> list[Any]:
        """
        Run them all to their ends.

        Args:
            order: which of them goes on at each point; when it is used up, the first that has not ended.

            kills: of each the number of the point where it is killed; 0 for none.

        Returns:
            what each returned; of one that was killed nothing.

        Raises:
            BaseException: whatever one of them raised, but for being killed.
        """
        runners = [_Runner(act, kill) for act, kill in zip(acts, kills, strict=True)]
        self._runners = {runner.start(): runner for runner in runners}
        wanted = iter(order)
        while alive := [runner for runner in runners if not runner.is_over]:
            alive[next(wanted, 0) % len(alive)].go_on()
        self._runners = {}
        for runner in runners:
            if runner.failure is not None:
                raise runner.failure
        return [runner.result for runner in runners]


class _Runner:
    def __init__(self, act: Callable[[], Any], kill: int) -> None:
        self.result: Any = None
        self.failure: BaseException | None = None
        self.is_over = False
        self._act = act
        self._kill = kill
        self._may_go = threading.Semaphore(0)
        self._has_stopped = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> int:
        self._thread.start()
        assert self._thread.ident is not None
        return self._thread.ident

    def go_on(self) -> None:
        """Until it comes to the next point, or to its end."""
        self._may_go.release()
        self._has_stopped.acquire()
        if self.is_over:
            self._thread.join()

    def stop_here(self) -> None:
        self._has_stopped.release()
        self._may_go.acquire()
        self._kill -= 1
        if self._kill == 0:
            raise Killed

    def _run(self) -> None:
        self._may_go.acquire()
        try:
            self.result = self._act()
        except Killed:
            pass
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
            self.failure = error
        self.is_over = True
        self._has_stopped.release()
