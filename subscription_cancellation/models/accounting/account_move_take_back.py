# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Taking back what a cancellation issued: each document by its proper opposite."""

from odoo import fields, models
from odoo.fields import Command

from ...formatting import format_days, in_language_of


class AccountMove(models.Model):
    """Reverse credit memos by invoices, and invoices by credit memos."""

    _inherit = "account.move"

    is_taken_back = fields.Boolean(
        copy=False,
        readonly=True,
        help="A credit memo, or an invoice of extra days, that was taken back by what "
        "issued it.",
    )

    # === CREDIT MEMOS === #

    def _take_back_credits(self):
        """Take these credit memos back: drafts are cancelled, posted ones invoiced.

        The invoice bills again, line by line, the days and amounts that the credit
        memo credited, so that it can be credited again. Odoo's own reversal of a
        credit memo would be a plain journal entry, which is no document for the
        customer.

        What a credit memo has reduced is due again, as it was. What somebody got back
        of it, or has paid something else with, stays due on the new invoice.

        :return: the invoices, posted; each is reconciled with what is still open of
            its credit memo
        """
        drafts = self.filtered(lambda move: move.state == "draft")
        drafts.button_cancel()
        issued = (self - drafts)._filter_not_taken_back()
        invoices = self._create_or_explain(
            [move._prepare_take_back() for move in issued]
        )
        for memo, invoice in zip(issued, invoices, strict=True):
            memo.invoice_line_ids._link_discounts(invoice.invoice_line_ids)
        invoices._take_receivable_account()
        invoices._take_sales_team()
        issued._get_partials_with_own().unlink()
        issued.is_taken_back = True
        for invoice in invoices:
            invoice._post_or_explain()
        return invoices

    def _get_partials_with_own(self):
        """Return how these credit memos have reduced the invoices that they credit."""
        return self.line_ids.matched_debit_ids.filtered(
            lambda partial: (
                partial.debit_move_id.move_id
                == partial.credit_move_id.move_id.reversed_entry_id
            )
        )

    def _map_take_backs(self):
        """Return the invoices that take these credit memos back, by credit memo.

        Both count as if there had never been either, so that what is credited next is
        not rounded twice. Not where somebody has credited days of such an invoice:
        then it bills, and its credit memo credits, like all others. Nor where the
        credit memo stands no longer: such an invoice bills alone.
        """
        standing = self.filtered(lambda move: move.state == "posted")
        if not standing:
            return {}
        invoices = self.search(
            [
                ("reversed_entry_id", "in", standing.ids),
                ("move_type", "=", "out_invoice"),
                ("state", "=", "posted"),
            ]
        )
        items = invoices.invoice_line_ids.refund_line_ids.filtered(
            lambda item: (
                item.parent_state in ("draft", "posted")
                and item.move_id.move_type == "out_refund"
            )
        )
        taken_back = items.move_id._map_take_backs()
        credited = items.filtered(
            lambda item: item.move_id not in taken_back
        ).origin_line_id.move_id
        return {invoice.reversed_entry_id: invoice for invoice in invoices - credited}

    def _describe_what_is_used(self):
        """Return in words what stays due once these credit memos are taken back."""
        reduced = sum(self._get_partials_with_own().mapped("credit_amount_currency"))
        left = sum(self.mapped("amount_residual")) + reduced
        used = sum(self.mapped("amount_total")) - left
        currency = self.currency_id[:1]
        if currency.compare_amounts(used, 0.0) <= 0:
            return None
        return self.env._(
            "%(amount)s of it were paid back, or have paid something else, and are due "
            "on that invoice.",
            amount=currency.format(used),
        )

    def _map_amounts_taken_back(self):
        """Return what counts no more of these credit memos, by credit memo.

        That is what the invoices that take them back are reconciled with.
        """
        return {
            memo: memo._get_amount_matched_with(invoice)
            for memo, invoice in self._map_take_backs().items()
        }

    def _filter_taken_back_in_full(self):
        """Return those that their take-back is paid with, and nothing else."""
        amounts = self._map_amounts_taken_back()
        return self.filtered(
            lambda memo: (
                memo in amounts
                and memo.currency_id.compare_amounts(amounts[memo], memo.amount_total)
                >= 0
            )
        )

    def _filter_standing_credits(self):
        """Return those that count, drafts included, and were not taken back."""
        drafts = self.filtered(lambda move: move.state == "draft")
        return drafts | self._filter_not_taken_back()

    def _filter_not_taken_back(self):
        """Return those that are posted and not reversed already."""
        return self.filtered(
            lambda move: (
                move.state == "posted"
                and "posted" not in move.reversal_move_ids.mapped("state")
            )
        )

    def _prepare_take_back(self):
        """Return the values of the invoice that takes this credit memo back."""
        self.ensure_one()
        source = self._get_credit_source()
        today = source.subscription_id._today()
        return {
            "move_type": "out_invoice",
            **source._prepare_link(),
            "subscription_id": self.subscription_id.id,
            "reversed_entry_id": self.id,
            "company_id": self.company_id.id,
            "journal_id": self.journal_id.id,
            "partner_id": self.partner_id.id,
            "partner_shipping_id": self.partner_shipping_id.id,
            "fiscal_position_id": self.fiscal_position_id.id,
            "currency_id": self.currency_id.id,
            "invoice_currency_rate": self.invoice_currency_rate,
            "invoice_date": today,
            "date": self._get_first_open_day(today),
            "invoice_payment_term_id": False,
            "invoice_origin": self.invoice_origin,
            **self._prepare_sale(),
            "ref": in_language_of(self.env, self.partner_id)._(
                "Takes back %(credit_memo)s (%(name)s)",
                credit_memo=self.name,
                name=source.name,
            ),
            "line_ids": [
                *self.invoice_line_ids._prepare_take_back_lines(),
                *self._get_added_items()._prepare_take_back_items(),
            ],
        }

    # === INVOICES OF EXTRA DAYS === #

    def _take_back_charges(self):
        """Credit what is left of these invoices; payments of them become a credit.

        :return: the credit memos, posted
        """
        drafts = self.filtered(lambda move: move.state == "draft")
        drafts.button_cancel()
        posted = (self - drafts).filtered(lambda move: move.state == "posted")
        posted.is_taken_back = True
        issued = posted.filtered(lambda move: move._get_left_to_credit() > 0)
        credit_memos = issued._reverse_moves(
            [move._prepare_charge_reversal() for move in issued]
        )
        credit_memos.invoice_line_ids._reduce_to_what_is_left()
        for credit_memo in credit_memos:
            credit_memo._post_or_explain()
        return credit_memos

    def _get_left_to_credit(self):
        """Return what no credit memo, drafts included, has credited of this invoice."""
        self.ensure_one()
        memos = self._search_credit_memos()
        credited = sum(memos.mapped("amount_total"))
        credited -= sum(memos._map_amounts_taken_back().values())
        return self.currency_id.round(self.amount_total - credited)

    def _filter_standing(self):
        """Return those of these invoices that were not taken back as a whole."""
        memos = self._search_credit_memos()
        memos -= memos.browse().union(*memos._map_take_backs())
        memos = memos.grouped("reversed_entry_id")
        return self.filtered(
            lambda invoice: (
                not invoice.is_taken_back
                and not (
                    invoice in memos
                    and invoice.currency_id.compare_amounts(
                        sum(memos[invoice].mapped("amount_total")), invoice.amount_total
                    )
                    >= 0
                )
            )
        )

    def _prepare_charge_reversal(self):
        """Return the values of the credit memo that takes this invoice back."""
        self.ensure_one()
        source = self._get_credit_source()
        today = source.subscription_id._today()
        return {
            "invoice_date": today,
            "date": self._get_first_open_day(today),
            "ref": in_language_of(self.env, self.partner_id)._(
                "Takes back %(invoice)s (%(name)s)",
                invoice=self.name,
                name=source.name,
            ),
        }


class AccountMoveLine(models.Model):
    """Bill again what a credit memo line credited."""

    _inherit = "account.move.line"

    def _reduce_to_what_is_left(self):
        """Let these lines credit what others left of the lines they come from."""
        for line in self.filtered("origin_line_id"):
            origin = line.origin_line_id
            others = (origin.refund_line_ids - line).filtered(
                lambda other: other.parent_state in ("draft", "posted")
            )
            credited = sum(others.mapped("price_subtotal"))
            if credited:
                left = origin.price_subtotal - credited
                line.price_unit *= left / origin.price_subtotal

    def _link_discounts(self, lines):
        """Say of each discount among lines that take these back what it reduces.

        :param lines: invoice lines, in the same order as these
        """
        pairs = list(zip(self, lines.sorted("id"), strict=True))
        by_origin = {
            credit.origin_line_id: line
            for credit, line in pairs
            if not credit.discounted_line_id
        }
        for credit, line in pairs:
            if credit.discounted_line_id:
                line.discounted_line_id = by_origin.get(credit.discounted_line_id)

    def _prepare_take_back_lines(self):
        """Return the commands of the invoice lines that take these back."""
        return [Command.create(line._prepare_take_back_line()) for line in self]

    def _prepare_take_back_items(self):
        """Return the commands of the opposite of what Odoo does not add by itself."""
        return [
            Command.create(
                {
                    "display_type": item.display_type,
                    "name": item.name,
                    "account_id": item.account_id.id,
                    "amount_currency": -item.amount_currency,
                    "balance": -item.balance,
                    "tax_ids": [Command.set(item.tax_ids.ids)],
                    "analytic_distribution": item.analytic_distribution,
                    "extra_tax_data": item.extra_tax_data,
                }
            )
            for item in self
        ]

    def _prepare_order_links(self):
        """Return what makes a line that credits this one, or bills it, the order's."""
        orders = self.sale_line_ids
        return {"sale_line_ids": [Command.set(orders.ids)]} if orders else {}

    def _prepare_take_back_line(self):
        """Return an invoice line with the days and exact amounts of this one."""
        self.ensure_one()
        values = {
            "display_type": self.display_type,
            "name": self._get_take_back_name(),
        }
        if self.display_type != "product":
            return values
        return {
            **values,
            "subscription_line_id": self.subscription_line_id.id,
            **self._prepare_order_links(),
            "product_id": self.product_id.id,
            "account_id": self.account_id.id,
            "quantity": self.quantity,
            "product_uom_id": self.product_uom_id.id,
            "price_unit": self.price_unit,
            "discount": self.discount,
            "tax_ids": [Command.set(self.tax_ids.ids)],
            "analytic_distribution": self.analytic_distribution,
            "extra_tax_data": self.extra_tax_data,
            "start_date": self.start_date,
            "end_date": self.end_date,
        }

    def _get_take_back_name(self):
        """Return the text of the line that takes this one back."""
        name = self.origin_line_id.name or self.product_id.display_name
        if self.display_type != "product" or not self.start_date:
            return self.name or name
        env = in_language_of(self.env, self.move_id.partner_id)
        text = env._(
            "Takes back the credit for %(period)s",
            period=format_days(env, self.start_date, self.end_date),
        )
        return f"{name or ''}\n{text}".strip()
