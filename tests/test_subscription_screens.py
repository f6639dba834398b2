# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What the list and the form of subscriptions show, and what finds one (D4, D8)."""

from lxml import etree

from odoo.tests import tagged
from odoo.tools.safe_eval import safe_eval

from .common import CancellationCase


@tagged("post_install", "-at_install")
class TestSubscriptionScreens(CancellationCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.subscription = cls.create_subscription([31.0])
        cls.pay(cls.bill(cls.subscription))
        cls.travel_to("2026-07-10")

    def is_shown(self, name, kind="form"):
        """Return whether a field or button of the subscription is visible.

        By the expression of its view, with what the client has read.
        """
        model = self.subscription.browse()
        view = model.get_views([(False, kind)])["views"][kind]["arch"]
        # Banners name fields, too.
        [node] = etree.fromstring(view).xpath(f"//*[@name='{name}'][not(@nolabel)]")
        values = self.subscription.read()[0]
        return not safe_eval(node.get("invisible", "False"), values)

    def search(self, **defaults):
        """Return what the list shows, by the filters of its search view."""
        view = self.subscription.get_views([(False, "search")])["views"]["search"]
        arch = etree.fromstring(view["arch"])
        [(name, value)] = defaults.items()
        node = arch.find(f".//*[@name='{name}']")
        domain = node.get("domain") or node.get("filter_domain")
        return self.subscription.search(safe_eval(domain, {"self": value}))

    def test_no_invoice_is_promised_after_the_end(self):
        """B7: neither its date nor the button that would make it."""
        for kind in ("form", "list"):
            self.assertTrue(self.is_shown("recurring_next_date", kind))
        self.assertTrue(self.is_shown("manual_invoice"))
        self.cancel(self.subscription, timing="end_of_period")
        for kind in ("form", "list"):
            self.assertFalse(self.is_shown("recurring_next_date", kind))
        self.assertFalse(self.is_shown("manual_invoice"))

    def test_an_invoice_before_the_end_is_shown(self):
        """B7: August is billed as usual."""
        self.cancel(
            self.subscription, timing="specific_date", requested_date="2026-08-15"
        )
        self.assertTrue(self.is_shown("recurring_next_date"))
        self.assertTrue(self.is_shown("manual_invoice"))

    def test_it_is_found_by_its_cancellation(self):
        """D4: by the reference that customers have in their mails."""
        self.cancel(self.subscription, timing="end_of_period")
        reference = self.subscription.cancellation_ids.name
        self.assertEqual(self.search(name=reference), self.subscription)

    def test_what_ends_this_month(self):
        """D4: by the last day of service."""
        for day, is_found in (
            ("2026-07-31", True),
            ("2026-07-10", True),
            ("2026-08-01", False),
        ):
            with self.subTest(day), self.env.cr.savepoint() as savepoint:
                self.cancel(
                    self.subscription, timing="specific_date", requested_date=day
                )
                found = self.search(ends_this_month=True)
                self.assertEqual(self.subscription in found, is_found)
                savepoint.rollback()
                self.env.invalidate_all()
