"""`%picsellia doctor`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from picsellia_jupyter.magics.verb import Arguments, Verb

if TYPE_CHECKING:
    from picsellia_jupyter.session import Session

FILE = "picsellia-report.md"


def _arguments() -> Arguments:
    arguments = Arguments(
        "picsellia doctor", "The serving kernels of this machine, and what they left behind."
    )
    arguments.add_argument("--fix", action="store_true", help="put right what can be")
    arguments.add_argument(
        "--report",
        metavar="FILE",
        nargs="?",
        const=FILE,
        help=f"write all that a bug report needs, without secrets (default: {FILE})",
    )
    return arguments


def _run(session: Session, args: argparse.Namespace) -> object:
    if args.report is not None:
        return session.bug_report(args.report, fix=args.fix)
    return session.doctor(fix=args.fix)


DOCTOR = Verb("doctor", _arguments(), _run)
