"""Follows every link of a built site that stays within it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


@dataclass
class _Seen(HTMLParser):
    links: list[str] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note where a tag leads, what it fetches, and what it is called."""
        given = {name: value or "" for name, value in attrs}
        self.anchors.update(given[name] for name in ("id", "name") if name in given)
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag in ("img", "script", "source", "iframe") and "src" in given:
            self.fetched.append(given["src"])
        elif tag == "link" and given.get("rel") in ("stylesheet", "icon", "preload"):
            self.fetched.append(given["href"])


def broken_links(site: Path) -> list[str]:
    """What is wrong with a site's links, a sentence each.

    Links that lead nowhere within it, and what a page fetches from elsewhere.
    """
    return [
        f"{page.relative_to(site)}: {said}"
        for page in sorted(site.rglob("*.html"))
        for said in _broken_on(page)
    ]


def _broken_on(page: Path) -> Iterator[str]:
    seen = _read(page)
    for address in seen.fetched:
        if urlsplit(address).scheme in ("http", "https") or address.startswith("//"):
            yield f"fetches {address}, which is elsewhere."
    for address in (*seen.links, *seen.fetched):
        parts = urlsplit(address)
        if parts.scheme or address.startswith("//"):
            continue
        target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
        if not target.exists():
            yield f"{address} leads nowhere."
        elif parts.fragment and target.suffix == ".html" and not _has(target, parts.fragment):
            yield f"{address}: there is no such heading."


def _has(page: Path, anchor: str) -> bool:
    return unquote(anchor) in _read(page).anchors


@cache
def _read(page: Path) -> _Seen:
    seen = _Seen()
    seen.feed(page.read_text(encoding="utf-8"))
    return seen
