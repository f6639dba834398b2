# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What a cancellation tells other software of itself (D8)."""

from odoo import api, fields, models

from ..common.actions import show_records

#: The states that are an event, by the event. Revoking is told once all is invoiced.
EVENT_OF_STATE = {
    "to_approve": "approval_needed",
    "refused": "refused",
    "failed": "failed",
    "done": "done",
}
#: The states in which a follow-up step has come to something.
OUTCOMES = ("done", "failed", "skipped")


class SubscriptionCancellation(models.Model):
    """Record an event for everything that happens."""

    _inherit = "subscription.cancellation"

    event_ids = fields.One2many(
        comodel_name="subscription.cancellation.event",
        inverse_name="cancellation_id",
        string="Events",
        readonly=True,
    )
    event_count = fields.Integer(
        string="Number of Events", compute="_compute_event_count"
    )

    @api.depends("event_ids")
    def _compute_event_count(self):
        groups = self.env["subscription.cancellation.event"]._read_group(
            [("cancellation_id", "in", self.ids)], ["cancellation_id"], ["__count"]
        )
        counts = {cancellation.id: count for cancellation, count in groups}
        for cancellation in self:
            cancellation.event_count = counts.get(cancellation.id, 0)

    def _set_state(self, state, **values):
        """Also tell other software where that is an event."""
        result = super()._set_state(state, **values)
        if state in EVENT_OF_STATE:
            self._record_event(EVENT_OF_STATE[state])
        return result

    def _record_event(self, event, **values):
        """Record one event for each of these.

        :param str event: see ``EVENTS``
        :param values: further field values of the events
        """
        self.env["subscription.cancellation.event"]._record(
            [
                {**cancellation._prepare_event(), "event": event, **values}
                for cancellation in self
            ]
        )

    def _prepare_event(self):
        """Return the values that an event has in common with every other one."""
        # sudo: ids only, also of what whoever cancels may not open.
        cancellation = self.sudo()
        return {
            "event_date": fields.Datetime.now(),
            "cancellation_id": cancellation.id,
            "cancellation_name": cancellation.name,
            "subscription_id": cancellation.subscription_id.id,
            "subscription_code": cancellation.subscription_id.code or "",
            "partner_id": cancellation.partner_id.id,
            "company_id": cancellation.company_id.id,
            "channel": cancellation.channel,
            "state": cancellation.state,
            "timing": cancellation.timing,
            "effective_date": cancellation.effective_date,
            "last_service_date": cancellation.last_service_date,
            "is_whole": cancellation.is_whole,
            "subscription_line_ids": cancellation.line_ids.subscription_line_id.ids,
            "reason_code": cancellation.reason_id.code or "",
            "currency_id": cancellation.currency_id.id,
            "currency": cancellation.currency_id.name,
            "credit_untaxed": cancellation.credit_untaxed,
            "credit_tax": cancellation.credit_tax,
            "credit_total": cancellation.credit_total,
            "refundable": cancellation.refundable,
            "credit_note_ids": cancellation.credit_note_ids.ids,
            "invoice_ids": cancellation._get_standing_charge_invoices().ids,
            "invoice_credit_note_ids": cancellation._get_charge_credit_notes().ids,
        }

    def action_view_events(self):
        """Open the events of this cancellation (button)."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "subscription_cancellation.subscription_cancellation_event_action"
        )
        return show_records(action, self.event_ids)


class SubscriptionCancellationStep(models.Model):
    """Record an event for what comes of a step, each attempt included."""

    _inherit = "subscription.cancellation.step"

    @api.model_create_multi
    def create(self, vals_list):
        steps = super().create(vals_list)
        steps._record_outcome()
        return steps

    def _set_state(self, state, **values):
        """Also tell other software what came of it."""
        changed = self.filtered(lambda step: step.state != state)
        result = super()._set_state(state, **values)
        changed._record_outcome()
        return result

    def _record_outcome(self):
        """Record an event for each of these that has come to something."""
        finished = self.filtered(lambda step: step.state in OUTCOMES)
        self.env["subscription.cancellation.event"]._record(
            [step._prepare_event() for step in finished]
        )

    def _prepare_event(self):
        """Return the values of the event."""
        return {
            **self.cancellation_id._prepare_event(),
            "event": "step",
            "step_id": self.id,
            "step_kind": self.kind,
            "step_state": self.state,
            "step_amount": self.amount,
        }
