"""The local platform, with another `synchronous`: `python program.py NORMAL --home …`."""

import sys

from picsellia_jupyter.localplatform import store
from picsellia_jupyter.localplatform.__main__ import main

if __name__ == "__main__":
    store.SYNCHRONOUS = sys.argv[1]
    sys.exit(main(sys.argv[2:]))
