# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What was cancelled before 19.0.1.1.0 was not confirmed to the customer."""

from odoo.tools.parse_version import parse_version


def migrate(cr, version):
    """Do not say of old cancellations that a confirmation belongs to them.

    The column was filled with its default. What is still to come follows it, like what
    is requested from now on.
    """
    if parse_version(version) >= parse_version("19.0.1.1.0"):
        return
    cr.execute(
        """
        UPDATE subscription_cancellation cancellation
           SET send_confirmation = FALSE
         WHERE state IN ('done', 'revoked', 'refused')
           AND NOT EXISTS (
                   SELECT FROM subscription_cancellation_step step
                    WHERE step.cancellation_id = cancellation.id
               )
        """
    )
