"""Build the site: `python -m docs.site`; warnings and broken links are errors."""

from __future__ import annotations

import sys
from pathlib import Path

from docs.site.links import broken_links
from docs.site.staging import ROOT, stage


def build(staged: Path, site: Path) -> int:
    """Stage the pages, build them as HTML, and follow every link within.

    Args:
        staged: folder for the sources; made anew.
        site: folder for the HTML.

    Returns:
        An exit status: 0 where nothing was wrong.
    """
    from sphinx.cmd.build import build_main

    stage(staged)
    options = ["-b", "html", "-W", "--keep-going", "-q", "-T", "-j", "2"]
    status = build_main([*options, "-c", str(Path(__file__).parent), str(staged), str(site)])
    broken = broken_links(site)
    for link in broken:
        sys.stderr.write(f"{link}\n")
    return status or (1 if broken else 0)


if __name__ == "__main__":
    outcome = build(ROOT / "build" / "docs", ROOT / "build" / "site")
    if outcome == 0:
        sys.stdout.write(f"The documentation is at {ROOT / 'build' / 'site' / 'index.html'}\n")
    sys.exit(outcome)
