"""Upkeep as a program: `python -m picsellia_jupyter.localplatform.upkeep check --home DIR`."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy.exc import DatabaseError

from picsellia_jupyter.domain.errors import PicselliaJupyterError
from picsellia_jupyter.localplatform.backups import Report, backup, check, check_backup, restore

EXIT_PROBLEMS = 4


def main(arguments: Sequence[str] | None = None) -> int:
    """Back up, restore or check.

    Returns:
        0 where all is well, 4 where something is missing or damaged, 1 where it cannot be done.
    """
    args = _parser().parse_args(arguments)
    os.umask(0o077)
    try:
        report: Report = args.run(args)
    except PicselliaJupyterError as error:
        sys.stderr.write(f"{error.fact} {error.remedy}".strip() + "\n")
        return 1
    except DatabaseError as error:
        sys.stderr.write(f"The database cannot be read ({error.orig}). Restore a backup of it.\n")
        return EXIT_PROBLEMS
    if args.json:
        sys.stdout.write(json.dumps(dataclasses.asdict(report)) + "\n")
    else:
        lines = [f"{args.done}: {report.rows} rows, {report.blobs} blobs.", *report.notes]
        sys.stdout.write("\n".join(lines) + "\n")
        sys.stderr.writelines(f"{problem}\n" for problem in report.problems)
    return EXIT_PROBLEMS if report.problems else 0


def _parser() -> argparse.ArgumentParser:
    home = argparse.ArgumentParser(add_help=False)
    home.add_argument("--home", type=_directory, required=True, help="data directory")
    home.add_argument("--json", action="store_true", help="print one JSON line")
    parser = argparse.ArgumentParser(prog="picsellia-jupyter platform", description=__doc__)
    verbs = parser.add_subparsers(required=True, metavar="VERB")

    one = verbs.add_parser("backup", parents=[home], help="write everything to one file")
    one.add_argument("file", type=_file)
    one.set_defaults(run=lambda args: backup(args.home, args.file), done="Backed up")

    one = verbs.add_parser("restore", parents=[home], help="fill an empty data directory")
    one.add_argument("file", type=_file)
    one.add_argument("--database", metavar="URL", help="postgresql://USER@HOST/NAME")
    one.set_defaults(
        run=lambda args: restore(args.home, args.file, database=args.database), done="Restored"
    )

    one = verbs.add_parser("check", parents=[home], help="look whether everything is whole")
    one.add_argument("file", type=_file, nargs="?", help="a backup; else the data directory")
    one.set_defaults(
        run=lambda args: check_backup(args.file) if args.file else check(args.home), done="Checked"
    )
    return parser


def _directory(text: str) -> Path:
    return Path(text).expanduser().resolve()


def _file(text: str) -> Path:
    return Path(text).expanduser().absolute()


if __name__ == "__main__":
    sys.exit(main())
