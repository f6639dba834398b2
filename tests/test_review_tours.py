# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""An accountant posts drafts in a browser, a program by RPC (C12)."""

from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.subscription_cancellation.books import check_books

from .tours import TourCase

LOGIN = "review_accountant"


@tagged("post_install", "-at_install")
class TestReviewTours(TourCase):
    """Two drafts for one invoice, one for another customer's.

    What is due in the end is each invoice less its own credit memos.
    """

    def setUp(self):
        super().setUp()
        self.env["account.move"].search(
            [("cancellation_id", "!=", False), ("state", "=", "draft")]
        ).button_cancel()
        self.env["subscription.cancellation.policy"].search(
            []
        ).post_credit_memos = False
        self.accountant = self.env["res.users"].create(
            {
                "name": "Tour Accountant",
                "login": LOGIN,
                "password": LOGIN,
                "group_ids": [
                    Command.set(self.env.ref("account.group_account_invoice").ids)
                ],
            }
        )
        products = [self.create_product(f"Tour {name}") for name in ("Mail", "Disk")]
        first = self.create_billed_subscription(products)
        second = self.create_billed_subscription(products[:1])
        self.invoices = first.invoice_ids + second.invoice_ids
        self.end(first, first.sale_subscription_line_ids[:1])
        self.end(first)
        self.end(second)
        self.memos = (first | second).cancellation_ids.credit_note_ids
        self.assertEqual(self.memos.mapped("state"), ["draft"] * 3)

    def end(self, subscription, lines=None):
        options = {"line_ids": lines.ids} if lines else {}
        subscription._request_cancellation(
            {"timing": "immediate", **options}, "backend"
        )

    def assert_posted(self):
        """Each invoice is reduced by its own credit memos."""
        self.env.invalidate_all()
        self.assertEqual(self.memos.mapped("state"), ["posted"] * 3)
        self.assertEqual(self.memos.mapped("amount_residual"), [0.0] * 3)
        for invoice in self.invoices:
            own = self.memos.filtered(
                lambda memo, invoice=invoice: memo.reversed_entry_id == invoice
            )
            self.assertAlmostEqual(
                invoice.amount_residual,
                invoice.amount_total - sum(own.mapped("amount_total")),
            )
        self.env.flush_all()
        subscriptions = self.memos.cancellation_id.subscription_id
        found = [
            finding.tell()
            for finding in check_books(self.env.cr).findings
            if finding.subscription_id in subscriptions.ids
        ]
        self.assertEqual(found, [])

    def test_the_button_of_the_list(self):
        """C12: selected in Credit Memos to Review, and posted with its button."""
        self.start_tour(
            "/odoo/action-subscription_cancellation.account_move_to_review_action",
            "subscription_cancellation_review",
            login=LOGIN,
        )
        self.assert_posted()

    def test_a_call_from_outside(self):
        """C12: execute_kw, as a program calls it."""
        self.xmlrpc_object.execute_kw(
            self.env.cr.dbname,
            self.accountant.id,
            LOGIN,
            "account.move",
            "action_post",
            [self.memos.ids],
        )
        self.assert_posted()
