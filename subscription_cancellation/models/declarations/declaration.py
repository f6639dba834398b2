# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What somebody declared on the public cancellation page: kept as proof."""

import secrets

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import NO_ACCESS
from odoo.tools import hmac, mute_logger

from ...const import DECLARATION_LIMITS
from ...formatting import as_reference, format_day, format_moment

#: What was declared; nobody changes it afterwards.
CONTENT = {
    *DECLARATION_LIMITS,
    "name",
    "company_id",
    "kind",
    "wants_earliest",
    "received_at",
    "lang",
    "access_token",
}
#: From each state, the states a declaration may go to.
TRANSITIONS = {
    "received": {"matched", "to_check", "answered"},
    "to_check": {"matched", "answered"},
    "matched": {"objected"},
    "objected": set(),
    "answered": set(),
    "spam": {"received"},
}


class SubscriptionCancellationDeclaration(models.Model):
    """A cancellation that somebody declared without logging in.

    The public page stores it and answers; a scheduled action then looks for the
    subscription it means, so that the answer cannot tell whether there is one.
    """

    _name = "subscription.cancellation.declaration"
    _description = "Cancellation Declaration"
    _inherit = [
        "subscription.reference.mixin",
        "mail.thread",
        "mail.activity.mixin",
    ]
    _order = "id desc"
    _mail_post_access = "read"
    _primary_email = "confirmation_email"

    name = fields.Char(
        string="Number", default="/", copy=False, readonly=True, index=True
    )
    company_id = fields.Many2one(
        comodel_name="res.company", required=True, readonly=True, index=True
    )
    state = fields.Selection(
        selection=[
            ("received", "Received"),
            ("to_check", "To Check"),
            ("matched", "Matched"),
            ("objected", "Objected"),
            ("answered", "Answered"),
            ("spam", "Spam"),
        ],
        default="received",
        required=True,
        readonly=True,
        index=True,
        tracking=True,
    )
    # === WHAT WAS DECLARED === #
    kind = fields.Selection(
        selection=[("ordinary", "Ordinary"), ("extraordinary", "Extraordinary")],
        required=True,
        readonly=True,
    )
    extraordinary_reason = fields.Text(string="Reason", readonly=True)
    customer_name = fields.Char(required=True, readonly=True)
    contract_reference = fields.Char(required=True, readonly=True)
    contract_email = fields.Char(string="Contract E-mail", required=True, readonly=True)
    wants_earliest = fields.Boolean(string="Earliest Possible Date", readonly=True)
    desired_date = fields.Date(string="Desired End", readonly=True)
    confirmation_email = fields.Char(
        string="Confirmation To", required=True, readonly=True, index=True
    )
    received_at = fields.Datetime(
        required=True, readonly=True, default=fields.Datetime.now
    )
    lang = fields.Char(string="Language", readonly=True)
    # === WHAT BECAME OF IT === #
    subscription_id = fields.Many2one(
        comodel_name="sale.subscription",
        readonly=True,
        index="btree_not_null",
        ondelete="restrict",
        help="Of the company that it was declared to, or of a branch of it.",
    )
    cancellation_ids = fields.One2many(
        comodel_name="subscription.cancellation",
        inverse_name="declaration_id",
        string="Cancellations",
        readonly=True,
    )
    cancellation_id = fields.Many2one(
        comodel_name="subscription.cancellation", compute="_compute_cancellation_id"
    )
    cancellation_state = fields.Selection(
        selection="_get_cancellation_states",
        string="Cancellation Status",
        compute="_compute_cancellation_id",
    )
    check_reason = fields.Text(
        string="To Check Because",
        readonly=True,
        help="Why no cancellation was made of it by itself.",
    )
    objected_at = fields.Datetime(string="Objected On", readonly=True)
    # === TECHNICAL === #
    access_token = fields.Char(
        required=True, readonly=True, copy=False, groups=NO_ACCESS
    )
    objection_token = fields.Char(
        required=True,
        readonly=True,
        copy=False,
        groups=NO_ACCESS,
        default=lambda self: secrets.token_urlsafe(32),
    )
    is_receipt_mailed = fields.Boolean(string="Receipt Mailed", readonly=True)

    _access_token_uniq = models.UniqueIndex("(access_token)")
    _objection_token_uniq = models.UniqueIndex("(objection_token)")

    # === COMPUTE METHODS === #

    @api.model
    def _get_cancellation_states(self):
        cancellations = self.env["subscription.cancellation"]
        return cancellations._fields["state"]._description_selection(self.env)

    @api.depends("cancellation_ids.state")
    def _compute_cancellation_id(self):
        for declaration in self:
            cancellation = declaration.cancellation_ids[:1]
            declaration.cancellation_id = cancellation
            declaration.cancellation_state = cancellation.state

    # === PROOF === #

    def write(self, vals):
        if CONTENT.intersection(vals):
            raise UserError(
                self.env._("What was declared is kept as proof and cannot be changed.")
            )
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_declared(self):
        raise UserError(
            self.env._("What was declared is kept as proof and cannot be deleted.")
        )

    def _set_state(self, state, **values):
        """Move to ``state``: the only place that writes it.

        :raise UserError: not an allowed transition
        """
        labels = dict(self._fields["state"]._description_selection(self.env))
        for declaration in self:
            if state not in TRANSITIONS[declaration.state]:
                raise UserError(
                    self.env._(
                        "Declaration %(name)s is “%(state)s” and cannot become "
                        "“%(new)s”.",
                        name=declaration.name,
                        state=labels[declaration.state],
                        new=labels[state],
                    )
                )
        # sudo: nobody has write access; rights are checked at the verbs.
        self.sudo().write({"state": state, **values})

    # === RECEIVE === #

    @api.model
    def _receive(self, values, company, *, nonce, client_address, is_spam=False):
        """Store what was declared, mail the receipt, and leave the rest to later.

        :param dict values: what was declared, checked
        :param company: the ``res.company`` it was declared to
        :param str nonce: of the page; the same page sent twice is one declaration
        :param str client_address: IP address
        :param bool is_spam: by a program, to judge by what it filled in
        :return: token of the receipt's address
        :raise TooManyDeclarationsError: as many as are kept wait already
        """
        token = self._get_access_token(values, company, nonce)
        if self.search_count([("access_token", "=", token)], limit=1):
            return token
        self._check_kept(company, is_spam)
        declaration = self._create_once(
            {
                **values,
                "name": self.env["ir.sequence"].next_by_code(self._name),
                "company_id": company.id,
                "lang": self.env.lang,
                "access_token": token,
                "client_hash": self._hash_client(client_address),
                "state": "spam" if is_spam else "received",
                # It may be a customer all the same.
                "is_to_look_at": is_spam,
            }
        )
        if not is_spam:
            declaration._acknowledge()
        self._wake_processing()
        return token

    def _create_once(self, values):
        """Create it; nothing where another request has just done so."""
        quiet = self.with_context(mail_create_nolog=True, mail_create_nosubscribe=True)
        try:
            with self.env.cr.savepoint(), mute_logger("odoo.sql_db"):
                return quiet.create(values)
        except psycopg2.errors.UniqueViolation:
            return self.browse()

    def _acknowledge(self):
        """Mail the receipt, at once if that is not too many."""
        if self:
            self.receipt_waits_since = fields.Datetime.now()
            self._mail_receipt()

    @api.model
    def _wake_processing(self, at=None):
        """Wake the scheduled action that looks at what was declared.

        :param datetime at: when, in UTC; absent: now
        """
        self.env["ir.cron"]._wake_own("process_declarations", at)

    def _send_mail(self, template_xmlid, is_for_customer=False, **email_values):
        """Mail a template, as soon as this transaction is committed.

        :param bool is_for_customer: whether the links in it shall work
        :return: whether there is such a template
        """
        template = self.env.ref(template_xmlid, raise_if_not_found=False)
        if template:
            mail_id = template.send_mail(self.id, email_values=email_values)
            mail = self.env["mail.mail"].browse(mail_id)
            if is_for_customer:
                mail.body_html = self._show_links(mail.body_html)
            mail.send_after_commit()
        return bool(template)

    @api.model
    def _get_access_token(self, values, company, nonce):
        """Return the same token for the same content of the same page only.

        Whoever goes back and corrects something declares something else.
        """
        message = (nonce, company.id, sorted(values.items()))
        return hmac(self.env, self._name, repr(message))

    # === RECEIPT === #

    def _get_declared_rows(self):
        """Return what was declared, as pairs of label and text."""
        self.ensure_one()
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        rows = [
            (self.env._("Number"), self._get_reference()),
            (self.env._("Received on"), self._get_received_text()),
            (self.env._("To"), self.company_id.name),
            (self.env._("Kind of cancellation"), kinds[self.kind]),
            (self.env._("Reason"), self.extraordinary_reason),
            (self.env._("Name"), self.customer_name),
            (self.env._("Contract"), self.contract_reference),
            (self.env._("E-mail address of the contract"), self.contract_email),
            (self.env._("Desired end"), self._get_desired_end_text()),
            (self.env._("Confirmation to"), self.confirmation_email),
        ]
        return [(label, text) for label, text in rows if text]

    def _get_reference(self):
        """Return the number for the customer."""
        self.ensure_one()
        return as_reference(self.name)

    def _get_received_text(self):
        """Return date and time of receipt, with the company's time zone."""
        return format_moment(self.env, self.received_at, self.company_id)

    def _get_desired_end_text(self):
        if self.wants_earliest:
            return self.env._("the earliest possible date")
        return format_day(self.env, self.desired_date)

    def _get_receipt_text(self):
        """Return the receipt as plain text."""
        rows = [f"{label}: {text}" for label, text in self._get_declared_rows()]
        title = self.env._("Receipt of your cancellation")
        return "\n".join([title, "", *rows, "", self._get_outlook_text(), ""])

    def _get_mail_text(self):
        """Return whether the receipt comes by mail, too, and when.

        Who is taken for a program gets the same page as everybody.
        """
        if self.is_receipt_mailed or self.state == "spam":
            return self.env._(
                "This receipt usually comes by e-mail, too, within a few minutes, to "
                "the address for the confirmation. Please save this page in case it "
                "does not."
            )
        if self.receipt_waits_since:
            return self.env._(
                "This receipt is sent to the e-mail address for the confirmation "
                "later, as many were asked for at once. Your cancellation counts from "
                "now on all the same: please save this page."
            )
        return self.env._("No e-mail is sent this time: please save this page.")

    def _get_outlook_text(self):
        """Return what comes next; the same for everybody."""
        return self.env._(
            "The end date will be confirmed by e-mail to the address that we have on "
            "file for the contract."
        )
