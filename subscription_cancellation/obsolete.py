# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Upgrades: tell which revoked cancellations of the past kept nobody."""

from odoo.tools import SQL


def mark_obsolete(env):
    """Mark what was revoked because its subscription ended, before that was recorded.

    It was revoked in the transaction that closed the subscription. What the analysis
    sums up besides is computed by the ORM when its columns are added, from the lines
    as they are now.

    :return: int, the number of cancellations marked
    """
    env.flush_all()
    env.cr.execute(
        SQL(
            """
            UPDATE subscription_cancellation obsolete
            SET is_obsolete = TRUE
            FROM subscription_cancellation closing
            WHERE closing.subscription_id = obsolete.subscription_id
                AND closing.stage_before_id IS NOT NULL
                AND obsolete.state = 'revoked'
                AND obsolete.was_replaced IS NOT TRUE
                AND obsolete.is_obsolete IS NOT TRUE
                AND obsolete.request_date <= closing.executed_date
                AND obsolete.write_date BETWEEN closing.executed_date
                    - INTERVAL '5 minutes' AND closing.executed_date
                    + INTERVAL '5 minutes'
            """
        )
    )
    marked = env.cr.rowcount
    env.invalidate_all()
    return marked
