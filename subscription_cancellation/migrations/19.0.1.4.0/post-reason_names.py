# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Cancellations keep what their reasons are called: at the latest from now on."""


def migrate(cr, version):
    """Store the names of today, in every language; those of then are not known."""
    cr.execute(
        """
        UPDATE subscription_cancellation cancellation
           SET reason_name = reason.name
          FROM sale_subscription_close_reason reason
         WHERE reason.id = cancellation.reason_id
           AND cancellation.reason_name IS NULL
        """
    )
