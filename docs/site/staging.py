"""Puts the site's sources together: our pages, the repository's own, and generated ones."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from docs.site import (
    api_page,
    command_page,
    errors_page,
    http_page,
    magics_page,
    nav,
    serving_json_page,
    tutorials,
)

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

GENERATED: Mapping[str, Callable[[], str]] = {
    "reference/magics": magics_page.page,
    "reference/command": command_page.page,
    "reference/api": api_page.page,
    "reference/serving-json": serving_json_page.page,
    "reference/http": http_page.page,
    "reference/errors": errors_page.page,
}
"""Pages that are made of the code that they are about."""

ROOT_PAGES: Mapping[str, str] = {
    "ARCHITECTURE.md": "architecture.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "README.md": "index.md",
    "benchmarks/RESULTS.md": "benchmarks.md",
}
"""Files outside of docs/ that are pages of the site, and where."""

_LINK = re.compile(r"(?P<text>!?\[(?:[^\]\[]|\[[^\]]*\])*\])\((?P<target>[^)\s]+)\)")
_FENCE = re.compile(r"^\s*(```|~~~)")


def stage(folder: Path) -> None:
    """Write all sources of the site into a folder, which is made anew."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copytree(DOCS / "images", folder / "images")
    for source in _own_pages():
        _write(
            folder, source.relative_to(DOCS).as_posix(), _linked(source.read_text("utf-8"), source)
        )
    for name, place in ROOT_PAGES.items():
        source = ROOT / name
        if source.exists() and place != "index.md":
            _write(folder, place, _linked(source.read_text("utf-8"), source))
    for place, page in GENERATED.items():
        _write(folder, f"{place}.md", page())
    for notebook in tutorials.notebooks(ROOT):
        text = tutorials.page(notebook, folder / "tutorial")
        source = ROOT / "notebooks" / notebook.name
        _write(folder, f"tutorial/{notebook.stem}.md", _linked(text, source))
    _add_navigation(folder)


def _own_pages() -> list[Path]:
    return [path for path in sorted(DOCS.rglob("*.md")) if "site" not in path.parts[-2:]]


def _add_navigation(folder: Path) -> None:
    present = {p.relative_to(folder).with_suffix("").as_posix() for p in folder.rglob("*.md")}
    index = folder / "index.md"
    index.write_text(f"{index.read_text('utf-8')}\n{nav.toctrees(present)}\n", encoding="utf-8")


def _write(folder: Path, place: str, text: str) -> None:
    target = folder / place
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")


def _linked(text: str, source: Path) -> str:
    """The text with its links as they are within the site."""
    place = staged_place(source)
    fenced = False
    lines = []
    for line in text.splitlines():
        if _FENCE.match(line):
            fenced = not fenced
        lines.append(line if fenced else _LINK.sub(lambda m: _relink(m, source, place), line))
    return "\n".join(lines) + "\n"


def _relink(found: re.Match[str], source: Path, place: str) -> str:
    target, _, anchor = found["target"].partition("#")
    if not target or "://" in target or target.startswith("mailto:"):
        return found[0]
    there = staged_place((source.parent / target).resolve())
    if not there:
        # A file of the repository that is no page: its name stands, without a link.
        return found["text"][1:-1]
    up = "../" * place.count("/")
    return f"{found['text']}({up}{there}{'#' + anchor if anchor else ''})"


def staged_place(source: Path) -> str:
    """Where a file of the repository lies within the site; empty where it does not."""
    if source.is_relative_to(ROOT / "notebooks") and source.suffix == ".ipynb":
        return f"tutorial/{source.stem}.md"
    if source.is_relative_to(DOCS):
        return source.relative_to(DOCS).as_posix()
    if source.is_relative_to(ROOT):
        return ROOT_PAGES.get(source.relative_to(ROOT).as_posix(), "")
    return ""
