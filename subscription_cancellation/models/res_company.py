# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    cancellation_write_off_account_id = fields.Many2one(
        comodel_name="account.account",
        string="Write-off Account",
        check_company=True,
        help="Unpaid invoices of cancelled subscriptions are written off to this "
        "account. Its default taxes, if any, are taken out of the amount, so that the "
        "tax on what is never paid can be claimed back.",
    )
    cancellation_write_off_journal_id = fields.Many2one(
        comodel_name="account.journal",
        string="Write-off Journal",
        domain="[('type', '=', 'general')]",
        check_company=True,
    )
    cancellation_page_enabled = fields.Boolean(
        string="Public Cancellation Page",
        default=True,
        help="Customers end contracts without logging in; German and French law want "
        "it of whoever concludes contracts online.",
    )
    cancellation_page_url = fields.Char(
        string="Address of the Page", compute="_compute_cancellation_page_url"
    )

    def _compute_cancellation_page_url(self):
        for company in self:
            path = company._get_cancellation_page_path()
            company.cancellation_page_url = f"{company.get_base_url()}{path}"

    def _get_cancellation_page_path(self):
        """Return where the public cancellation page of this company is."""
        self.ensure_one()
        path = "/cancel-contract"
        if self == self._get_public_company():
            return path
        return f"{path}/{self.id}"

    @api.model
    def _get_public_company(self):
        """Return the company that visitors who do not log in are with."""
        # sudo: which one it is, anybody sees on the public page.
        return self.env.ref("base.public_user").sudo().company_id.sudo(self.env.su)

    @api.model_create_multi
    def create(self, vals_list):
        companies = super().create(vals_list)
        companies._create_cancellation_policies()
        return companies

    def _create_cancellation_policies(self):
        """Give every company of ``self`` that has no policy the default one."""
        # sudo: whoever may create a company need not be a cancellation manager.
        Policy = self.env["subscription.cancellation.policy"].sudo()
        with_policy = Policy.search([("company_id", "in", self.ids)]).company_id
        return Policy._create_default(self - with_policy)

    def _get_cannot_write_off_reason(self):
        """Return why nothing can be written off in this company, or ``False``."""
        self.ensure_one()
        # sudo: whoever cancels need not be allowed to read accounts and journals.
        company = self.sudo()
        account = company.cancellation_write_off_account_id
        journal = company.cancellation_write_off_journal_id
        if account.active and journal.active:
            return False
        return self.env._(
            "Nothing can be written off in %s: choose a write-off account and a "
            "write-off journal that are not archived, under Subscriptions > "
            "Configuration > Settings.",
            company.name,
        )
