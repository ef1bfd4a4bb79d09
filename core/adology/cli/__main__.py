"""``python -m adology.cli``: how our own processes are started, whatever is on PATH."""

import sys

from adology.cli.app import main

if __name__ == "__main__":
    sys.exit(main())
