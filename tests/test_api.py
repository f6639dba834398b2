# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The public methods over JSON-2, with a real key and a plain HTTP client (E3)."""

from datetime import date, datetime, timedelta

from odoo.fields import Command
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import mute_logger

from .common import SALESPERSON


@tagged("post_install", "-at_install")
class TestApi(HttpCase):
    def setUp(self):
        super().setUp()
        user = new_test_user(self.env, login="robot", groups=SALESPERSON)
        self.headers = {"Authorization": f"Bearer {self.create_key(user)}"}
        self.subscription = self.create_billed_subscription()

    def create_key(self, user):
        keys = self.env["res.users.apikeys"].with_user(user)
        expiry = datetime.now() + timedelta(days=1)
        return keys._generate("rpc", "test", expiry)

    def create_billed_subscription(self):
        """Return a running subscription, billed by upstream for the running month."""
        product = self.env["product.product"].create(
            {"name": "Plan", "type": "service", "list_price": 31.0, "taxes_id": []}
        )
        subscription = self.env["sale.subscription"].create(
            {
                "partner_id": self.env["res.partner"].create({"name": "Api Inc"}).id,
                "pricelist_id": self.env["product.pricelist"].create({"name": "P"}).id,
                "template_id": self.env["sale.subscription.template"]
                .create({"name": "Monthly"})
                .id,
                "sale_subscription_line_ids": [
                    Command.create({"product_id": product.id})
                ],
            }
        )
        subscription.action_start_subscription()
        start = date.today() - timedelta(days=5)
        subscription.write({"date_start": start, "recurring_next_date": start})
        subscription.generate_invoice()
        subscription.invoice_ids.action_post()
        return subscription

    def call(self, method, ids=None, **options):
        """POST one call; return status and JSON."""
        response = self.url_open(
            f"/json/2/sale.subscription/{method}",
            json={"ids": ids or self.subscription.ids, **options},
            headers=self.headers,
        )
        return response.status_code, response.json()

    def test_preview_request_and_revoke(self):
        """E3, D5: plain JSON in and out; the channel is the API."""
        status, preview = self.call("preview_cancellation", timing="end_of_period")
        self.assertEqual((status, preview["state"]), (200, "scheduled"))
        self.assertFalse(preview["cancellation_id"])
        status, result = self.call("request_cancellation", timing="end_of_period")
        self.assertEqual((status, result["state"]), (200, "scheduled"))
        self.assertEqual(result["effective_date"], preview["effective_date"])
        cancellation = self.subscription.cancellation_ids
        self.assertEqual(cancellation.id, result["cancellation_id"])
        self.assertEqual(cancellation.channel, "api")
        status, result = self.call("revoke_cancellation")
        self.assertEqual((status, result["state"]), (200, "revoked"))

    def test_immediate_cancellation_credits(self):
        """E3, A4: the amounts of the answer are those of the credit memo."""
        status, result = self.call(
            "request_cancellation", timing="immediate", reason_code="too_expensive"
        )
        self.assertEqual((status, result["state"]), (200, "done"))
        memo = self.subscription.cancellation_ids.credit_note_ids
        self.assertEqual(memo.amount_total, result["credit_total"])

    @mute_logger("odoo.http")
    def test_errors_have_the_right_status(self):
        """E3: 422 for what cannot be, 403 for rights, 404 for what is not there."""
        for options in (
            {"timing": "tomorrow"},
            {"timing": "specific_date"},
            {"line_ids": [0]},
            {"colour": "red"},
            {"reason_code": "bored"},
            {"refund_mode": 7},
            {"line_ids": {"a": 1}},
            {"timing": ["immediate"]},
            {"comment": {"a": 5}},
            {"timing": "specific_date", "requested_date": {"a": 1}},
            {"ids": [self.subscription.id, self.subscription.id + 1]},
        ):
            with self.subTest(options=options):
                status, _answer = self.call("request_cancellation", **options)
                self.assertEqual(status, 422)
        missing = self.subscription.id + 10**6
        self.assertEqual(self.call("request_cancellation", ids=[missing])[0], 404)
        self.assertFalse(self.subscription.cancellation_ids)

    @mute_logger("odoo.http")
    def test_a_key_without_rights_gets_403(self):
        """E3: rights are those of the key's user."""
        user = new_test_user(self.env, login="nobody", groups="base.group_user")
        self.headers = {"Authorization": f"Bearer {self.create_key(user)}"}
        self.assertEqual(self.call("request_cancellation")[0], 403)

    @mute_logger("odoo.http")
    def test_private_methods_are_not_reachable(self):
        """E3: only the designed methods are public."""
        for method in ("_plan_cancellation", "_request_cancellation"):
            self.assertIn(self.call(method)[0], (403, 404))
