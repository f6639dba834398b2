# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What customers have paid for orders that no invoice takes, when service ends."""

from collections import defaultdict
from functools import cached_property

from ...arithmetic.proration import ONE_DAY


class OrdersAhead:
    """The orders that sold what some cancellations end, and the money that is there.

    One plan for those that are executed together: none takes what another has taken.
    """

    def __init__(self, cancellations, sold=None):
        """Read the orders: the same number of queries for any number of them.

        :param cancellations: ``subscription.cancellation``
        :param sold: ``sale.order.line`` that sold days of what ends, where somebody
            has just read them
        """
        lines = cancellations.line_ids.subscription_line_id
        # sudo: who cancels need not be allowed to read orders and payments.
        order_lines = cancellations.env["sale.order.line"].sudo()
        #: What sold days of the lines that end.
        self.sold = order_lines._search_sold(lines) if sold is None else sold
        self.paid = {
            order: amount
            for order in self.sold.order_id
            if (amount := order._get_amount_paid_ahead()) > 0
        }
        #: Of these, what cancellations have taken nothing for yet.
        self._waiting = self.sold
        #: What payments of these orders pay of the parts about unbilled charges.
        self.pays = defaultdict(float)

    @cached_property
    def payments(self):
        """The journal entries of what was paid ahead."""
        orders = self.sold.order_id.filtered(lambda order: order in self.paid)
        return orders.transaction_ids.payment_id.move_id

    def get_sold(self, cancellation):
        """Return what sold days of what this one ends, and was paid ahead."""
        lines = cancellation.line_ids.subscription_line_id.ids
        return self.sold.filtered(
            lambda line: (
                line.subscription_line_id.id in lines and line.order_id in self.paid
            )
        )

    def get_paid_until(self, cancellation):
        """Return the first day that was not paid for, by id of the subscription line.

        Only where nothing comes back: then all that was paid is invoiced.
        """
        if cancellation.refund_mode != "none":
            return {}
        return {
            line.subscription_line_id.id: line.subscription_period_end + ONE_DAY
            for line in self.get_sold(cancellation)
            if line.order_id._is_paid_in_full()
        }

    def get_given_back(self, cancellation):
        """Return what sold the latest period, where all of that comes back."""
        if cancellation.refund_mode != "full":
            return self.sold.browse()
        last_day = cancellation.last_service_date
        return self.get_sold(cancellation).filtered(
            lambda line: line.subscription_period_end >= last_day
        )

    def take_surplus(self, cancellation, order, unbilled):
        """Return what is left of the payments of an order, in its currency; taken.

        Charges that are invoiced now are paid of it, and what else the order still has
        to invoice. What steps have promised already is theirs.

        :param list unbilled: parts about unbilled charges, as planned or as done
        """
        left = self.paid[order] - self._settled[order]
        for part in unbilled:
            if part.state == "done" and part.order and order in part.order:
                left -= self._pay(cancellation, order, part, left)
        without = self.sold | order.order_line.filtered("subscription_end_date")
        drafts = order.order_line.browse().union(
            *(
                part.draft.invoice_line_ids.sale_line_ids
                for part in unbilled
                if part.draft and part.state == "done"
            )
        )
        left -= order._get_amount_needed(without | drafts)
        own = self.get_sold(cancellation) & order.order_line
        self._waiting -= own
        if self._waiting & order.order_line:
            # Others of these end, too, and have their own part.
            left = min(left, self._get_own_part(order, own, unbilled))
        surplus = max(order.currency_id.round(left), 0.0)
        self._settled[order] += surplus
        return surplus

    def _get_own_part(self, order, lines, unbilled):
        """Return what order lines have cost that is not charged of them."""
        sold = order._sum_shares({line: line._get_share_at_end() for line in lines})
        return sold - sum(
            part.amount
            for part in unbilled
            if part.state == "done" and part.order and order in part.order
        )

    def _pay(self, cancellation, order, part, left):
        """Return what payments still have to pay of a part, as far as there is."""
        if part.move:
            # They have paid it already.
            return 0.0
        due = part.amount - self.pays[part]
        day = cancellation.subscription_id._today()
        due = part.currency._convert(
            due, order.currency_id, cancellation.company_id, day
        )
        paid = max(min(due, left), 0.0)
        self.pays[part] += order.currency_id._convert(
            paid, part.currency, cancellation.company_id, day
        )
        return paid

    @cached_property
    def _settled(self):
        """What steps have kept, or are still to give back, by order."""
        steps = self.sold.env["subscription.cancellation.step"]
        return steps._sum_settled(self.paid)
