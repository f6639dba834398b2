# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Find out which subscription line and period an invoice line bills."""

from collections import defaultdict

from ...arithmetic.proration import Period


class PeriodStamper:
    """Stamp invoice lines that fit exactly one subscription line without overlap.

    Matched by subscription, product and date; where that leaves a choice, price and
    quantity must settle it. What fits none, or would bill a day twice, is left alone
    and returned: a wrong link would credit the wrong amount.
    """

    def __init__(self, invoice_lines):
        """Read what is already stamped.

        Invoices are always looked at as a whole: which line is which must not
        depend on where a batch ends.

        :param invoice_lines: ``account.move.line`` without link or without dates
        """
        self.requested = invoice_lines
        self.invoice_lines = invoice_lines.move_id.invoice_line_ids.filtered(
            lambda line: (
                line.display_type == "product"
                and line.product_id
                and not (line.subscription_line_id and line.start_date)
            )
        )
        self.orders = self._get_orders()
        self.subscriptions = {
            line: line._get_billed_subscriptions() or self._get_neighbours(line)
            for line in self.invoice_lines
        }
        self.taken = defaultdict(list)
        self._read_stamped()

    def _get_orders(self):
        """Return the sales orders of each invoice.

        An invoice of which every line was typed again still names them as its origin.
        """
        moves = self.invoice_lines.move_id
        origins = {
            move: {name.strip() for name in (move.invoice_origin or "").split(",")}
            for move in moves
        }
        named = moves.env["sale.order"].search(
            [
                ("name", "in", list(set().union(*origins.values()) - {""})),
                ("company_id", "in", moves.company_id.ids),
            ]
        )
        return {
            move: move.invoice_line_ids.sale_line_ids.order_id
            or named.filtered(
                lambda order, move=move: (
                    order.name in origins[move]
                    and order.company_id == move.company_id
                    and order.partner_id.commercial_partner_id
                    == move.commercial_partner_id
                )
            )
            for move in moves
        }

    def _get_neighbours(self, line):
        """Return the subscriptions that the rest of a hand-typed line's invoice bills.

        Billing through a sales order leaves its trace on the lines only.
        """
        if line.sale_line_ids:
            return line.subscription_line_id.sale_subscription_id
        orders = self.orders[line.move_id]
        others = line.move_id.invoice_line_ids.subscription_line_id
        return (
            others.sale_subscription_id
            or orders.order_subscription_id
            or orders.subscription_ids
        )

    def _read_stamped(self):
        """Collect the periods that other invoice lines already bill."""
        subscriptions = next(iter(self.subscriptions.values())).union(
            *self.subscriptions.values()
        )
        subscription_lines = subscriptions._get_all_lines()
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

    def stamp(self):
        """Stamp what fits; return the requested lines that do not."""
        stamped = self.invoice_lines.browse()
        for move, lines in self.invoice_lines.grouped("move_id").items():
            for line, subscription_line in self._pair(move, lines).items():
                if self._stamp_line(line, subscription_line):
                    stamped |= line
        return self.requested - stamped

    def _pair(self, move, lines):
        """Return the subscription line of each line of one invoice that has one.

        Every pair leaves less to choose from, so this goes on while it finds one.
        """
        pairs = {line: line.subscription_line_id for line in move.invoice_line_ids}
        found = True
        while found:
            found = self._find_pairs(
                lines.filtered(lambda line: not pairs[line]), pairs
            )
            pairs.update(found)
        return {line: pairs[line] for line in lines if pairs[line]}

    def _find_pairs(self, lines, pairs):
        """Return the lines of which only one subscription line can be meant."""
        represented = lines.subscription_line_id.union(*pairs.values())
        wishes = {line: self._choose(line, lines, represented) for line in lines}
        chosen = [candidate for candidate in wishes.values() if candidate]
        return {
            line: candidate
            for line, candidate in wishes.items()
            if candidate and chosen.count(candidate) == 1
        }

    def _choose(self, line, lines, represented):
        """Return the subscription line that ``line`` bills, or none."""
        candidates = self._get_candidates(line) - represented
        rivals = lines.filtered(lambda other: other.product_id == line.product_id)
        if len(candidates) > 1 or len(rivals) > 1:
            candidates = candidates.filtered(
                lambda candidate: self._is_same_sale(line, candidate)
            )
        return candidates if len(candidates) == 1 else candidates.browse()

    def _get_candidates(self, line):
        """Return the subscription lines that sell this line's product."""
        subscription_lines = self.subscriptions[line]._get_all_lines()
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
        period = self._get_period(line, subscription_line)
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

    def _get_period(self, line, subscription_line):
        """Return the billed period: as typed, as sold, as its neighbours', by date."""
        if line.start_date:
            return line._get_service_period()
        subscription = subscription_line.sale_subscription_id
        known = self._get_sold_period(line, subscription_line)
        known = known or self._get_neighbour_period(line, subscription)
        if known:
            return known
        start = self._get_period_start(line, subscription)
        if not start or not self._leads_to_next_invoice(start, subscription):
            return None
        return Period(start, subscription._get_next_invoice_date(start))

    def _get_sold_period(self, line, subscription_line):
        """Return the period that the sales order says it sells, or ``None``."""
        sold = self.orders[line.move_id].order_line.filtered(
            lambda order_line: (
                order_line.subscription_line_id == subscription_line
                and order_line.subscription_period_start
            )
        )
        if len(sold) != 1:
            return None
        return Period.from_inclusive(
            sold.subscription_period_start, sold.subscription_period_end
        )

    def _get_neighbour_period(self, line, subscription):
        """Return the period of other lines of the invoice, or ``None``."""
        neighbours = line.move_id.invoice_line_ids.filtered(
            lambda other: (
                other.subscription_line_id.sale_subscription_id == subscription
                and other.start_date
            )
        )
        return neighbours[0]._get_service_period() if neighbours else None

    def _get_period_start(self, line, subscription):
        """Return the first billed day by upstream's rules.

        Upstream dates its invoices with the first day they bill; the first period of
        a subscription sold by an order is on that order; later orders are made on
        the first day they bill.
        """
        orders = self.orders[line.move_id]
        order = (line.sale_line_ids.order_id or orders)[:1]
        if order and order == subscription.sale_order_id:
            return subscription._get_first_paid_day()
        if order:
            return order.date_order.date()
        return line.move_id.invoice_date

    def _leads_to_next_invoice(self, start, subscription):
        """Return whether periods from ``start`` on end where the next one begins.

        They do not where the date was changed by hand, an order was made late, or
        the interval changed meanwhile: then the billed days are not known.
        """
        until = subscription.recurring_next_date
        if not until:
            return True
        day, until = min(start, until), max(start, until)
        while day < until:
            day = subscription._get_next_invoice_date(day)
        return day == until
