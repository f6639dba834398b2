# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Find out which subscription line and period an invoice line bills."""

from collections import defaultdict

from .proration import Period


class PeriodStamper:
    """Stamp invoice lines that fit exactly one subscription line without overlap.

    Matched by subscription, product and date; where that leaves a choice, price and
    quantity must settle it. What fits none, or would bill a day twice, is left alone
    and returned: a wrong link would credit the wrong amount.
    """

    def __init__(self, invoice_lines):
        """Read what is already stamped.

        :param invoice_lines: ``account.move.line`` without link or without dates
        """
        self.invoice_lines = invoice_lines
        self.subscriptions = {
            line: line._get_billed_subscriptions() for line in invoice_lines
        }
        self.taken = defaultdict(list)
        self._read_stamped()

    def _read_stamped(self):
        """Collect the periods that other invoice lines already bill."""
        subscription_lines = self._get_subscription_lines(
            next(iter(self.subscriptions.values())).union(*self.subscriptions.values())
        )
        stamped = self.invoice_lines.search_fetch(
            [
                ("subscription_line_id", "in", subscription_lines.ids),
                ("parent_state", "!=", "cancel"),
                ("move_id.move_type", "=", "out_invoice"),
                ("start_date", "!=", False),
            ],
            ["subscription_line_id", "start_date", "end_date", "move_id"],
        )
        for line in stamped - self.invoice_lines:
            self.taken[line.subscription_line_id].append(line._get_service_period())

    def _get_subscription_lines(self, subscriptions):
        archived_too = subscriptions.with_context(active_test=False)
        return archived_too.sale_subscription_line_ids

    def stamp(self):
        """Stamp what fits; return the lines that do not."""
        stamped = self.invoice_lines.browse()
        for move, lines in self.invoice_lines.grouped("move_id").items():
            for line, subscription_line in self._pair(move, lines).items():
                if self._stamp_line(line, subscription_line):
                    stamped |= line
        return self.invoice_lines - stamped

    def _pair(self, move, lines):
        """Return the subscription line of each line of one invoice that has one."""
        represented = (move.invoice_line_ids - lines).subscription_line_id
        pairs = {}
        for line in lines:
            if line.subscription_line_id:
                pairs[line] = line.subscription_line_id
                continue
            candidates = self._get_candidates(line) - represented
            rivals = lines.filtered(
                lambda other, line=line: other.product_id == line.product_id
            )
            if len(candidates) > 1 or len(rivals) > 1:
                candidates = candidates.filtered(
                    lambda candidate, line=line: self._is_same_sale(line, candidate)
                )
            if len(candidates) == 1 and candidates not in pairs.values():
                pairs[line] = candidates
        return pairs

    def _get_candidates(self, line):
        """Return the subscription lines that sell this line's product."""
        subscription_lines = self._get_subscription_lines(self.subscriptions[line])
        ordered = subscription_lines.filtered(
            lambda candidate: candidate.order_line_id & line.sale_line_ids
        )
        return ordered or subscription_lines.filtered(
            lambda candidate: candidate.product_id == line.product_id
        )

    def _is_same_sale(self, line, candidate):
        return (
            line.quantity == candidate.product_uom_qty
            and not line.currency_id.compare_amounts(
                line.price_unit, candidate.price_unit
            )
        )

    def _stamp_line(self, line, subscription_line):
        """Stamp one line unless a day of its period is billed already."""
        period = self._get_period(line, subscription_line.sale_subscription_id)
        if not period or any(
            period.start < taken.end and taken.start < period.end
            for taken in self.taken[subscription_line]
        ):
            return False
        self.taken[subscription_line].append(period)
        line.write(
            {
                "subscription_line_id": subscription_line.id,
                "start_date": period.start,
                "end_date": period.last_day,
            }
        )
        return True

    def _get_period(self, line, subscription):
        """Return the billed period: as typed, as its neighbours', else by its date."""
        if line.start_date:
            return line._get_service_period()
        neighbours = line.move_id.invoice_line_ids.filtered(
            lambda other: (
                other.subscription_line_id.sale_subscription_id == subscription
                and other.start_date
            )
        )
        if neighbours:
            return neighbours[0]._get_service_period()
        start = self._get_period_start(line, subscription)
        return start and Period(start, subscription._get_next_invoice_date(start))

    def _get_period_start(self, line, subscription):
        """Return the first billed day by upstream's rules.

        Upstream dates its invoices with the first day they bill; the first period of
        a subscription sold by an order is on that order; later orders are made on
        the first day they bill.
        """
        order = line.sale_line_ids.order_id[:1]
        if order and order == subscription.sale_order_id:
            return subscription.date_start
        if order:
            return order.date_order.date()
        return line.move_id.invoice_date
