"""`%predict`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from picsellia_jupyter.magics.verb import Arguments, Verb

if TYPE_CHECKING:
    from picsellia_jupyter.session import Session


def _predict_arguments() -> Arguments:
    parser = Arguments(
        "predict",
        "Predict on images and show what was found:\n\n"
        "    %predict page.jpg\n"
        "    %predict pages/*.jpg more/ --on my-line",
    )
    parser.add_argument("paths", nargs="+", metavar="PATH", help="files, globs and folders")
    parser.add_argument(
        "--on", metavar="DEPLOYMENT", help="its name; the newest deployment without one"
    )
    parser.add_argument("--tag", action="append", default=[], help="for the recorded images")
    parser.add_argument("--no-monitor", action="store_true", help="do not record the predictions")
    return parser


def _predict(session: Session, args: argparse.Namespace) -> object:
    return session.predict(args.paths, on=args.on, monitor=not args.no_monitor, tags=args.tag)


PREDICT = Verb("predict", _predict_arguments(), _predict)
