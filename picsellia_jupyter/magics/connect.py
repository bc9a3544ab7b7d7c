"""`%picsellia connect`."""

from __future__ import annotations

from picsellia_jupyter.magics.verb import Arguments, Verb


def _arguments() -> Arguments:
    arguments = Arguments(
        "picsellia connect",
        "Go on at another platform:\n\n"
        "    %picsellia connect               that of PICSELLIA_HOST, or the Picsellia cloud\n"
        "    %picsellia connect https://HOST --organization Lab\n"
        "    %picsellia connect local         the local platform\n\n"
        "Its API token comes from PICSELLIA_TOKEN or the keyring, or you are asked for it; it is\n"
        "never shown, and never part of the notebook.",
    )
    arguments.add_argument("host", nargs="?", metavar="HOST|local", help="its address, or local")
    arguments.add_argument("--organization", metavar="NAME", help="where not your default one")
    return arguments


CONNECT = Verb(
    "connect",
    _arguments(),
    lambda session, args: session.connect(args.host, organization=args.organization),
)
