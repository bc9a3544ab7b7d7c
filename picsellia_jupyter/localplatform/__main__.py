"""The local platform as a program: `python -m picsellia_jupyter.localplatform --json`."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from picsellia_jupyter.domain.errors import PicselliaJupyterError
from picsellia_jupyter.settings import Settings

EXIT_OWNED_BY_ANOTHER = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve a data directory in the foreground.

    Returns:
        0 after a clean stop, 3 where another process serves that directory already (its
        address is printed instead), 1 where it cannot start.
    """
    args = _parser().parse_args(arguments)
    home = (args.home or Settings.from_environment().home).expanduser().resolve()
    os.umask(0o077)
    try:
        return _own(home, args)
    except PicselliaJupyterError as error:
        print(f"{error.fact} {error.remedy}".strip(), file=sys.stderr)  # noqa: T201 - a program
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="picsellia-jupyter platform run", description="Serve the local platform."
    )
    parser.add_argument("--home", type=Path, help="data directory (default: the user's own)")
    parser.add_argument(
        "--port", type=int, default=0, help="0 takes the last one again, or any free one"
    )
    parser.add_argument(
        "--database", metavar="URL", help="postgresql://USER@HOST/NAME; kept from then on"
    )
    parser.add_argument(
        "--storage-form",
        choices=("azure", "google", "minio"),
        default="azure",
        help="how the SDK uploads: in one piece, in ranges, or in parts",
    )
    parser.add_argument("--json", action="store_true", help="print where it answers as JSON")
    parser.add_argument(
        "--idle-exit", type=float, metavar="SECONDS", help="stop after so long without a request"
    )
    return parser


def _own(home: Path, args: argparse.Namespace) -> int:
    from picsellia_jupyter.localplatform.home import own, owner_address, usable

    with usable(home):
        lock = own(home)
    if lock is None:
        _announce(owner_address(home).line(), as_json=args.json)
        return EXIT_OWNED_BY_ANOTHER
    try:
        _serve(home, args)
    finally:
        lock.let_go()
    return 0


def _serve(home: Path, args: argparse.Namespace) -> None:
    from picsellia_jupyter.localplatform.app import build_app
    from picsellia_jupyter.localplatform.bootstrap import address_of, open_platform
    from picsellia_jupyter.localplatform.home import (
        process_start,
        read_address,
        sign_off,
        usable,
        write_address,
    )
    from picsellia_jupyter.localplatform.housekeeping import Housekeeping, chores, errands
    from picsellia_jupyter.localplatform.server import listening_socket, run

    with usable(home):
        last = read_address(home)
        platform, token = open_platform(
            home,
            token=last.token if last else None,
            clock=time.time,
            started_at=process_start(),
            database=args.database,
        )
    platform.storage_form = args.storage_form
    with listening_socket(args.port, last.port if last else 0) as listener:
        address = address_of(platform, token, port=listener.getsockname()[1])

        def answering() -> None:
            with usable(home):
                write_address(home, address)
            _announce(address.line(), as_json=args.json, host=address.host)

        try:
            with Housekeeping(chores(platform)), Housekeeping(errands(platform)):
                run(build_app(platform), listener, platform, answering, idle_exit_s=args.idle_exit)
        finally:
            platform.store.close()
            with usable(home):
                sign_off(home, address)


def _announce(line: str, *, as_json: bool, host: str = "") -> None:
    if as_json:
        print(line, flush=True)  # noqa: T201 - what whoever started this program waits for
    else:
        where = f" at {host}" if host else " already; add --json to see where"
        print(f"The local platform answers{where}.", flush=True)  # noqa: T201 - a program


if __name__ == "__main__":
    sys.exit(main())
