# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Which days of a line were ever billed was not kept until 19.0.1.4.0."""


def migrate(cr, version):
    """Read it from what is left: invoices, cancelled ones too, and sales orders.

    Not of what has ended: that was settled by the rules of its time.
    """
    cr.execute(
        """
        UPDATE sale_subscription_line line
           SET billed_days = known.days
          FROM (
               SELECT subscription_line_id,
                      jsonb_agg(
                          DISTINCT jsonb_build_array(first_day, last_day)
                      ) AS days
                 FROM (SELECT item.subscription_line_id,
                              item.start_date AS first_day,
                              item.end_date AS last_day
                         FROM account_move_line item
                         JOIN account_move move ON move.id = item.move_id
                        WHERE move.move_type = 'out_invoice'
                        UNION ALL
                       SELECT subscription_line_id,
                              subscription_period_start,
                              subscription_period_end
                         FROM sale_order_line) billed
                WHERE subscription_line_id IS NOT NULL
                  AND first_day <= last_day
                GROUP BY subscription_line_id
               ) known
         WHERE known.subscription_line_id = line.id
           AND line.billed_days IS NULL
           AND line.active
        """
    )
