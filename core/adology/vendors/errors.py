"""What a vendor's answer can mean beyond the common errors.

::

    Terminal
    ├── RefusedError          the model does not want to
    ├── IncompleteError       the answer ends early; `reason` says why
    └── UnusableAnswerError   an answer came and was paid for, and it is not what was asked for
"""

from __future__ import annotations

from typing import ClassVar

from adology.errors import AdologyError, Terminal


class RefusedError(Terminal):
    """The model refused to answer about this item. The call was paid for."""

    code: ClassVar[str] = "ADO-3201"


class IncompleteError(Terminal):
    """The answer was cut off; `reason` is the vendor's: max_output_tokens, content_filter. It was paid for."""

    code: ClassVar[str] = "ADO-3202"

    def __init__(self, message: str, /, *, reason: str, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.reason = reason


class UnusableAnswerError(Terminal):
    """The answer is not of the shape that was asked for. It was paid for, and another would be too."""

    code: ClassVar[str] = "ADO-3203"


class AnswerLostError(TimeoutError):
    """A request went out and no usable answer came back: the vendor may have charged for it.

    A TimeoutError, so that the ledger keeps the estimate. Never leaves this package: `because` does.
    """

    def __init__(self, because: AdologyError) -> None:
        super().__init__(str(because))
        self.because = because
