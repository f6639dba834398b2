# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""How a step is told: on screens with its error, to the customer in plain words."""

from odoo import api, fields, models


class SubscriptionCancellation(models.Model):
    """Choose what the customer is told of the settlement."""

    _inherit = "subscription.cancellation"

    def _get_steps_to_tell(self):
        """Return the steps that a customer wants to know of: what moved, or will."""
        self.ensure_one()
        return self.step_ids.filtered(
            lambda step: (
                not step.currency_id.is_zero(step.amount) and step._get_customer_text()
            )
        )


class SubscriptionCancellationStep(models.Model):
    """Say what a step did or waits for, and which document it is about."""

    _inherit = "subscription.cancellation.step"

    outcome = fields.Text(
        compute="_compute_outcome",
        help="What was done, what the step is waiting for, or why it failed.",
    )
    # sudo: the number only; the form leads to the documents.
    document_name = fields.Char(
        string="Document",
        compute="_compute_document_name",
        compute_sudo=True,
        help="The payment, entry, credit memo or invoice that came out of the step, "
        "else the one that it is about.",
    )

    # sudo: as above.
    invoice_name = fields.Char(
        string="Invoice",
        compute="_compute_invoice_name",
        compute_sudo=True,
        help="The invoice that the step is about: what is still due of it, or what was "
        "credited of it.",
    )

    @api.depends("kind", "cancellation_id.name")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for step in self:
            label, name = step._get_kind_label(), step.cancellation_id.name
            step.display_name = f"{label} ({name})" if name else label

    @api.depends("state", "note", "error")
    def _compute_outcome(self):
        for step in self:
            step.outcome = step.error or step.note

    @api.depends(
        "kind",
        "payment_id.name",
        "move_id.name",
        "source_move_id.name",
        "sale_order_id.name",
    )
    def _compute_document_name(self):
        for step in self:
            step.document_name = step._get_document().name

    @api.depends(
        "source_move_id.name", "move_id.name", "source_move_id.reversed_entry_id.name"
    )
    def _compute_invoice_name(self):
        for step in self:
            source = step.source_move_id
            step.invoice_name = (
                source.reversed_entry_id
                or (step.move_id if step.kind == "unbilled" else source)
            ).name

    def _get_document(self):
        """Return what came out of the step, else what it is about."""
        self.ensure_one()
        if self.kind == "reduce":
            # The credit memo; its text names the invoice.
            return self.source_move_id
        return (
            self.payment_id or self.move_id or self.source_move_id or self.sale_order_id
        )

    # === FOR THE CUSTOMER === #

    def _get_customer_text(self):
        """Return in the customer's words what the step did or will do, or ``None``.

        What was given up and changed nothing is not told. The language is the one of
        the context.
        """
        self.ensure_one()
        return getattr(self, f"_tell_{self.kind}")()

    def _tell_unbilled(self):
        order = self.sale_order_id
        if order._has_open_down_payments():
            return self.env._("Will be invoiced with your order %s", order.name)
        if order:
            return self.env._("Invoiced with your order %s", order.name)
        if self.state == "skipped":
            return self.env._("Not invoiced any more") if self.amount else None
        return self.env._("Invoiced for served days: %s", self.move_id.name)

    def _tell_reduce(self):
        if self.state == "skipped":
            return None
        return self.env._("Reduces invoice %s", self.move_id.name)

    def _tell_apply_credits(self):
        invoice = self.source_move_id.name
        if self.state == "skipped":
            return None
        if self.state == "done":
            return self.env._("Paid on invoice %s", invoice)
        return self.env._("To be paid on invoice %s", invoice)

    def _tell_collect(self):
        invoice, token = self.source_move_id.name, self.token_id
        method = token._get_method_name() if token else ""
        if self.state == "done":
            return self.env._(
                "Invoice %(invoice)s: charged to %(method)s",
                invoice=invoice,
                method=method,
            )
        if self.state == "pending" and method:
            return self.env._(
                "Invoice %(invoice)s: to be charged to %(method)s",
                invoice=invoice,
                method=method,
            )
        return self._tell_due()

    def _tell_write_off(self):
        # How the company values what it was owed is none of the customer's business;
        # that it asks for nothing any more is.
        if self.state == "done":
            return self.env._("Invoice %s: no longer due", self.source_move_id.name)
        return self._tell_due()

    def _tell_due(self):
        """Return that the invoice is still to be paid, unless it has been."""
        invoice = self.source_move_id
        if not invoice.amount_residual:
            return None
        return self.env._("Invoice %s: stays due", invoice.name)

    def _tell_refund(self):
        if self.state == "skipped":
            return None
        transaction = self.source_transaction_id
        if not transaction:
            is_done = self.state == "done" or self.payment_id
            return self.env._("Paid back") if is_done else self.env._("To be paid back")
        method = transaction._get_method_name()
        if self.state == "done":
            return self.env._(
                "Refunded to %s; usually arrives within 5 to 10 working days", method
            )
        return self.env._(
            "To be refunded to %s, and usually arrives within 5 to 10 working days",
            method,
        )

    def _tell_keep(self):
        if self.source_move_id.move_type == "out_refund":
            return self.env._("Kept as credit on your account")
        return self._tell_due()

    def _tell_confirm(self):
        return None
