# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from datetime import date, datetime
from decimal import Decimal

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command, Domain
from odoo.tools import clean_context, format_date, format_datetime, formatLang
from odoo.tools.i18n import format_list

from ..books import check_books
from ..books.finding import show

#: Rows of the screen; the outcome counts all.
MOST_SHOWN = 1000
#: A quarter of a minute, where a page may take one.
MOST_CHECKED = 20_000
#: What a check found; nobody else writes it. Until then it is empty.
RESULT = {
    "outcome": False,
    "is_right": False,
    "checked_on": False,
    "scope": False,
    "finding_ids": [Command.clear()],
}


class SubscriptionCancellationBooks(models.TransientModel):
    """The check of the books of cancellations, and what it found."""

    _name = "subscription.cancellation.books"
    _description = "Check Cancellation Books"

    since = fields.Date(
        string="Executed Since",
        help="Only subscriptions with a cancellation that was executed on this day or "
        "later; empty: all of them.",
    )
    outcome = fields.Char(readonly=True)
    is_right = fields.Boolean(readonly=True)
    checked_on = fields.Datetime(readonly=True)
    scope = fields.Char(
        readonly=True, help="Of which companies, and since when, all was checked."
    )
    finding_ids = fields.One2many(
        comodel_name="subscription.cancellation.books.finding",
        inverse_name="books_id",
        string="Findings",
        readonly=True,
    )

    @api.depends("checked_on")
    def _compute_display_name(self):
        for books in self:
            if books.checked_on:
                books.display_name = self.env._(
                    "Cancellation books, checked on %s",
                    format_datetime(self.env, books.checked_on, dt_format="short"),
                )
            else:
                books.display_name = self.env._("Check Cancellation Books")

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_no_result(vals)
        # What comes as a default is what the user says, too.
        clean = self.with_context(clean_context(self.env.context))
        return super(SubscriptionCancellationBooks, clean).create(vals_list)

    def write(self, vals):
        self._check_no_result(vals)
        if not self.env.su and "since" in vals:
            # A result is about what was asked for.
            self.sudo().write(RESULT)
        return super().write(vals)

    @api.model
    def _check_no_result(self, vals):
        """Raise where somebody writes what a check has to find."""
        if not self.env.su and RESULT.keys() & vals.keys():
            raise AccessError(
                self.env._("Only the check itself writes what it has found.")
            )

    @api.model
    def action_open(self):
        """Open a new check (menu): a record, so that the page has a title."""
        books = self.create({})
        return {
            "type": "ir.actions.act_window",
            "name": books.display_name,
            "res_model": self._name,
            "res_id": books.id,
            "view_mode": "form",
            "views": [(False, "form")],
        }

    def action_check(self):
        """Derive the books of the user's companies anew and show what does not fit."""
        self.ensure_one()
        self.check_access("write")
        self._check_number()
        self.env.flush_all()
        summary = check_books(self.env.cr, self.env.companies.ids, self.since or None)
        found = [self._prepare_finding(finding) for finding in summary.all[:MOST_SHOWN]]
        # sudo: users read what was found, and do not write it.
        self.sudo().write(
            {
                "finding_ids": [Command.clear(), *map(Command.create, found)],
                "is_right": not summary.findings and not summary.unsure,
                "outcome": " ".join(self._describe(summary)),
                "checked_on": fields.Datetime.now(),
                "scope": self._describe_scope(),
            }
        )
        # The form stays where it is, and reads its record anew.
        return None

    def _check_number(self):
        """Raise where checking would take longer than a page may.

        :raise UserError: so many cancellations are for the command
        """
        domain = Domain("company_id", "in", self.env.companies.ids)
        if self.since:
            domain &= Domain("executed_date", ">=", self.since)
        # sudo: whoever may check the books reads all of the company.
        cancellations = self.env["subscription.cancellation"].sudo()
        number = cancellations.search_count(domain, limit=MOST_CHECKED + 1)
        if number > MOST_CHECKED:
            raise UserError(
                self.env._(
                    "There are more than %(number)s cancellations to check, too many "
                    "for this page. Choose a later day in “Executed Since”, or ask "
                    "whoever looks after the server to run: %(command)s",
                    number=MOST_CHECKED,
                    command=f"python -m books {self.env.cr.dbname}",
                )
            )

    def _describe_scope(self):
        """Return in words what is checked."""
        companies = format_list(self.env, self.env.companies.mapped("name"))
        if not self.since:
            return self.env._("%s: all cancellations", companies)
        return self.env._(
            "%(companies)s: cancellations executed since %(day)s",
            companies=companies,
            day=format_date(self.env, self.since),
        )

    def _describe(self, summary):
        """Yield the outcome in sentences."""
        checked = {
            "cancellations": summary.cancellations,
            "memos": summary.credit_memos,
        }
        if summary.findings:
            yield self.env._(
                "%(findings)s findings: %(cancellations)s cancellations, %(memos)s "
                "credit memos checked.",
                findings=len(summary.findings),
                **checked,
            )
        elif summary.unsure:
            yield self.env._(
                "All that can be derived is correct: %(cancellations)s cancellations, "
                "%(memos)s credit memos checked.",
                **checked,
            )
        else:
            yield self.env._(
                "The books are correct: %(cancellations)s cancellations, %(memos)s "
                "credit memos checked.",
                **checked,
            )
        yield from self._describe_rest(summary)

    def _describe_rest(self, summary):
        """Yield sentences about what is no error, and about what is not shown."""
        if summary.unsure:
            yield self.env._("%s could not be derived.", len(summary.unsure))
        if summary.waiting:
            yield self.env._("%s wait for somebody.", len(summary.waiting))
        if len(summary.all) > MOST_SHOWN:
            yield self.env._("Only the first %s are shown.", MOST_SHOWN)

    def _prepare_finding(self, finding):
        """Return the values of the record for one finding of the checker."""
        amounts = {"expected": finding.expected, "found": finding.found}
        amounts["difference"] = finding.difference
        has_amounts = bool(finding.currency_id)
        return {
            "kind": finding.kind,
            "rule": finding.rule,
            "sentence": finding.tell(self.env._, self._show),
            "cancellation_id": finding.cancellation_id,
            "subscription_id": finding.subscription_id,
            "move_id": finding.move_id,
            "document": finding.document,
            "currency_id": finding.currency_id,
            **{
                name: float(amount) if has_amounts else 0.0
                for name, amount in amounts.items()
            },
        }

    def _show(self, value, currency_name):
        """Return an amount, a day or a moment as the user's language writes it."""
        if isinstance(value, Decimal):
            digits = max(-value.as_tuple().exponent, 0)
            amount = formatLang(self.env, float(value), digits=digits)
            return f"{amount} {currency_name}"
        if isinstance(value, datetime):
            return format_datetime(self.env, value, dt_format="short")
        if isinstance(value, date):
            return format_date(self.env, value)
        return show(value)


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
    kind = fields.Selection(
        selection=[
            ("wrong", "Does Not Fit"),
            ("waiting", "Waits for Somebody"),
            ("unsure", "Cannot Be Derived"),
        ],
        string="Result",
    )
    #: Of the amounts; absent where it is about none.
    currency_id = fields.Many2one(comodel_name="res.currency")
    expected = fields.Monetary()
    found = fields.Monetary()
    difference = fields.Monetary()
    sentence = fields.Text(string="What Was Found")

    def action_view_document(self):
        """Open the document that this is about, else the cancellation."""
        self.ensure_one()
        return (self.move_id or self.cancellation_id).get_formview_action()
