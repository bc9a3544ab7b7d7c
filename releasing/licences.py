"""Under what licences everything is that users install."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from releasing.checks import BUILD, ROOT, Check, Verdict, ran

DENIED = re.compile(
    r"AGPL|Affero|Business Source|\bBSL-1\.1|\bBUSL|Elastic|SSPL|Server Side Public|"
    r"Commons Clause|Non-?Commercial|CC-BY-NC|Confluent Community|Prosperity|PolyForm",
    re.IGNORECASE,
)
"""Licences that forbid what users do, or ask of a service to publish its own source."""
UNKNOWN = ("UNKNOWN", "")
KNOWN: Mapping[str, str] = {
    "picsellia": "MIT (its metadata names none; so does its repository)",
}
"""Read by a person, where the metadata says nothing."""


def of_environment(tools: Path, python: Path) -> Check:
    """List the licences of an environment into `build/release/licences.json`, and refuse some."""
    target = BUILD / "licences.json"
    done = ran(
        [tools / "pip-licenses", f"--python={python}", "--format=json", "--with-system",
         "--with-urls", f"--output-file={target}"]
    )  # fmt: skip
    if done.status:
        return Check("licences", Verdict.FAILED, done.last_line)
    packages = json.loads(target.read_text(encoding="utf-8"))
    said = {one["Name"]: str(one["License"]) for one in packages}
    return _judged("licences", said)


def of_lab_extension() -> Check:
    """The licences of what is bundled into the Lab extension, as its build wrote them down."""
    [path] = (ROOT / "picsellia_jupyter" / "labextension").rglob("third-party-licenses.json")
    packages = json.loads(path.read_text(encoding="utf-8"))["packages"]
    said = {one["name"]: str(one.get("licenseId") or "") for one in packages}
    return _judged("licences in JavaScript", said)


def _judged(name: str, said: Mapping[str, str]) -> Check:
    denied = [f"{one}: {licence}" for one, licence in said.items() if DENIED.search(licence)]
    unknown = [
        f"{one} names none"
        for one, licence in said.items()
        if licence in UNKNOWN and one not in KNOWN
    ]
    counted = Counter(licence for licence in said.values()).most_common(4)
    seen = ", ".join(f"{count} {licence[:40]}" for licence, count in counted)
    return Check.of(name, denied + unknown, f"{len(said)} packages, none denied: {seen}, …")
