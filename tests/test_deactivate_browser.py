# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The Deactivate dialog in a browser: one screen, and nothing moves (A2, D3, E1)."""

from datetime import date, timedelta

from odoo.fields import Command
from odoo.tests import tagged

from .browser import BrowserCase
from .common import CANCELLATION_USER, SALESPERSON

LAPTOP = {"width": 1280, "height": 720}
PHONE = {"width": 390, "height": 844}
LINES = 6
#: Boxes of what matches, as [left, top, right, bottom].
BOXES = """(selector) => [...document.querySelectorAll(selector)].map((one) => {
    const box = one.getBoundingClientRect();
    return [box.left, box.top, box.right, box.bottom].map(Math.round);
})"""
#: What somebody reads and clicks.
SHOWN = (
    ".modal-title",
    ".o_subscription_cancellation_figures > div",
    ".o_radio_item",
    "[name=reason_id]",
    "[name=comment]",
    ".o_deactivate_more > summary",
    "[name=rows] tr",
    ".modal-footer button",
)
ACTIVE = "document.activeElement"


class DialogCase(BrowserCase):
    def setUp(self):
        super().setUp()
        self.agent = self.env["res.users"].create(
            {
                "name": "Agent",
                "login": "dialog_agent",
                "password": "dialog_agent",
                "group_ids": [
                    Command.set(
                        [
                            self.env.ref(group).id
                            for group in (SALESPERSON, CANCELLATION_USER)
                        ]
                    )
                ],
            }
        )
        self.subscription.user_id = self.agent

    def create_billed_subscription(self, partner):
        """Return one with six lines, the last one without a price."""
        subscription = super().create_billed_subscription(partner)
        products = self.env["product.product"].create(
            [
                {"name": f"Part {number}", "type": "service", "list_price": 31.0}
                for number in range(LINES - 2)
            ]
        )
        subscription.write(
            {
                "sale_subscription_line_ids": [
                    Command.create({"product_id": product.id}) for product in products
                ]
            }
        )
        subscription.invoice_ids.button_draft()
        subscription.invoice_ids.button_cancel()
        subscription.recurring_next_date = date.today() - timedelta(days=5)
        subscription.generate_invoice()
        invoice = subscription.invoice_ids.filtered(lambda move: move.state == "draft")
        invoice.action_post()
        return subscription

    def open_dialog(self, page):
        page.goto(
            "/odoo/action-subscription_oca.sale_subscription_action/"
            f"{self.subscription.id}"
        )
        # In any language; that of a line has an icon.
        button = ".o_statusbar_buttons button[name=action_deactivate]"
        if page.viewport_size["width"] < 768:
            page.click(".o_statusbar_buttons .dropdown-toggle")
            button = "button[name=action_deactivate]:has-text('Deactivate')"
        page.click(button)
        page.wait_for_selector(".modal .o_subscription_cancellation_preview")
        page.wait_for_function(f"{ACTIVE}.closest('[name=reason_id]')")
        page.evaluate("document.querySelector('.modal-body').scrollTo(0, 0)")

    def choose(self, page, value):
        """Choose an option, and wait for its preview."""
        page.evaluate("document.querySelector('.modal-body').scrollTo(0, 0)")
        selector = f".modal input[data-value={value}]"
        with page.expect_response("**/onchange"):
            page.check(selector)
        page.wait_for_timeout(300)
        page.evaluate("document.querySelector('.modal-body').scrollTo(0, 0)")


@tagged("post_install", "-at_install")
class TestNothingMoves(DialogCase):
    OPTIONS = (
        "end_of_period",
        "end_of_billed",
        "earliest",
        "specific_date",
        "immediate",
        "none",
        "full",
        "prorated",
        "lines",
        "whole",
    )

    def assert_still(self, page):
        """Assert that no option moves a radio button, or changes the height."""
        places = self.read_places(page)
        for option in self.OPTIONS:
            self.choose(page, option)
            self.assertEqual(self.read_places(page), places, option)

    def read_places(self, page):
        return {
            selector: page.evaluate(BOXES, selector)
            for selector in (
                ".modal-content",
                ".modal input[type=radio]",
                ".modal [name=reason_id]",
                ".modal [name=comment]",
                ".modal-footer",
            )
        }

    def test_on_a_laptop_all_of_it_is_one_screen(self):
        """A2, D5: at 1280×720 with six lines, and every option in its place."""
        with self.open_browser(LAPTOP, "dialog_agent") as page:
            self.open_dialog(page)
            self.assert_one_screen(page)
            rows = page.locator(".modal [name=rows] tbody tr").count()
            self.assertGreaterEqual(rows, LINES)
            self.assertIn("Axe Inc", page.inner_text(".modal-title"))
            self.assert_still(page)

    def test_in_every_language_all_of_it_is_one_screen(self):
        """A2, E1: the same, with words that are longer than in English."""
        for lang in ("de_DE", "es_ES", "fr_FR", "it_IT", "nl_NL"):
            self.env["res.lang"]._activate_lang(lang)
            self.env["ir.module.module"]._load_module_terms(
                ["subscription_oca", "subscription_cancellation"], [lang]
            )
            self.agent.lang = lang
            with self.subTest(lang=lang):
                with self.open_browser(LAPTOP, "dialog_agent") as page:
                    self.open_dialog(page)
                    self.assert_one_screen(page)

    def assert_one_screen(self, page):
        for selector in SHOWN:
            boxes = page.evaluate(BOXES, f".modal {selector}")
            self.assertTrue(boxes, selector)
            [[_l, _t, _r, foot]] = page.evaluate(BOXES, ".modal .modal-body")
            for left, top, right, bottom in boxes:
                limit = 720 if selector.startswith(".modal-") else foot
                self.assertGreaterEqual(left, 0, selector)
                self.assertGreaterEqual(top, 0, selector)
                self.assertLessEqual(right, 1280, selector)
                self.assertLessEqual(bottom, limit, selector)

    def test_on_a_phone(self):
        """A2: at 390×844 nothing is cut off, and nothing moves either."""
        with self.open_browser(PHONE, "dialog_agent") as page:
            self.open_dialog(page)
            for selector in SHOWN:
                boxes = page.evaluate(BOXES, f".modal {selector}")
                self.assertTrue(boxes, selector)
                for left, _top, right, _bottom in boxes:
                    self.assertGreaterEqual(left, 0, selector)
                    self.assertLessEqual(right, 390, selector)
            self.assert_still(page)

    def test_the_date_stands_beside_its_timing(self):
        """B4: on the same line, in the window."""
        for size in (LAPTOP, PHONE):
            with self.open_browser(size, "dialog_agent") as page:
                self.open_dialog(page)
                self.choose(page, "specific_date")
                radio = ".modal .o_radio_item:has(input[data-value=specific_date])"
                [[_l, top, _r, bottom]] = page.evaluate(BOXES, radio)
                [[_l, above, right, below]] = page.evaluate(
                    BOXES, ".modal [name=requested_date] input"
                )
                middle = (top + bottom) / 2
                self.assertTrue(above < middle < below, (size, above, below, middle))
                self.assertLessEqual(right, size["width"])

    def test_what_is_unfolded_is_in_sight(self):
        """A2: more options, at 1280 × 720."""
        with self.open_browser(LAPTOP, "dialog_agent") as page:
            self.open_dialog(page)
            page.click(".modal details summary")
            field = page.locator(".modal details [name=send_confirmation] input")
            field.wait_for()
            page.wait_for_timeout(300)
            box, body = field.bounding_box(), page.locator(".modal-body").bounding_box()
            self.assertLess(box["y"] + box["height"], body["y"] + body["height"] + 1)

    def test_what_cannot_be_chosen_is_greyed_and_says_why(self):
        """B3."""
        with self.open_browser(LAPTOP, "dialog_agent") as page:
            self.open_dialog(page)
            radio = ".modal input[data-value=end_of_term]"
            self.assertTrue(page.is_disabled(radio))
            row = ".modal .o_radio_item:has(input[data-value=end_of_term])"
            self.assertIn("no fixed term", page.inner_text(row))

    def test_it_is_accessible(self):
        """E1: looked over by axe-core, folded and unfolded."""
        with self.open_browser(LAPTOP, "dialog_agent") as page:
            self.open_dialog(page)
            self.assert_dialog_accessible(page)
            page.click(".modal .o_deactivate_more > summary")
            self.choose(page, "specific_date")
            self.assert_dialog_accessible(page)


@tagged("post_install", "-at_install")
class TestKeyboard(DialogCase):
    def press(self, page, *keys):
        for key in keys:
            page.keyboard.press(key)
            page.wait_for_timeout(300)

    def assert_focus(self, page, selector):
        page.wait_for_function(f"{ACTIVE}.matches('{selector}')", timeout=10_000)

    def test_other_with_its_comment(self):
        """D3: by keyboard alone; what was typed is not thrown away."""
        with self.open_browser(LAPTOP, "dialog_agent") as page:
            self.open_dialog(page)
            page.keyboard.type("Other")
            page.wait_for_selector(".o-autocomplete--dropdown-menu :text-is('Other')")
            page.wait_for_timeout(500)
            with page.expect_response("**/onchange"):
                self.press(page, "Enter")
            page.wait_for_selector(".modal-footer button[disabled]")
            self.assertIn("Say more", page.inner_text(".o_deactivate_problem"))
            self.assertTrue(page.is_visible(".o_subscription_cancellation_preview"))
            self.press(page, "Tab")
            self.assert_focus(page, "[name=comment] textarea")
            page.keyboard.type("They move house")
            self.press(page, "Enter")
            page.keyboard.type("in May")
            self.press(page, "Tab")
            page.wait_for_selector(".modal-footer button[name=action_confirm]")
            for _step in range(6):
                if page.evaluate(f"{ACTIVE}.name === 'action_confirm'"):
                    break
                self.press(page, "Tab")
            self.assert_focus(page, "button[name=action_confirm]")
            self.press(page, "Enter")
            page.wait_for_selector(".modal", state="detached")
            page.wait_for_selector(".ribbon:has-text('Cancelled')")
        self.env.invalidate_all()
        cancellation = self.subscription.cancellation_ids
        self.assertEqual(cancellation.comment, "They move house\nin May")
        self.assertEqual(cancellation.reason_id.code, "other")
        self.assertEqual(cancellation.state, "done")

    def test_the_reasons_are_in_sight(self):
        """D3: those of the list, “Other” last."""
        with self.open_browser(LAPTOP, "dialog_agent") as page:
            self.open_dialog(page)
            page.click(".modal [name=reason_id] input")
            page.wait_for_selector(".o-autocomplete--dropdown-item")
            page.wait_for_timeout(500)
            items = ".o-autocomplete--dropdown-item:not(.o_m2o_dropdown_option)"
            names = page.locator(items).all_inner_texts()
            boxes = page.evaluate(BOXES, items)
        reasons = self.env["sale.subscription.close.reason"]
        wanted = [
            reasons._from_code(code).name
            for code in (
                "too_expensive",
                "missing_features",
                "switching_service",
                "technical_issues",
                "no_longer_needed",
                "too_difficult",
            )
        ]
        names = [name.strip() for name in names]
        self.assertEqual(names[:6], wanted)
        self.assertEqual(names[-1], "Other")
        for _left, top, _right, bottom in boxes:
            self.assertTrue(0 <= top and bottom <= 720, boxes)


@tagged("post_install", "-at_install")
class TestButtonsInABrowser(DialogCase):
    """What is scheduled is taken back by whom it belongs to, in so many words."""

    def setUp(self):
        super().setUp()
        self.agent.copy(
            {"login": "dialog_colleague", "password": "dialog_colleague", "name": "C"}
        ).group_ids += self.env.ref("sales_team.group_sale_salesman_all_leads")
        self.subscription.with_user(self.agent)._request_cancellation(
            {"timing": "end_of_period"}, "backend"
        )

    def open_subscription(self, page):
        page.goto(
            "/odoo/action-subscription_oca.sale_subscription_action/"
            f"{self.subscription.id}"
        )
        page.wait_for_selector(".alert:has-text('Non-renewing')")

    def test_a_colleague_is_offered_nothing_that_is_refused(self):
        """B12, B13: but told whose it is."""
        with self.open_browser(LAPTOP, "dialog_colleague") as page:
            self.open_subscription(page)
            for name in ("action_revoke_cancellation", "action_postpone_cancellation"):
                self.assertFalse(page.is_visible(f"button[name={name}]"), name)
            note = page.inner_text("[name=cannot_change_end_reason] >> nth=0")
            self.assertIn("requested by Agent", note)

    def test_the_agent_is_asked_with_verbs(self):
        """B12: and keeps it by the one, revokes it by the other."""
        with self.open_browser(LAPTOP, "dialog_agent") as page:
            self.open_subscription(page)
            revoke = "button[name=action_revoke_cancellation]:visible"
            page.click(revoke)
            page.wait_for_selector(".modal:has-text('extra days')")
            self.assertIn("customer is told", page.inner_text(".modal-body"))
            page.click(".modal-footer button:text-is('Keep it scheduled')")
            page.wait_for_selector(".modal", state="detached")
            page.click(revoke)
            page.click(".modal-footer button:text-is('Revoke')")
            page.wait_for_selector(".alert:has-text('Non-renewing')", state="hidden")
        self.env.invalidate_all()
        self.assertEqual(self.subscription.cancellation_ids.state, "revoked")
