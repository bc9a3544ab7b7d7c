"""The goals that benchmarks print, as one table."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import psutil

_GOAL = re.compile(
    r"^(?P<name>\S+) +(?P<verdict>held|MISSED) +(?P<what>.*): "
    r"(?P<seen>-?[\d.]+|inf|nan)(?P<unit>.*?)"
    r" \(goal (?P<goal>[<>]= [^)]*)\)(?:; (?P<beside>.*))?$"
)
_WHY = re.compile(r"^(?P<name>\S+) +why +(?P<why>.*)$")
_LEFT_OUT = "not measured: "
_SHOWN = (
    "numpy", "pillow", "torch", "onnxruntime", "starlette", "uvicorn", "sqlalchemy", "jupyterlab",
    "ipykernel", "picsellia", "hotcoco", "pycocotools", "matplotlib",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Said:
    """What one benchmark printed, and how it ended."""

    name: str
    text: str
    status: int
    """Its exit status: 0 where all goals hold, 1 where one is missed."""
    seconds: float

    @property
    def goals(self) -> list[re.Match[str]]:
        """The lines that are goals."""
        return [found for line in self.text.splitlines() if (found := _GOAL.match(line))]

    @property
    def missed(self) -> int:
        """How many goals were missed."""
        return sum(one["verdict"] != "held" for one in self.goals)

    @property
    def is_broken(self) -> bool:
        """Whether it ended otherwise than by saying which goals hold."""
        return (
            not self.goals or self.status not in (0, 1) or (self.status == 1) != bool(self.missed)
        )


def table(said: Sequence[Said], *, date: str, quick: bool) -> str:
    """All goals in Markdown, with what falls short and what was not measured said in words."""
    rows = [row for one in said for row in _rows(one)]
    return "\n".join(
        [
            "# Results of the benchmarks",
            "",
            f"{date}, picsellia_jupyter {_version('picsellia_jupyter')}. {machine()}.",
            f"Made by `python -m benchmarks{' --quick' if quick else ''}`, one benchmark after the "
            "other; what each measures stands at the head of its module.",
            "",
            summary(said),
            "",
            "| benchmark | what | ours | goal | held | peers |",
            "|---|---|---:|---:|---|---|",
            *rows,
            "",
            *_notes(said),
            "## Versions",
            "",
            ", ".join(f"{name} {_version(name)}" for name in _SHOWN) + ".",
            "",
        ]
    )


def summary(said: Sequence[Said]) -> str:
    """One line: how many goals there are, and what falls short."""
    goals = [goal for one in said for goal in one.goals]
    missed = [goal["what"] for goal in goals if goal["verdict"] != "held"]
    broken = [one.name for one in said if one.is_broken]
    minutes = sum(one.seconds for one in said) / 60
    parts = [f"{len(goals) - len(missed)} of {len(goals)} goals held in {minutes:.1f} minutes"]
    parts += [f"FALLS SHORT: {'; '.join(missed)}"] if missed else []
    parts += [f"BROKE OFF: {', '.join(broken)}"] if broken else []
    return ". ".join(parts) + "."


def machine() -> str:
    """The machine, its load included."""
    model = next(iter(re.findall(r"model name\s*:\s*(.+)", _cpuinfo())), platform.machine())
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"{os.cpu_count()} cores of {model}, {memory:.0f} GiB, {platform.system()}, "
        f"Python {platform.python_version()}, load {os.getloadavg()[0]:.1f} at the end"
    )


def _rows(said: Said) -> Iterator[str]:
    for goal in said.goals:
        held = "yes" if goal["verdict"] == "held" else "**NO**"
        cells = (
            f"{said.name} {goal['name']}", goal["what"], f"{goal['seen']}{goal['unit']}",
            goal["goal"], held, goal["beside"] or "",
        )  # fmt: skip
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _notes(said: Sequence[Said]) -> list[str]:
    notes = list[str]()
    for one in said:
        lines = one.text.splitlines()
        reasons = [found for line in lines if (found := _WHY.match(line))]
        notes += [f"- {one.name} {found['name']} falls short: {found['why']}" for found in reasons]
        left = (line.removeprefix(_LEFT_OUT) for line in lines if line.startswith(_LEFT_OUT))
        notes += [f"- {one.name}, not measured: {why}" for why in left]
        if one.is_broken:
            notes.append(f"- {one.name} broke off (exit status {one.status}); see its output")
    return ["## What falls short, and what was not measured", "", *notes, ""] if notes else []


def _cpuinfo() -> str:
    path = Path("/proc/cpuinfo")
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"
