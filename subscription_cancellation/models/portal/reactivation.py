# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What it costs the customer to let an ended subscription go on."""

from typing import NamedTuple

from odoo import models

from ...arithmetic.proration import ONE_DAY
from ...formatting import format_day


class ReactivationOffer(NamedTuple):
    """What a customer agrees to pay; nothing is written yet."""

    #: ``account.move``: credit memos that invoices take back today
    memos: models.BaseModel
    #: With tax, of days that no invoice covers; invoiced today
    charged: float
    #: ``account.move``: invoices that are due again
    due_again: models.BaseModel
    #: First day of the next regular invoice, ``False`` where there is none
    next_date: object
    #: What a period costs, without tax and with it
    price_untaxed: float
    price_total: float

    @property
    def credited(self):
        """What was credited and is invoiced again."""
        return sum(self.memos.mapped("amount_total"))

    def get_fingerprint(self):
        """Return what has to be the same when it is confirmed."""
        return (
            f"{self.credited:.3f}/{self.charged:.3f}/{self.due_again.ids}"
            f"/{self.next_date}/{self.price_total:.3f}"
        )


class SaleSubscription(models.Model):
    """Say to the customer what will be invoiced, and when."""

    _inherit = "sale.subscription"

    def _get_reactivation_offer(self):
        """Return the :class:`ReactivationOffer` of today.

        :raise UserError: this cannot go on
        """
        self.ensure_one()
        plan = self._plan_reactivation("resume")
        closing = plan.closing
        memos = closing.credit_note_ids.browse()
        charged = 0.0
        if plan.takes_back_credits:
            memos = closing.credit_note_ids._filter_not_taken_back()
            parts = [part for one in closing for part in one._get_dropped_parts()]
            due = self._filter_charged(parts)
            charged = self._get_charge_total(due) if due else 0.0
        lines = self.sale_subscription_line_ids | closing._get_ended_lines()
        return ReactivationOffer(
            memos,
            charged,
            plan.write_offs.source_move_id,
            plan.dates["recurring_next_date"],
            sum(lines.mapped("price_subtotal")),
            sum(lines.mapped("price_total")),
        )

    def _describe_reactivation_offer(self, offer):
        """Return in sentences what the customer will have to pay, and when."""
        self.ensure_one()
        sentences = [
            *self._describe_invoiced_today(offer),
            *(
                self.env._("Invoice %s is due again.", invoice.name)
                for invoice in offer.due_again
            ),
        ]
        if offer.next_date:
            sentences.append(self._describe_price_from(offer))
        contract_end = self._get_contract_end()
        if contract_end:
            day = format_day(self.env, contract_end - ONE_DAY)
            sentences.append(
                self.env._("It ends on %s, unless you end it before.", day)
            )
        else:
            sentences.append(self.env._("It goes on until you cancel it."))
        return sentences

    def _describe_invoiced_today(self, offer):
        """Return in sentences what is invoiced at once, if anything."""
        if offer.memos:
            text = self.env._(
                "Invoiced today: %s, which we had credited.",
                offer.memos[0].currency_id.format(offer.credited),
            )
            used = offer.memos._describe_what_is_used()
            yield " ".join(filter(None, [text, used]))
        if offer.charged:
            currency = self._get_invoice_currency()
            yield self.env._(
                "Invoiced today: %s for days that were not invoiced.",
                currency.format(offer.charged),
            )

    def _describe_price_from(self, offer):
        """Return in a sentence from when on the subscription costs what."""
        values = {
            "price": self._describe_portal_price(
                offer.price_untaxed, offer.price_total
            ),
            "day": format_day(self.env, offer.next_date),
        }
        if offer.next_date <= self._today():
            return self.env._("From today on: %(price)s.", **values)
        return self.env._("From %(day)s on: %(price)s.", **values)
