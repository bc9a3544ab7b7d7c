"""The order of the pages; one that is not there yet is left out."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

NAVIGATION: dict[str, tuple[str, ...]] = {
    "Tutorial": (
        "tutorial/01_deploy",
        "tutorial/02_monitor",
        "tutorial/03_review_and_retrain",
        "tutorial/04_remote_gpu",
        "tutorial/05_cloud",
        "tutorial/train_digits",
    ),
    "How-to guides": (
        "howto/register",
        "howto/yolo",
        "howto/keras",
        "howto/torchvision",
        "howto/remote-gpu",
        "howto/jupyterhub",
        "howto/ray",
        "howto/team",
        "howto/datalakes",
        "howto/monitoring-only",
        "own-infrastructure",
        "predictions",
        "monitoring",
        "howto/alerts",
        "review",
        "retraining",
        "promotion",
        "usage",
        "howto/cloud",
        "cloud-checklist",
    ),
    "Reference": (
        "reference/magics",
        "reference/command",
        "reference/api",
        "reference/settings",
        "reference/compatibility",
        "models",
        "reference/serving-json",
        "reference/errors",
        "metrics",
        "serving",
        "reference/http",
        "performance",
        "benchmarks",
    ),
    "Explanation": (
        "explanation/strategies",
        "explanation/walks",
        "explanation/durability",
        "explanation/security",
        "explanation/numbers",
        "explanation/comparisons",
        "architecture",
    ),
    "Project": ("contributing", "changelog"),
}


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the navigation."""

    title: str
    pages: tuple[str, ...]


def sections(present: Collection[str]) -> Iterator[Section]:
    """The parts with the pages that are there; those nobody has placed come under "More".

    Args:
        present: every page by its path without `.md`.
    """
    placed = {"index"}
    for title, pages in NAVIGATION.items():
        there = tuple(page for page in pages if page in present)
        placed.update(there)
        if there:
            yield Section(title, there)
    left = tuple(sorted(set(present) - placed))
    if left:
        yield Section("More", left)


def toctrees(present: Collection[str]) -> str:
    """The navigation as MyST directives, which show nothing on their page."""
    return "\n".join(
        "\n".join(
            ("```{toctree}", ":hidden:", f":caption: {section.title}", "", *section.pages, "```")
        )
        for section in sections(present)
    )
