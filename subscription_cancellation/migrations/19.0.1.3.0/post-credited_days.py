# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Rows did not say which days they credit until 19.0.1.3.0."""


def migrate(cr, version):
    """Fill in what their credit memos have: all days without service."""
    cr.execute(
        """
        UPDATE subscription_cancellation_line row
           SET credit_start = CASE
                   WHEN cancellation.refund_mode = 'full' THEN row.period_start
                   ELSE GREATEST(row.period_start, cancellation.effective_date)
               END,
               credit_end = row.period_end
          FROM subscription_cancellation cancellation
         WHERE cancellation.id = row.cancellation_id
           AND row.origin_line_id IS NOT NULL
           AND row.credit_start IS NULL
        """
    )
