# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError

from ...engine import is_engine
from ...failures import explained

#: What only the engine writes.
ENGINE_FIELDS = {"is_taken_back", "cancellation_warning_date"}
#: What a document may have been issued by.
SOURCES = {"cancellation_id", "pause_id"}
#: What kind of item is owed, and when.
TERM = "payment_term"


class AccountMove(models.Model):
    _name = "account.move"
    # What the credit memos of a batch change on their invoices is tracked together.
    _inherit = ["subscription.tracking.mixin", "account.move"]

    # A copied document is nobody's: see account_move_copy.py.
    subscription_id = fields.Many2one(index="btree_not_null", copy=False)
    cancellation_id = fields.Many2one(
        comodel_name="subscription.cancellation",
        copy=False,
        readonly=True,
        index="btree_not_null",
        ondelete="restrict",
        help="The subscription cancellation that issued this credit memo.",
    )
    pause_id = fields.Many2one(
        comodel_name="sale.subscription.pause",
        copy=False,
        readonly=True,
        index="btree_not_null",
        ondelete="restrict",
        help="The pause that issued this document, or cancelled this draft.",
    )
    cancellation_line_ids = fields.One2many(
        comodel_name="subscription.cancellation.line",
        string="Credited Days",
        compute="_compute_cancellation_line_ids",
    )
    cancellation_reason_id = fields.Many2one(
        related="cancellation_id.reason_id", string="Cancellation Reason"
    )
    credited_from = fields.Date(compute="_compute_credited_days")
    credited_until = fields.Date(
        compute="_compute_credited_days", help="Last day that is credited."
    )

    def _get_product_lines(self):
        """Return the invoice lines that are about money: neither sections nor notes."""
        return self.invoice_line_ids.filtered(
            lambda line: line.display_type == "product"
        )

    @api.depends("cancellation_id", "reversed_entry_id")
    def _compute_cancellation_line_ids(self):
        for move in self:
            move.cancellation_line_ids = move.cancellation_id.line_ids.filtered(
                lambda line, move=move: (
                    line.origin_move_id == move.reversed_entry_id
                    and line.credit_untaxed
                )
            )

    @api.depends("invoice_line_ids.start_date", "invoice_line_ids.end_date")
    def _compute_credited_days(self):
        for move in self:
            lines = move.invoice_line_ids.filtered("start_date")
            move.credited_from = min(lines.mapped("start_date"), default=False)
            move.credited_until = max(lines.mapped("end_date"), default=False)

    def _name_in_history(self):
        """Return sentences that name these, with links and amounts."""
        by_kind = self.sorted("id").grouped("move_type")
        invoices = self._join_links(by_kind.get("out_invoice", ()))
        credit_memos = self._join_links(by_kind.get("out_refund", ()))
        return [
            invoices and self.env._("Invoice: %s.", invoices),
            credit_memos and self.env._("Credit memo: %s.", credit_memos),
        ]

    @api.model
    def _join_links(self, documents):
        """Return links to documents, with amounts, separated by commas."""
        return Markup(", ").join(
            Markup("%s (%s)")
            % (
                move._get_html_link(title=move.name or move.display_name),
                move.currency_id.format(move.amount_total),
            )
            for move in documents
        )

    def action_open_cancellation(self):
        """Open the cancellation that issued this credit memo."""
        self.ensure_one()
        return self.cancellation_id.get_formview_action()

    # === CREDITS OF AN INVOICE === #

    def _search_credit_memos(self):
        """Return the credit memos of these invoices, drafts included."""
        return self.search_fetch(
            [
                ("reversed_entry_id", "in", self.ids),
                ("move_type", "=", "out_refund"),
                ("state", "in", ("draft", "posted")),
            ],
            ["reversed_entry_id", "state", "amount_total"],
        )

    def _get_added_items(self, kind=None):
        """Return what Odoo added to these by itself, besides taxes and due dates.

        :param str kind: ``epd``, by which an early payment discount reduces the tax
            base, or ``rounding``, to coins; both where it is absent
        """
        kinds = [kind] if kind else ["epd", "rounding"]
        return self.line_ids.filtered(
            lambda line: line.display_type in kinds and not line.tax_line_id
        )

    def _recompute_cash_rounding_lines(self):
        """Leave the rounding alone that a credit memo takes back from its invoice.

        It has no rounding of its own, for which Odoo would remove the item.
        """
        if self.invoice_cash_rounding_id or not self._get_credit_source():
            return super()._recompute_cash_rounding_lines()
        return None

    def _check_can_credit(self):
        """Raise a UserError where no credit memo can be made for an invoice."""
        for invoice in self:
            invoice._check_credit_journal()
            invoice._check_credit_accounts()
        self._check_credit_rates()

    def _check_credit_journal(self):
        if not self.journal_id.active:
            raise UserError(
                self.env._(
                    "Invoice %(invoice)s cannot be credited: its journal %(journal)s "
                    "is archived. Unarchive the journal, then try again.",
                    invoice=self.name,
                    journal=self.journal_id.display_name,
                )
            )

    def _check_credit_accounts(self):
        accounts = self.line_ids.account_id
        archived = accounts.filtered(lambda account: not account.active)
        if archived:
            raise UserError(
                self.env._(
                    "Invoice %(invoice)s cannot be credited: its account %(account)s "
                    "is archived. Unarchive the account, then try again.",
                    invoice=self.name,
                    account=archived[0].display_name,
                )
            )

    def _check_credit_rates(self):
        """Raise where Odoo would silently take a rate of 1 for a foreign currency."""
        foreign = self.filtered(
            lambda move: move.currency_id != move.company_id.currency_id
        )
        rates = self.env["res.currency.rate"]._read_group(
            [("currency_id", "in", foreign.currency_id.ids)],
            ["currency_id", "company_id"],
        )
        for invoice in foreign:
            companies = (self.env["res.company"], invoice.company_id.root_id)
            if not any(
                (invoice.currency_id, company) in rates for company in companies
            ):
                raise UserError(
                    self.env._(
                        "Invoice %(invoice)s cannot be credited: there is no exchange "
                        "rate for %(currency)s. Enter one, then try again.",
                        invoice=invoice.name,
                        currency=invoice.currency_id.name,
                    )
                )

    def _get_credit_source(self):
        """Return the cancellation, or the pause, that issued this document."""
        self.ensure_one()
        return self.cancellation_id or self.pause_id

    def _prepare_sale(self):
        """Return what a document has in common with what takes it back.

        As Odoo's own credit notes: who sold, what led to the sale, and the terms. The
        team follows once it is made: see :meth:`_take_sales_team`.
        """
        return {
            "invoice_user_id": self.invoice_user_id.id,
            "campaign_id": self.campaign_id.id,
            "medium_id": self.medium_id.id,
            "source_id": self.source_id.id,
            "narration": self.narration,
        }

    def _is_about_days(self):
        """Return whether this only credits days, or takes such a credit back.

        The price of a line, not the quantity: what an order has sold stays invoiced.
        """
        return bool(self.reversed_entry_id and self._get_credit_source())

    def _take_receivable_account(self):
        """Let these owe on the account of what they reverse.

        Odoo takes the customer's account of today: what reverses a document on another
        one would never be reconciled with it.
        """
        for move in self:
            theirs, own = (
                document.line_ids.filtered(lambda item: item.display_type == TERM)
                for document in (move.reversed_entry_id, move)
            )
            account = theirs.account_id[:1]
            if account and own.account_id != account:
                own.account_id = account

    def _take_sales_team(self):
        """Let the team of what these reverse have sold it, where it is not theirs.

        Odoo looks for who follows the team of each document that is created with one.
        """
        for move in self:
            if move.team_id != move.reversed_entry_id.team_id:
                move.team_id = move.reversed_entry_id.team_id

    def _get_first_open_day(self, day):
        """Return ``day``, or the first day after a lock date that forbids it."""
        self.ensure_one()
        locks = self._get_violated_lock_dates(day, self._affect_tax_report())
        return fields.Date.add(locks[-1][0], days=1) if locks else day

    def _post_cancellation_credits(self):
        """Post those of these drafts that need no review."""
        to_post = self.filtered(
            lambda move: move._get_credit_source().post_credit_memos
        )
        if to_post:
            to_post._post_or_explain()

    @api.model
    def _create_or_explain(self, vals_list):
        """Create documents; what the database refuses is said in plain words.

        A field of somebody else's may be required that nobody here knows of.
        """
        with explained(self.env):
            return self.create(vals_list)

    def _post_or_explain(self):
        """Post; where that fails, name the invoices in the error."""
        try:
            with explained(self.env):
                self._post(soft=False)
        except UserError as error:
            originals = self.reversed_entry_id
            if not originals:
                raise
            text = (
                self.env._(
                    "The credit memo for %(names)s could not be posted: %(error)s"
                )
                if "out_refund" in self.mapped("move_type")
                else self.env._(
                    "The invoice that takes back %(names)s could not be posted: "
                    "%(error)s"
                )
            )
            names = ", ".join(originals.mapped("name"))
            raise UserError(text % {"names": names, "error": error}) from error

    # === PROOF === #

    @api.model_create_multi
    def create(self, vals_list):
        moves = super().create(vals_list)
        # Not the values: a default may set it too.
        moves.filtered(lambda move: move._get_credit_source())._check_linked_by_engine()
        for name in ENGINE_FIELDS:
            moves.filtered(name)._check_written_by_engine(name)
        return moves

    def write(self, vals):
        for name in ENGINE_FIELDS & vals.keys():
            self._check_written_by_engine(name)
        for name in SOURCES & vals.keys():
            changed = self.filtered(
                lambda move, name=name: move[name].id != (vals[name] or False)
            )
            changed._check_linked_by_engine()
        return super().write(vals)

    def _check_linked_by_engine(self):
        """Raise where anybody else says what issued these (D4)."""
        if self and not is_engine(self):
            raise UserError(
                self.env._(
                    "Which cancellation or pause issued a document is part of its "
                    "proof: it cannot be set or changed."
                )
            )

    def _check_written_by_engine(self, name):
        """Raise where a person would change what only cancelling writes."""
        if self and not self.env.su:
            raise UserError(
                self.env._(
                    "“%(field)s” of %(document)s is kept by the cancellation engine: "
                    "it cannot be set or changed.",
                    field=self._fields[name]._description_string(self.env),
                    document=self[0].display_name,
                )
            )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_cancellation(self):
        issued = self.filtered(lambda move: move._get_credit_source())
        if issued:
            raise UserError(
                self.env._(
                    "%(document)s belongs to %(name)s and is kept as its proof: cancel "
                    "it instead of deleting it.",
                    document=issued[0].display_name,
                    name=issued[0]._get_credit_source().display_name,
                )
            )

    def _apply_pause_credits(self):
        """Let what pauses have credited, and is not used yet, pay these invoices.

        Not those that are just being paid.
        """
        invoices = self.filtered(
            lambda move: (
                move.move_type == "out_invoice"
                and move.state == "posted"
                and move.amount_residual
                and not move.reversed_entry_id
                and not move._get_transactions_on_way()
            )
        )
        subscriptions = invoices.invoice_line_ids.subscription_line_id
        subscriptions = subscriptions.sale_subscription_id
        if not subscriptions:
            return
        memos = self.search(
            [
                ("pause_id.subscription_id", "in", subscriptions.ids),
                ("move_type", "=", "out_refund"),
                ("state", "=", "posted"),
                ("payment_state", "in", ("not_paid", "partial")),
            ],
            order="id",
        )
        for invoice in invoices if memos else ():
            own = memos.filtered(
                lambda memo, invoice=invoice: (
                    memo.pause_id.subscription_id in invoice._get_subscriptions()
                    and memo.commercial_partner_id == invoice.commercial_partner_id
                )
            )
            (invoice | own)._reconcile_receivables()

    def _reverse_moves(self, default_values_list=None, cancel=False):
        # OCA's link from a credit line to its invoice line is only made in the
        # reversal wizard; the ledger needs it however an invoice is reversed.
        linked = self.with_context(link_origin_line=True)
        return super(AccountMove, linked)._reverse_moves(default_values_list, cancel)
