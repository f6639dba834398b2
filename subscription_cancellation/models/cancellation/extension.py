# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Days that regular billing does not cover: charged once, or taken back."""

from odoo import api, fields, models

from ...arithmetic.proration import Period
from ..common.actions import show_records


class SubscriptionCancellation(models.Model):
    """Invoice to the day what a change of mind adds to a subscription line.

    *Left out* are days that a regular invoice was made for without the line, because
    it was to end. *Extra* are days beyond what regular billing covers, charged at
    once where somebody chose that; regular billing then leaves the line out from
    ``extension_start_date`` on. How far a line is billed is read from its invoices.
    """

    _inherit = "subscription.cancellation"

    charge_extension = fields.Boolean(
        string="Extra Days Charged",
        readonly=True,
        help="When the date was moved, the extra days were invoiced to the day.",
    )
    extension_start_date = fields.Date(
        readonly=True,
        help="First of the extra days that were invoiced to the day; regular billing "
        "leaves the lines out from here on.",
    )
    charge_invoice_ids = fields.One2many(
        comodel_name="account.move",
        inverse_name="cancellation_id",
        string="Invoices",
        domain=[("move_type", "=", "out_invoice")],
        readonly=True,
        help="Invoices of extra and left-out days, and those that took a credit back.",
    )
    charge_invoice_count = fields.Integer(
        string="Number of Invoices", compute="_compute_charge_invoice_count"
    )

    @api.depends("charge_invoice_ids")
    def _compute_charge_invoice_count(self):
        for cancellation in self:
            # sudo: the number may be seen by people who cannot open the documents.
            cancellation.charge_invoice_count = len(
                cancellation.sudo().charge_invoice_ids
            )

    # === WHAT TO CHARGE === #

    def _map_billed_until(self, lines, never, ignored=()):
        """Return per line the first day that is not billed.

        :param lines: ``sale.subscription.line``
        :param date never: that of a line that nothing has billed
        :param ignored: ``account.move``, invoices that are about to be taken back
        """
        self.ensure_one()
        # sudo: whoever changes a cancellation need not be allowed to read invoices.
        items = self.env["account.move.line"].sudo()
        billed = items._map_billed_until(lines, ignored)
        return {line: billed.get(line.id) or never for line in lines}

    def _map_left_out_from(self, lines, ignored=()):
        """Return per line where days may begin that it was left out for, by this one.

        Not before the first period that it was to end before: what no invoice covers
        of an earlier one, as the line was added within it or was taken off the draft,
        regular billing never bills. Where the date was moved, it was another one then.

        :param lines: as for :meth:`_map_billed_until`
        :param ignored: as for :meth:`_map_billed_until`
        """
        since = self._get_first_period_left_out()
        billed_until = self._map_billed_until(lines, False, ignored)
        if self.moved_date:
            return {
                line: day or line._get_first_billed_day() or since
                for line, day in billed_until.items()
            }
        return {line: max(day or since, since) for line, day in billed_until.items()}

    def _get_first_period_left_out(self):
        """Return where the first period begins that service ends before."""
        subscription = self.subscription_id
        if not subscription.recurring_next_date:
            return self.effective_date
        day = subscription._get_period_anchor(self.effective_date)
        while day < self.effective_date:
            day = subscription._get_next_invoice_date(day)
        return day

    def _map_charges(self, lines, ignored=()):
        """Return what was charged of single days of these lines, by line.

        :param ignored: as for :meth:`_map_billed_until`
        """
        # sudo: as in _map_billed_until.
        return self.env["account.move.line"].sudo()._map_charges(lines, ignored)

    def _get_left_out_parts(self, first_days, until, charges=None):
        """Return what the days cost that regular invoices were made for without lines.

        :param dict first_days: first day to charge, by line
        :param until: first day not to charge, ``None`` where there is none
        :param dict charges: what was charged of single days, by line
        """
        subscription = self.subscription_id
        # sudo: whoever changes a cancellation need not be allowed to read invoices.
        billed_until = (
            self.env["account.move.line"]
            .sudo()
            ._get_regularly_billed_until(subscription._get_all_lines())
        )
        if not (billed_until and subscription.recurring_next_date):
            return []
        end = min(filter(None, (subscription.recurring_next_date, billed_until, until)))
        return [
            part
            for line, start in first_days.items()
            if start < end
            for part in subscription._get_charge_parts(
                line,
                Period(start, end),
                subscription._get_period_anchor(start),
                charges,
            )
        ]

    def _get_first_extra_day(self):
        """Return where extra days begin: after what regular billing covers.

        Regular billing covers every period that begins before the end of service,
        one after the other as upstream counts them.
        """
        if self.extension_start_date:
            return self.extension_start_date
        subscription = self.subscription_id
        return max(
            self._get_first_period_left_out(),
            subscription.recurring_next_date or self.effective_date,
        )

    def _get_extension_parts(
        self, first_extra_day, effective_date, billed_until, charges
    ):
        """Return what the extra days cost that are not charged yet."""
        return [
            part
            for line, billed in billed_until.items()
            if (start := max(billed, first_extra_day)) < effective_date
            for part in self.subscription_id._get_charge_parts(
                line, Period(start, effective_date), first_extra_day, charges
            )
        ]

    def _get_charges_of_move(self, effective_date, charge_extension, is_taken_back):
        """Return what moving to ``effective_date`` would charge; nothing is written."""
        ignored = self._get_extension_invoices() if is_taken_back else ()
        lines = self.line_ids.subscription_line_id
        charges = self._map_charges(lines, ignored)
        first_days = self._map_left_out_from(lines, ignored)
        parts = self._get_left_out_parts(first_days, effective_date, charges)
        if charge_extension:
            first_extra_day = self._get_first_extra_day()
            billed_until = self._map_billed_until(lines, first_extra_day, ignored)
            for part in parts:
                billed_until[part.line] = max(billed_until[part.line], part.period.end)
            parts += self._get_extension_parts(
                first_extra_day, effective_date, billed_until, charges
            )
        return parts

    # === CHARGE === #

    def _charge_left_out_days(self, lines=None, until=None, first_days=None):
        """Invoice the days of these lines that regular invoices were made without.

        As it would have been, had nothing been requested.

        :param lines: absent: all of this cancellation
        :param until: first day not to charge; absent: the end of service, where this
            one is open
        :param dict first_days: of :meth:`_map_left_out_from`, where that was read
            before the date was moved
        """
        self.ensure_one()
        lines = self.line_ids.subscription_line_id if lines is None else lines
        if until is None and self.is_open:
            until = self.effective_date
        parts = self._get_left_out_parts(
            {**self._map_left_out_from(lines), **(first_days or {})},
            until,
            self._map_charges(lines),
        )
        return self.subscription_id._charge_days(parts, self)

    def _charge_extension(self, first_extra_day):
        """Invoice the extra days up to the end of service, once."""
        lines = self.line_ids.subscription_line_id
        parts = self._get_extension_parts(
            first_extra_day,
            self.effective_date,
            self._map_billed_until(lines, first_extra_day),
            self._map_charges(lines),
        )
        if parts:
            self.subscription_id._charge_days(parts, self)
            self.extension_start_date = first_extra_day

    # === TAKE BACK === #

    def _get_extension_invoices(self):
        """Return the invoices of extra days that are not served yet."""
        # sudo: who plans a cancellation need not be allowed to read invoices.
        extended = self.sudo().filtered("extension_start_date")
        return extended.charge_invoice_ids.filtered(
            lambda move: (
                not move.is_taken_back
                and min(move.invoice_line_ids.mapped("start_date"))
                >= move.cancellation_id.extension_start_date
            )
        )

    def _take_back_extension(self):
        """Credit the invoices of extra days in full; regular billing takes over."""
        charged = self.filtered("extension_start_date")
        if not charged:
            return
        charged._get_extension_invoices()._take_back_charges()
        charged.write({"extension_start_date": False})

    def _get_standing_charge_invoices(self):
        """Return the invoices that were made, taken back later or not."""
        # sudo: who tells of a cancellation need not be allowed to read invoices.
        return self.sudo().charge_invoice_ids.filtered(
            lambda move: move.state != "cancel"
        )

    def _get_charge_credit_notes(self):
        """Return the credit memos that took an invoice of extra days back.

        They are not among ``credit_note_ids``: no billed day is credited by them.
        """
        taken_back = self._get_standing_charge_invoices().filtered("is_taken_back")
        return taken_back.reversal_move_ids.filtered(
            lambda move: move.state == "posted" and not move.cancellation_id
        )

    def _describe_charge(self, invoice):
        """Return for the customer what days an invoice of this is for.

        :param invoice: one of ``charge_invoice_ids``
        """
        self.ensure_one()
        settled = self.step_ids.filtered(lambda step: step.kind == "unbilled")
        if invoice in settled.move_id:
            return self.env._("Served days")
        extended = self.charge_extension and self.extension_start_date
        days = invoice.invoice_line_ids.filtered("start_date").mapped("start_date")
        if extended and days and min(days) >= extended:
            return self.env._("Extra days")
        return self.env._("Days that were not invoiced")

    # === ACTIONS === #

    def action_view_charge_invoices(self):
        """Open the invoices of extra days, and those that took a credit back."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "account.action_move_out_invoice_type"
        )
        invoices = self._get_readable_moves("charge_invoice_ids")
        action["context"] = {"default_move_type": "out_invoice"}
        return show_records(action, invoices)

    def _get_end_of_regular_billing(self):
        """Return the first day that no regular invoice bills, ``None`` without one."""
        if not self:
            return None
        # sudo: who cancels need not be allowed to read invoices.
        items = self.env["account.move.line"].sudo()
        lines = self.subscription_id._get_all_lines()
        return items._get_regularly_billed_until(lines)
