"""Sets up, runs and tests the project; the Makefile calls it.

The file itself is written so that any Python can read it and say what is wrong.
"""

import sys

OLDEST, NEWEST = (3, 10), (3, 13)

if not OLDEST <= sys.version_info[:2] <= NEWEST:
    sys.exit(
        "Odoo 19 needs Python 3.10 to 3.13, and this is %d.%d: "
        "name another one, for example PYTHON=python3.12 make run."
        % sys.version_info[:2]
    )

from devenv.commands import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
