"""Does a training run: `python -m picsellia_jupyter.training --home FOLDER --run ID`."""

from __future__ import annotations

import argparse
import os
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path

from picsellia_jupyter.domain.errors import ConflictError, PicselliaJupyterError


def main(arguments: Sequence[str] | None = None) -> int:
    """Do it; 0 where it was told how it ended, or somebody else does it."""
    parser = argparse.ArgumentParser(prog="python -m picsellia_jupyter.training")
    parser.add_argument("--home", type=Path, required=True, help="the platform's data directory")
    parser.add_argument("--run", required=True, help="id of the training run")
    args = parser.parse_args(arguments)
    os.umask(0o077)
    from picsellia_jupyter.training.runner import Runner
    from picsellia_jupyter.training.workplaces import LocalHome

    try:
        Runner(LocalHome(args.home), args.run, f"{os.getpid()}-{uuid.uuid4().hex}").run()
    except ConflictError as error:
        # Another runner has it, or it is over: nothing is left to be done.
        sys.stderr.write(f"{error}\n")
    except PicselliaJupyterError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
