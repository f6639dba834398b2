# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Money is never cut and names are readable, on screens of the back office (E1)."""

from datetime import date, timedelta

from odoo.tests import tagged

from .browser import BrowserCase

#: Widths of usual screens; Odoo shows the chatter beside the form from 1400 on.
WIDTHS = (1280, 1366, 1400, 1440, 1536)
#: What of a list is not to be seen as a whole, by its heads and cells.
CUT = """
    () => [...document.querySelectorAll('.o_list_renderer')]
        .filter((list) => list.offsetParent)
        .flatMap((list) => {
            const room = list.getBoundingClientRect();
            const isCut = (cell) => {
                const box = cell.getBoundingClientRect();
                return (
                    box.right > Math.min(room.right, window.innerWidth) + 1 ||
                    cell.scrollWidth > cell.clientWidth + 1
                );
            };
            const cells = list.querySelectorAll(
                'thead th[data-name], tbody td.o_data_cell, tfoot td'
            );
            return [...cells]
                .filter((cell) => cell.innerText.trim() && isCut(cell))
                .map((cell) => cell.innerText.trim());
        })
"""
#: The heads of the columns that are shown.
HEADS = """
    () => [...document.querySelectorAll('.o_list_renderer')]
        .filter((list) => list.offsetParent)
        .flatMap((list) => [...list.querySelectorAll('thead th[data-name]')])
        .map((head) => head.innerText.trim())
        .filter(Boolean)
"""


@tagged("post_install", "-at_install")
class TestMoneyColumns(BrowserCase):
    def setUp(self):
        super().setUp()
        partner = self.env["res.partner"].create({"name": "Brambleberry Bakehouse"})
        self.subscription = self.create_billed_subscription(partner)
        names = ("Business Web Hosting", "Daily Backups and Monitoring")
        lines = self.subscription.sale_subscription_line_ids
        for line, name in zip(lines, names, strict=True):
            line.product_id.name = line.name = name
        next_date = date.today() + timedelta(days=365)
        self.subscription.write({"recurring_next_date": next_date})
        self.subscription.request_cancellation(
            timing="immediate", reason_code="switching_service"
        )
        self.cancellation = self.subscription.cancellation_ids

    def assert_nothing_is_cut(self, page, *heads, path, ready):
        """Open a screen at each width; all cells of its lists are to be seen."""
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            page.goto(path)
            page.wait_for_selector(".o_list_renderer:visible")
            for selector in ready:
                page.click(selector)
            page.wait_for_selector(".o_list_renderer:visible .o_data_row")
            page.evaluate("() => document.fonts.ready")
            shown = page.evaluate(HEADS)
            for head in heads:
                self.assertIn(head, shown, width)
            self.assertEqual(page.evaluate(CUT), [], f"{path} at {width}")

    def test_the_credit_memos_to_review(self):
        """E1, C12: whose they are, of which cancellation, for which days."""
        policy = self.env["subscription.cancellation.policy"].search([], limit=1)
        policy.post_credit_memos = False
        partner = self.env["res.partner"].create(
            {"name": "Larkspur Landscaping Partnership"}
        )
        subscription = self.create_billed_subscription(partner)
        subscription.request_cancellation(
            timing="immediate", reason_code="switching_service"
        )
        self.assertEqual(subscription.cancellation_ids.credit_note_ids.state, "draft")
        path = "/odoo/action-subscription_cancellation.account_move_to_review_action"
        with self.open_as_admin() as page:
            heads = ("Credited Invoice", "Credited Period", "Cancellation", "Total")
            self.assert_nothing_is_cut(page, *heads, path=path, ready=())

    def open_as_admin(self):
        return self.open_browser({"width": 1400, "height": 900}, "admin")

    def test_the_credit_memo(self):
        """E1, C4: its lines, and the days that they credit."""
        memo = self.cancellation.credit_note_ids
        path = f"/odoo/customer-invoices/{memo.id}"
        with self.open_as_admin() as page:
            self.assert_nothing_is_cut(page, "Product", "Amount", path=path, ready=())
            self.assert_nothing_is_cut(
                page,
                "Line",
                "Credit",
                "Total",
                path=path,
                ready=["a[name=credited_days]"],
            )

    def test_the_cancellation(self):
        """E1, D4: what was credited, and what followed."""
        path = (
            "/odoo/action-subscription_cancellation.subscription_cancellation_action/"
            f"{self.cancellation.id}"
        )
        with self.open_as_admin() as page:
            heads = ("Line", "Invoice", "Credit", "Total")
            self.assert_nothing_is_cut(page, *heads, path=path, ready=())
            heads = ("Invoice", "Document", "Amount")
            steps = ["a[name=steps]"]
            self.assert_nothing_is_cut(page, *heads, path=path, ready=steps)

    def test_the_lists(self):
        """E1: of subscriptions, cancellations and credit memos to review."""
        with self.open_as_admin() as page:
            for action, heads in {
                "subscription_oca.sale_subscription_action": (
                    "Name",
                    "Monthly Revenue",
                ),
                "subscription_cancellation.subscription_cancellation_action": (
                    "Reference",
                    "Credit",
                ),
            }.items():
                path = f"/odoo/action-{action}"
                self.assert_nothing_is_cut(page, *heads, path=path, ready=())
