# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, fields, models
from odoo.tools import ormcache
from odoo.tools.i18n import format_list


class ResCompany(models.Model):
    _inherit = "res.company"

    cancellation_write_off_account_id = fields.Many2one(
        comodel_name="account.account",
        string="Write-off Account",
        check_company=True,
        help="Unpaid invoices of cancelled subscriptions are written off to this "
        "account. Its default taxes, if any, are taken out of the amount, so that the "
        "tax on what is never paid can be claimed back. Empty in a branch: that of "
        "the company above it.",
    )
    cancellation_write_off_journal_id = fields.Many2one(
        comodel_name="account.journal",
        string="Write-off Journal",
        domain="[('type', '=', 'general')]",
        check_company=True,
        help="Empty in a branch: that of the company above it.",
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

    cancellation_page_links = fields.Char(
        string="Page Linked From",
        compute="_compute_cancellation_page_links",
        help="Which pages lead to the public cancellation page.",
    )

    def _compute_cancellation_page_url(self):
        for company in self:
            path = company._get_page_path(company._get_home_company())
            company.cancellation_page_url = f"{company.get_base_url()}{path}"

    @api.depends_context("lang")
    def _compute_cancellation_page_links(self):
        places = self._get_page_link_places()
        for company in self:
            if not places:
                text = self.env._(
                    "No page links to it: the templates of the link are switched off. "
                    "Link to it where contracts are concluded."
                )
            elif company._has_visitors():
                text = self.env._("Linked from %s.", format_list(self.env, places))
            else:
                text = self.env._(
                    "Linked from the pages of customers of this company who are logged "
                    "in. For those who are not, link to it from your own site."
                )
            company.cancellation_page_links = text

    @api.model
    def _get_page_link_places(self):
        """Return in words which pages link to the public page."""
        has_footer = self._is_link_on("subscription_cancellation.cancel_contract_link")
        places = []
        if "website" in self.env:
            return [self.env._("the footer of website and portal")] * has_footer
        if self._is_link_on("subscription_cancellation.cancel_contract_login_link"):
            places.append(self.env._("the login pages"))
        if has_footer:
            places.append(self.env._("the footer of the portal"))
        return places

    @api.model
    def _is_link_on(self, xmlid):
        """Return whether the template of a link was not switched off."""
        # sudo: whoever reads the settings need not be allowed to read templates.
        template = self.env.ref(xmlid, raise_if_not_found=False)
        return bool(template) and template.sudo().active

    def _has_visitors(self):
        """Return whether visitors who do not log in are with this company."""
        self.ensure_one()
        if "website" not in self.env:
            return self == self._get_public_company()
        # sudo: whoever reads the settings need not be allowed to read websites.
        return bool(self.sudo().website_id)

    def _get_cancellation_page_path(self):
        """Return where this company's page is, for the present visitor."""
        return self._get_page_path(self._get_public_company())

    def _get_page_path(self, public_company):
        """Return where this company's page is.

        :param public_company: the ``res.company`` whose page has no number
        """
        self.ensure_one()
        path = "/cancel-contract"
        return path if self == public_company else f"{path}/{self.id}"

    @api.model
    def _get_public_company(self):
        """Return the company that visitors who do not log in are with.

        That of the website that they are on, where there are websites.
        """
        # sudo: which one it is, anybody sees on the public page.
        if "website" in self.env:
            company = self.env["website"].sudo().get_current_website().company_id
        else:
            company = self.browse(self._get_public_company_id())
        return company.sudo(self.env.su)

    @api.model
    @ormcache()
    def _get_public_company_id(self):
        """Return the id of the public user's company: each page asks for it.

        Odoo empties the cache where a user gets another company.
        """
        # sudo: as in _get_public_company.
        return self.env.ref("base.public_user").sudo().company_id.id

    def _get_home_company(self):
        """Return the company that visitors of this one's base address are with.

        With websites, that is only sure of a domain of its own.
        """
        if "website" not in self.env:
            return self._get_public_company()
        # sudo: whoever reads the settings need not be allowed to read websites.
        website = self.sudo().website_id
        return website.company_id if website.domain else self.env["res.company"]

    @api.model_create_multi
    def create(self, vals_list):
        companies = super().create(vals_list)
        companies._create_cancellation_policies()
        return companies

    def _create_cancellation_policies(self):
        """Give every company of ``self`` that has no policy the default one.

        Not a branch: it lives by the policies of the company above it.
        """
        # sudo: whoever may create a company need not be a cancellation manager.
        Policy = self.env["subscription.cancellation.policy"].sudo()
        with_policy = Policy.search([("company_id", "in", self.ids)]).company_id
        heads = self.filtered(lambda company: not company.parent_id)
        return Policy._create_default(heads - with_policy)

    def _get_write_off_account(self):
        """Return the account to write off to: its own, or of a company above it."""
        return self._get_own_or_above("cancellation_write_off_account_id")

    def _get_write_off_journal(self):
        """Return the journal to write off in: its own, or of a company above it."""
        return self._get_own_or_above("cancellation_write_off_journal_id")

    def _get_own_or_above(self, name):
        """Return a setting of this company, else of the nearest one above it."""
        self.ensure_one()
        # sudo: whoever works in a branch need not see the head company, nor accounts.
        for company in reversed(self.sudo().parent_ids):
            if company[name]:
                return company[name]
        return self.sudo()[name]

    def _get_cannot_write_off_reason(self):
        """Return why nothing can be written off in this company, or ``False``."""
        self.ensure_one()
        account = self._get_write_off_account()
        if account.active and self._get_write_off_journal().active:
            return False
        return self.env._(
            "Nothing can be written off in %s: choose a write-off account and a "
            "write-off journal that are not archived, under Subscriptions > "
            "Configuration > Settings.",
            # sudo: its name only
            self.sudo().name,
        )
