# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Steps about unbilled days did not say which days until 19.0.1.2.0."""


def migrate(cr, version):
    """Fill in the first unbilled day: of the documents, else of the next period then.

    Undoing and reactivating decide by it what is billed again, and what is charged.
    """
    cr.execute(
        """
        UPDATE subscription_cancellation_step step
           SET first_day = COALESCE(
                   (
                       SELECT min(item.start_date)
                         FROM account_move_line item
                         JOIN subscription_cancellation_line row
                           ON row.subscription_line_id = item.subscription_line_id
                        WHERE row.cancellation_id = step.cancellation_id
                          AND item.move_id IN (step.move_id, step.source_move_id)
                   ),
                   cancellation.next_date_before
               )
          FROM subscription_cancellation cancellation
         WHERE cancellation.id = step.cancellation_id
           AND step.kind = 'unbilled'
           AND step.first_day IS NULL
        """
    )
