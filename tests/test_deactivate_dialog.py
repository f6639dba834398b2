# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The Deactivate dialog: figures first, every timing with its date (A2, B5, D5)."""

from lxml import etree, html

from odoo.exceptions import UserError
from odoo.tests import Form, tagged

from .common import (
    CANCELLATION_MANAGER,
    CANCELLATION_USER,
    SALESPERSON,
    CancellationCase,
)


def read_figures(dialog):
    """Return the text of each box: heading, figure and note."""
    boxes = html.fromstring(str(dialog.figures)).xpath("//dl/div")
    return [
        [" ".join(part.text_content().split()) for part in box.iterchildren()]
        for box in boxes
    ]


class DeactivateCase(CancellationCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.policy = cls.get_default_policy()
        cls.agent = cls.create_user(SALESPERSON, CANCELLATION_USER, login="agent")

    def create_billed(self, lines=(31.0,), paid=True, **values):
        """Return a subscription that is billed for July, on 10 July."""
        subscription = self.create_subscription(lines, **values)
        invoice = self.bill(subscription, "2026-07-01")
        self.travel_to("2026-07-10")
        if paid:
            self.pay(invoice)
        return subscription

    def open_dialog(self, subscription):
        """Return the dialog as the button opens it for an agent."""
        subscription.user_id = self.agent
        action = subscription.with_user(self.agent).action_deactivate()
        dialogs = self.env[action["res_model"]].with_user(self.agent)
        return Form(dialogs.with_context(**action["context"]))


@tagged("post_install", "-at_install")
class TestTimings(DeactivateCase):
    """Each timing says when it would end, or why it cannot be chosen."""

    def get_choices(self, dialog):
        return {
            timing: choice["day"] or choice["problem"]
            for timing, choice in dialog.timing_choices["choices"].items()
        }

    def test_each_has_the_day_that_confirming_it_leads_to(self):
        """B1, B2, B5, B19: not another rule than the plan's own."""
        self.policy.write({"notice_period": 1, "notice_unit": "months"})
        subscription = self.create_billed()
        dialog = self.open_dialog(subscription)
        choices = self.get_choices(dialog)
        self.assertEqual(choices["specific_date"], "")
        for timing in ("immediate", "end_of_period", "end_of_billed", "earliest"):
            dialog.timing = timing
            [_heading, day, *_note] = read_figures(dialog)[0]
            plan = subscription._plan_cancellation({"timing": timing}, "backend")
            short = plan.last_service_date.strftime("%b %-d")
            self.assertEqual(choices[timing], short, timing)
            self.assertEqual(day, plan.last_service_date.strftime("%B %-d, %Y"))

    def test_without_a_term_there_is_no_end_of_it(self):
        """B3: greyed, in words that somebody who sets no policies can act on."""
        self.policy.end_alignment = "end_of_term"
        dialog = self.open_dialog(self.create_billed())
        choices = self.get_choices(dialog)
        self.assertEqual(choices["end_of_term"], "no fixed term")
        self.assertEqual(
            choices["earliest"], "no fixed term; ask a cancellation manager"
        )
        dialog.timing = "end_of_term"
        self.assertIn("ask a cancellation manager", dialog.problem)

    def test_what_has_not_started_ends_at_once_only(self):
        """B10."""
        subscription = self.create_subscription(start="2026-07-01")
        self.travel_to("2026-06-15")
        dialog = self.open_dialog(subscription)
        choices = self.get_choices(dialog)
        self.assertEqual(dialog.timing, "immediate")
        self.assertFalse(choices.pop("immediate"))
        self.assertEqual(set(choices.values()), {"not before service has started"})

    def test_a_policy_that_fixes_it_says_who_can_change_that(self):
        """D2."""
        self.policy.allow_override_timing = False
        dialog = self.open_dialog(self.create_billed())
        fixed = dialog.timing_choices["fixed"]
        self.assertIn(self.policy.name, fixed)
        self.assertIn("a cancellation manager can change it", fixed)

    def test_the_day_of_cancellation_moves_the_dates(self):
        """B6: of what ends at once."""
        dialog = self.open_dialog(self.create_billed())
        self.assertEqual(self.get_choices(dialog)["immediate"], "Jul 10")
        dialog.cancel_day_billed = False
        self.assertEqual(self.get_choices(dialog)["immediate"], "Jul 9")


@tagged("post_install", "-at_install")
class TestFigures(DeactivateCase):
    """Ends, credit, where it goes, and what stays due."""

    def assert_figures(self, dialog, *figures):
        told = [[part for part in figure if part] for figure in read_figures(dialog)]
        self.assertEqual(told, [list(figure) for figure in figures])

    def test_a_paid_invoice(self):
        """C6: the credit stays on the account, or goes back."""
        dialog = self.open_dialog(self.create_billed())
        ends, credit = ("Ends", "July 10, 2026"), ("Credit", "$ 21.00")
        due = ("Still due", "$ 0.00")
        self.assert_figures(dialog, ends, credit, ("Stays on account", "$ 21.00"), due)
        dialog.credit_settlement = "refund"
        self.assert_figures(dialog, ends, credit, ("Goes back", "$ 21.00"), due)
        dialog.refund_mode = "none"
        self.assert_figures(
            dialog, ends, ("Credit", "$ 0.00"), ("Goes back", "$ 0.00"), due
        )

    def test_an_open_invoice(self):
        """C5, C8: it is reduced; the rest stays due, or is collected."""
        subscription = self.create_billed(paid=False)
        dialog = self.open_dialog(subscription)
        self.assertEqual(
            read_figures(dialog)[2:],
            [["Reduces what is due", "$ 21.00", ""], ["Still due", "$ 10.00", ""]],
        )
        token = self.create_token(subscription.partner_id)
        dialog.unpaid_invoices = "collect"
        self.assertTrue(token)
        self.assertEqual(
            read_figures(dialog)[3], ["Still due", "$ 0.00", "$ 10.00 is collected"]
        )

    def test_a_half_paid_invoice(self):
        """C5: what exceeds what is due stays on the account."""
        subscription = self.create_billed(paid=False)
        self.pay(subscription.invoice_ids, 20.0)
        figures = read_figures(self.open_dialog(subscription))
        self.assertEqual(
            figures[2], ["Reduces what is due", "$ 11.00", "Stays on account: $ 10.00"]
        )
        self.assertEqual(figures[3][1], "$ 0.00")

    def test_another_invoice_that_the_credit_pays(self):
        """C7."""
        subscription = self.create_billed()
        other = self.create_subscription((8.0,), partner_id=subscription.partner_id.id)
        self.bill(other, "2026-07-01")
        self.travel_to("2026-07-10")
        dialog = self.open_dialog(subscription)
        dialog.apply_credits = True
        self.assertEqual(
            read_figures(dialog)[2],
            ["Pays other invoices", "$ 8.00", "Stays on account: $ 13.00"],
        )

    def test_a_line_that_ends_alone(self):
        """C5, C8: what is due of the invoice stays with the subscription."""
        subscription = self.create_billed((31.0, 62.0), paid=False)
        dialog = self.open_dialog(subscription)
        dialog.scope = "lines"
        dialog.line_ids.add(subscription.sale_subscription_line_ids[0])
        figures = read_figures(dialog)
        self.assertEqual(figures[2][:2], ["Reduces what is due", "$ 21.00"])
        self.assertEqual(figures[3][1], "$ 72.00")

    def test_charges_that_are_invoiced_with_it(self):
        """C9: they are due."""
        subscription = self.create_subscription()
        self.travel_to("2026-07-10")
        dialog = self.open_dialog(subscription)
        self.assertEqual(read_figures(dialog)[3][:2], ["Still due", "$ 10.00"])
        dialog.unbilled_charges = "drop"
        self.assertEqual(read_figures(dialog)[3][:2], ["Still due", "$ 0.00"])

    def test_a_later_end(self):
        """B8, D5: the credit is expected, and invoices are still to come."""
        dialog = self.open_dialog(self.create_billed())
        dialog.timing = "specific_date"
        dialog.requested_date = "2026-08-10"
        self.assert_figures(
            dialog,
            ("Ends", "August 10, 2026"),
            ("Credit", "$ 21.00", "expected"),
            ("Stays on account", "$ 21.00"),
            ("Still due", "$ 0.00", "$ 31.00 still to come"),
        )

    def test_no_plan_has_no_figures_and_keeps_their_room(self):
        """A2: nothing moves."""
        dialog = self.open_dialog(self.create_billed())
        dialog.timing = "specific_date"
        self.assertEqual({figure[1] for figure in read_figures(dialog)}, {"–"})


@tagged("post_install", "-at_install")
class TestPreview(DeactivateCase):
    """What stands beside the options."""

    def test_a_reason_that_is_still_to_come_leaves_the_figures(self):
        """D3, D5: they do not wait for the comment; confirming does."""
        subscription = self.create_billed()
        dialog = self.open_dialog(subscription)
        shown = dialog.preview, dialog.figures
        other = self.env["sale.subscription.close.reason"]._from_code("other")
        dialog.reason_id = other
        self.assertEqual((dialog.preview, dialog.figures), shown)
        self.assertIn("Say more", dialog.problem)
        dialog.comment = "Moves house"
        self.assertFalse(dialog.problem)
        dialog.comment = "x" * 201
        self.assertIn("up to 200", dialog.problem)
        self.assertEqual((dialog.preview, dialog.figures), shown)
        with self.assertRaisesRegex(UserError, "up to 200"):
            dialog.save().action_confirm()
        self.assertFalse(subscription.cancellation_ids)

    def test_a_reason_that_the_policy_wants(self):
        """D3: said beside the figures."""
        self.policy.reason_required = True
        dialog = self.open_dialog(self.create_billed())
        self.assertTrue(dialog.preview)
        self.assertIn("requires a reason", dialog.problem)

    def test_a_full_refund_does_not_count_days(self):
        """C2: of 100 % not “21 of 31”; and it says where it stays."""
        dialog = self.open_dialog(self.create_billed())
        self.assertIn(
            "21 of 31",
            " ".join(html.fromstring(str(dialog.preview)).text_content().split()),
        )
        dialog.refund_mode = "full"
        text = " ".join(html.fromstring(str(dialog.preview)).text_content().split())
        self.assertNotIn(" of 31", text)
        self.assertIn("whole period", text)
        self.assertIn("Kept as credit on the customer's account", text)
        self.assertEqual(read_figures(dialog)[2][:2], ["Stays on account", "$ 31.00"])

    def test_lines_without_credit_take_one_row(self):
        """D5."""
        subscription = self.create_billed((31.0, 0.0, 0.0))
        dialog = self.open_dialog(subscription)
        rows = html.fromstring(str(dialog.preview)).xpath(
            "//table[@name='rows']/tbody/tr"
        )
        self.assertEqual(len(rows), 3)
        text = " ".join(rows[2].text_content().split())
        names = subscription.sale_subscription_line_ids[1:].mapped("name")
        self.assertEqual(text, f"{', '.join(names)} – nothing to credit")

    def test_what_is_kept_takes_one_row(self):
        """D5: of two invoices, July and August."""
        subscription = self.create_billed()
        self.pay(self.bill(subscription))
        self.travel_to("2026-07-10")
        rows = html.fromstring(str(self.open_dialog(subscription).preview)).xpath(
            "//table[@name='settlement']/tbody/tr"
        )
        texts = [" ".join(row.text_content().split()) for row in rows]
        kept = [text for text in texts if text.startswith("Kept as credit")]
        self.assertEqual(len(kept), 1)
        self.assertIn("52.00", kept[0])

    def test_the_title_says_whose_it_is(self):
        """A2."""
        subscription = self.create_billed()
        subscription.user_id = self.agent
        title = subscription.with_user(self.agent).action_deactivate()["name"]
        self.assertIn(subscription.name, title)
        self.assertIn(subscription.partner_id.name, title)

    def test_what_is_folded_is_said_in_one_line(self):
        """C6, D7."""
        dialog = self.open_dialog(self.create_billed())
        self.assertEqual(
            dialog.more_options,
            "Cancellation day is billed: yes · "
            "Remaining Credit: Keep on the customer's account · Send confirmation: yes",
        )
        dialog.timing = "end_of_period"
        dialog.send_confirmation = False
        self.assertEqual(dialog.more_options, "Send confirmation: no")

    def test_other_is_found_by_its_name(self):
        """D3: before “Switching to another service”."""
        reasons = self.env["sale.subscription.close.reason"]
        [first, *others] = reasons.name_search("other")
        self.assertEqual(first[1], "Other")
        self.assertTrue(others)


@tagged("post_install", "-at_install")
class TestQueriesOfTheDialog(DeactivateCase):
    def count_queries(self, lines):
        """Return what opening the dialog, and another option, asks the database."""
        subscription = self.create_billed((31.0,) * lines, paid=False)
        dialogs = self.env["subscription.cancellation.wizard"].with_context(
            default_subscription_id=subscription.id
        )
        spec = Form(dialogs)._view["fields_spec"]
        opened = self.count(lambda: dialogs.onchange({}, [], spec))
        values = dialogs.onchange({}, [], spec)["value"]
        values["subscription_id"] = subscription.id
        values["line_ids"] = []
        values["refund_mode"] = "full"
        return opened, self.count(
            lambda: dialogs.onchange(values, ["refund_mode"], spec)
        )

    def count(self, work):
        counts = []
        for _attempt in range(3):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            work()
            counts.append(self.env.cr.sql_log_count - before)
        return min(counts)

    def test_they_do_not_grow_with_the_lines(self):
        """D5: opening, and every change of an option."""
        one, many = (self.count_queries(lines) for lines in (1, 30))
        print(f"queries: {one[0]} to open, {one[1]} for another option")
        self.assertEqual(one, many)


@tagged("post_install", "-at_install")
class TestButtonsOfOthers(DeactivateCase):
    """Whoever would be refused is not offered it (B6, B12)."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.colleague = cls.create_user(
            "sales_team.group_sale_salesman_all_leads",
            CANCELLATION_USER,
            login="colleague",
        )
        cls.manager = cls.create_user(CANCELLATION_MANAGER, login="manager")

    def schedule(self, **options):
        subscription = self.create_billed()
        subscription.user_id = self.agent
        self.cancel(subscription.with_user(self.agent), **options)
        return subscription

    def get_offers(self, subscription, user):
        self.env.invalidate_all()
        own = subscription.with_user(user)
        return (
            own.can_postpone_cancellation,
            own.can_revoke_cancellation,
            own.can_reactivate,
        )

    def test_a_scheduled_one(self):
        """B12, B13: theirs who asked for it, and of managers."""
        subscription = self.schedule(timing="end_of_period")
        for user in (self.agent, self.manager):
            self.assertEqual(
                self.get_offers(subscription, user), (True, True, False), user.login
            )
            own = subscription.with_user(user)
            self.assertFalse(own.cannot_change_end_reason)
        theirs = subscription.with_user(self.colleague)
        self.assertEqual(
            self.get_offers(subscription, self.colleague), (False, False, False)
        )
        self.assertIn(self.agent.name, theirs.cannot_change_end_reason)

    def test_what_is_offered_is_what_is_done(self):
        """B12: offered and refused are opposites."""
        subscription = self.schedule(timing="end_of_period")
        with self.assertRaisesRegex(Exception, "only they or a cancellation manager"):
            subscription.with_user(self.colleague).action_revoke_cancellation()
        subscription.with_user(self.manager).action_revoke_cancellation()
        self.assertEqual(subscription.cancellation_state, "active")

    def test_one_that_is_done(self):
        """B15: Reactivate."""
        subscription = self.schedule()
        offers = {
            user.login: self.get_offers(subscription, user)[2]
            for user in (self.agent, self.colleague, self.manager)
        }
        self.assertEqual(offers, {"agent": True, "colleague": False, "manager": True})

    def test_one_that_failed(self):
        """B7: Try Again."""
        cancellation = self.schedule(timing="end_of_period").cancellation_ids
        cancellation._fail("No journal")
        tries = {
            user.login: cancellation.with_user(user).can_retry
            for user in (self.agent, self.colleague, self.manager)
        }
        self.assertEqual(tries, {"agent": True, "colleague": False, "manager": True})

    def test_confirmations_have_verbs(self):
        """B12: on both buttons, and say what else happens; everywhere."""
        views = (
            self.env["ir.ui.view"]
            .search([])
            .filtered(
                lambda view: (view.xml_id or "").startswith(
                    "subscription_cancellation."
                )
            )
        )
        asked = 0
        for view in views:
            for button in etree.fromstring(view.arch_db).xpath("//button[@confirm]"):
                asked += 1
                for name in ("confirm-title", "confirm-label", "cancel-label"):
                    self.assertTrue(button.get(name), (view.xml_id, name))
                if button.get("confirm-label") == "Revoke":
                    self.assertIn("extra days", button.get("confirm"))
                    self.assertIn("customer is told", button.get("confirm"))
        self.assertGreaterEqual(asked, 10)
