# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What must hold for any subscription: found false by hypothesis, or not at all.

Every example is billed, credited and cancelled in the real database and rolled back.
``FUZZ_EXAMPLES`` is their number in total. A failure prints the smallest story that
shows it and a ``reproduce_failure`` line that repeats it.
"""

import os
from contextlib import closing
from datetime import date, timedelta
from fractions import Fraction
from typing import NamedTuple

import freezegun
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.subscription_cancellation.engine import LINES, let_write

from .common import REVERSE_CHARGE, CancellationCase

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "60"))

# Else hypothesis measures its own speed by the frozen clock.
freezegun.configure(extend_ignore_list=["hypothesis"])


def examples(percent):
    """Return the settings of a test that gets this share of the examples.

    The suite runs the same ones each time; the long run (``make fuzz``) new ones.
    """
    return settings(
        max_examples=max(EXAMPLES * percent // 100, 1),
        derandomize="FUZZ_EXAMPLES" not in os.environ,
        deadline=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )


# === STORIES === #

#: name: values of the tax
TAXES = {
    "0 %": {"amount": 0.0},
    "7 %": {"amount": 7.0},
    "19 %": {"amount": 19.0},
    "20 %": {"amount": 20.0},
    "25 %": {"amount": 25.0},
    "7 % included": {"amount": 7.0, "price_include_override": "tax_included"},
    "19 % included": {"amount": 19.0, "price_include_override": "tax_included"},
    "20 % included": {"amount": 20.0, "price_include_override": "tax_included"},
    "25 % included": {"amount": 25.0, "price_include_override": "tax_included"},
    "10 % taxed": {"amount": 10.0, "include_base_amount": True},
    "0.35 each": {"amount": 0.35, "amount_type": "fixed"},
    "19 % reversed": {"amount": 19.0, **REVERSE_CHARGE},
}
TAX_SETS = [(name,) for name in TAXES] + [
    (),
    ("7 %", "19 %"),
    ("7 % included", "19 % included"),
    ("10 % taxed", "20 %"),
    ("0.35 each", "20 %"),
    ("0.35 each", "19 % included"),
]


class BilledLine(NamedTuple):
    price: float
    quantity: float
    discount: float
    taxes: tuple


class Story(NamedTuple):
    """A billed subscription, what was paid and credited of it, and the end of it."""

    currency: str
    rounding: str
    interval: str
    start: date
    lines: list
    periods: int
    paid: int  # percent of each invoice
    credited: list  # percent of each line, by hand
    day: int  # of the first cancellation, counted from the start
    gaps: list  # days from one line's cancellation to the next one's
    day_billed: bool
    backwards: bool  # the last line is cancelled first


prices = st.one_of(
    st.integers(1, 50_000).map(lambda cents: cents / 100),
    st.integers(1, 300_000).map(lambda units: units / 1000),
    st.sampled_from([0.0, 31.0, 33.33, 33.35, 100.0, 249.95, 9999.99]),
)


def lines_taxed(tax_sets):
    """Return lists of lines that share few taxes, so that their roundings meet."""
    line = st.builds(
        BilledLine,
        price=prices,
        quantity=st.sampled_from([1.0, 1.0, 2.0, 3.0, 7.0, 12.0, 0.5, 2.25, 0.33]),
        discount=st.sampled_from([0.0, 0.0, 0.0, 10.0, 12.5, 33.33, 50.0, 100.0]),
        taxes=st.sampled_from(tax_sets),
    )
    return st.integers(1, 4).flatmap(
        lambda number: st.lists(line, min_size=number, max_size=number)
    )


lines = st.lists(st.sampled_from(TAX_SETS), min_size=1, max_size=2).flatmap(lines_taxed)
intervals = st.one_of(
    st.sampled_from(["1 months", "3 months", "1 years"]),
    st.integers(1, 45).map("{} days".format),
    st.integers(1, 8).map("{} weeks".format),
    st.integers(1, 18).map("{} months".format),
    st.integers(1, 3).map("{} years".format),
)
stories = st.builds(
    Story,
    currency=st.sampled_from(["USD", "EUR", "JPY", "KWD"]),
    rounding=st.sampled_from(["round_globally", "round_per_line"]),
    interval=intervals,
    start=st.dates(date(2023, 12, 25), date(2025, 3, 5)),
    lines=lines,
    periods=st.sampled_from([1, 1, 2]),
    paid=st.sampled_from([0, 0, 30, 75, 100]),
    credited=st.one_of(
        st.just([]), st.lists(st.sampled_from([0, 10, 33, 50, 99, 100]), max_size=4)
    ),
    day=st.integers(0, 1000),
    gaps=st.lists(st.integers(0, 20), min_size=4, max_size=4),
    day_billed=st.booleans(),
    backwards=st.booleans(),
)


@tagged("post_install", "-at_install")
class TestProperties(CancellationCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.taxes = {
            name: cls.create_tax(name=name, **values) for name, values in TAXES.items()
        }
        for code in ("USD", "EUR", "JPY", "KWD"):
            cls.get_journal(cls.get_currency(code))

    def execute_example(self, example):
        """Run one example and take it back (a hook of hypothesis)."""
        with closing(self.env.cr.savepoint()):
            return example()

    # === TELLING A STORY === #

    def tell(self, story):
        """Create, bill, pay and credit what the story says; travel to its day."""
        self.company.tax_calculation_rounding_method = story.rounding
        subscription = self.create_subscription(
            [self._prepare_line(line) for line in story.lines],
            start=story.start,
            interval=story.interval,
            currency=story.currency,
        )
        for _period in range(story.periods):
            invoice = self.bill(subscription, day=story.start)
            self._credit_by_hand(invoice, story.credited)
            self._pay(invoice, story.paid)
        billed_days = (subscription.recurring_next_date - story.start).days
        self.travel_to(story.start + timedelta(days=story.day % (billed_days + 1)))
        return subscription

    def _prepare_line(self, line):
        taxes = self.env["account.tax"].union(*(self.taxes[n] for n in line.taxes))
        return {
            "price_unit": line.price,
            "product_uom_qty": line.quantity,
            "discount": line.discount,
            "taxes": taxes,
        }

    def _credit_by_hand(self, invoice, percentages):
        """Credit parts of the first lines with Odoo's own reversal dialog."""
        if not any(percentages) or not invoice.amount_total:
            return
        credit_memo = self._reverse_invoice(invoice)
        credit_lines = credit_memo.invoice_line_ids.sorted("id")
        credit_lines[len(percentages) :].unlink()
        for line, percent in zip(credit_lines, percentages, strict=False):
            line.price_unit *= percent / 100
        credit_memo.action_post()

    def _pay(self, invoice, percent):
        amount = invoice.currency_id.round(invoice.amount_residual * percent / 100)
        if amount:
            self.pay(invoice, amount)

    def cancel_lines(self, subscription, story):
        """Cancel line by line, as the story says; yield each line and the answer."""
        order = subscription.sale_subscription_line_ids.sorted(
            "id", reverse=story.backwards
        )
        for line, gap in zip(order, story.gaps, strict=False):
            yield line, self.cancel_checked(subscription, story, line_ids=line.ids)
            self.clock.tick(timedelta(days=gap))

    def cancel_checked(self, subscription, story, **options):
        """Cancel now; what was previewed is posted, and money moves as announced."""
        options["timing"] = "immediate"
        options.setdefault("cancel_day_billed", story.day_billed)
        due = self._get_due(subscription)
        preview = subscription.preview_cancellation(**options)
        answer = subscription.request_cancellation(**options)
        self.assertEqual(
            self._without_new_names(answer), self._without_new_names(preview)
        )
        self._check_posted(answer)
        self._check_settled(subscription, answer, due)
        self._check_never_more(subscription)
        return answer

    def _without_new_names(self, answer):
        """Return an answer without the names of what is only made by cancelling."""
        settlement = [{**part, "document": False} for part in answer["settlement"]]
        return {**answer, "cancellation_id": False, "settlement": settlement}

    def _get_due(self, subscription):
        """Return what is due on the invoices of regular billing."""
        regular = subscription._get_invoices().filtered(
            lambda move: not move.cancellation_id
        )
        return sum(regular.mapped("amount_residual"))

    # === INVARIANTS === #

    def _check_posted(self, answer):
        """D5: the posted credit memos are what was answered, line by line."""
        cancellation = self.env["subscription.cancellation"].browse(
            answer["cancellation_id"]
        )
        memos = cancellation.credit_note_ids
        self.assertLessEqual(set(memos.mapped("state")), {"posted"})
        for name in ("untaxed", "tax", "total"):
            posted = sum(memos.mapped(f"amount_{name}"))
            self.assertAlmostEqual(posted, answer[f"credit_{name}"], 6, name)
        answered = {}
        for row in answer["lines"]:
            if row["credit_untaxed"]:
                key = (row["subscription_line_id"], row["invoice"])
                answered[key] = row["credit_untaxed"]
        self.assertEqual(self._get_credits(memos), answered)

    def _get_credits(self, memos):
        return {
            (line.subscription_line_id.id, line.move_id.reversed_entry_id.name): (
                line.price_subtotal
            )
            for line in memos.invoice_line_ids
        }

    def _check_settled(self, subscription, answer, due):
        """C5: invoices are reduced first; the rest stays open on the memo."""
        reduced = due - self._get_due(subscription)
        self.assertAlmostEqual(reduced, answer["reduces_invoices"], 6)
        cancellation = self.env["subscription.cancellation"].browse(
            answer["cancellation_id"]
        )
        left = sum(cancellation.credit_note_ids.mapped("amount_residual"))
        self.assertAlmostEqual(left, answer["refundable"], 6)

    def _check_never_more(self, subscription):
        """C4: neither a line nor an invoice nor a tax is credited beyond its amount."""
        for invoice in subscription._get_invoices():
            memos = self._get_memos(invoice)
            for name in ("amount_untaxed", "amount_tax", "amount_total"):
                self._check_covers(invoice, memos, name)
            for line in invoice.invoice_line_ids:
                credits = line.refund_line_ids.filtered(
                    lambda credit: credit.parent_state == "posted"
                )
                excess = sum(credits.mapped("amount_currency")) + line.amount_currency
                # Odoo rounds a credit by hand by itself: another cent for the line.
                by_hand = credits.filtered(lambda one: not one.move_id.cancellation_id)
                slack = line.currency_id.rounding if by_hand else 0.0
                self.assertLess(excess, slack + 1e-6, f"booked of {line}")
            self._check_taxes(invoice, memos)

    def _get_memos(self, invoice):
        return invoice.reversal_move_ids.filtered(lambda move: move.state == "posted")

    def _check_covers(self, billed, credited, name):
        excess = sum(credited.mapped(name)) - billed[name]
        self.assertLess(excess, 1e-6, f"{name} of {billed}")

    def _check_taxes(self, invoice, memos):
        for tax, items in self._get_tax_items(invoice | memos).items():
            left = -sum(items.mapped("amount_currency"))
            self.assertGreater(left, -1e-6, f"{tax.name} of {invoice.name}")

    def _get_tax_items(self, moves):
        items = moves.line_ids.filtered(lambda item: item.display_type == "tax")
        return items.grouped("tax_line_id")

    # === PROPERTIES === #

    @examples(45)
    @given(story=stories)
    def test_cancelling_line_by_line_never_credits_more_than_billed(self, story):
        """C4, C5, D5: previewed, posted, never too much, and nothing a second time."""
        subscription = self.tell(story)
        for line, _answer in self.cancel_lines(subscription, story):
            memos = self.credit_memos(subscription)
            with self.assertRaises(UserError):
                subscription.request_cancellation(line_ids=line.ids)
            self.assertEqual(self.credit_memos(subscription), memos)

    @examples(15)
    @given(story=stories)
    def test_credit_and_served_share_are_the_billed_amount(self, story):
        """C1: per line, to within one currency unit; the credit is half-up."""
        subscription = self.tell(story._replace(credited=[]))
        answer = self.cancel_checked(subscription, story)
        invoices = subscription._get_invoices()
        for row in answer["lines"]:
            billed = invoices.invoice_line_ids.filtered(
                lambda line, row=row: (
                    line.move_id.name == row["invoice"]
                    and line.subscription_line_id.id == row["subscription_line_id"]
                )
            )
            self._check_share(row, billed)

    def _check_share(self, row, billed):
        """Check one answered line by exact fractions."""
        if not billed:
            return
        unit = Fraction(str(billed.currency_id.rounding))
        # What is booked: with taxes rounded globally, the line may show another cent.
        net = Fraction(str(-billed.amount_currency)) / unit
        credit = Fraction(str(row["credit_untaxed"])) / unit
        exact = net * row["unused_days"] / row["period_days"]
        self.assertTrue(-Fraction(1, 2) < credit - exact <= Fraction(1, 2), row)
        served = round(net - exact)
        self.assertLessEqual(abs(credit + served - net), 1, row)

    @examples(15)
    @given(story=stories)
    def test_line_by_line_credits_what_all_at_once_does(self, story):
        """A5, C1: to the cent per line and invoice."""
        subscription = self.tell(story._replace(gaps=[0] * 4))
        with closing(self.env.cr.savepoint()):
            self.cancel_checked(subscription, story)
            at_once = self._get_credits(self.credit_memos(subscription))
        for _line in self.cancel_lines(subscription, story._replace(gaps=[0] * 4)):
            pass
        line_by_line = self._get_credits(self.credit_memos(subscription))
        self.assertEqual(line_by_line, at_once)

    @examples(20)
    @given(story=stories)
    def test_line_by_line_from_day_one_credits_exactly_the_invoices(self, story):
        """C4: with what was credited by hand, tax included, to the last cent."""
        story = story._replace(day=0, gaps=[0] * 4, day_billed=False)
        subscription = self.tell(story)
        for _line in self.cancel_lines(subscription, story):
            pass
        for invoice in subscription._get_invoices():
            memos = self._get_memos(invoice)
            for name in ("amount_untaxed", "amount_tax", "amount_total"):
                credited = sum(memos.mapped(name))
                self.assertAlmostEqual(credited, invoice[name], 6, name)

    @examples(5)
    @given(story=stories)
    def test_a_line_put_back_and_cancelled_again_is_not_credited_again(self, story):
        """C4: the ledger remembers, whatever happened to the line."""
        subscription = self.tell(story)
        kept = self.add_line(subscription, {"name": "Kept"})
        [line, *_others] = subscription.sale_subscription_line_ids - kept
        self.cancel_checked(subscription, story, line_ids=line.ids)
        engine = let_write(line, LINES)
        engine.write({"active": True, "cancellation_date": False})
        again = self.cancel_checked(subscription, story, line_ids=line.ids)
        self.assertFalse(again["credit_total"])
