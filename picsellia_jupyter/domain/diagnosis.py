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


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that a bug report tells."""

    part: str
    """What it belongs to: `Versions`, `Platform`, `Ports`, …"""
    name: str
    value: str
    remedy: str = ""
    """What can be typed or done about it; empty where nothing is amiss."""


@dataclass(frozen=True, slots=True)
class BugReport:
    """What one must know of a machine to tell why something fails there; without secrets."""

    facts: tuple[Fact, ...]

    @property
    def amiss(self) -> tuple[Fact, ...]:
        """The facts that something can be done about."""
        return tuple(fact for fact in self.facts if fact.remedy)
