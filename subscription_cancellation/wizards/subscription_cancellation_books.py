# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import fields, models

from ..books import check_books


class SubscriptionCancellationBooks(models.TransientModel):
    """The check of the books of cancellations, and what it found."""

    _name = "subscription.cancellation.books"
    _description = "Check Cancellation Books"
    _rec_name = "outcome"

    since = fields.Date(
        string="Executed Since",
        help="Only subscriptions with a cancellation that was executed on this day or "
        "later; empty: all of them.",
    )
    outcome = fields.Char(readonly=True)
    is_right = fields.Boolean(readonly=True)
    finding_ids = fields.One2many(
        comodel_name="subscription.cancellation.books.finding",
        inverse_name="books_id",
        string="Findings",
        readonly=True,
    )

    def action_check(self):
        """Derive the books of the user's companies anew and show what does not fit."""
        self.ensure_one()
        self.env.flush_all()
        summary = check_books(self.env.cr, self.env.companies.ids, self.since or None)
        self.finding_ids.unlink()
        self.env["subscription.cancellation.books.finding"].create(
            [self._prepare_finding(finding) for finding in summary.findings]
        )
        self.write(
            {
                "is_right": not summary.findings,
                "outcome": self._describe(summary),
            }
        )
        # The form stays where it is, and reads its record anew.
        return None

    def _describe(self, summary):
        """Return the outcome in one sentence."""
        numbers = {
            "cancellations": summary.cancellations,
            "memos": summary.credit_memos,
            "findings": len(summary.findings),
        }
        if summary.findings:
            return self.env._(
                "%(findings)s findings: %(cancellations)s cancellations, %(memos)s "
                "credit memos checked.",
                **numbers,
            )
        return self.env._(
            "Every cent fits: %(cancellations)s cancellations, %(memos)s credit memos "
            "checked.",
            **numbers,
        )

    def _prepare_finding(self, finding):
        """Return the values of the record for one finding of the checker."""
        values = {"expected": finding.expected, "found": finding.found}
        return {
            "books_id": self.id,
            "rule": finding.rule,
            "sentence": finding.tell(self.env._),
            "cancellation_id": finding.cancellation_id,
            "subscription_id": finding.subscription_id,
            "move_id": finding.move_id,
            "document": finding.document,
            "difference": finding.difference or 0.0,
            **{
                name: "" if value is None else str(value)
                for name, value in values.items()
            },
        }


class SubscriptionCancellationBooksFinding(models.TransientModel):
    """Something that does not fit."""

    _name = "subscription.cancellation.books.finding"
    _description = "Finding in the Cancellation Books"

    books_id = fields.Many2one(
        comodel_name="subscription.cancellation.books",
        required=True,
        index=True,
        ondelete="cascade",
    )
    rule = fields.Char()
    document = fields.Char()
    cancellation_id = fields.Many2one(comodel_name="subscription.cancellation")
    subscription_id = fields.Many2one(comodel_name="sale.subscription")
    move_id = fields.Many2one(comodel_name="account.move")
    expected = fields.Char()
    found = fields.Char()
    difference = fields.Float(digits=(16, 3))
    sentence = fields.Text(string="What Does Not Fit")

    def action_view_document(self):
        """Open the document that this is about, else the cancellation."""
        self.ensure_one()
        return (self.move_id or self.cancellation_id).get_formview_action()
