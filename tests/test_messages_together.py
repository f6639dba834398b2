# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Changes of documents are logged together; what other modules log stays theirs."""

from unittest.mock import patch

from odoo.tests import tagged

from .common import CancellationCase


@tagged("post_install", "-at_install")
class TestMessagesTogether(CancellationCase):
    """D4: the invoice for July is posted, and a hook of another module acts on it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.track_changes()
        cls.invoice = cls.bill(cls.create_subscription(), post=False)
        cls.end_transaction()

    def post(self, act):
        """Post the invoice; another module calls ``act`` once it is told so."""
        document = self.registry["account.move"]
        original = document._message_post_after_hook

        def after_posting(move, message, values):
            act(move)
            return original(move, message, values)

        with patch.object(document, "_message_post_after_hook", after_posting):
            self.invoice.action_post()
            self.end_transaction()

    def test_a_note_while_something_is_posted(self):
        """D4: it is written down."""
        self.post(lambda move: move._message_log(body="Checked"))
        self.assertIn("Checked", " ".join(self.invoice.message_ids.mapped("body")))

    def test_a_change_of_another_document_meanwhile(self):
        """D4: its chatter tells of it."""
        payment = self.env["account.payment"].create(
            {
                "payment_type": "inbound",
                "partner_type": "customer",
                "partner_id": self.invoice.partner_id.id,
                "amount": 5.0,
            }
        )
        self.end_transaction()

        def change(move):
            move.env["account.payment"].browse(payment.id).amount = 7.0

        self.post(change)
        self.end_transaction()
        changes = payment.message_ids.sudo().tracking_value_ids
        self.assertIn(7.0, changes.mapped("new_value_float"))
