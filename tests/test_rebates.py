# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""C1: a rebate is taken back at most by the credit of the line that it reduces.

Hosting at $100.00 less a rebate of $20.00, billed for July 2026 and paid. It ends on
10 July: 21 of 31 days, 67.74 and -13.55. An accountant has credited some of it before.
"""

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from .accounting import AccountingCase

HOSTING = {"name": "Hosting", "price_unit": 100.0}
REBATE = {"name": "Rebate", "price_unit": -20.0}
LINKED = {**REBATE, "addon_of": "Hosting"}
SUPPORT = {"name": "Support", "price_unit": 50.0}
#: The unused days.
UNUSED = ("2026-07-11", "2026-07-31")


@tagged("post_install", "-at_install")
class TestRebates(AccountingCase):
    def subscribe_to(self, *lines, **values):
        """Return a paid subscription to these lines for July."""
        subscription = self.create_subscription(lines, **values)
        self.pay(self.bill(subscription))
        self.travel_to("2026-07-10")
        return subscription

    def credit_by_hand(self, subscription, days=UNUSED, **amounts):
        """Credit amounts of lines through Odoo's wizard, as an accountant does.

        :param days: first and last day that the credit is for
        :param amounts: by name of the line, in lower case
        """
        invoice = subscription._get_invoices()
        wizard = (
            self.env["account.move.reversal"]
            .with_context(active_model="account.move", active_ids=invoice.ids)
            .create({"journal_id": invoice.journal_id.id})
        )
        wizard.refund_moves()
        memo = wizard.new_move_ids
        commands = []
        for item in memo.invoice_line_ids:
            name = item.origin_line_id.subscription_line_id.name.lower()
            values = {
                "price_unit": amounts.get(name),
                "start_date": days[0],
                "end_date": days[1],
            }
            commands.append(
                Command.update(item.id, values)
                if name in amounts
                else Command.delete(item.id)
            )
        memo.invoice_line_ids = commands
        memo.action_post()
        return memo

    def assert_credits(self, subscription, expected, total=None, **options):
        """Preview, request and the credit memo come to the same.

        :param dict expected: untaxed credit by line
        :param float total: with tax; absent: without any
        """
        total = round(sum(expected.values()), 2) if total is None else total
        preview = subscription.preview_cancellation(timing="immediate", **options)
        answer = self.cancel(subscription, **options)
        for result in (preview, answer):
            found = {line["name"]: line["credit_untaxed"] for line in result["lines"]}
            self.assertEqual(found, expected)
            self.assertAlmostEqual(result["credit_total"], total)
        memos = self.credit_memos(subscription)
        self.assertAlmostEqual(sum(memos.mapped("amount_total")), total)
        self.assertEqual(memos.mapped("state"), ["posted"] if total else [])
        return memos

    def test_a_credit_by_hand_has_taken_most_of_the_line(self):
        """C1, C4: 67.74 - 60.00 are left, and no more of the rebate is taken back."""
        for rebate in (REBATE, LINKED):
            self.travel_to("2026-07-01")
            subscription = self.subscribe_to(HOSTING, rebate)
            self.credit_by_hand(subscription, hosting=60.0)
            self.assert_credits(subscription, {"Hosting": 7.74, "Rebate": -7.74})
            self.assertEqual(subscription.cancellation_state, "cancelled")

    def test_a_credit_by_hand_has_taken_all_of_the_line(self):
        """C1, C4: nothing is left, nothing is taken back."""
        subscription = self.subscribe_to(HOSTING, REBATE)
        self.credit_by_hand(subscription, hosting=67.74)
        self.assert_credits(subscription, {"Hosting": 0.0, "Rebate": 0.0})

    def test_a_credit_by_hand_that_leaves_enough(self):
        """C1, C4: 67.74 - 50.00 - 13.55."""
        subscription = self.subscribe_to(HOSTING, REBATE)
        self.credit_by_hand(subscription, hosting=50.0)
        self.assert_credits(subscription, {"Hosting": 17.74, "Rebate": -13.55})

    def test_both_are_credited_in_part(self):
        """C1, C4: 7.74 of the one; 13.55 - 10.00 = 3.55 of the other."""
        subscription = self.subscribe_to(HOSTING, REBATE)
        self.credit_by_hand(subscription, hosting=60.0, rebate=-10.0)
        self.assert_credits(subscription, {"Hosting": 7.74, "Rebate": -3.55})

    def test_the_credit_of_another_line_is_not_touched(self):
        """C1: the rebate of Hosting leaves Support its 50.00 * 21 / 31 = 33.87."""
        subscription = self.subscribe_to(HOSTING, LINKED, SUPPORT)
        self.credit_by_hand(subscription, hosting=60.0)
        self.assert_credits(
            subscription, {"Hosting": 7.74, "Rebate": -7.74, "Support": 33.87}
        )

    def test_a_rebate_of_no_line_reduces_all_of_them(self):
        """C1: 7.74 and 33.87 less 13.55."""
        subscription = self.subscribe_to(HOSTING, REBATE, SUPPORT)
        self.credit_by_hand(subscription, hosting=60.0)
        self.assert_credits(
            subscription, {"Hosting": 7.74, "Rebate": -13.55, "Support": 33.87}
        )

    def test_a_chain_of_add_ons(self):
        """C1, A6: the rebate of an add-on does not reduce what that belongs to.

        Backup: 50.00 * 21 / 31 = 33.87, of which 30.00 are credited by hand.
        """
        subscription = self.subscribe_to(
            HOSTING,
            {"name": "Backup", "price_unit": 50.0, "addon_of": "Hosting"},
            {**REBATE, "addon_of": "Backup"},
        )
        self.credit_by_hand(subscription, backup=30.0)
        self.assert_credits(
            subscription, {"Hosting": 67.74, "Backup": 3.87, "Rebate": -3.87}
        )

    def test_a_rebate_that_is_greater_than_its_line(self):
        """C1: as billed: it reduces the rest of the invoice, too."""
        subscription = self.subscribe_to(
            HOSTING,
            {"name": "Backup", "price_unit": 10.0, "addon_of": "Hosting"},
            {**REBATE, "addon_of": "Backup"},
        )
        self.assert_credits(
            subscription, {"Hosting": 67.74, "Backup": 6.77, "Rebate": -13.55}
        )

    def test_two_rebates(self):
        """C1: the first one first: 13.55 and, of 6.77, what is left of 17.74."""
        subscription = self.subscribe_to(
            HOSTING, LINKED, {**LINKED, "name": "More", "price_unit": -10.0}
        )
        self.credit_by_hand(subscription, hosting=50.0)
        self.assert_credits(
            subscription, {"Hosting": 17.74, "Rebate": -13.55, "More": -4.19}
        )

    def test_in_full(self):
        """C1, C2, C4: of 100.00 10.00 are left, and of the 130.00 of it all 40.00."""
        subscription = self.subscribe_to(HOSTING, LINKED, SUPPORT)
        self.credit_by_hand(subscription, ("2026-07-01", "2026-07-31"), hosting=90.0)
        self.assert_credits(
            subscription,
            {"Hosting": 10.0, "Rebate": -10.0, "Support": 40.0},
            refund_mode="full",
        )

    def test_with_tax(self):
        """C1, C11: 19 % of 33.87 are 6.44; what comes to nothing has no tax."""
        tax = self.create_reported_tax(19.0)
        subscription = self.subscribe_to(
            *({**line, "taxes": tax} for line in (HOSTING, LINKED, SUPPORT))
        )
        self.credit_by_hand(subscription, hosting=60.0)
        memo = self.assert_credits(
            subscription, {"Hosting": 7.74, "Rebate": -7.74, "Support": 33.87}, 40.31
        )
        self.assertEqual((memo.amount_untaxed, memo.amount_tax), (33.87, 6.44))

    def test_a_rebate_with_a_higher_tax(self):
        """C1, C11: 7.74 without tax, less 7.74 with 19 %: no charge of 1.47."""
        tax = self.create_reported_tax(19.0)
        subscription = self.subscribe_to(HOSTING, {**REBATE, "taxes": tax})
        self.credit_by_hand(subscription, hosting=60.0)
        self.assert_credits(subscription, {"Hosting": 0.0, "Rebate": 0.0})

    def test_the_line_has_ended_before(self):
        """C1: what is left of the subscription can be ended all the same."""
        subscription = self.subscribe_to(HOSTING, REBATE)
        self.cancel(subscription, line_ids=self.get_line(subscription, "Hosting").ids)
        preview = subscription.preview_cancellation(timing="immediate")
        self.assertEqual(preview["credit_total"], 0.0)
        self.cancel(subscription)
        self.assertEqual(subscription.cancellation_state, "cancelled")
        self.assertEqual(self.credit_memos(subscription).amount_total, 67.74)

    def test_alone_it_is_refused_as_long_as_its_line_goes_on(self):
        """C1: also together with a line of less."""
        small = {"name": "Small", "price_unit": 5.0}
        subscription = self.subscribe_to(HOSTING, REBATE, small)
        lines = self.get_line(subscription, "Rebate")
        for chosen in (lines, lines | self.get_line(subscription, "Small")):
            with self.assertRaisesRegex(UserError, "would be charged, not credited"):
                subscription.preview_cancellation(line_ids=chosen.ids)

    def test_both_lines_chosen(self):
        """C1, A5: the same as all of it."""
        subscription = self.subscribe_to(HOSTING, LINKED, SUPPORT)
        self.credit_by_hand(subscription, hosting=60.0)
        lines = self.get_line(subscription, "Hosting")
        self.assert_credits(
            subscription, {"Hosting": 7.74, "Rebate": -7.74}, line_ids=lines.ids
        )
