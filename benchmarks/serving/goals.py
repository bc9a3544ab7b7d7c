"""The goals, each held or missed with its figure."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Goal:
    """One comparison."""

    name: str
    what: str
    seen: float
    bound: float
    at_least: bool = True
    unit: str = ""
    beside: str = ""
    """What others take for the same, in words; empty where nobody is measured beside."""

    @property
    def held(self) -> bool:
        """Whether it holds."""
        return self.seen >= self.bound if self.at_least else self.seen <= self.bound

    def __str__(self) -> str:
        sign = ">=" if self.at_least else "<="
        verdict = "held  " if self.held else "MISSED"
        # `benchmarks/results.py` reads these lines.
        return (
            f"{self.name:<3} {verdict} {self.what}: {self.seen:.2f}{self.unit} "
            f"(goal {sign} {self.bound:g}{self.unit})" + (f"; {self.beside}" if self.beside else "")
        )


@dataclass(slots=True)
class Goals:
    """Those that were measured, and why others were not."""

    measured: list[Goal] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    reasons: dict[str, str] = field(default_factory=dict)
    """By a goal's name, why it is out of reach; told where it is missed."""

    def at_least(
        self, name: str, what: str, seen: float, bound: float, unit: str = "", *, beside: str = ""
    ) -> None:
        """More is better."""
        self.measured.append(Goal(name, what, seen, bound, unit=unit, beside=beside))

    def at_most(
        self, name: str, what: str, seen: float, bound: float, unit: str = "", *, beside: str = ""
    ) -> None:
        """Less is better."""
        self.measured.append(
            Goal(name, what, seen, bound, at_least=False, unit=unit, beside=beside)
        )

    @property
    def held(self) -> bool:
        """Whether all that were measured hold."""
        return all(goal.held for goal in self.measured)

    def show(self) -> None:
        """Print them."""
        for goal in self.measured:
            print(goal)
        for name in dict.fromkeys(goal.name for goal in self.measured if not goal.held):
            if name in self.reasons:
                print(f"{name:<4}why    {self.reasons[name]}")
        for why in self.left_out:
            print(f"not measured: {why}")
