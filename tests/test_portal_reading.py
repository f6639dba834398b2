# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What customers read in the portal: names, prices, titles, and what they find (E2)."""

from odoo.tests import tagged

from odoo.addons.subscription_cancellation.formatting import as_reference

from .portal import PortalCase


def get_words(node):
    return " ".join(node.text_content().split())


@tagged("post_install", "-at_install")
class TestList(PortalCase):
    """With two hundred subscriptions."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.plan = cls.create_template(name="Server plan", code="SRV")
        cls.plans = {
            "Mail plan": cls.create_template(name="Mail plan", code="ML"),
            "Server plan": cls.plan,
        }

    def fill(self, count):
        """Give the customer further subscriptions, with a search for one of them."""
        for number in range(count):
            self.create_subscription(
                [{"name": f"Item {number:03}", "price_unit": 10.0}],
                template=self.plan,
                partner_id=self.customer.id,
            )

    def get_rows(self, page):
        return [get_words(row) for row in page.tree.xpath("//table//tbody/tr")]

    def test_named_by_the_plan_first(self):
        """E2: the reference comes second."""
        subscription = self.create_subscription(
            [5.0], template=self.plans["Mail plan"], partner_id=self.customer.id
        )
        page = self.go("/my/subscriptions")
        [link] = page.tree.xpath(f"//a[@href='{subscription.access_url}']")
        self.assertEqual(get_words(link), f"Mail plan {subscription.name}")
        page = self.see(subscription=subscription)
        self.assertEqual(
            get_words(page.tree.xpath("//h1")[0]), f"Mail plan {subscription.name}"
        )

    def test_search_among_two_hundred(self):
        """E2: by item, by plan, by reference; paged, and the search stays."""
        self.fill(200)
        found = self.go("/my/subscriptions?search=item%20117&search_in=all")
        [row] = self.get_rows(found)
        self.assertIn("Server plan", row)
        found = self.go("/my/subscriptions?search=SERVER+plan&search_in=all")
        self.assertEqual(len(self.get_rows(found)), 80)
        pages = found.tree.xpath("//*[contains(@class, 'pagination')]//a/@href")
        [third] = {link for link in pages if "/page/3" in link}
        self.assertEqual(len(self.get_rows(self.go(third))), 40)
        reference = self.subscription.name
        found = self.go(f"/my/subscriptions?search={reference}&search_in=all")
        self.assertEqual(len(self.get_rows(found)), 1)
        sorted_link = found.tree.xpath("//a[contains(@href, 'sortby=name')]/@href")[0]
        self.assertIn("search=", sorted_link)

    def test_ended_items_are_found(self):
        """E2: what is archived with the end is what the customer remembers."""
        self.cancel(self.subscription)
        page = self.go("/my/subscriptions?search=base")
        self.assertEqual(len(self.get_rows(page)), 1)

    def test_nothing_found(self):
        """E2: said in words; what was typed is text."""
        page = self.go("/my/subscriptions?search=%3Cb%3Enone%00")
        self.assertFalse(self.get_rows(page))
        self.assertIn("<b>none", page.text())
        self.assertEqual(page.tree.xpath("//input[@name='search']/@value"), ["<b>none"])

    def test_only_own_ones_are_found(self):
        """E2: nobody finds what is somebody else's."""
        self.create_subscription(
            [{"name": "Secret"}], partner_id=self.create_customer(name="Other").id
        )
        self.assertFalse(self.get_rows(self.go("/my/subscriptions?search=secret")))


@tagged("post_install", "-at_install")
class TestNamesOfItems(PortalCase):
    def test_the_code_of_the_product_comes_second(self):
        """E2: "[HOST] Hosting" is a hosting for the customer."""
        self.subscription.sale_subscription_line_ids.name = "[HOST-1] Hosting"
        page = self.see()
        [cell] = page.tree.xpath("//table[@name='lines']//tbody//td[1]")
        self.assertEqual(get_words(cell), "Hosting HOST-1")

    def test_a_subscription_without_a_reference(self):
        """E2: named by its plan alone."""
        self.subscription.template_id.code = False
        self.subscription.code = False
        page = self.see()
        self.assertEqual(
            get_words(page.tree.xpath("//h1")[0]), self.subscription.template_id.name
        )


class PriceCase(PortalCase):
    """$36.00 and 19 % a month."""

    price_include = "tax_excluded"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.account_price_include = cls.price_include
        cls.tax = cls.create_tax(19.0)
        cls.monthly = cls.create_template(name="Monthly")

    def setUp(self):
        super().setUp()
        self.subscription = self.create_subscription(
            [{"name": "Hosting", "price_unit": self.price, "taxes": self.tax}],
            template=self.monthly,
            partner_id=self.customer.id,
        )
        self.invoice = self.bill(self.subscription, "2026-07-01")

    price = 36.0

    def get_prices(self):
        """Return what list, head, item and invoice say."""
        listed = self.go("/my/subscriptions")
        path = f"//tr[.//a[@href='{self.subscription.access_url}']]/td[last()]"
        page = self.see()
        return [
            get_words(node)
            for node in (
                listed.tree.xpath(path)[0],
                page.tree.xpath("//*[@name='price']")[0],
                page.tree.xpath("//table[@name='lines']//tbody//td[2]")[0],
                page.tree.xpath("//table[@name='invoices']//tbody//td[3]")[0],
            )
        ]


@tagged("post_install", "-at_install")
class TestPricesWithoutTax(PriceCase):
    def test_the_same_everywhere(self):
        """E2: as the documents say, and what has to be paid beside it."""
        listed, head, item, invoiced = self.get_prices()
        self.assertEqual(listed, "$ 36.00 per month, excl. tax")
        self.assertEqual(head, "$ 36.00 per month, excl. tax ($ 42.84 incl. tax)")
        self.assertEqual(item, "$ 36.00")
        self.assertEqual(invoiced, "$ 36.00 $ 42.84 incl. tax")

    def test_how_often(self):
        """E2: in words, for every interval."""
        for interval, kind, words in (
            (1, "days", "per day"),
            (1, "weeks", "per week"),
            (1, "years", "per year"),
            (3, "months", "every 3 months"),
            (2, "years", "every 2 years"),
        ):
            self.monthly.write(
                {"recurring_interval": interval, "recurring_rule_type": kind}
            )
            self.assertEqual(self.subscription._get_portal_rhythm(), words)


@tagged("post_install", "-at_install")
class TestPricesWithTax(PriceCase):
    price_include = "tax_included"
    price = 42.84

    def test_the_same_everywhere(self):
        """E2: one figure, on item, total and invoice."""
        listed, head, item, invoiced = self.get_prices()
        self.assertEqual(listed, "$ 42.84 per month, incl. tax")
        self.assertEqual(head, "$ 42.84 per month, incl. tax")
        self.assertEqual(item, "$ 42.84")
        self.assertEqual(invoiced, "$ 42.84")


@tagged("post_install", "-at_install")
class TestEveryPage(PortalCase):
    """Titles, images."""

    def walk(self):
        """Yield the name of a page, what its title is to say, and the page."""
        plan = self.subscription.template_id.name
        yield "home", None, self.go("/my")
        yield "list", "Subscriptions", self.go("/my/subscriptions")
        yield "detail", plan, self.see()
        form = self.see("/cancel")
        yield "form", f"Cancel {plan}", form
        summary = self.send(form, "cancel", timing="end_of_period")
        yield "summary", "check", summary
        result = self.send(summary, "confirm")
        yield "result", as_reference(self.get_cancellation().name), result
        yield "refused", plan, self.see("/cancel")

    def test_the_title_names_the_page(self):
        """E2: in the tab, in the history, for whoever listens."""
        titles = []
        for name, expected, page in self.walk():
            title = get_words(page.tree.xpath("//title")[0])
            if expected:
                self.assertIn(expected, title, name)
                titles.append(title)
        self.assertNotIn("Odoo", titles)
        self.assertEqual(len(set(titles[:-1])), len(titles) - 1)

    def test_every_image_has_its_text(self):
        """E2: or an empty one, where it says nothing."""
        for name, _title, page in self.walk():
            with self.subTest(name):
                self.assertEqual(page.tree.xpath("//img[not(@alt)]/@src"), [], page.url)


@tagged("post_install", "-at_install")
class TestQueriesOfPages(PortalCase):
    """What a page asks the database for, once its templates are known."""

    def count(self, visit):
        """Return the queries of a visit, with nothing read before."""
        counts = []
        for _attempt in range(3):
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            visit()
            counts.append(self.env.cr.sql_log_count - before)
        return min(counts)

    def count_preview(self):
        form = self.see("/cancel")
        choice = {"scope": "whole", "timing": "immediate"}
        return self.count(lambda: self.send(form, "cancel", **choice))

    def test_no_page_asks_for_more(self):
        """E2: what the pages asked for when they had less to tell."""
        found = {
            "list": self.count(lambda: self.go("/my/subscriptions")),
            "detail": self.count(self.see),
            "form": self.count(lambda: self.see("/cancel")),
            "preview": self.count_preview(),
        }
        self.subscription.request_cancellation(timing="end_of_period")
        found["scheduled"] = self.count(self.see)
        limits = {"list": 22, "detail": 25, "form": 37, "preview": 50, "scheduled": 25}
        for name, count in found.items():
            with self.subTest(page=name):
                self.assertLessEqual(count, limits[name], found)
