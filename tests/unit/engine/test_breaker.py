"""When a breaker opens, how long, and what closes it."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from adology.engine.breaker import Breaker

FAULTS, PAUSE_S, LONGEST_S = 3, 10.0, 40.0


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def make() -> tuple[Breaker, Clock]:
    clock = Clock()
    return Breaker(faults=FAULTS, pause_s=PAUSE_S, longest_s=LONGEST_S, clock=clock), clock


def test_it_opens_at_the_last_of_the_faults_in_a_row_and_says_so_once() -> None:
    breaker, _ = make()
    assert [breaker.note_fault("x") for _ in range(5)] == [False, False, True, False, False]
    assert breaker.wait_s() == PAUSE_S


def test_a_success_between_faults_starts_the_count_anew() -> None:
    breaker, _ = make()
    for _ in range(4):
        breaker.note_fault("x")
        breaker.note_fault("x")
        breaker.note_success()
    assert not breaker.is_open


def test_after_the_pause_one_trial_goes_through_and_the_others_wait() -> None:
    breaker, clock = make()
    for _ in range(FAULTS):
        breaker.note_fault("x")
    clock.now += PAUSE_S
    assert [breaker.wait_s() for _ in range(3)] == [0.0, PAUSE_S, PAUSE_S]
    breaker.note_success()
    assert [breaker.wait_s() for _ in range(3)] == [0.0, 0.0, 0.0]


def test_each_trial_that_fails_doubles_the_pause_up_to_the_longest() -> None:
    breaker, clock = make()
    for _ in range(FAULTS):
        breaker.note_fault("x")
    pauses = []
    for _ in range(4):
        clock.now += breaker.wait_s()
        assert breaker.wait_s() == 0.0
        breaker.note_fault("x")
        pauses.append(breaker.wait_s())
    assert pauses == [20.0, 40.0, 40.0, 40.0]


def test_a_wrong_setting_opens_it_at_once_and_a_vendor_may_ask_for_longer() -> None:
    breaker, _ = make()
    assert breaker.note_fault("not set", at_once=True, after_s=300)
    assert breaker.wait_s() == 300


def test_a_trial_that_says_nothing_lets_the_next_one_try() -> None:
    breaker, clock = make()
    for _ in range(FAULTS):
        breaker.note_fault("x")
    clock.now += PAUSE_S
    assert breaker.wait_s() == 0.0
    breaker.note_neither()
    assert breaker.wait_s() == 0.0


class BreakerMachine(RuleBasedStateMachine):
    """Calls are made only when allowed; whatever happens, a breaker never holds back for ever."""

    def __init__(self) -> None:
        super().__init__()
        self.breaker, self.clock = make()
        self.under_way = 0
        self.row = 0

    @rule()
    def call(self) -> None:
        if self.breaker.wait_s() == 0.0:
            self.under_way += 1

    @precondition(lambda self: self.under_way)
    @rule(outcome=st.sampled_from(["success", "fault", "neither"]))
    def end(self, outcome: str) -> None:
        self.under_way -= 1
        if outcome == "success":
            self.breaker.note_success()
            self.row = 0
        elif outcome == "fault":
            self.breaker.note_fault("x")
            self.row += 1
        else:
            self.breaker.note_neither()

    @rule(seconds=st.floats(0, 60))
    def wait(self, seconds: float) -> None:
        self.clock.now += seconds

    @invariant()
    def it_is_closed_until_faults_come_in_a_row(self) -> None:
        assert self.breaker.is_open == (self.row >= FAULTS) or self.row < FAULTS

    @invariant()
    def it_never_waits_longer_than_the_longest_pause(self) -> None:
        trial = self.breaker._trial
        assert self.breaker.wait_s() <= LONGEST_S
        self.breaker._trial = trial


TestBreakerMachine = BreakerMachine.TestCase
TestBreakerMachine.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
