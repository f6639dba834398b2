# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""How dates are written in sentences for people."""

from odoo.tools import format_date


def format_day(env, day):
    """Return ``day`` with the month spelled out, in the language of ``env``."""
    return format_date(env, day, date_format="long")
