"""Where a model runs, and how precisely it reckons."""

from __future__ import annotations

import re
from dataclasses import dataclass

from picsellia_jupyter.domain.errors import InvalidInputError

AUTO = "auto"
MOST_WORKERS = 16
PRECISIONS = (AUTO, "fp32", "fp16", "bf16")

_DEVICE = re.compile(r"auto|cpu|cuda(:\d{1,3})?")


@dataclass(frozen=True, slots=True)
class Compute:
    """What a model is to run on."""

    device: str = AUTO
    """`auto`, `cpu`, `cuda` or `cuda:N`; `auto` is the first GPU, or the CPU without one."""
    precision: str = AUTO
    """`auto`, `fp32`, `fp16` or `bf16`; `auto` is less than fp32 only where the device gains."""

    workers: int | None = None
    """Model workers, which share the device; None for as many as usually pay."""

    @classmethod
    def parse(
        cls, device: str | None, precision: str | None, workers: int | None = None
    ) -> Compute:
        """Read all as they are typed; None is `auto`.

        Raises:
            InvalidInputError: one of them is none that there is.
        """
        device, precision = (device or AUTO).lower(), (precision or AUTO).lower()
        if not _DEVICE.fullmatch(device):
            raise InvalidInputError(
                f"There is no device {device!r}.",
                "Use auto, cpu, cuda or cuda:N, as in --device cuda:0.",
            )
        if precision not in PRECISIONS:
            raise InvalidInputError(
                f"There is no precision {precision!r}.",
                f"Use one of: {', '.join(PRECISIONS)}, as in --precision fp16.",
            )
        if workers is not None and not 1 <= workers <= MOST_WORKERS:
            raise InvalidInputError(
                f"There cannot be {workers} model workers.",
                f"Use 1 to {MOST_WORKERS}, as in --workers 2.",
            )
        return cls(device, precision, workers)

    def words(self) -> list[str]:
        """What `%deploy` is told of it; nothing where it is left to the default."""
        said = {"--device": self.device, "--precision": self.precision}
        words = [f"{option} {value}" for option, value in said.items() if value != AUTO]
        return words if self.workers is None else [*words, f"--workers {self.workers}"]


DEFAULT = Compute()
