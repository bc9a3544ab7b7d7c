"""The unmodified SDK with much to do; prints what it saw as one JSON object.

Run in a process of its own: `python scale_driver.py files|data HOST TOKEN FOLDER`.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

from picsellia import Client

MIB = 2**20


def sha256(path: Path) -> str:
    seen = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(MIB):
            seen.update(chunk)
    return seen.hexdigest()


def made(path: Path, size: int) -> Path:
    """A file in which no two blocks are the same."""
    with path.open("wb") as stream:
        for number in range(size // MIB):
            stream.write(hashlib.sha256(str(number).encode()).digest() * (MIB // 32))
        stream.write(b"e" * (size % MIB))
    return path


def files(client: Client, folder: Path) -> dict:
    version = client.create_model("large").create_version(type="CLASSIFICATION")
    sums = {}
    # The first one warms everything up that the large one needs.
    for name, size in (("small", MIB), ("middle", 26 * MIB), ("large", 200 * MIB + 7)):
        path = made(folder / f"{name}.onnx", size)
        print(name, flush=True)
        sys.stdin.readline()
        stored = version.store(name, str(path))
        (folder / "back").mkdir(exist_ok=True)
        stored.download(str(folder / "back"))
        back = folder / "back" / path.name
        sums[name] = sha256(path) == sha256(back) and back.stat().st_size == size
        path.unlink()
        back.unlink()
    return sums


def data(client: Client, folder: Path) -> dict:
    lake = client.get_datalake()
    plain = [str(one.id) for one in lake.list_data()]
    ordered = [one.filename for one in lake.list_data(order_by=["filename"])]
    return {
        "plain": len(plain),
        "distinct": len(set(plain)),
        "ordered": len(ordered),
        "in order": ordered == sorted(set(ordered)),
    }


def main() -> None:
    what, host, token, folder = sys.argv[1:]
    client = Client(api_token=token, host=host)
    seen = {"files": files, "data": data}[what](client, Path(folder))
    print(json.dumps(seen), flush=True)


if __name__ == "__main__":
    main()
