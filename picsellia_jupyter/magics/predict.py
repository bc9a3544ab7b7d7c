"""`%predict` and `%monitor`."""

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


def _monitor_arguments() -> Arguments:
    parser = Arguments("monitor", "A deployment's dashboard:\n\n    %monitor my-line --last 7d")
    parser.add_argument("deployment", nargs="?", help="its name; the newest deployment without one")
    parser.add_argument("--last", default="24h", metavar="30m|24h|7d|all", help="any span, or all")
    return parser


PREDICT = Verb("predict", _predict_arguments(), _predict)
MONITOR = Verb(
    "monitor", _monitor_arguments(), lambda s, args: s.monitor(args.deployment, last=args.last)
)
