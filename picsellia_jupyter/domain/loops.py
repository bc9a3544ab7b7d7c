"""The retraining pipeline of a deployment, part by part."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from picsellia_jupyter.domain.errors import NotFoundError


class Part(str, Enum):
    """A part of the pipeline that can be paused."""

    FEEDBACK_LOOP = "feedback_loop"
    """Submitted reviews go into dataset versions."""
    CONTINUOUS_TRAINING = "continuous_training"
    """A new version is trained once there are enough of them."""
    CONTINUOUS_DEPLOYMENT = "continuous_deployment"
    """A newly trained version is deployed."""

    @classmethod
    def named(cls, name: str) -> Part:
        """The part of a name.

        Raises:
            NotFoundError: there is none.
        """
        try:
            return cls(name)
        except ValueError:
            raise NotFoundError.named("pipeline part", name, [one.value for one in cls]) from None

    @property
    def title(self) -> str:  # type: ignore[override]
        """The part as the platform's pages call it."""
        return self.value.replace("_", " ").capitalize()


Loop = Mapping[Part, "bool | None"]
"""Whether each part runs; None where it is not set up."""
