# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What managers and accountants read in the back office (D1, D4, E1, E4)."""

from odoo.tests import tagged

from .browser import BrowserCase

SMALL = {"width": 1280, "height": 720}
USUAL = {"width": 1400, "height": 900}
ADDON = "/odoo/action-subscription_cancellation."
#: The settings that most policies differ in.
FIRST = (
    "channel",
    "subscription_domain",
    "timing",
    "cancel_day_billed",
    "reason_required",
    "refund_mode",
    "credit_settlement",
    "unpaid_invoices",
    "unbilled_charges",
    "send_confirmation",
)
#: Its own: the box that selects a row, badges, the arrow between two dates, tabs,
#: what unfolds something.
ODOO = (
    ".o_list_record_selector",
    ".badge",
    ".fa-long-arrow-right",
    ".o_notebook_headers",
    ".o-dropdown",
)
#: Texts that end in "…", of the columns given.
CUT_OFF = """(names) => names.flatMap(
    (name) => [...document.querySelectorAll(`td[name=${name}], th[data-name=${name}]`)]
).flatMap((cell) => [cell, ...cell.querySelectorAll("*")]).filter(
    (box) => box.scrollWidth > box.clientWidth + 1 &&
        getComputedStyle(box).textOverflow === "ellipsis"
).map((box) => box.textContent)"""


class ScreenCase(BrowserCase):
    def setUp(self):
        super().setUp()
        # As for a manager who has just one language and one company.
        self.env["res.lang"].search([("code", "=", "de_DE")]).active = False

    def open(self, page, path, selector):
        page.set_default_timeout(90_000)
        # Style sheets and scripts are made anew for each test.
        page.goto(path, wait_until="commit")
        page.wait_for_selector(selector)

    def open_subscription(self, page):
        path = "/odoo/action-subscription_oca.sale_subscription_action"
        self.open(page, f"{path}/{self.subscription.id}", ".o_form_view .o_data_row")

    def assert_in_sight(self, page, locator):
        """The element is on the screen without scrolling."""
        box = locator.bounding_box()
        self.assertTrue(box, locator)
        self.assertLessEqual(box["y"] + box["height"], page.viewport_size["height"])

    def assert_not_cut(self, page, *names):
        self.assertEqual(page.evaluate(CUT_OFF, names), [])


@tagged("post_install", "-at_install")
class TestPolicyScreens(ScreenCase):
    def test_what_most_need_comes_first(self):
        """D1: name, example and ten settings on one screen; the rest on tabs."""
        policy = self.env["subscription.cancellation.policy"].search([], limit=1)
        path = f"{ADDON}subscription_cancellation_policy_action/{policy.id}"
        with self.open_browser(SMALL, "admin") as page:
            self.open(page, path, ".o_form_view .o_notebook")
            for name in ("name", "example", *FIRST):
                field = page.locator(f".o_field_widget[name={name}]").first
                self.assert_in_sight(page, field)
            tabs = page.locator(".o_notebook_headers a")
            self.assertEqual(
                tabs.all_inner_texts(),
                ["Notice", "Money", "Approval", "Customer", "Not paid"],
            )
            self.assert_in_sight(page, tabs.last)
            for tab in tabs.all():
                tab.click()
                page.wait_for_selector(".o_notebook .tab-pane.active .o_inner_group")
                height = page.locator(".o_form_sheet").bounding_box()["height"]
                # It had been 1,700.
                self.assertLessEqual(height, 950, tab.inner_text())

    def test_the_list_is_readable(self):
        """D1: through which channel, when, and what is credited."""
        values = {
            "name": "Customers",
            "channel": "portal",
            "timing": "end_of_period",
            "refund_mode": "prorated",
        }
        # The second one has a note: it comes after the default.
        self.env["subscription.cancellation.policy"].create(
            [values, {**values, "sequence": 2000}]
        )
        with self.open_browser(SMALL, "admin") as page:
            path = f"{ADDON}subscription_cancellation_policy_action"
            self.open(page, path, ".o_data_row")
            self.assert_not_cut(page, "channel", "timing", "refund_mode")


@tagged("post_install", "-at_install")
class TestSubscriptionScreen(ScreenCase):
    def setUp(self):
        super().setUp()
        parent, addon = self.subscription.sale_subscription_line_ids
        names = ("Business Web Hosting, Extended", "Online Membership and Newsletter")
        for line, name in zip((parent, addon), names, strict=True):
            line.name = line.product_id.name = name
        addon.parent_line_id = parent

    def test_the_policy_is_one_line(self):
        """D1: why it applies is told on hover."""
        with self.open_browser(USUAL, "admin") as page:
            self.open_subscription(page)
            policy = page.locator("[name=applied_policy]")
            self.assertEqual(policy.inner_text(), "Default cancellation policy")
            self.assertLess(policy.bounding_box()["height"], 40)
            policy.locator("span").hover()
            reason = page.wait_for_selector(".o-tooltip").inner_text()
            self.assertIn("the first one that matches", reason)

    def test_what_is_empty_is_not_shown(self):
        """B9: no trial, no line about it, once it runs."""
        with self.open_browser(USUAL, "admin") as page:
            self.open_subscription(page)
            label = page.locator("label:has-text('Trial End'):visible")
            self.assertFalse(label.count())

    def test_add_ons_are_readable(self):
        """A7: what they are, and what they are add-ons of, beside the chatter."""
        with self.open_browser(USUAL, "admin") as page:
            self.open_subscription(page)
            self.assertGreater(
                page.locator(".o-mail-Form-chatter").bounding_box()["x"], 700
            )
            names = ("product_id", "name", "parent_line_id", "price_subtotal")
            self.assert_not_cut(page, *names)


@tagged("post_install", "-at_install")
class TestBooksScreen(ScreenCase):
    def test_it_has_a_title_and_can_be_printed(self):
        """D4: no “New”, neither as its title nor as a button."""
        with self.open_browser(SMALL, "admin") as page:
            self.open(
                page,
                f"{ADDON}subscription_cancellation_books_server_action",
                "button[name=action_check]",
            )
            title = page.locator(".o_breadcrumb .active, .o_last_breadcrumb_item")
            self.assertEqual(
                title.first.inner_text().strip(), "Check Cancellation Books"
            )
            self.assertFalse(page.locator("button:text-is('Print'):visible").count())
            page.click("button[name=action_check]")
            page.wait_for_selector("button:has-text('Print'):visible")
            self.assertIn("checked on", title.first.inner_text())
            for name in ("checked_on", "create_uid", "scope"):
                field = page.locator(f".o_field_widget[name={name}]")
                self.assertTrue(field.inner_text().strip(), name)
            self.assertFalse(page.locator(".o_form_button_create:visible").count())


@tagged("post_install", "-at_install")
class TestDashboardScreen(ScreenCase):
    def test_churn_and_net_revenue(self):
        """E4: active subscriptions, churn, and net beside lost revenue."""
        self.subscription._request_cancellation({"timing": "immediate"}, "backend")
        with self.open_browser(SMALL, "admin") as page:
            self.open(page, "/odoo/dashboards", ".o_search_panel")
            page.click(".o_search_panel li:has-text('Cancellations')")
            page.wait_for_selector(".o-figure canvas")
            self.assertGreaterEqual(page.locator(".o-figure").count(), 9)
            sheet = page.locator(".o-grid, .o-spreadsheet").first.bounding_box()
            for figure in page.locator(".o-figure").all():
                box = figure.bounding_box()
                self.assertLessEqual(
                    box["x"] + box["width"], sheet["x"] + sheet["width"]
                )

    def test_months_of_the_churn_analysis(self):
        """E4: from the menu; nothing is cut off, and this month is the last one."""
        with self.open_browser(SMALL, "admin") as page:
            path = f"{ADDON}subscription_churn_report_action"
            self.open(page, path, ".o_pivot .o_value")
            table = page.locator(".o_pivot table").bounding_box()
            self.assertLessEqual(table["x"] + table["width"], SMALL["width"])
            heads = page.locator(".o_pivot thead").inner_text()
            for measure in ("Running on the First Day", "Churn", "Net Monthly Revenue"):
                self.assertIn(measure, heads)


@tagged("post_install", "-at_install")
class TestAccessibleScreens(ScreenCase):
    """What this addon shows in the back office, looked over by axe-core."""

    def setUp(self):
        super().setUp()
        partner = self.env["res.partner"].create({"name": "Azure Interior"})
        other = self.create_billed_subscription(partner)
        for subscription, timing in (
            (self.subscription, "end_of_period"),
            (other, "immediate"),
        ):
            subscription.request_cancellation(
                timing=timing, reason_code="switching_service"
            )
        self.done = other.cancellation_ids

    def look_over(self, page, action, selector, ready):
        self.open(page, f"{ADDON}{action}", ready)
        page.wait_for_timeout(500)
        self.assert_axe(page, selector, ODOO)

    def test_lists(self):
        """E1: their cells; heads and switches are Odoo's."""
        names = ("", "_policy", "_event")
        with self.open_browser(SMALL, "admin") as page:
            for name in names:
                action = f"subscription_cancellation{name}_action"
                with self.subTest(action=action):
                    self.look_over(page, action, ".o_data_row", ".o_data_row")

    def test_forms(self):
        """E1: cancellations, executed and scheduled, and each tab of a policy."""
        policy = self.env["subscription.cancellation.policy"].search([], limit=1)
        scheduled = self.subscription.cancellation_ids
        with self.open_browser(SMALL, "admin") as page:
            for path in (
                f"subscription_cancellation_action/{self.done.id}",
                f"subscription_cancellation_action/{scheduled.id}",
                f"subscription_cancellation_policy_action/{policy.id}",
            ):
                ready = ".o_form_view .o_notebook"
                self.look_over(page, path, ".o_form_sheet", ready)
                for tab in page.locator(".o_notebook_headers a:visible").all():
                    with self.subTest(path=path, tab=tab.inner_text()):
                        tab.click()
                        page.wait_for_timeout(300)
                        self.assert_axe(page, ".o_form_sheet", ODOO)
