# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Until 19.0.1.4.0 orders went on to offer all that they sold of what has ended."""

from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    """Tell order lines from which day on nothing is invoiced any more."""
    cr.execute(
        """
        UPDATE sale_order_line sold
           SET subscription_end_date = CASE
                   WHEN ending.unbilled_charges = 'drop'
                        OR (ending.refund_mode = 'full'
                            AND sold.subscription_period_end >= ending.effective_date)
                   THEN sold.subscription_period_start
                   ELSE ending.effective_date
               END
          FROM (
               SELECT DISTINCT ON (row.subscription_line_id)
                      row.subscription_line_id, cancellation.effective_date,
                      cancellation.unbilled_charges, cancellation.refund_mode
                 FROM subscription_cancellation_line row
                 JOIN subscription_cancellation cancellation
                   ON cancellation.id = row.cancellation_id
                 JOIN sale_subscription_line line
                   ON line.id = row.subscription_line_id
                WHERE cancellation.state = 'done'
                  AND cancellation.reactivated_date IS NULL
                  AND NOT line.active
                ORDER BY row.subscription_line_id,
                         cancellation.executed_date DESC, cancellation.id DESC
               ) ending
         WHERE ending.subscription_line_id = sold.subscription_line_id
           AND sold.subscription_end_date IS NULL
           AND sold.subscription_period_start IS NOT NULL
           AND sold.state = 'sale'
           AND (sold.subscription_period_end >= ending.effective_date
                OR sold.invoice_status <> 'invoiced')
     RETURNING sold.id
        """
    )
    env = api.Environment(cr, SUPERUSER_ID, {})
    lines = env["sale.order.line"].browse([line_id for (line_id,) in cr.fetchall()])
    lines.modified(["subscription_end_date"])
    env.flush_all()
