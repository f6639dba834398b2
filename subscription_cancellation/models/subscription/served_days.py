# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Which days of subscription lines documents bill, and which nobody has billed."""

from collections import defaultdict
from datetime import date
from functools import cached_property

from odoo.fields import Domain

from ...arithmetic.proration import ONE_DAY, Period, get_uncovered


class ServedDays:
    """The billed days of some subscription lines.

    An invoice covers its days, drafts included. One that was credited by hand still
    does: what was given up is not charged again. A cancellation that credited days
    leaves them unbilled until they are billed anew.
    """

    def __init__(self, lines, since=date.min, ignored=()):
        """Read the billed days: one query, whatever the number of lines.

        :param lines: ``sale.subscription.line``
        :param date since: of documents that bill this day or later ones
        :param ignored: documents (``account.move``) that do not count
        """
        # sudo: who cancels need not be allowed to read journal items.
        items = lines.env["account.move.line"].sudo()
        self._lines = lines
        if lines:
            items = items.search_fetch(
                self._get_domain(lines, since),
                ["subscription_line_id", "start_date", "end_date", "move_id"]
                + ["amount_currency", "discounted_line_id", "parent_state"],
                order="id",
            )
        #: By line, days and what they add: 1 for an invoice, -1 for a credit of it.
        self._covers = defaultdict(list)
        items = items.filtered(lambda item: item.move_id not in ignored)
        items = items._without_strangers() - items._filter_reductions()
        #: Whether drafts are among the documents.
        self.has_drafts = "draft" in items.mapped("parent_state")
        for line, period, count in items._get_covers():
            self._covers[line.id].append((period, count))

    @cached_property
    def charges(self):
        """What cancellations charged of single days, by line. One query."""
        # sudo: as for the billed days.
        return self._lines.env["account.move.line"].sudo()._map_charges(self._lines)

    def add(self, line, period):
        """Count days as billed that are going to be."""
        self._covers[line.id].append((period, 1))

    def _get_domain(self, lines, since):
        is_invoice = Domain("move_type", "=", "out_invoice") & Domain(
            "is_taken_back", "=", False
        )
        is_credit = (
            Domain("move_type", "=", "out_refund")
            & (Domain("cancellation_id", "!=", False) | Domain("pause_id", "!=", False))
            & Domain("reversed_entry_id.is_taken_back", "=", False)
        )
        return (
            Domain("subscription_line_id", "in", lines.ids)
            & Domain("discounted_line_id", "=", False)
            & Domain("parent_state", "!=", "cancel")
            & Domain("start_date", "!=", False)
            & Domain("end_date", ">=", since)
            # One condition: each of several on the document is looked up apart.
            & Domain("move_id", "any", is_invoice | is_credit)
        )

    @cached_property
    def _unlinked(self):
        """The invoice lines that may bill these without a link: typed, or copied.

        On invoices of the subscription, or for the same product and customer. One
        query, and only where days are missing.
        """
        lines = self._lines.sudo()
        subscriptions = lines.sale_subscription_id
        customers = subscriptions.partner_id | subscriptions.partner_invoice_id
        is_same_sale = Domain("product_id", "in", lines.product_id.ids) & Domain(
            "move_id.commercial_partner_id", "in", customers.commercial_partner_id.ids
        )
        is_own = Domain("move_id.subscription_id", "in", subscriptions.ids)
        return lines.env["account.move.line"].search(
            Domain("parent_state", "in", ("draft", "posted"))
            & Domain("move_id.move_type", "=", "out_invoice")
            & Domain("move_id.is_taken_back", "=", False)
            & Domain("display_type", "=", "product")
            & Domain("product_id", "!=", False)
            & Domain("subscription_line_id", "=", False)
            & Domain("sale_line_ids", "=", False)
            & Domain("is_downpayment", "=", False)
            & Domain("price_subtotal", ">", 0.0)
            & (is_own | is_same_sale),
            order="id",
        )

    def find_unlinked(self, part):
        """Return the invoice line that may bill these days without a link, or none.

        :param ChargePart part: days that no document bills
        """
        subscription = part.line.sale_subscription_id
        return self._unlinked.filtered(
            lambda item: (
                (
                    item.move_id.subscription_id == subscription.sudo()
                    or (
                        not item.move_id.subscription_id
                        and item.product_id == part.line.sudo().product_id
                        and subscription._is_customer(item.move_id)
                    )
                )
                and _is_within(item, part)
            )
        )[:1]

    def get_billed_until(self, line):
        """Return the first day that no invoice of a line reaches, or ``None``."""
        ends = [period.end for period, count in self._covers[line.id] if count > 0]
        return max(ends, default=None)

    def get_end_of_period(self, day):
        """Return the first day after the billed period of a day, or ``None``."""
        return max(
            (
                period.end
                for covers in self._covers.values()
                if not get_uncovered(Period(day, day + ONE_DAY), covers)
                for period, count in covers
                if count > 0 and period.start <= day < period.end
            ),
            default=None,
        )

    def get_next_start(self, day):
        """Return where the first billed period after a day begins, or ``None``."""
        return min(
            (
                period.start
                for covers in self._covers.values()
                for period, count in covers
                if count > 0 and period.start > day
            ),
            default=None,
        )

    def get_gaps(self, line, period):
        """Return the parts of a period that no document bills.

        :rtype: list[Period]
        """
        return get_uncovered(period, self._covers[line.id])


def _is_within(item, part):
    """Return whether a line bills days of a part, as typed or by its invoice's date."""
    if item.start_date and item.end_date:
        period = Period.from_inclusive(item.start_date, item.end_date)
        return period.common_days(part.period) > 0
    day = item.move_id.invoice_date or item.move_id.date
    return part.billing_period.start <= day < part.billing_period.end
