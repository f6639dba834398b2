# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Checks of the tables of the guide to money about what orders sell."""

from .documents import NOTHING, to_day
from .sales import OrderCreditsCase


class DocumentedSalesCase(OrderCreditsCase):
    """Sell what a row tells, and end it."""

    def end_row(self, order, row):
        """End the subscription of an order on the day of a row."""
        return self.end(order.subscription_ids, str(to_day(row["Cancelled on"])))

    def check_discounts_of_an_order(self, rows):
        """C15: what an order takes off, a credit takes off."""
        for row in rows:
            with self.subTest(row=row):
                lines = [{"price_unit": float(row["Sold per month"])}]
                if row["One-time item"] not in NOTHING:
                    price = float(row["One-time item"])
                    lines.append({"price_unit": price, "is_service": False})
                taxes = self.get_tax(row["Tax"])
                order = self.sell(*({**line, "taxes": taxes} for line in lines))
                amount, _space, percent = row["Discount"].partition(" ")
                kind = "so_discount" if percent else "amount"
                self.discount(order, float(amount), kind)
                invoice = self.invoice(order)
                self.check_amounts(invoice, row, None, total="Invoice")
                memo, _answer = self.end_row(order, row)
                self.check_amounts(memo, row, "Credit", "Tax credited")

    def check_down_payments(self, rows):
        """C15: who took the money gives it back."""
        for row in rows:
            with self.subTest(row=row):
                order = self.sell(float(row["Sold for a year"]), interval="1 years")
                percent = float(row["Down payment"].rstrip(" %"))
                paid = self.invoice(order, "percentage", percent)
                final = self.invoice(order)
                self.check_amounts(final, row, "Final invoice")
                memos, answer = self.end_row(order, row)
                credit = self.write(answer["credit_total"], row["Credit"])
                self.assertEqual(credit, row["Credit"])
                for column, invoice in (
                    ("On the final invoice", final),
                    ("On that of the down payment", paid),
                ):
                    own = memos.filtered(
                        lambda memo, invoice=invoice: memo.reversed_entry_id == invoice
                    )
                    amount = self.write(sum(own.mapped("amount_total")), row[column])
                    self.assertEqual(amount, row[column])

    def check_gift_cards(self, rows):
        """C15: no money goes back for them, and that is said."""
        for row in rows:
            with self.subTest(row=row):
                order = self.sell(float(row["Sold per month"]))
                self.give(order, float(row["Gift card"]))
                self.check_amounts(self.invoice(order), row, None, total="Invoice")
                memo, answer = self.end_row(order, row)
                self.check_amounts(memo, row, None, total="Credit")
                [warning] = answer["warnings"]
                self.assertIn(row["Not credited"], warning)

    def check_orders_that_were_lowered(self, rows):
        """C4: what the order has credited is not credited again."""
        for row in rows:
            for column, mode in (("Credit", "prorated"), ("Full refund", "full")):
                with self.subTest(row=row, mode=mode):
                    order = self._lower_as_documented(row)
                    options = {"refund_mode": mode}
                    day = str(to_day(row["Cancelled on"]))
                    _memos, answer = self.end(order.subscription_ids, day, **options)
                    credit = self.write(answer["credit_total"], row[column])
                    self.assertEqual(credit, row[column])

    def _lower_as_documented(self, row):
        """Return the order of a row, invoiced, lowered and invoiced again."""
        quantity, price = map(float, row["Sold per month"].split(" × "))
        order = self.sell({"price_unit": price, "product_uom_qty": quantity})
        self.invoice(order)
        if row["Set-up added"] not in NOTHING:
            self.add_setup(order, float(row["Set-up added"]))
        document = self.change(order, float(row["Quantity lowered to"]))
        amount = self.write(document.amount_total_signed, row["New document"])
        self.assertEqual(amount, row["New document"])
        return order
