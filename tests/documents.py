# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Reads the documentation, so that tests can hold it to what the product does."""

import re
from datetime import date, datetime
from pathlib import Path

ROOT = Path(__file__).parents[1]
ADDON = ROOT / "subscription_cancellation"
DOC = ADDON / "doc"
README = ADDON / "readme"

#: What stands in a cell for "nothing".
NOTHING = ("", "–", "no credit memo")
DATE_FORMAT = "%d %B %Y"


def read_sections(path):
    """Return the lines of each section of a Markdown file, by its heading.

    What looks like a heading within a block of code is none.
    """
    sections = {}
    heading, in_code = None, False
    for line in path.read_text("utf-8").splitlines():
        in_code ^= line.startswith("```")
        match = not in_code and re.match(r"#+ (.+)", line)
        if match:
            heading = match[1]
        sections.setdefault(heading, []).append(line)
    return sections


def read_table(lines):
    """Return the rows of the one table in these lines, as dicts by column."""
    cells = [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip("|"))]
        for line in lines
        if line.startswith("|")
    ]
    if not cells:
        return []
    header, _rule, *rows = cells
    return [dict(zip(header, row, strict=True)) for row in rows]


def read_tables(path):
    """Return the table of each section that has one, by heading."""
    tables = {
        heading: read_table(lines) for heading, lines in read_sections(path).items()
    }
    return {heading: rows for heading, rows in tables.items() if rows}


def to_day(text):
    """Return a date from ``"10 July 2026"``."""
    return datetime.strptime(text, DATE_FORMAT).date()


def to_period(text):
    """Return the first and the last day of ``"1 July 2026 – 31 July 2026"``."""
    first_day, last_day = text.split(" – ")
    return to_day(first_day), to_day(last_day)


def from_day(day):
    """Return a date as the documents write it."""
    return f"{day.day} {day:%B %Y}"


def from_period(first_day, last_day):
    """Return a period as the documents write it; nothing where there is none."""
    if not isinstance(first_day, date):
        return "–"
    return f"{from_day(first_day)} – {from_day(last_day)}"
