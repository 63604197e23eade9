"""How the random lives of uploads are run."""

from hypothesis import HealthCheck, Phase, settings
from hypothesis import seed as with_seed
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test


def live(
    machine: type[RuleBasedStateMachine], *, lives: int, steps: int, shrinks: bool, seed: int | None = None
) -> None:
    """
    Live so many lives.

    Args:
        shrinks: whether a failure is made as short as can be, which takes a while.

        seed: of the dice; without, they are thrown anew.

    Raises:
        AssertionError, ExceptionGroup: something was not as it must be.
    """
    run_state_machine_as_test(
        machine if seed is None else with_seed(seed)(machine),
        settings=settings(
            max_examples=lives,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            phases=(Phase.generate, Phase.shrink) if shrinks else (Phase.generate,),
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )
