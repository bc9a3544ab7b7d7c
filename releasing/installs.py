"""The wheel in a fresh environment of each Python, and the smoke journey from there."""

from __future__ import annotations

import re
import shutil
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

from releasing.checks import BUILD, ROOT, Check, Verdict, ran

PYTHONS = ("3.10", "3.11", "3.12", "3.13")
EXTRAS = ("serving", "platform", "monitoring", "training", "lab")
_SMOKE = Path(__file__).with_name("smoke.py")


def interpreters() -> dict[str, Path | None]:
    """Where each Python that is promised is found here; None where it is not."""
    return {version: _found(version) for version in PYTHONS}


def of(version: str, interpreter: Path | None, wheel: Path) -> Check:
    """Install a wheel for one Python as a user does, without Node, and run the journey."""
    name = f"Python {version}"
    if interpreter is None:
        return Check(name, Verdict.NOT_ASKED, "no such interpreter here")
    folder = BUILD / f"py{version}"
    shutil.rmtree(folder, ignore_errors=True)
    if (made := ran([interpreter, "-m", "venv", folder])).status:
        return Check(name, Verdict.FAILED, made.last_line[:160])
    left_out = () if _has_torch(version) else ("torch",)
    installed = ran(_install(folder, wheel, left_out), limit_s=1800)
    if installed.status:
        errors = re.findall(r"^ERROR: (.*)", installed.said, re.MULTILINE) or [installed.last_line]
        return Check(name, Verdict.FAILED, errors[-1][:200])
    return _journey(name, folder, left_out)


def _journey(name: str, folder: Path, left_out: tuple[str, ...]) -> Check:
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    shutil.copy(_SMOKE, elsewhere)
    # No Node, no checkout, no environment of ours: what is here is what a user has.
    given = {"PATH": str(folder / "bin"), "HOME": str(elsewhere), "LANG": "C.UTF-8"}
    done = ran([folder / "bin" / "python", _SMOKE.name], cwd=elsewhere, env=given, limit_s=300)
    (folder / "smoke.log").write_text(done.said, encoding="utf-8")
    but = f" (without {', '.join(left_out)})" if left_out else ""
    seen = re.findall(r"^smoke: (.*)", done.said, re.MULTILINE)
    if done.status or not seen:
        log = f"build/release/{folder.name}/smoke.log"
        return Check(name, Verdict.FAILED, f"{done.last_line[:160]}; see {log}")
    return Check(name, Verdict.PASSED, seen[-1] + but)


def _install(folder: Path, wheel: Path, left_out: tuple[str, ...]) -> list[str | Path]:
    pip: list[str | Path] = [folder / "bin" / "python", "-m", "pip", "install", "-q"]
    pip += ["--disable-pip-version-check", "--constraint", ROOT / "constraints.txt"]
    if not left_out:
        return [*pip, f"{wheel}[all]"]
    wanted = [one for one in needed(wheel) if not one.startswith(left_out)]
    return [*pip, wheel, *wanted]


def needed(wheel: Path) -> list[str]:
    """What the wheel asks for with its extra `all`, requirement by requirement."""
    with zipfile.ZipFile(wheel) as archive:
        [name] = (one for one in archive.namelist() if one.endswith(".dist-info/METADATA"))
        said = Parser().parsestr(archive.read(name).decode("utf-8"))
    found = []
    for line in said.get_all("Requires-Dist") or ():
        requirement, _, marker = line.partition(";")
        extra = re.search(r"extra == ['\"](\w+)['\"]", marker)
        if not marker or (extra and extra[1] in EXTRAS):
            found.append(requirement.strip())
    return found


def declared(root: Path) -> list[str]:
    """The same as `pyproject.toml` says it."""
    import tomllib  # type: ignore[import-not-found]  # from Python 3.11 on

    with (root / "pyproject.toml").open("rb") as stream:
        project = tomllib.load(stream)["project"]
    extras = (project["optional-dependencies"][name] for name in EXTRAS)
    return [*project["dependencies"], *(one for extra in extras for one in extra)]


def _has_torch(version: str) -> bool:
    """Whether torch is put in: for this Python, which has it already. The others' is gigabytes."""
    return version == f"{sys.version_info[0]}.{sys.version_info[1]}"


def _found(version: str) -> Path | None:
    if version == f"{sys.version_info[0]}.{sys.version_info[1]}":
        return Path(sys.executable)
    on_path = shutil.which(f"python{version}")
    if on_path and ran([on_path, "-c", "import venv, ensurepip"]).status == 0:
        return Path(on_path)
    homes = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
    return homes[-1] if homes else None
