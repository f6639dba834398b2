# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""How much, and by which chance: short in the suite, long with ``make faults``."""

import os
import random
import secrets
import sys

IS_LONG = os.environ.get("FAULTS") == "long"
#: The suite does the same each time; the long form something new.
SEED = os.environ.get("FAULTS_SEED") or (
    str(secrets.randbelow(10**9)) if IS_LONG else "1"
)


def choose(short, long):
    """Return one of two sizes."""
    return long if IS_LONG else short


def create_random(name):
    """Return the chance of one test; the seed that repeats it is printed."""
    say(f"{name}: FAULTS_SEED={SEED}")
    return random.Random(f"{SEED} {name}")


def say(text):
    """Print what the long form found out, past pytest's capturing."""
    if IS_LONG:
        print(text, file=sys.__stdout__, flush=True)
    else:
        print(text)
