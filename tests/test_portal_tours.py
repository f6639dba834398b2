# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""A customer clicks through the portal in a real browser (E2)."""

from odoo.fields import Command
from odoo.tests import tagged

from .tours import TourCase


@tagged("post_install", "-at_install")
class TestPortalTours(TourCase):
    def setUp(self):
        super().setUp()
        server = self.create_product("Server")
        backup = self.create_product("Backup", addon_of=server)
        other = self.create_product("Other")
        self.subscription = self.create_billed_subscription([server, backup, other])
        self.subscription.code = "Tour"
        self.env["res.users"].with_context(no_reset_password=True).create(
            {
                "login": "tourist",
                "password": "tourist",
                "partner_id": self.subscription.partner_id.id,
                "group_ids": [Command.set(self.env.ref("base.group_portal").ids)],
            }
        )

    def run_as_customer(self, name):
        self.start_tour("/my/subscriptions", name, login="tourist")
        self.env.invalidate_all()
        return self.subscription.cancellation_ids

    def test_cancel_all_of_it_and_take_it_back(self):
        """E2, B12: at the end of the period; then it goes on."""
        cancellation = self.run_as_customer("portal_cancel_whole")
        self.assertEqual(
            (cancellation.state, cancellation.channel), ("revoked", "portal")
        )

    def test_cancel_a_line_with_its_add_on(self):
        """E2, A5: the rest goes on."""
        cancellation = self.run_as_customer("portal_cancel_line")
        ended = cancellation.line_ids.subscription_line_id
        self.assertEqual(ended.mapped("name"), ["Server", "Backup"])
        self.assertEqual(self.subscription.cancellation_state, "active")

    def test_refused_by_the_policy(self):
        """E2, D1: the reason is shown."""
        policies = self.env["subscription.cancellation.policy"]
        policies._for_subscription(self.subscription, "portal").portal_cancel = False
        self.assertFalse(self.run_as_customer("portal_cancel_refused"))
