"""A confined worker whose packages are links, as uv and Nix install them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from picsellia_jupyter.serving import confinement, linked, sandbox

ROOT = Path(__file__).parents[2]
CONFINED = """
import sys
from pathlib import Path
from picsellia_jupyter.serving import confinement
confinement.confine(confinement.rules("cpu", [], Path(sys.argv[1])))
import kept, kept.deep.inner, shared.one, shared.two
print(kept.WORD, kept.deep.inner.WORD, shared.one.WORD, shared.two.WORD)
try:
    open(sys.argv[2])
except PermissionError:
    print("the rest is closed")
"""


def write(path: Path, text: str = 'WORD = "read"\n') -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def stored(folder: Path) -> list[Path]:
    """Three wheels where an installer keeps them: a package, and two that share a namespace."""
    write(folder / "a" / "kept" / "__init__.py")
    write(folder / "a" / "kept" / "deep" / "inner.py")
    write(folder / "b" / "shared" / "one.py")
    write(folder / "c" / "shared" / "two.py")
    return [folder / name for name in "abc"]


def link_files(wheel: Path, site: Path) -> None:
    """As `uv pip install --link-mode=symlink`: real folders, each file a link."""
    for file in (path for path in wheel.rglob("*") if path.is_file()):
        link = site / file.relative_to(wheel)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(file)


def link_packages(wheel: Path, site: Path) -> None:
    """As Nix: links to whole packages where one wheel alone has them."""
    for package in wheel.iterdir():
        if package.name == "shared":
            link_files(wheel, site)
        else:
            (site / package.name).symlink_to(package)


@pytest.mark.skipif(confinement.support().kind != "full", reason=confinement.support().why)
@pytest.mark.parametrize("link", [link_files, link_packages])
def test_what_the_links_lead_to_can_be_imported_and_nothing_beside_it(tmp_path: Path, link):
    store, site = tmp_path / "store", tmp_path / "venv" / "lib" / "site-packages"
    site.mkdir(parents=True)
    secret = write(store / "secret", "canary")
    for wheel in stored(store):
        link(wheel, site)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    where = {"PYTHONPATH": os.pathsep.join([str(site), str(ROOT)])}

    done = subprocess.run(
        [sys.executable, "-c", CONFINED, scratch, secret],
        env=sandbox.environment(scratch, {**os.environ, **where}),
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["read read read read", "the rest is closed"]


def test_a_virtual_environment_that_is_itself_a_link_is_followed(tmp_path: Path):
    real = tmp_path / "real" / "site-packages"
    [wheel, *_] = stored(tmp_path / "store")
    real.mkdir(parents=True)
    link_packages(wheel, real)
    (tmp_path / "venv").symlink_to(tmp_path / "real")

    assert linked.targets([tmp_path / "venv" / "site-packages"]) == [wheel / "kept"]


def test_folders_that_are_none_of_packages_and_files_of_ones_own_lead_nowhere(tmp_path: Path):
    home = tmp_path / "home"
    write(home / "notes.py")
    site = tmp_path / "site-packages"
    package = site / "package"
    package.mkdir(parents=True)
    (package / "notes.py").symlink_to(home / "notes.py")
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "elsewhere").symlink_to(home)

    # The file, but not the folder that it lies in.
    assert linked.targets([site, tmp_path / "src", tmp_path / "missing" / "site-packages"]) == [
        home / "notes.py"
    ]


def test_an_ordinary_package_is_not_searched_through(tmp_path: Path):
    write(tmp_path / "site-packages" / "plain" / "__init__.py")
    deep = tmp_path / "site-packages" / "plain" / "deep"
    deep.mkdir()
    (deep / "link").symlink_to(tmp_path)

    assert linked.targets([tmp_path / "site-packages"]) == []
