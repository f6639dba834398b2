# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Every table of the guide to money (doc/money.md) comes out to the cent."""

import re
from datetime import timedelta

from dateutil.relativedelta import relativedelta

from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import CancellationCase
from .documented_changes import DocumentedChangesCase
from .documented_sales import DocumentedSalesCase
from .documented_served import DocumentedServedCase
from .documents import (
    DOC,
    NOTHING,
    from_day,
    from_period,
    read_tables,
    to_day,
    to_period,
)

TABLES = read_tables(DOC / "money.md")
JULY = "1 July 2026 – 31 July 2026"
#: Longest units first: a month is not called 31 days.
UNITS = (("years", 1), ("months", 1), ("weeks", 7), ("days", 1))
REFUND_MODES = {
    "No Refund": "none",
    "Issue Credit Memo (prorated)": "prorated",
    "Full credit of the latest period": "full",
}


def one_test_per_table(cls):
    """Give the class one test per table; "A later date" has ``check_a_later_date``.

    A table without a check is an error, so that no example is left unproved.
    """
    for heading, rows in TABLES.items():
        slug = re.sub(r"\W+", "_", heading.lower())
        check = getattr(cls, f"check_{slug}")

        def test(self, check=check, rows=rows):
            check(self, rows)

        test.__doc__ = check.__doc__
        setattr(cls, f"test_{slug}", test)
    return cls


def get_interval(first_day, last_day):
    """Return the billing interval that makes this period: ``"1 months"``."""
    for unit, size in UNITS:
        for number in range(1, (last_day - first_day).days // size + 2):
            delta = relativedelta(**{unit: number})
            if first_day + delta == last_day + timedelta(days=1):
                return f"{number} {unit}"
    raise ValueError(f"no interval: {first_day} – {last_day}")


def split_amount(text):
    """Return currency code and amount of ``"EUR 31.00"``; dollars without a code."""
    code, _space, amount = text.rpartition(" ")
    return code or "USD", float(amount)


class DocumentedMoneyCase(CancellationCase):
    """Make what a row of a table tells, and write amounts as the table does."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.tax_calculation_rounding_method = "round_globally"

    def subscribe(self, prices, period=JULY, currency="USD", **values):
        """Return a subscription that starts with a period, and is not billed yet."""
        first_day, last_day = to_period(period)
        return self.create_subscription(
            prices,
            start=str(first_day),
            interval=get_interval(first_day, last_day),
            currency=currency,
            **values,
        )

    def bill_row(self, row, **values):
        """Return a subscription and the invoice of a row with *Billed* and *For*."""
        currency, price = split_amount(row["Billed"])
        subscription = self.subscribe([price], row["For"], currency, **values)
        invoice = self.bill(subscription)
        item = invoice.invoice_line_ids
        self.assertEqual(from_period(item.start_date, item.end_date), row["For"])
        self.assertEqual(self.write(item.price_subtotal, row["Billed"]), row["Billed"])
        return subscription, invoice

    def cancel_on(self, subscription, row, **options):
        """Cancel immediately on the day of a row; return the answer."""
        day = str(to_day(row["Cancelled on"]))
        return self.cancel(subscription, day, **options)

    def write(self, amount, like):
        """Return an amount with the decimals, and the currency, of another text."""
        code, _space, number = like.rpartition(" ")
        decimals = len(number.partition(".")[2])
        return f"{code} {amount:.{decimals}f}".strip()

    def check_credit(self, subscription, answer, text):
        """Assert what was answered, and what the credit memos come to, untaxed."""
        memos = self.credit_memos(subscription)
        if text in NOTHING:
            self.assertEqual(answer["credit_total"], 0.0)
            self.assertFalse(memos)
            return
        self.assertEqual(self.write(answer["credit_untaxed"], text), text)
        self.assertEqual(self.write(sum(memos.mapped("amount_untaxed")), text), text)

    def credit_of(self, subscription, invoice):
        """Return what the credit memos of one invoice come to, untaxed."""
        memos = self.credit_memos(subscription).filtered(
            lambda memo: memo.reversed_entry_id == invoice
        )
        return sum(memos.mapped("amount_untaxed"))

    def check_days(self, line, text):
        """Assert the days of a row of an answer: ``"21 of 31"``."""
        self.assertEqual(f"{line['unused_days']} of {line['period_days']}", text)

    def run_one_invoice(self, rows):
        """Check a table with one line, one invoice and one cancellation per row."""
        for row in rows:
            with self.subTest(row=row):
                self.run_one(row)

    def run_one(self, row):
        subscription, _invoice = self.bill_row(row)
        is_billed = row.get("Day is billed", "yes") == "yes"
        answer = self.cancel_on(subscription, row, cancel_day_billed=is_billed)
        self.check_credit(subscription, answer, row["Credit"])
        if row["Credit"] not in NOTHING:
            self.check_days(answer["lines"][0], row["Unused days"])
        if "Last day of service" in row:
            last_day = subscription.cancellation_ids.last_service_date
            self.assertEqual(from_day(last_day), row["Last day of service"])


@tagged("post_install", "-at_install")
@one_test_per_table
class TestDocumentedMoney(
    DocumentedMoneyCase,
    DocumentedChangesCase,
    DocumentedSalesCase,
    DocumentedServedCase,
):
    # === ONE LINE, ONE INVOICE === #

    def check_the_day_ledger(self, rows):
        """C1: the documented credits of single lines."""
        self.run_one_invoice(rows)

    def check_the_day_of_cancellation(self, rows):
        """B6: billed or not."""
        self.run_one_invoice(rows)

    def check_months_years_and_leap_days(self, rows):
        """C1: calendar days."""
        self.run_one_invoice(rows)

    def check_rounding_and_currencies(self, rows):
        """C1: half up, with the decimals of the currency."""
        self.run_one_invoice(rows)

    # === LINES === #

    def bill_lines(self, rows, **values):
        """Return a subscription with a line per row, billed on one invoice."""
        subscription = self.subscribe(
            [self.prepare_line(row) for row in rows], rows[0].get("For", JULY), **values
        )
        return subscription, self.bill(subscription)

    def prepare_line(self, row):
        line = {"name": row["Line"], "price_unit": float(row["Billed"])}
        if row.get("Add-on of", "–") not in NOTHING:
            line["addon_of"] = row["Add-on of"]
        return line

    def check_lines_and_add_ons(self, rows):
        """A5, A6: add-ons end with their line, each with a credit of its own."""
        *rows, total = rows
        subscription, _invoice = self.bill_lines(rows)
        chosen = self.get_line(subscription, rows[0]["Line"])
        answer = self.cancel_on(subscription, rows[0], line_ids=chosen.ids)
        self.check_credit(subscription, answer, total["Credit"])
        self.check_rows_of_lines(answer, rows)

    def check_rows_of_lines(self, answer, rows):
        """Assert the credit of each line; those that go on are not in the answer."""
        lines = {line["name"]: line for line in answer["lines"]}
        ending = [row for row in rows if row["Cancelled on"] not in NOTHING]
        self.assertEqual(lines.keys(), {row["Line"] for row in ending})
        for row in ending:
            line = lines[row["Line"]]
            self.check_days(line, row["Unused days"])
            credit = self.write(line["credit_untaxed"], row["Credit"])
            self.assertEqual(credit, row["Credit"])

    def check_rebates(self, rows):
        """C1: a negative line is taken back with the line it reduces, not alone."""
        *rows, total = rows
        subscription, _invoice = self.bill_lines(rows)
        rebate = self.get_line(subscription, rows[-1]["Line"])
        with self.assertRaisesRegex(UserError, "would be charged, not credited"):
            self.cancel_on(subscription, rows[-1], line_ids=rebate.ids)
        answer = self.cancel_on(subscription, rows[0])
        self.check_credit(subscription, answer, total["Credit"])
        self.check_rows_of_lines(answer, rows)

    # === TAXES === #

    def get_tax(self, text):
        """Return the tax of a cell: ``20 %``, ``20 % included``, ``3.10 each``."""
        known = self.env["account.tax"].search(
            [("name", "=", text), ("company_id", "=", self.company.id)]
        )
        if known or text in NOTHING:
            return known
        amount, kind = re.fullmatch(r"([\d.]+) (%|% included|each)", text).groups()
        values = {
            "%": {},
            "% included": {"price_include_override": "tax_included"},
            "each": {"amount_type": "fixed"},
        }[kind]
        return self.create_tax(float(amount), name=text, **values)

    def check_discounts_and_taxes(self, rows):
        """C11: of the invoice line, also where the price includes the tax."""
        for row in rows:
            with self.subTest(row=row):
                self.run_taxed(row)

    def run_taxed(self, row):
        line = {
            "product_uom_qty": float(row["Quantity"]),
            "price_unit": float(row["Price"]),
            "discount": float(row["Discount"].replace("–", "0").rstrip(" %")),
            "taxes": self.get_tax(row["Tax"]),
        }
        subscription = self.subscribe([line])
        invoice = self.bill(subscription)
        self.check_amounts(invoice, row, "Billed", total="With tax")
        self.cancel_on(subscription, row)
        memo = self.credit_memos(subscription)
        self.check_amounts(memo, row, "Credit", "Tax credited", "Credit with tax")
        for field in ("quantity", "discount", "tax_ids"):
            credited, billed = memo.invoice_line_ids[field], invoice.invoice_line_ids
            self.assertEqual(credited, billed[field])

    def check_amounts(self, move, row, untaxed, tax=None, total=None):
        """Assert the amounts of a document, in the columns of these names."""
        for column, amount in (
            (untaxed, move.amount_untaxed),
            (tax, move.amount_tax),
            (total, move.amount_total),
        ):
            if column:
                self.assertEqual(self.write(amount, row[column]), row[column])

    def check_tax_that_is_rounded_per_line_or_globally(self, rows):
        """C11: as the company rounds it, on invoice and credit memo."""
        for row in rows:
            with self.subTest(row=row):
                rounding = "round_" + row["Rounding"].replace(" ", "_")
                self.company.tax_calculation_rounding_method = rounding
                number, price = row["Lines"].split(" × ")
                line = {"price_unit": float(price), "taxes": self.get_tax(row["Tax"])}
                subscription = self.subscribe([line] * int(number))
                invoice = self.bill(subscription)
                self.check_amounts(invoice, row, "Billed", "Tax billed")
                self.cancel_on(subscription, row)
                memo = self.credit_memos(subscription)
                self.check_amounts(memo, row, "Credit", "Tax credited")

    def check_the_last_cent(self, rows):
        """C4: the credit of the rest takes it, tax included."""
        *rows, total = rows
        tax = self.get_tax(total["Tax"])
        lines = [{**self.prepare_line(row), "taxes": tax} for row in rows]
        subscription = self.subscribe(lines)
        invoice = self.bill(subscription)
        self.check_amounts(invoice, total, "Billed", "Tax credited")
        for row in rows:
            line = self.get_line(subscription, row["Line"])
            self.cancel(subscription, line_ids=line.ids, cancel_day_billed=False)
            memo = subscription.cancellation_ids.sorted("id")[-1:].credit_note_ids
            self.check_amounts(memo, row, "Credit", "Tax credited")
        self.assertEqual(invoice.payment_state, "reversed")

    def check_rounded_globally(self, rows):
        """C4, C11: what is credited in full leaves nothing."""
        for row in rows:
            with self.subTest(row=row):
                line = {
                    "product_uom_qty": float(row["Quantity"]),
                    "price_unit": float(row["Price"]),
                    "discount": float(row["Discount"].replace("–", "0").rstrip(" %")),
                    "taxes": self.get_tax(row["Tax"]),
                }
                subscription = self.subscribe([line] * int(row["Lines"]))
                invoice = self.bill(subscription)
                self.check_amounts(invoice, row, None, total="Invoice")
                self.cancel(subscription, refund_mode="full")
                memo = self.credit_memos(subscription)
                self.check_amounts(memo, row, None, total="Credited with tax")

    def check_a_rebate_with_a_tax_of_its_own(self, rows):
        """C11: its tax comes with it."""
        *rows, total = rows
        lines = [
            {**self.prepare_line(row), "taxes": self.get_tax(row["Tax"])}
            for row in rows
        ]
        lines[1]["addon_of"] = lines[0]["name"]
        subscription = self.subscribe(lines)
        self.bill(subscription)
        for row in rows:
            if row["Credit"] in NOTHING:
                continue
            line = self.get_line(subscription, row["Line"])
            self.cancel(subscription, "2026-07-10", line_ids=line.ids)
            memo = subscription.cancellation_ids.sorted("id")[-1:].credit_note_ids
            self.check_amounts(memo, row, "Credit", "Tax credited")
        memos = self.credit_memos(subscription)
        for column, name in (("Credit", "untaxed"), ("Tax credited", "tax")):
            amount = sum(memos.mapped(f"amount_{name}"))
            self.assertEqual(self.write(amount, total[column]), total[column])

    def check_the_last_cent_in_another_currency(self, rows):
        """C4, C11: nothing is left in the company's currency either."""
        self.setup_other_currency("EUR", rates=[("1900-01-01", 0.937)])
        *rows, total = rows
        tax = self.get_tax(total["Tax"])
        lines = [
            {"name": row["Line"], "price_unit": split_amount(row["Billed"])[1]}
            for row in rows
        ]
        subscription = self.subscribe(
            [{**line, "taxes": tax} for line in lines], currency="EUR"
        )
        invoice = self.bill(subscription)
        self.check_booked(invoice, total, -1)
        for row in rows:
            line = self.get_line(subscription, row["Line"])
            self.cancel(subscription, line_ids=line.ids, cancel_day_billed=False)
            memo = subscription.cancellation_ids.sorted("id")[-1:].credit_note_ids
            self.check_booked(memo, row, 1)
        self.assertEqual(invoice.payment_state, "reversed")

    def check_booked(self, move, row, sign):
        """Assert what a document books in the company's currency."""
        items = move.line_ids
        for column, own in (
            ("Booked in dollars", items.filtered("product_id")),
            ("Tax in dollars", items.filtered("tax_line_id")),
        ):
            amount = sign * sum(own.mapped("balance"))
            self.assertEqual(self.write(amount, row[column]), row[column])

    # === INVOICES === #

    def bill_ahead(self, rows):
        """Return a subscription, and the invoices that bill it for each row."""
        subscription = self.subscribe([float(rows[0]["Billed"])], rows[0]["For"])
        invoices = [self.bill(subscription, rows[0].get("now")) for _row in rows]
        for invoice, row in zip(invoices, rows, strict=True):
            item = invoice.invoice_line_ids
            self.assertEqual(from_period(item.start_date, item.end_date), row["For"])
        return subscription, invoices

    def check_several_invoices(self, rows):
        """C3: each has a credit memo of its own."""
        now = str(to_period(rows[0]["For"])[0])
        subscription, invoices = self.bill_ahead([{**row, "now": now} for row in rows])
        answer = self.cancel_on(subscription, rows[0])
        for line, invoice, row in zip(answer["lines"], invoices, rows, strict=True):
            self.assertEqual(line["invoice"], invoice.name)
            self.check_days(line, row["Unused days"])
            credit = self.credit_of(subscription, invoice)
            self.assertEqual(self.write(credit, row["Credit"]), row["Credit"])

    def check_advance_invoices(self, rows):
        """C3: when billing periods beyond the end of service are credited."""
        labels = self.get_labels("subscription.cancellation.policy", "advance_credit")
        for label in dict.fromkeys(row["Advance Invoices"] for row in rows):
            with self.subTest(label):
                self.get_default_policy().advance_credit = labels[label]
                self.run_advance(
                    [row for row in rows if row["Advance Invoices"] == label]
                )

    def run_advance(self, rows):
        july = {"Billed": rows[0]["Billed"], "For": JULY, "now": "2026-07-01"}
        subscription, invoices = self.bill_ahead([july, *rows])
        options = {"timing": "specific_date", "requested_date": "2026-08-10"}
        self.cancel(subscription, "2026-07-05", **options)
        at_once = [self.credit_of(subscription, one) for one in invoices[1:]]
        self.travel_to("2026-08-11")
        subscription.cancellation_ids._execute_if_due()
        for row, invoice, before in zip(rows, invoices[1:], at_once, strict=True):
            after = self.credit_of(subscription, invoice) - before
            written = [self.write(amount, "0.00") for amount in (before, after)]
            columns = ("Credited at once", "Credited when service ends")
            self.assertEqual(written, [row[column] for column in columns])

    def get_labels(self, model, field):
        """Return the values of a selection by the label that people see."""
        selection = self.env[model]._fields[field]._description_selection(self.env)
        return {label: value for value, label in selection}

    def check_what_was_credited_before(self, rows):
        """C4, C2: counts for its days; nothing is credited twice."""
        for row in rows:
            with self.subTest(row=row):
                subscription, invoice = self.bill_row(row)
                self.credit_by_hand(invoice, row)
                mode = REFUND_MODES[row["Refund Mode"]]
                answer = self.cancel_on(subscription, row, refund_mode=mode)
                self.check_credit(subscription, answer, row["Credit"])

    def credit_by_hand(self, invoice, row):
        """Credit a part of an invoice with Odoo's own dialog."""
        memo = self._reverse_invoice(invoice)
        line = memo.invoice_line_ids
        line.price_unit = float(row["Credited before"])
        if row["For the days"] == "not linked to the line":
            line.write({"origin_line_id": False, "subscription_line_id": False})
        else:
            first_day, last_day = to_period(row["For the days"])
            line.write({"start_date": first_day, "end_date": last_day})
        memo.action_post()

    def check_full_refund(self, rows):
        """C2: the latest billed period, whole; none before it."""
        for label, mode in REFUND_MODES.items():
            with self.subTest(label):
                periods = [row for row in rows if row["Refund Mode"] == label]
                subscription, invoices = self.bill_ahead(periods)
                self.cancel_on(subscription, periods[0], refund_mode=mode)
                credits = [
                    self.write(self.credit_of(subscription, invoice), "0.00")
                    for invoice in invoices
                ]
                self.assertEqual(credits, [row["Credit"] for row in periods])

    def check_paid_partly_paid_not_paid(self, rows):
        """C5: a credit reduces its invoice first."""
        for row in rows:
            with self.subTest(row=row):
                subscription, invoice = self.bill_row({**row, "For": JULY})
                if float(row["Paid"]):
                    self.pay(invoice, float(row["Paid"]))
                answer = self.cancel_on(subscription, row)
                self.check_credit(subscription, answer, row["Credit"])
                for column, amount in (
                    ("Reduces the invoice", answer["reduces_invoices"]),
                    ("Refundable", answer["refundable"]),
                    ("Still due", invoice.amount_residual),
                ):
                    self.assertEqual(self.write(amount, row[column]), row[column])

    def check_foreign_currency(self, rows):
        """C11: at the rate of the invoice."""
        [row] = rows
        subscription, invoice = self.bill_row(row)
        column = "Dollars for 1 EUR {}".format
        rate = 1 / invoice.invoice_currency_rate
        self.assertEqual(self.write(rate, row[column("then")]), row[column("then")])
        self.env["res.currency.rate"].create(
            {
                "currency_id": invoice.currency_id.id,
                "company_id": self.company.id,
                "name": "2026-07-05",
                "rate": 1 / float(row[column("since")]),
            }
        )
        answer = self.cancel_on(subscription, row)
        self.check_credit(subscription, answer, row["Credit"])
        booked = -self.credit_memos(subscription).amount_total_signed
        column = "Booked in dollars"
        self.assertEqual(self.write(booked, row[column]), row[column])

    # === DAYS THAT ARE CHARGED === #

    def check_charge(self, invoices, amount, period):
        """Assert what was invoiced, and for which days."""
        posted = invoices.filtered(lambda move: move.state == "posted")
        written = self.write(sum(posted.mapped("amount_untaxed")), amount)
        self.assertEqual(written, amount)
        items = posted.invoice_line_ids
        days = [*items.mapped("start_date"), *items.mapped("end_date")]
        self.assertEqual(
            from_period(min(days), max(days)) if days else NOTHING[1], period
        )

    def check_unbilled_days(self, rows):
        """C9: invoiced to the day, or dropped."""
        labels = self.get_labels("subscription.cancellation", "unbilled_charges")
        for row in rows:
            with self.subTest(row=row):
                subscription = self.subscribe([float(row["Price"])])
                if row["Not invoiced"] == "draft invoice":
                    self.bill(subscription, post=False)
                choice = labels[row["Unbilled Charges"]]
                self.cancel_on(subscription, row, unbilled_charges=choice)
                invoices = subscription.cancellation_ids.step_ids.move_id
                self.check_charge(invoices, row["Invoiced"], row["For"])
                others = subscription._get_invoices() - invoices
                self.assertEqual(set(others.mapped("state")) - {"cancel"}, set())

    def check_a_later_date(self, rows):
        """B13: extra days are charged to the day, or credited in the end."""
        for row in rows:
            with self.subTest(row=row):
                self.run_later(row)

    def run_later(self, row):
        subscription = self.subscribe([31.0])
        self.bill(subscription)
        self.cancel(subscription, "2026-07-10", timing="end_of_period")
        cancellation = subscription.cancellation_ids
        self.assertEqual(from_day(cancellation.last_service_date), row["Ends on"])
        last_day = to_day(row["Moved to"])
        subscription.postpone_cancellation(
            requested_date=str(last_day),
            charge_extension=row["Extra days charged"] == "yes",
        )
        charges = cancellation.charge_invoice_ids
        self.check_charge(charges, row["Invoiced at once"], row["For"])
        regular = self.bill_until(subscription, last_day)
        column = "Regular invoices until then"
        self.assertEqual(self.write(regular, row[column]), row[column])
        self.travel_to(str(last_day + timedelta(days=1)))
        cancellation._execute_if_due()
        self.assertEqual(cancellation.state, "done")
        credit = sum(self.credit_memos(subscription).mapped("amount_untaxed"))
        column = "Credited in the end"
        self.assertEqual(self.write(credit, row[column]), row[column])

    def bill_until(self, subscription, last_day):
        """Let upstream bill on every invoice date up to a day; return the sum."""
        total = 0.0
        while (day := subscription.recurring_next_date) and day <= last_day:
            invoices = self.bill(subscription)
            if not invoices:
                break
            total += sum(invoices.mapped("amount_untaxed"))
        return total

    def check_paused(self, rows):
        """C1: the paid days, once, and a period after them."""
        for row in rows:
            with self.subTest(row=row):
                subscription, _invoice = self.bill_row(row)
                subscription.refund_mode = REFUND_MODES[row["Refund"]]
                self.travel_to(str(to_day(row["Paused on"])))
                subscription.action_pause(to_day(row["Resume on"]))
                items = subscription.pause_ids.credit_note_ids.invoice_line_ids
                days = {(item.start_date, item.end_date) for item in items}
                found = [from_period(*period) for period in days] or ["nothing"]
                self.assertEqual(found, [row["Credited days"]])
                credit = sum(items.mapped("price_subtotal"))
                self.assertEqual(
                    self.write(credit, row["Billed"]) if credit else "nothing",
                    row["Credit"],
                )
                next_date = from_day(subscription.recurring_next_date)
                self.assertEqual(next_date, row["Next invoice from"])

    def check_reactivated(self, rows):
        """B15: neither a free day nor a double one."""
        for row in rows:
            with self.subTest(row=row):
                subscription = self.subscribe([31.0])
                self.bill(subscription)
                answer = self.cancel_on(subscription, row)
                self.check_credit(subscription, answer, row["Credit"])
                self.travel_to(str(to_day(row["Reactivated on"])))
                mode = {"Go on": "resume", "New term": "new_term"}[row["How"]]
                subscription.reactivate_subscription(mode=mode)
                invoices = subscription.cancellation_ids.charge_invoice_ids
                column = "Billed again at once"
                billed = self.write(sum(invoices.mapped("amount_untaxed")), "0.00")
                self.assertEqual(billed, row[column])
                next_date = from_day(subscription.recurring_next_date)
                self.assertEqual(next_date, row["Next invoice from"])
