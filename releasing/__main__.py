"""Build, look into, install and try what is to be released; nothing is published.

`python -m releasing` writes `build/release/`: both distributions, the bill of materials, the
licences. `--python 3.12` tries that Python alone.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import picsellia_jupyter
from releasing import audits, contents, installs, licences
from releasing.checks import BUILD, ROOT, Check, Verdict, ran


def main(arguments: Sequence[str] | None = None) -> int:
    """Make every check and say what came of it; 1 where one failed."""
    parser = argparse.ArgumentParser(prog="python -m releasing", description=__doc__)
    parser.add_argument("--python", action="append", choices=installs.PYTHONS)
    parser.add_argument("--tools", type=Path, default=ROOT / "build" / "tools" / "bin")
    given = parser.parse_args(arguments)
    found = []
    for check in _checks(given.python or installs.PYTHONS, given.tools):
        print(check, flush=True)
        found.append(check)
    count = {verdict: sum(one.verdict is verdict for one in found) for verdict in Verdict}
    said = ", ".join(f"{number} {verdict.value}" for verdict, number in count.items())
    print(f"release-check of {picsellia_jupyter.__version__}: {said}")
    return 1 if count[Verdict.FAILED] else 0


def _checks(pythons: Sequence[str], tools: Path) -> Iterator[Check]:
    version = picsellia_jupyter.__version__
    dist = BUILD / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    dist.mkdir(parents=True)
    built = ran([sys.executable, "-m", "build", "--no-isolation", "--outdir", dist])
    yield Check.of("build", [built.last_line] if built.status else [], "sdist, and wheel from it")
    if built.status:
        return
    [wheel], [sdist] = dist.glob("*.whl"), dist.glob("*.tar.gz")
    yield contents.of_sdist(sdist)
    yield contents.of_wheel(wheel, version)
    yield contents.of_changelog(version)
    yield licences.of_lab_extension()
    yield audits.of_javascript(Path(sys.executable).parent)
    known = installs.interpreters()
    tried = list[Check]()
    for python in pythons:
        tried.append(installs.of(python, known[python], wheel))
        yield tried[-1]
    failed = any(one.verdict is Verdict.FAILED for one in tried)
    yield from _of_environments(pythons, tools, failed=failed)


def _of_environments(pythons: Sequence[str], tools: Path, *, failed: bool) -> Iterator[Check]:
    """What is said of an environment is said of the fullest; they stay where one failed."""
    folders = [BUILD / f"py{python}" for python in pythons if (BUILD / f"py{python}/bin").is_dir()]
    if not folders:
        yield Check("SBOM, licences, audit", Verdict.NOT_ASKED, "no environment was made")
        return
    fullest = max(folders, key=lambda one: len(list(one.glob("lib/*/site-packages/*.dist-info"))))
    python = fullest / "bin" / "python"
    [packages] = fullest.glob("lib/python*/site-packages")
    yield audits.bill_of_materials(tools, python)
    yield licences.of_environment(tools, python)
    yield audits.of_python(tools, packages)
    for folder in folders:
        if not failed:
            shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main())
