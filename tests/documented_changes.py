# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Checks of the tables of the guide to money about what is changed and undone."""

from datetime import date, timedelta

from .common import CancellationCase
from .documents import to_day


class DocumentedChangesCase(CancellationCase):
    def check_the_current_period(self, rows):
        """B2, C3: the billed period of the day; what is beyond is credited."""
        labels = self.get_labels("subscription.cancellation.policy", "timing")
        for row in rows:
            with self.subTest(row=row):
                subscription = self.create_subscription([31.0], start="2026-07-01")
                for _month in range(3):
                    self.bill(subscription, "2026-07-01")
                day, end = to_day(row["Requested on"]), to_day(row["Service ends on"])
                self.cancel(subscription, str(day), timing=labels[row["When"]])
                cancellation = subscription.cancellation_ids
                self.assertEqual(cancellation.last_service_date, end)
                self.travel_to(str(cancellation.effective_date))
                cancellation._execute_if_due()
                credit = sum(self.credit_memos(subscription).mapped("amount_total"))
                self.assertEqual(
                    f"{credit:.2f}" if credit else "no credit memo",
                    row["Credited when service ends"],
                )

    """Move the end again and again; cancel and undo."""

    def check_day_by_day(self, rows):
        """B13: what is due so far, less what was charged."""
        for row in rows:
            with self.subTest(row=row):
                subscription = self.subscribe([float(row["Price"])])
                self.bill(subscription)
                self.cancel(subscription, "2026-07-10", timing="end_of_period")
                day = date(2026, 8, 1)
                while day <= to_day(row["Moved day by day to"]):
                    subscription.postpone_cancellation(
                        requested_date=str(day), charge_extension=True
                    )
                    day += timedelta(days=1)
                charges = subscription.cancellation_ids.charge_invoice_ids
                self.assertEqual(str(len(charges)), row["Invoices"])
                total = sum(charges.mapped("amount_untaxed"))
                self.assertEqual(self.write(total, row["Invoiced"]), row["Invoiced"])

    def check_undone(self, rows):
        """B15, C4: as if it had never been."""
        self.get_default_policy().undo_days = 30
        labels = self.get_labels("subscription.cancellation", "credit_settlement")
        for row in rows:
            with self.subTest(row=row):
                subscription = self.subscribe([100.0])
                invoice = self.bill(subscription)
                if float(row["Paid"]):
                    self.pay_online(invoice, float(row["Paid"]))
                choice = labels[row["Remaining credit"]]
                for number in range(int(row["Times undone"])):
                    self.cancel(
                        subscription, f"2026-07-{10 + number}", credit_settlement=choice
                    )
                    self.run_steps(subscription)
                    subscription.cancellation_ids.sorted("id")[-1].action_undo()
                memos = self.credit_memos(subscription)
                self.check_undone_row(subscription, invoice, memos, row)

    def check_undone_row(self, subscription, invoice, memos, row):
        """What is due after the undo, and after the end."""

        def check(column, amount):
            self.assertEqual(self.write(amount, row[column]), row[column], column)

        taken_back = memos.reversal_move_ids
        check("Due on the invoice", invoice.amount_residual)
        check("Due on what takes it back", sum(taken_back.mapped("amount_residual")))
        answer = self.cancel(subscription, "2026-07-20")
        check("Credit in the end", answer["credit_total"])
        documents = invoice | self.credit_memos(subscription) | taken_back
        check("Due in the end", sum(documents.mapped("amount_residual_signed")))
