"""`%usage`: MPU used and left."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from picsellia_jupyter.domain.usage import parse_quota, parse_rate
from picsellia_jupyter.magics.verb import Arguments, Verb

if TYPE_CHECKING:
    from picsellia_jupyter.session import Session


def _arguments() -> Arguments:
    parser = Arguments(
        "usage",
        "MPU used and left, by deployment and by day, and how long they last:\n\n"
        "    %usage                what Picsellia Serving used, and what is left\n"
        "    %usage --quota 20     how many MPU there are in all; none for no limit\n"
        "    %usage --rate 0.5     what an hour of serving costs\n\n"
        "The local platform meters; both are set there alone. The rate is an estimate of ours:\n"
        "Picsellia publishes none. Monitoring only costs no MPU.",
    )
    parser.add_argument("--quota", metavar="MPU", help="MPU in all, or none for no limit")
    parser.add_argument("--rate", metavar="MPU", help="MPU for an hour of serving (at first 1)")
    return parser


def _usage(session: Session, args: argparse.Namespace) -> object:
    quota = parse_quota(args.quota) if args.quota is not None else None
    rate = parse_rate(args.rate) if args.rate is not None else None
    if args.quota is not None:
        session.set_quota(quota)
    if rate is not None:
        session.set_rate(rate)
    return session.usage()


USAGE = Verb("usage", _arguments(), _usage)
