"""Known vulnerabilities and a bill of materials; what cannot be asked is said, not passed."""

from __future__ import annotations

import json
import re
from pathlib import Path

from releasing.checks import BUILD, ROOT, Check, Ran, Verdict, ran

_AWAY = re.compile(
    r"ConnectionError|Max retries|Connection ?refused|getaddrinfo|ENOTFOUND|ECONNREFUSED|ETIMEDOUT|"
    r"timed? ?out|Name or service|ServiceError|RequestError|HTTPError|Proxy|Bad Gateway|Forbidden|"
    r"Not Found|Internal Error|YN0035|YN0001.*Error|certificate",
    re.IGNORECASE,
)


def of_python(tools: Path, packages: Path) -> Check:
    """`pip-audit` over what a user's environment holds."""
    target = BUILD / "audit.json"
    target.unlink(missing_ok=True)
    done = ran(
        [tools / "pip-audit", "--path", packages, "--format=json", "--output", target,
         "--progress-spinner=off", "--timeout=20"],
        limit_s=600,
    )  # fmt: skip
    if not target.exists():
        return (_away if _found_nothing(done) else _failed)("pip-audit", done)
    found = json.loads(target.read_text(encoding="utf-8"))["dependencies"]
    faults = [
        f"{one['name']} {one['version']}: {', '.join(hole['id'] for hole in one['vulns'])}"
        for one in found
        if one.get("vulns")
    ]
    return Check.of("pip-audit", faults, f"{len(found)} packages, none with a known hole")


def of_javascript(bin_folder: Path) -> Check:
    """`jlpm npm audit` over what is bundled for users."""
    done = ran(
        [bin_folder / "jlpm", "npm", "audit", "--environment", "production", "--json"],
        cwd=ROOT / "labextension", limit_s=120,
    )  # fmt: skip
    if done.status == 0:
        return Check("npm audit", Verdict.PASSED, "no known hole in what is bundled")
    return _away("npm audit", done) if _found_nothing(done) else _failed("npm audit", done)


def bill_of_materials(tools: Path, python: Path) -> Check:
    """A CycloneDX bill of what a user's environment holds, in `build/release/sbom.cdx.json`."""
    target = BUILD / "sbom.cdx.json"
    done = ran(
        [
            tools / "cyclonedx-py",
            "environment",
            "--output-reproducible",
            "--of",
            "JSON",
            "-o",
            target,
            python,
        ]
    )
    if done.status:
        return _failed("SBOM", done)
    parts = json.loads(target.read_text(encoding="utf-8")).get("components", [])
    faults = [] if len(parts) > 50 else [f"only {len(parts)} components"]
    return Check.of("SBOM", faults, f"{target.relative_to(ROOT)}: {len(parts)} components")


def _found_nothing(done: Ran) -> bool:
    return done.status != 0 and _AWAY.search(done.said) is not None


def _away(name: str, done: Ran) -> Check:
    said = next((line for line in done.said.splitlines() if _AWAY.search(line)), done.last_line)
    return Check(name, Verdict.NOT_ASKED, f"nobody could be asked: {said.strip()[:120]}")


def _failed(name: str, done: Ran) -> Check:
    return Check(name, Verdict.FAILED, done.last_line[:160])
