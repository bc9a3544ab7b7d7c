"""`%interconnect`: the way of a Monitoring-only deployment."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from picsellia_jupyter.magics.verb import Arguments, Verb

if TYPE_CHECKING:
    from picsellia_jupyter.session import Session


def _arguments() -> Arguments:
    parser = Arguments(
        "interconnect",
        "Connect your own server to a deployment, step by step:\n\n"
        "    %interconnect my-line                        what to do, and the code to paste\n"
        "    %interconnect my-line --download my-server   the model files, into a folder\n"
        "    %interconnect my-line --check                waits for the first prediction\n\n"
        "The code reads your API token from PICSELLIA_TOKEN and never contains it.",
    )
    parser.add_argument("deployment", nargs="?", help="its name; the newest deployment without one")
    parser.add_argument("--download", metavar="FOLDER", help="fetch the model files into it")
    parser.add_argument(
        "--check", action="store_true", help="wait for the first prediction and show it"
    )
    parser.add_argument(
        "--timeout", type=float, default=300.0, metavar="S", help="seconds to wait (default 300)"
    )
    return parser


def _interconnect(session: Session, args: argparse.Namespace) -> object:
    deployment = session.deployment(args.deployment)
    if args.download:
        return deployment.download(args.download)
    if args.check:
        return deployment.wait_for_prediction(args.timeout)
    return deployment.interconnect()


INTERCONNECT = Verb("interconnect", _arguments(), _interconnect)
