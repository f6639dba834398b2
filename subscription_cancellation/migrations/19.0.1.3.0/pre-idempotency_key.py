# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""A key belongs to the company now; until 19.0.1.2.0 it did to the subscription."""


def migrate(cr, version):
    """Leave each key to the last request that came with it.

    The older ones were answered long ago. Else the unique index could not be made.
    """
    cr.execute(
        "SELECT FROM information_schema.columns"
        " WHERE table_name = 'subscription_cancellation'"
        " AND column_name = 'idempotency_key'"
    )
    if not cr.rowcount:
        return
    cr.execute(
        """
        UPDATE subscription_cancellation older
           SET idempotency_key = NULL
          FROM subscription_cancellation newer
         WHERE newer.idempotency_key = older.idempotency_key
           AND newer.company_id = older.company_id
           AND newer.id > older.id
        """
    )
