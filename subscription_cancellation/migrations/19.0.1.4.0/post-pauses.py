# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Pauses had no record until 19.0.1.4.0."""

from odoo.tools import SQL, sql


def migrate(cr, version):
    """Give what is paused a record, and end the pauses of what is cancelled.

    What was paid of such a pause is not credited afterwards; but it is not billed.
    """
    cr.execute(
        """
        UPDATE sale_subscription subscription
           SET is_paused = false, paused_until = NULL
          FROM sale_subscription_stage stage
         WHERE stage.id = subscription.stage_id
           AND stage.type = 'post'
           AND subscription.is_paused
        """
    )
    # The column is older than this table; a database may be older than the column.
    known = sql.column_exists(cr, "sale_subscription", "paused_date")
    days = SQL("paused_date, recurring_next_date" if known else "recurring_next_date")
    cr.execute(
        SQL(
            """
            INSERT INTO sale_subscription_pause
                        (subscription_id, company_id, date_from, date_to, state,
                         refund_mode, next_date_before, create_date, write_date,
                         create_uid, write_uid)
                 SELECT id, company_id, first_day,
                        CASE WHEN paused_until > first_day THEN paused_until - 1 END,
                        'paused', 'none', recurring_next_date,
                        now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC', 1, 1
                   FROM (SELECT *,
                                COALESCE(%s, write_date::date)
                                    AS first_day
                           FROM sale_subscription
                          WHERE is_paused) paused
            ON CONFLICT DO NOTHING
            """,
            days,
        )
    )
    cr.execute(
        """
        UPDATE sale_subscription
           SET recurring_next_date = paused_until
         WHERE is_paused
           AND recurring_next_date < paused_until
        """
    )
