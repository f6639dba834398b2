# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What becomes of unbilled charges when the end of service is taken back."""

from odoo import models

from ...arithmetic.proration import Period


class SubscriptionCancellation(models.Model):
    """Bring dropped drafts back, and charge what left a draft that goes on."""

    _inherit = "subscription.cancellation"

    def _has_unbilled_steps(self):
        """Return whether charges were unbilled when these ended the service."""
        return "unbilled" in self.step_ids.mapped("kind")

    def _take_back_unbilled(self, all_of_it):
        """Bring dropped drafts back, and credit what is going to be billed again.

        :param bool all_of_it: everything comes back as it was, drafts included
        """
        for step in self.step_ids.filtered(lambda step: step.kind == "unbilled"):
            draft, invoice = step.source_move_id, step.move_id
            is_restored = draft.state == "cancel" and all_of_it
            if is_restored:
                draft.button_draft()
            is_made_here = invoice.cancellation_id
            if is_made_here and (is_restored or step._is_billed_again()):
                invoice._take_back_charges()

    def _get_dropped_from(self):
        """Return from when on days left a draft that bills other lines, or ``None``.

        Such a draft does not come back, so that its days are charged by themselves.
        """
        steps = self.step_ids.filtered(
            lambda step: (
                step.kind == "unbilled"
                and step.first_day
                and not step.source_move_id
                and (step.move_id.cancellation_id or not step.move_id)
                and not step._is_billed_again()
            )
        )
        return min(steps.mapped("first_day"), default=None)

    def _charge_dropped_days(self):
        """Charge, up to the next invoice, the days that left a shared draft."""
        for cancellation in self:
            parts = cancellation._get_dropped_parts()
            if parts:
                cancellation.subscription_id._charge_days(parts, cancellation)

    def _get_dropped_parts(self):
        """Return what the days cost that left a shared draft, up to the next invoice.

        :return: list of :class:`ChargePart`
        """
        self.ensure_one()
        items = self.env["account.move.line"].sudo()
        start, end = self._get_dropped_from(), self.next_date_before
        if not (start and end):
            return []
        lines = self.line_ids.subscription_line_id
        billed_until = items._map_billed_until(lines)
        charges = items._map_charges(lines)
        parts = []
        for line in lines:
            first_day = max(start, billed_until.get(line.id, start))
            if first_day < end:
                period = Period(first_day, end)
                parts += self.subscription_id._get_charge_parts(
                    line, period, start, charges
                )
        return parts


class SubscriptionCancellationStep(models.Model):
    _inherit = "subscription.cancellation.step"

    def _is_billed_again(self):
        """Return whether regular billing is going to bill these unbilled days."""
        cancellation = self.cancellation_id
        next_date = (
            cancellation.subscription_id.recurring_next_date
            or cancellation.next_date_before
        )
        return bool(self.first_day and next_date and self.first_day >= next_date)
