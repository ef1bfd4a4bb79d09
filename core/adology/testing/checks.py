"""A check is a test method with a way to fix what it finds; it runs under pytest or alone."""

from __future__ import annotations

import functools
import inspect
import unittest
from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Any, Literal, NoReturn, TypeVar

import msgspec

from adology.errors import describe
from adology.log import REDACTOR

if TYPE_CHECKING:
    from adology.testing.base import Conformance

F = TypeVar("F", bound=Callable[..., Any])


class ConformanceError(AssertionError):
    """A plugin breaks a promise: `problem` says which and what was seen, `fix` what to do."""

    def __init__(self, problem: str, fix: str = "") -> None:
        super().__init__(f"{problem}\nHow to fix: {fix}" if fix else problem)
        self.problem = problem
        self.fix = fix


class CheckResult(msgspec.Struct, frozen=True, kw_only=True):
    """How one check of one plugin ended. `problem` is the reason also where it was skipped."""

    check: str
    title: str
    outcome: Literal["passed", "failed", "skipped"]
    problem: str = ""
    fix: str = ""


def check(fix: str) -> Callable[[F], F]:
    """Mark a test method as a check; its `fix` is added to what it raises.

    Async methods are run to their end on a loop of their own, under pytest as well.
    """

    def decorate(function: F) -> F:
        @functools.wraps(function)
        def run(self: Any) -> None:
            try:
                answer = function(self)
                if inspect.isawaitable(answer):
                    _run(answer)
            except ConformanceError as error:
                raise ConformanceError(error.problem, error.fix or fix) from error.__cause__

        run.fix = fix  # type: ignore[attr-defined]  # marks the method, and `plugins check` prints it
        return run  # type: ignore[return-value]  # same call as seen from outside

    return decorate


def _run(answer: Awaitable[Any]) -> None:
    import asyncio  # noqa: PLC0415 - sync checks need no loop

    async def main() -> None:
        await answer

    asyncio.run(main())


def fail(problem: str, *, cause: BaseException | None = None) -> NoReturn:
    """End the check: the plugin breaks its promise."""
    raise ConformanceError(REDACTOR.redact(problem)) from cause


def skip(reason: str) -> NoReturn:
    """End the check without a verdict: the author gave nothing to check it with."""
    raise unittest.SkipTest(reason)


def list_checks(kit: type[Conformance]) -> list[str]:
    """Names of the kit's checks and of the author's own test methods, in order of definition."""
    members = ((name, member) for cls in reversed(kit.__mro__) for name, member in vars(cls).items())
    return list(dict.fromkeys(name for name, member in members if name.startswith("test_") and callable(member)))


def run_checks(kit: type[Conformance]) -> Iterator[CheckResult]:
    """Run every check of `kit`, each on a fresh instance, and tell how it ended."""
    for name in list_checks(kit):
        yield run_check(kit, name)


def run_check(kit: type[Conformance], name: str) -> CheckResult:
    """Run one check."""
    method = getattr(kit(), name)
    title = (inspect.getdoc(method) or name.removeprefix("test_").replace("_", " ")).splitlines()[0].rstrip(".")
    fix = getattr(method, "fix", "")
    short = name.removeprefix("test_")
    try:
        answer = method()
        if inspect.isawaitable(answer):
            _run(answer)
    except unittest.SkipTest as error:
        return CheckResult(check=short, title=title, outcome="skipped", problem=str(error))
    except ConformanceError as error:
        return CheckResult(check=short, title=title, outcome="failed", problem=error.problem, fix=error.fix)
    except Exception as error:  # noqa: BLE001 - whatever a plugin raises is a finding
        problem = REDACTOR.redact(describe(error))
        return CheckResult(check=short, title=title, outcome="failed", problem=problem, fix=fix)
    return CheckResult(check=short, title=title, outcome="passed")
