# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Whose a subscription is: its order's company, and who may invoice it."""

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ...failures import WrongCompanyError

#: Cancellations that nobody will execute any more, and nobody has.
WITHDRAWN = ("revoked", "refused")


class SaleSubscription(models.Model):
    """Belong to one company: what it bills is booked there, or in one above it.

    As Odoo does with journals and taxes, what belongs to a company is also for its
    branches.
    """

    _inherit = "sale.subscription"

    code = fields.Char(default=lambda self: self._get_next_code())
    order_company_id = fields.Many2one(
        comodel_name="res.company",
        related="sale_order_id.company_id",
        string="Company of the Order",
    )
    is_in_wrong_company = fields.Boolean(
        string="In Another Company Than Its Order",
        compute="_compute_is_in_wrong_company",
        search="_search_is_in_wrong_company",
        compute_sudo=True,
        help="The order's invoices belong to another company, so that nothing of them "
        "can be credited here.",
    )

    @api.depends("company_id", "sale_order_id.company_id")
    def _compute_is_in_wrong_company(self):
        for subscription in self:
            company = subscription.order_company_id
            subscription.is_in_wrong_company = bool(
                company and not subscription._is_invoiced_by(company)
            )

    @api.model
    def _search_is_in_wrong_company(self, operator, value):
        if operator != "in":
            return NotImplemented
        self.flush_model(["company_id", "sale_order_id"])
        self.env["sale.order"].flush_model(["company_id"])
        wrong = SQL(
            """(
            SELECT subscription.id
              FROM sale_subscription subscription
              JOIN sale_order ON sale_order.id = subscription.sale_order_id
              JOIN res_company own ON own.id = subscription.company_id
              JOIN res_company sold ON sold.id = sale_order.company_id
             WHERE NOT starts_with(own.parent_path, sold.parent_path)
            )"""
        )
        return [("id", "in" if True in value else "not in", wrong)]

    @api.model
    def _get_next_code(self):
        """Return the next reference of the present company.

        Upstream's sequence belongs to the company that it was installed in: one that
        has none of its own shares it, so that every subscription has a reference.
        """
        code = self.env["ir.sequence"].next_by_code("sale.subscription")
        if code:
            return code
        # sudo: of a company that the user need not be in.
        sequences = self.env["ir.sequence"].sudo()
        known = sequences.search([("code", "=", "sale.subscription")], order="id")
        above = known.filtered(
            lambda sequence: sequence.company_id in self.env.company.parent_ids
        )
        shared = above[:1] or known[:1]
        return shared.next_by_id() if shared else False

    @api.model
    def _give_missing_codes(self):
        """Give a reference to those of companies that had no sequence for it."""
        nameless = self.with_context(active_test=False).search([("code", "=", False)])
        for subscription in nameless:
            company = subscription.company_id or self.env.company
            subscription.code = subscription.with_company(company)._get_next_code()

    # === WHO INVOICES === #

    def _is_invoiced_by(self, company):
        """Return whether documents of a company are this subscription's own.

        Those of its company, and of one above it: Odoo books there what somebody
        bills who works with branch and head company.
        """
        self.ensure_one()
        # A company is one of its own parents.
        return company in self.company_id.parent_ids

    def _for_billing(self):
        """Return this in a company that may invoice it.

        Upstream bills in the company that is active, whichever that is.
        """
        self.ensure_one()
        if self._is_invoiced_by(self.env.company):
            return self
        return self.with_company(self.company_id)

    def _check_invoiced_here(self, invoice):
        """Raise where a document that would be credited is another company's.

        :param invoice: ``account.move`` (sudo)
        """
        self.ensure_one()
        if self._is_invoiced_by(invoice.company_id):
            return
        # sudo: names of companies only.
        subscription = self.sudo()
        names = {
            "invoice": invoice.name,
            "name": subscription.display_name,
            "company": invoice.company_id.name,
            "own": subscription.company_id.name,
        }
        if subscription.order_company_id == invoice.company_id:
            raise WrongCompanyError(
                self.env._(
                    "Invoice %(invoice)s is one of %(company)s, which sold "
                    "subscription %(name)s by an order; but the subscription is in "
                    "%(own)s, so nothing of it can be credited. Choose “Move to "
                    "Company of Order” on the subscription first.",
                    **names,
                )
            )
        raise WrongCompanyError(
            self.env._(
                "Invoice %(invoice)s is one of %(company)s, but subscription %(name)s "
                "is in %(own)s, so nothing of it can be credited. Reverse the invoice "
                "with a credit memo in %(company)s, and bill its period in %(own)s.",
                **names,
            )
        )

    # === MEND === #

    def action_move_to_order_company(self):
        """Move what an order of another company has made to that company (button).

        :raise UserError: says what has to be done before
        """
        for subscription in self:
            subscription._check_can_move()
            subscription._move_to_company(subscription.sudo().order_company_id)

    def _check_can_move(self):
        """Raise where this cannot be moved to the company of its order."""
        self.ensure_one()
        self.check_access("write")
        self.lock_for_update()
        # sudo: whoever moves need not see all that hinders it.
        subscription = self.sudo()
        company = subscription.order_company_id
        if not subscription.is_in_wrong_company:
            raise UserError(
                self.env._(
                    "Subscription %s was sold by no order, or is in its order's "
                    "company already.",
                    subscription.display_name,
                )
            )
        if company not in self.env.user.company_ids:
            raise UserError(
                self.env._(
                    "Subscription %(name)s belongs to %(company)s, where you do not "
                    "work: ask somebody of %(company)s to move it.",
                    name=subscription.display_name,
                    company=company.name,
                )
            )
        subscription._check_nothing_hinders_move(company)

    def _check_nothing_hinders_move(self, company):
        """Raise where what was billed or cancelled has to be taken back before."""
        standing = self.cancellation_ids.filtered(
            lambda cancellation: cancellation.state not in WITHDRAWN
        )
        if standing:
            raise UserError(
                self.env._(
                    "Subscription %(name)s cannot be moved to %(company)s with "
                    "%(cancellations)s: revoke or undo that first.",
                    name=self.display_name,
                    company=company.name,
                    cancellations=", ".join(standing.mapped("name")),
                )
            )
        billed = self._get_standing_invoices().filtered(
            lambda move: move.company_id not in company.parent_ids
        )
        if billed:
            raise UserError(
                self.env._(
                    "Subscription %(name)s cannot be moved to %(company)s yet: it was "
                    "billed in %(own)s (%(invoices)s). Reverse those invoices there "
                    "with a credit memo of all of it (cancel drafts), move it, and "
                    "bill these periods again in %(company)s.",
                    name=self.display_name,
                    company=company.name,
                    own=", ".join(billed.company_id.mapped("name")),
                    invoices=", ".join(billed.mapped("display_name")),
                )
            )

    def _move_to_company(self, company):
        """Let this be of a company, with what that company has for it.

        Journal, fiscal position, policy and taxes are not those of the old one.
        """
        moved = self.with_company(company)
        moved.write(
            {
                "company_id": company.id,
                "code": moved.code or moved._get_next_code(),
                **dict.fromkeys(
                    ("journal_id", "fiscal_position_id", "cancellation_policy_id"),
                    False,
                ),
            }
        )
        # sudo: upstream computes them so, too.
        moved.sudo()._get_all_lines()._compute_tax_ids()
        moved.message_post(
            body=self.env._("Moved to %s, the company of its order.", company.name)
        )
