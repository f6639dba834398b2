# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""A customer with a browser that has no JavaScript: pages are read, forms are sent."""

from lxml import html

from odoo.fields import Command
from odoo.tests import HttpCase

from .common import CancellationCase


class Page:
    """An answer, and what is on it."""

    def __init__(self, response):
        self.status = response.status_code
        self.url = response.url.partition("?")[0]
        self.tree = html.fromstring(response.text or "<html/>")

    def text(self, name=None):
        """Return the words of the page, or of what has a name, on one line."""
        nodes = self.tree.xpath(f"//*[@name='{name}']" if name else "//main|//body")
        return " ".join(nodes[0].text_content().split()) if nodes else None

    def form(self, name):
        """Return address and values of a form as a browser would send them."""
        [form] = self.tree.xpath(f"//form[@name='{name}']")
        values = [(key, value) for key, value in form.form_values() if key]
        return form.get("action"), values

    def has(self, name):
        return bool(self.tree.xpath(f"//*[@name='{name}']"))


class PortalCase(CancellationCase, HttpCase):
    """A subscription of $31 for July, paid, with its customer logged in on 10 July."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customer = cls.create_customer(name="Azure", email="azure@example.com")
        cls.user = cls.create_portal_user("azure", cls.customer)
        cls.policy = cls.get_default_policy()

    def setUp(self):
        super().setUp()
        self.subscription = self.create_subscription(
            [{"name": "Base", "price_unit": 31.0}], partner_id=self.customer.id
        )
        self.invoice = self.bill(self.subscription)
        self.pay(self.invoice)
        self.travel_to("2026-07-10")
        self.authenticate("azure", "azure")

    @classmethod
    def create_portal_user(cls, login, partner):
        return (
            cls.env["res.users"]
            .with_context(no_reset_password=True)
            .create(
                {
                    "login": login,
                    "password": login,
                    "partner_id": partner.id,
                    "company_id": cls.company.id,
                    "company_ids": [Command.set(cls.company.ids)],
                    "group_ids": [Command.set(cls.quick_ref("base.group_portal").ids)],
                }
            )
        )

    # === BROWSING === #

    def get_path(self, suffix="", subscription=None):
        return f"/my/subscriptions/{(subscription or self.subscription).id}{suffix}"

    def go(self, path):
        return Page(self.url_open(path))

    def see(self, suffix="", subscription=None):
        """Open a page of the subscription."""
        return self.go(self.get_path(suffix, subscription))

    def send(self, page, name, **changes):
        """Send a form of a page, with other values than it came with."""
        action, values = page.form(name)
        kept = [(key, value) for key, value in values if key not in changes]
        for key, value in changes.items():
            several = value if isinstance(value, list) else [value]
            kept += [(key, one) for one in several if one is not None]
        return Page(self.url_open(action, data=kept))

    def check_out(self, **choices):
        """Fill the form, and return the page that wants to be confirmed."""
        return self.send(self.see("/cancel"), "cancel", **choices)

    def cancel_as_customer(self, **choices):
        """Cancel from the form to the result; return the last page."""
        page = self.check_out(**choices)
        return self.send(page, "confirm")

    def get_cancellation(self):
        self.env.invalidate_all()
        return self.subscription.cancellation_ids.sorted("id")[-1:]
