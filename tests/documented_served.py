# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Checks of the table of the guide to money about days without an invoice."""

from .documents import NOTHING, to_day


class DocumentedServedCase:
    """Bill what a row tells, lose an invoice, and end it; a mixin."""

    def check_days_without_an_invoice(self, rows):
        """C9: what was lost is invoiced to the day, dropped, or said."""
        labels = self.get_labels("subscription.cancellation", "unbilled_charges")
        for row in rows:
            with self.subTest(row=row):
                choice = labels[row["Unbilled Charges"]]
                answer = self.cancel_on(
                    self.bill_row_with_losses(row),
                    row,
                    unbilled_charges=choice,
                    refund_mode="none",
                )
                self.check_lost_days(row, answer)

    def bill_row_with_losses(self, row):
        """Return a subscription that is billed up to its end, but what was lost."""
        start, end = to_day(row["Started on"]), to_day(row["Cancelled on"])
        subscription = self.create_subscription([31.0], start=str(start))
        while subscription.recurring_next_date <= end:
            month = f"{subscription.recurring_next_date:%B}"
            is_lost = month in row["Lost"].split(", ")
            self.bill_and_lose(subscription, row["How"] if is_lost else None)
        return subscription

    def bill_and_lose(self, subscription, how):
        """Bill the next period; let an accountant lose that invoice."""
        invoice = self.bill(subscription, post=how != "draft deleted")
        if how == "draft deleted":
            invoice.unlink()
        elif how == "reset and cancelled":
            invoice.button_draft()
            invoice.button_cancel()
        elif how == "credited by hand":
            invoice._reverse_moves(cancel=True)

    def check_lost_days(self, row, answer):
        """Assert what was invoiced, and what was said."""
        cancellation = self.env["subscription.cancellation"].browse(
            answer["cancellation_id"]
        )
        invoices = cancellation.step_ids.move_id
        self.check_charge(invoices, row["Invoiced"], row["For"])
        warnings = " ".join(answer["warnings"])
        self.assertEqual(bool(warnings), row["Said"] not in NOTHING)
        self.assertIn(row["Said"].strip("–"), warnings)
