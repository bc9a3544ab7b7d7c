"""`%review`: the deck of a deployment's predictions that are to be reviewed."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from picsellia_jupyter.domain.reviews import Policy
from picsellia_jupyter.magics.verb import Arguments, Verb

if TYPE_CHECKING:
    from picsellia_jupyter.session import Session


CAMPAIGN = ("create", "assign", "progress", "close", "reopen")


def _arguments() -> Arguments:
    parser = Arguments(
        "review",
        "Review predictions, one image after another:\n\n"
        "    %review my-line                         a random sample: its metrics speak for all\n"
        "    %review my-line --policy uncertain      scores nearest to the threshold first\n"
        "    %review my-line --label seven           images in which this was found\n"
        "    %review my-line --campaign create --to ann --to bob     share all of it out\n"
        "    %review my-line --campaign progress     how far everybody is; assign, close, reopen\n"
        "    %review my-line --policy campaign       your own share\n\n"
        "Keys: A accept, R reject, N next, P back, 1-9 label, arrows select, D draw, B add,\n"
        "Del delete, Ctrl+Z undo, ? all of them. Every decision is saved at once; what is\n"
        "submitted is final.",
    )
    parser.add_argument("deployment", nargs="?", help="its name; the newest deployment without one")
    parser.add_argument(
        "--policy",
        choices=[one.value for one in Policy],
        default=Policy.RANDOM.value,
        help="how images are chosen (default random)",
    )
    parser.add_argument("--label", metavar="LABEL", help="only images in which this was found")
    parser.add_argument(
        "--limit", type=int, default=100, metavar="N", help="at most so many (default 100)"
    )
    parser.add_argument(
        "--campaign",
        choices=CAMPAIGN,
        help="of the review campaign: begin it, share it out, see how far it is, close it",
    )
    parser.add_argument(
        "--to",
        action="append",
        default=[],
        metavar="USER",
        help="share the images out to this user",
    )
    parser.add_argument("--until", metavar="DATE", help="when a new campaign is to be done")
    return parser


def _review(session: Session, args: argparse.Namespace) -> object:
    """The deck where something can show it; what is to be reviewed elsewhere."""
    if args.campaign:
        return session.campaign(args.deployment, args.campaign, to=args.to, until=args.until)
    from IPython.core.getipython import get_ipython

    reviews = session.reviews(
        args.deployment, policy=args.policy, limit=args.limit, label=args.label
    )
    shell = get_ipython()
    if shell is None or getattr(shell, "kernel", None) is None or not len(reviews):
        return reviews
    from picsellia_jupyter.magics.shells import ShellKernel
    from picsellia_jupyter.widgets.review_deck import ReviewDeck

    ReviewDeck(session, ShellKernel(shell), reviews.record, reviews.queue).open()
    return None


REVIEW = Verb("review", _arguments(), _review)
