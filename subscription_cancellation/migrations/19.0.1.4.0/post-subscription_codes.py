# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Subscriptions of a second company had no reference until 19.0.1.4.0."""

from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    """Give them one: a declaration on the public page could not name them."""
    env = api.Environment(cr, SUPERUSER_ID, {})
    env["sale.subscription"]._give_missing_codes()
