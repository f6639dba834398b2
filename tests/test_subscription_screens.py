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
        [(name, value)] = defaults.items()
        return self.search_in(self.subscription, value, name)

    def search_in(self, records, value, name="name"):
        """Return what a list shows where somebody enters ``value``."""
        view = records.get_views([(False, "search")])["views"]["search"]
        node = etree.fromstring(view["arch"]).find(f".//*[@name='{name}']")
        domain = node.get("domain") or node.get("filter_domain")
        domain = domain or f"[('{name}', 'ilike', self)]"
        return records.search(safe_eval(domain, {"self": value}))

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
        for written in self.get_spellings(reference):
            with self.subTest(written):
                self.assertEqual(self.search(name=written), self.subscription)

    def get_spellings(self, reference):
        """Return a reference as people write it: as in mails, in a letter, a part."""
        prefix, year, number = reference.split("/")
        return (
            reference,
            f"{prefix}-{year}-{number}",
            f" {prefix}-{year}-{number}\n",
            f"{prefix} {year} {number}",
            f"{prefix} – {year} – {number}",
            f"{prefix}.{year}.{number}".lower(),
            f"{year}-{number}",
            f"-{number}",
        )

    def test_cancellations_are_found_by_their_reference(self):
        """D4: list and search by name; another number is not found."""
        self.cancel(self.subscription, timing="end_of_period")
        cancellation = self.subscription.cancellation_ids
        for written in self.get_spellings(cancellation.name):
            with self.subTest(written):
                self.assertEqual(self.search_in(cancellation, written), cancellation)
                found = cancellation.name_search(written)
                self.assertEqual([one for one, _name in found], cancellation.ids)
                by_document = [("cancellation_id", "ilike", written)]
                steps = cancellation.step_ids.search(by_document)
                self.assertEqual(steps, cancellation.step_ids)
        for written in ("CAN-1999-00001", "CAN2-026", "C-AN"):
            with self.subTest(written):
                self.assertFalse(self.search_in(cancellation, written) & cancellation)

    def test_receipts_are_found_by_their_reference(self):
        """D4: as cancellations; an empty search finds all, as everywhere."""
        declarations = self.env["subscription.cancellation.declaration"].sudo()
        token = declarations._receive(
            {
                "kind": "ordinary",
                "customer_name": "Azure",
                "contract_reference": "?",
                "contract_email": "azure@example.com",
                "confirmation_email": "azure@example.com",
                "wants_earliest": True,
            },
            self.company,
            nonce="n" * 20,
            client_address="192.0.2.1",
        )
        declaration = declarations.search([("access_token", "=", token)])
        for written in self.get_spellings(declaration.name):
            with self.subTest(written):
                self.assertEqual(self.search_in(declaration, written), declaration)
        self.assertIn(declaration.id, dict(declaration.name_search("")))

    def test_subscriptions_are_found_by_their_own_reference(self):
        """E1: by any mark between, too."""
        self.subscription.name = "MON/SUB/00042"
        for written in self.get_spellings(self.subscription.name):
            with self.subTest(written):
                self.assertEqual(self.search(name=written), self.subscription)
                found = self.subscription.name_search(written)
                self.assertEqual([one for one, _name in found], self.subscription.ids)

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
