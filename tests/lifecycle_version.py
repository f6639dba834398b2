# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What a database of version 19.0.1.2.0 was like.

Made from the tables and external ids of databases that 19.0.1.2.0 itself has
installed. Compared with one of them, what :func:`to_version_1_2_0` leaves has the same
columns, indexes, constraints and external ids.

Whatever a later version adds goes with it, as long as it has an external id, which
models, fields, views and all other records of an addon have.
"""

from pathlib import Path

ADDON = "subscription_cancellation"
VERSION = "19.0.1.2.0"
#: External ids, without those of constraints and choices, which go with their field.
NAMES = Path(__file__).with_name("version_19_0_1_2_0.txt")
UNLISTED = ("ir.model.fields.selection", "ir.model.constraint")
#: A module that does not exist, for what is to be removed.
LATER = "later_than_1_2_0"
STATEMENTS = (
    "DROP INDEX IF EXISTS subscription_cancellation_idempotency_key_uniq",
    """
    CREATE UNIQUE INDEX subscription_cancellation_idempotency_key_uniq
        ON subscription_cancellation (subscription_id, idempotency_key)
     WHERE idempotency_key IS NOT NULL
    """,
    # By which Odoo sees that an index has changed.
    """
    COMMENT ON INDEX subscription_cancellation_idempotency_key_uniq
         IS 'UNIQUE INDEX (subscription_id, idempotency_key)'
             ' WHERE idempotency_key IS NOT NULL'
    """,
    # One key for two subscriptions, which was allowed.
    """
    UPDATE subscription_cancellation SET idempotency_key = 'twice'
     WHERE id IN (SELECT min(id) FROM subscription_cancellation
                  UNION SELECT max(id) FROM subscription_cancellation)
    """,
    # As 1.1.0 had left it.
    "UPDATE subscription_cancellation_step SET first_day = NULL",
)


def to_version_1_2_0(env):
    """Take everything out that the version after 19.0.1.2.0 has added."""
    later = _get_later_data(env)
    later.write({"module": LATER})
    later._module_data_uninstall([LATER])
    env.flush_all()
    for statement in STATEMENTS:
        env.cr.execute(statement)
    env.cr.execute(
        "UPDATE ir_module_module SET latest_version = %s WHERE name = %s",
        [VERSION, ADDON],
    )


def _get_later_data(env):
    """Return the external ids that 19.0.1.2.0 did not have."""
    known = NAMES.read_text().split()
    return env["ir.model.data"].search(
        [
            ("module", "=", ADDON),
            ("name", "not in", known),
            ("model", "not in", UNLISTED),
        ]
    )
