"""Errors a user can act on: a fact with the offending value, then a remedy one can type.

PicselliaJupyterError
├── InvalidInputError        a value that was typed or passed cannot be used
│   ├── InvalidThresholdError
│   ├── InvalidImageError
│   └── InvalidPredictionError
├── NotFoundError            nothing has that name; the nearest one is suggested
├── ConflictError            something has that name already, or is in use
├── MissingExtraError        an optional part of the package is not installed
├── PlatformError            the platform refused, or answered something else
│   ├── PlatformUnreachableError
│   ├── AuthenticationError
│   └── QuotaSpentError
└── ServingError             a serving kernel or its worker failed
    ├── ModelLoadError
    └── NotServingError
        └── DeadlineError    it did not answer in the time it had
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence


class PicselliaJupyterError(Exception):
    """One sentence of fact, then one of remedy."""

    def __init__(self, fact: str, remedy: str = "") -> None:
        super().__init__(f"{fact} {remedy}".strip())
        self.fact = fact
        self.remedy = remedy

    def _render_traceback_(self) -> list[str]:
        """Have IPython show the message alone; `__cause__` keeps the rest."""
        return [line for line in (f"{type(self).__name__}: {self.fact}", self.remedy) if line]


class InvalidInputError(PicselliaJupyterError):
    """A value that was typed or passed cannot be used."""


class InvalidThresholdError(InvalidInputError):
    """A threshold outside [0, 1], or one where none applies."""


class InvalidImageError(InvalidInputError):
    """A file that is no image, or an image that cannot be predicted on."""


class InvalidPredictionError(InvalidInputError):
    """Arrays whose shapes do not fit, boxes upside down, numbers that are none."""


class NotFoundError(PicselliaJupyterError):
    """What was asked for is not there, or not any more."""

    @classmethod
    def named(
        cls, kind: str, name: str, known: Sequence[str], *, remedy: str = ""
    ) -> NotFoundError:
        """No `kind` is called `name`; the closest of `known` is suggested."""
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        if near:
            hint = f"Did you mean {near[0]!r}?"
        elif known:
            hint = f"Known: {', '.join(map(repr, known[:12]))}{' …' if len(known) > 12 else ''}."
        else:
            hint = f"There is no {kind} yet."
        return cls(f"There is no {kind} named {name!r}.", f"{hint} {remedy}".strip())


class ConflictError(PicselliaJupyterError):
    """Something has that name already, or is in use."""


class MissingExtraError(PicselliaJupyterError):
    """An optional part of the package is not installed."""

    def __init__(self, feature: str, module: str, extra: str) -> None:
        super().__init__(
            f"{feature} needs the package {module!r}, which is not installed here.",
            f"Install it with: pip install 'picsellia_jupyter[{extra}]'",
        )


class PlatformError(PicselliaJupyterError):
    """The platform refused, or answered something that cannot be used."""


class PlatformUnreachableError(PlatformError):
    """Nobody answers at the platform's address."""


class AuthenticationError(PlatformError):
    """The platform does not accept the token."""


class QuotaSpentError(PlatformError):
    """The organization has no MPU left (HTTP 402)."""


class ServingError(PicselliaJupyterError):
    """A serving kernel or its model worker failed; `log_tail` holds its last lines."""

    def __init__(self, fact: str, remedy: str = "", *, log_tail: Sequence[str] = ()) -> None:
        super().__init__(fact, remedy)
        self.log_tail = tuple(log_tail)

    def _render_traceback_(self) -> list[str]:
        shown = super()._render_traceback_()
        if self.log_tail:
            shown += ["", "Last lines of its log:", *(f"  {line}" for line in self.log_tail)]
        return shown


class PackageMissingError(ServingError):
    """The environment of a kernel lacks this package, or one that serving needs."""


class ModelLoadError(ServingError):
    """The model's files cannot be loaded, or its dry run failed."""


class NotServingError(ServingError):
    """The deployment has no serving kernel that answers."""


class DeadlineError(NotServingError):
    """It did not answer within the time that it was given."""


_HEADINGS = (
    "The following operation failed in the TorchScript interpreter.",
    "Graph execution error:",
)
"""What torch and TensorFlow say before a trace, at whose end the error itself stands."""


def first_line(error: BaseException) -> str:
    """What an error of somebody else's says first; its class where it says nothing."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    if lines[0] in _HEADINGS:
        return [line for line in lines if line[:1].strip()][-1]
    return lines[0]
