"""What runs on this machine for us, and what should not be there any more."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RunningKernel:
    """A serving kernel of this machine."""

    kernel_id: str
    title: str
    """What it serves, in words; empty before it serves."""
    deployment_id: str | None
    pid: int
    address: str
    workers: int
    idle_s: float | None
    """It ends after so many seconds without a request; None never."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is left over, or not as it should be."""

    what: str
    """A sentence with the process, the file or the deployment in it."""
    remedy: str
    """What can be typed or done."""
    fixed: bool = False
    """Whether it was put right."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The serving kernels that run, and everything that is amiss."""

    kernels: tuple[RunningKernel, ...]
    findings: tuple[Finding, ...]
