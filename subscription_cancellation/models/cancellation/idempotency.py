# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What was answered to a request with an idempotency key."""

from odoo import fields, models


class SubscriptionCancellation(models.Model):
    """Keep the answer, for a request that is sent again (E3)."""

    _inherit = "subscription.cancellation"

    idempotency_key = fields.Char(
        readonly=True,
        copy=False,
        help="Given by whoever requested it: the same key is never a second request.",
    )
    idempotency_digest = fields.Char(
        readonly=True,
        copy=False,
        groups="base.group_system",
        help="Of the options that came with the key.",
    )
    idempotency_answer = fields.Json(
        readonly=True,
        copy=False,
        groups="base.group_system",
        help="What the API answered, and answers again.",
    )

    _idempotency_key_uniq = models.UniqueIndex(
        "(company_id, idempotency_key) WHERE idempotency_key IS NOT NULL",
        "A cancellation was requested with this idempotency_key already.",
    )

    def _remember_answer(self, key, digest, answer):
        """Store what was answered, also on one that is done by now."""
        # sudo: nobody has write access; the engine keeps its own notes.
        self.sudo()._as_engine().write(
            {
                "idempotency_key": key,
                "idempotency_digest": digest,
                "idempotency_answer": answer,
            }
        )
