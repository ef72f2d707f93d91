"""Ends everything that belongs to a run when whoever started it is gone. Run as a program of its own.

It leads the process group that all processes of the run are in, and waits for its standard input, a pipe that only
the parent holds the other end of. However the parent ends, also killed outright, the kernel closes the pipe; so
nothing here depends on the parent's doing. A dead man's switch per process (prctl's PR_SET_PDEATHSIG) would exist on
Linux alone, and would not reach what those processes have started themselves.

Standard library only, and run with ``-I -S``: it has to be there at once, and to be small.
"""

import os
import signal
import sys
import time

GRACE_SECONDS = 2.0


def watch() -> None:
    """Wait for a byte (the parent has stopped everything itself) or for the end of the pipe (it could not)."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    sys.stdout.write("\n")  # from here on, signals to the group do not end it
    sys.stdout.flush()
    if os.read(0, 1):
        return
    os.killpg(0, signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os.killpg(0, signal.SIGKILL)  # itself, too


if __name__ == "__main__":
    watch()
