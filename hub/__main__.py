"""``python3 -m hub``: everything that is done from the command line.

This file must be readable by every Python 3 there is, so that an old one can say that it is too old.
"""

import os
import sys

TOO_OLD = (
    "Everyway needs Python 3.11 or newer, and this is Python %d.%d. "
    "On macOS: brew install python3. On Debian 12, Ubuntu 24.04 or newer: apt install python3 python3-venv. "
    "If a newer one is installed beside this one, start it by its name: python3.12 -m hub …"
)


def main() -> None:
    """Prepare this machine where that is needed, then do as told."""
    if sys.version_info < (3, 11):  # noqa: UP036 - whoever starts it with an older one is to be told so
        sys.exit(TOO_OLD % sys.version_info[:2])
    if os.name != "posix":
        sys.exit("Everyway runs on Linux and macOS. On Windows, use it inside WSL (wsl --install).")

    from config import bootstrap

    bootstrap.prepare(sys.argv[1:])

    from hub import cli

    cli.run()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:  # before there is anything that could tell it better
        sys.exit(130)
