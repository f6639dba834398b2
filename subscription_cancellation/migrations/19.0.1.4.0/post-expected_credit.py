# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What waits for approval says what it will credit since 19.0.1.4.0."""

from odoo.api import SUPERUSER_ID, Environment


def migrate(cr, version):
    """Compute it for what waits already, as of now."""
    env = Environment(cr, SUPERUSER_ID, {})
    waiting = env["subscription.cancellation"].search([("state", "=", "to_approve")])
    for cancellation in waiting._as_engine():
        cancellation.expected_credit = cancellation._get_expected_credit()
    # Scripts that come after this one work on the database.
    env.flush_all()
