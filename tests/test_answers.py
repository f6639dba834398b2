# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What a request answers, for a later date too: the figures of its preview (D5, E3)."""

from odoo.tests import tagged

from .common import CANCELLATION_USER, CancellationCase

#: The end of August, of which the customer is told in July.
LATER = {"timing": "specific_date", "requested_date": "2026-07-20"}


@tagged("post_install", "-at_install")
class TestAnswers(CancellationCase):
    def setUp(self):
        super().setUp()
        self.policy = self.get_default_policy()
        self.tax = self.create_tax(10.0)
        self.subscription = self.create_subscription(
            [{"name": "Base", "price_unit": 31.0, "taxes": self.tax}]
        )
        self.invoice = self.bill(self.subscription)
        self.travel_to("2026-07-10")

    def ask(self, **options):
        """Preview and request; the answer but for its id is the preview's."""
        preview = self.subscription.preview_cancellation(**options)
        answer = self.subscription.request_cancellation(**options)
        self.assertTrue(answer["cancellation_id"])
        self.assertEqual({**answer, "cancellation_id": False}, preview)
        return answer

    def assert_money(self, answer, untaxed, tax, reduces, refundable):
        """The figures of a dict, computed by hand."""
        names = ("credit_untaxed", "credit_tax", "reduces_invoices", "refundable")
        found = [answer[name] for name in names]
        self.assertEqual(found, [untaxed, tax, reduces, refundable])
        self.assertEqual(answer["credit_total"], round(untaxed + tax, 2))

    def test_of_an_open_invoice(self):
        """D5, E3: 11 of 31 days: $11.00 and $1.10, taken off what is due."""
        answer = self.ask(**LATER)
        self.assertEqual(answer["state"], "scheduled")
        self.assert_money(answer, 11.0, 1.1, 12.1, 0.0)
        [row] = answer["lines"]
        self.assertEqual((row["invoice"], row["unused_days"]), (self.invoice.name, 11))
        self.assertEqual(answer["settlement"][0]["kind"], "reduce")

    def test_of_a_paid_invoice(self):
        """D5, E3: all of it can be refunded, to where the money came from."""
        self.pay_online(self.invoice)
        answer = self.ask(**LATER, credit_settlement="refund")
        self.assert_money(answer, 11.0, 1.1, 0.0, 12.1)
        [refund, _confirmation] = answer["settlement"]
        self.assertEqual((refund["kind"], refund["amount"]), ("refund", 12.1))

    def test_what_is_stored_is_what_was_credited(self):
        """D4, D7: nothing yet; the analysis counts what has happened."""
        self.ask(**LATER)
        cancellation = self.subscription.cancellation_ids
        self.assertEqual(cancellation.credit_total, 0.0)
        self.assertFalse(cancellation.step_ids)

    def test_of_what_waits_for_approval(self):
        """D6, E3: due at once or later, the figures are those of the preview."""
        self.policy.approval_always = True
        for options, untaxed, tax in (
            ({"timing": "immediate"}, 21.0, 2.1),
            (LATER, 11.0, 1.1),
        ):
            with self.subTest(options):
                answer = self.ask(**options)
                self.assertEqual(answer["state"], "to_approve")
                self.assert_money(answer, untaxed, tax, round(untaxed + tax, 2), 0.0)
                self.subscription.revoke_cancellation()

    def test_with_elapsed_days_that_are_not_billed(self):
        """C9, E3: 10 days of August, where a decision has to be waited for."""
        self.travel_to("2026-08-10")
        self.policy.approval_always = True
        answer = self.ask(timing="immediate")
        self.assertEqual(answer["settlement"][0]["kind"], "unbilled")
        self.assertEqual(answer["settlement"][0]["amount"], 11.0)

    def test_of_single_lines(self):
        """A5, E3: with its add-on, and not with the others."""
        base = self.subscription.sale_subscription_line_ids
        addon = self.add_line(self.subscription, {"name": "More", "addon_of": "Base"})
        self.add_line(self.subscription, {"name": "Other"})
        answer = self.ask(line_ids=base.ids, **LATER)
        self.assert_money(answer, 11.0, 1.1, 12.1, 0.0)
        self.assertEqual(
            [(row["subscription_line_id"], row["cascaded"]) for row in answer["lines"]],
            [(base.id, False), (addon.id, True)],
        )

    def test_after_an_advance_invoice_was_credited_at_once(self):
        """C3, E3: what is credited on scheduling is part of the figures."""
        self.policy.advance_credit = "at_scheduling"
        self.bill(self.subscription, "2026-07-10")
        self.travel_to("2026-07-10")
        preview = self.subscription.preview_cancellation(**LATER)
        answer = self.subscription.request_cancellation(**LATER)
        self.assert_money(answer, 42.0, 4.2, 46.2, 0.0)
        for name in ("credit_total", "reduces_invoices", "refundable", "lines"):
            self.assertEqual(answer[name], preview[name], name)
        self.assertEqual(
            self.subscription.cancellation_ids.credit_note_ids.amount_total, 34.1
        )

    def test_postponed(self):
        """B13, E3: to the 25th: 6 of 31 days are left."""
        self.ask(**LATER)
        answer = self.subscription.postpone_cancellation(requested_date="2026-07-25")
        self.assertEqual(answer["state"], "scheduled")
        self.assert_money(answer, 6.0, 0.6, 6.6, 0.0)

    def test_revoked(self):
        """B12, E3: nothing will be credited."""
        self.ask(**LATER)
        answer = self.subscription.revoke_cancellation()
        self.assertEqual(answer["state"], "revoked")
        self.assert_money(answer, 0.0, 0.0, 0.0, 0.0)
        self.assertFalse(answer["settlement"])

    def test_for_who_may_not_read_invoices(self):
        """E1, E3: the right to cancel is enough for the figures."""
        user = self.create_user(CANCELLATION_USER)
        subscription = self.subscription.with_user(user)
        self.env.invalidate_all()
        answer = subscription.request_cancellation(**LATER)
        self.assert_money(answer, 11.0, 1.1, 12.1, 0.0)

    def test_the_same_key_again(self):
        """E3: the answer is kept with its figures."""
        first = self.subscription.request_cancellation(**LATER, idempotency_key="k")
        again = self.subscription.request_cancellation(**LATER, idempotency_key="k")
        self.assertEqual(again, first)
        self.assert_money(again, 11.0, 1.1, 12.1, 0.0)

    def test_the_queries_do_not_grow_with_the_lines(self):
        """E3: set-based from end to end."""
        self.assertEqual(self.count_queries(2), self.count_queries(20))

    def count_queries(self, lines):
        """Return the queries of the answer about a scheduled cancellation."""
        subscription = self.create_subscription([31.0] * lines)
        self.bill(subscription, "2026-07-01")
        self.travel_to("2026-07-10")
        subscription.request_cancellation(**LATER)
        counts = []
        for _attempt in range(3):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            answer = subscription.cancellation_ids._as_dict()
            self.assertEqual(len(answer["lines"]), lines)
            counts.append(self.env.cr.sql_log_count - before)
        return min(counts)
