"""The same county, driven by Hypothesis: it chooses what fails when, and shrinks what breaks a promise."""

from contextlib import ExitStack, suppress

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.simulation.bindings import in_memory
from tests.simulation.county import County
from tests.simulation.world import Killed

FAULTS = 20


class CountyMachine(RuleBasedStateMachine):
    """Every promise is checked while it happens; at the end the county is mended, and all must come to its end."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.stack.enter_context(in_memory())
        self.county: County | None = None

    @initialize(seed=st.integers(min_value=0, max_value=2**16))
    def found(self, seed: int) -> None:
        self.county = County(seed)
        self.county.world.storm_rate = 0.0  # the rules are the storm

    @rule(steps=st.integers(min_value=1, max_value=40))
    def go_on(self, steps: int) -> None:
        assert self.county is not None
        for _ in range(steps):
            self.county.world.step()

    @rule(which=st.integers(min_value=0, max_value=FAULTS - 1), steps=st.integers(min_value=0, max_value=5))
    def fail(self, which: int, steps: int) -> None:
        assert self.county is not None
        self.county.chaos.fail(which)
        self.go_on(steps)

    @rule()
    def ask_something(self) -> None:
        assert self.county is not None
        with suppress(Killed):  # the call died with the home
            self.county.office.ask_something()

    @invariant()
    def no_serial_stands_twice(self) -> None:
        if self.county is not None:
            for site, _ in self.county.halls:
                serials = [s.serial for s in site.ledger.orders.every() if s.serial is not None]
                assert len(serials) == len(set(serials))

    def teardown(self) -> None:
        try:
            if self.county is not None:
                self.county.run(0)
        finally:
            self.stack.close()


TestCounty = CountyMachine.TestCase
TestCounty.settings = settings(
    max_examples=30,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
