# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Pauses that begin with the subscription, and terms that end in a pause."""

from odoo.fields import Command
from odoo.tests import tagged

from .common import CancellationCase


@tagged("post_install", "-at_install")
class TestPausedFromTheStart(CancellationCase):
    def test_it_is_created_paused(self):
        """B7: as by an import; there is a record, and it can be resumed."""
        created = self.env["sale.subscription"].create(
            {
                "partner_id": self.create_customer().id,
                "pricelist_id": self._create_pricelist(currency_id=self.currency.id).id,
                "template_id": self.create_template().id,
                "date_start": "2026-07-01",
                "recurring_next_date": "2026-07-01",
                "is_paused": True,
                "paused_until": "2026-07-11",
                "sale_subscription_line_ids": [
                    Command.create(
                        {"product_id": self.create_product().id, "price_unit": 31.0}
                    )
                ],
            }
        )
        self.assertTrue(created.is_paused)
        self.assertEqual(str(created.paused_until), "2026-07-11")
        self.assertRecordValues(
            created.pause_ids,
            [{"state": "paused", "date_from": created.date_start}],
        )
        self.assertEqual(str(created.pause_ids.date_to), "2026-07-10")
        created.action_resume()
        self.assertEqual(created.pause_ids.state, "taken_back")

    def test_a_date_alone_pauses_nothing(self):
        """B7: nor does a flag that is off."""
        subscription = self.create_subscription(is_paused=False, paused_until=False)
        self.assertFalse(subscription.is_paused or subscription.pause_ids)


@tagged("post_install", "-at_install")
class TestTermEndsInPause(CancellationCase):
    """A fixed term of July and August, paused from 10 July on without an end."""

    def setUp(self):
        super().setUp()
        template = self.create_template(
            recurring_rule_boundary="limited", recurring_rule_count=2
        )
        self.subscription = self.create_subscription([31.0], template=template)
        self.pay(self.bill(self.subscription))
        self.travel_to("2026-07-10")
        self.subscription.action_pause()

    def run_night(self, day):
        self.travel_to(day)
        self.env["sale.subscription"].cron_subscription_management()

    def test_it_ends_on_its_day(self):
        """B16: by upstream's scheduled action, which passes over what is paused."""
        self.run_night("2026-08-31")
        self.assertEqual(self.subscription.cancellation_state, "active")
        self.run_night("2026-09-01")
        self.assertEqual(self.subscription.cancellation_state, "cancelled")
        cancellation = self.subscription.cancellation_ids
        self.assertEqual(cancellation.reason_id.code, "end_of_term")
        self.assertEqual(str(cancellation.last_service_date), "2026-08-31")
        self.assertFalse(self.subscription.is_paused)
        self.assertRecordValues(
            self.subscription.pause_ids,
            [{"state": "ended", "cancellation_id": cancellation.id}],
        )
        self.assertEqual(self.subscription.pause_ids.credit_note_ids.amount_total, 22.0)

    def test_where_the_customer_s_day_has_not_begun(self):
        """B16: west of UTC it is the evening before."""
        self.subscription.partner_id.tz = "America/Los_Angeles"
        self.run_night("2026-09-01 03:00:00")
        self.assertEqual(self.subscription.cancellation_state, "active")
        self.run_night("2026-09-01 12:00:00")
        self.assertEqual(self.subscription.cancellation_state, "cancelled")

    def test_it_is_paused_again_in_the_same_transaction(self):
        """E1: one after the other is not two at a time."""
        subscription = self.create_subscription()
        self.bill(subscription)
        self.travel_to("2026-07-05")
        subscription.action_pause(paused_until="2026-07-20")
        self.env.flush_all()
        self.travel_to("2026-07-10")
        subscription.is_paused = False
        self.travel_to("2026-07-12")
        subscription.action_pause(paused_until="2026-07-20")
        states = subscription.pause_ids.sorted("id").mapped("state")
        self.assertEqual(states, ["ended", "paused"])
