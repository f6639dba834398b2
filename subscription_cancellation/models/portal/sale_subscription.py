# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""A subscription as its customer sees it: state, choices, and reasons why not.

Everything that a customer may do comes through the verbs at the end of this file. They
trust nothing that was sent: who may see a subscription is checked by the page, what may
be chosen is checked here.
"""

import re

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain

from ...arithmetic.proration import ONE_DAY
from ...callers import USER_GROUP
from ...failures import EntriesError, WrongCompanyError
from ...formatting import format_day

#: As Odoo names products: "[CODE] Name".
CODE_AND_NAME = r"(?:\[([^\]]+)\] +)?(.*)"
#: What a customer may say of a cancellation; the policy decides all else.
CUSTOMER_OPTIONS = ("timing", "requested_date", "line_ids", "reason_id", "comment")


class SaleSubscription(models.Model):
    """Show a subscription in the portal (E2), and cancel it there."""

    _name = "sale.subscription"
    _inherit = [
        "subscription.customer.link.mixin",
        "subscription.reference.mixin",
        "sale.subscription",
        "portal.mixin",
    ]

    # Whoever has the link cancels as the customer: reading is not enough for it.
    access_token = fields.Char(groups=f"{USER_GROUP},base.group_portal")
    # Customers can read their subscriptions; these are notes of the staff.
    description = fields.Text(groups="base.group_user")
    tag_ids = fields.Many2many(groups="base.group_user")
    crm_team_id = fields.Many2one(groups="base.group_user")
    to_renew = fields.Boolean(groups="base.group_user")
    close_reason_id = fields.Many2one(groups="base.group_user")
    applied_policy = fields.Char(groups="base.group_user")
    cancellation_policy_id = fields.Many2one(groups="base.group_user")
    refund_mode_override = fields.Selection(groups="base.group_user")
    overdue_failure_date = fields.Date(groups="base.group_user")

    # The list as it is first shown, however many subscriptions a customer has.
    _portal_list_idx = models.Index("(partner_id, date_start DESC, id DESC)")

    def _compute_access_url(self):
        result = super()._compute_access_url()
        for subscription in self:
            subscription.access_url = f"/my/subscriptions/{subscription.id}"
        return result

    # === THE CUSTOMER'S LINK === #

    def _portal_ensure_token(self):
        """Return the token, to whoever may act with it.

        :raise AccessError: the user may read this, and not cancel it
        """
        if not self._has_field_access(self._fields["access_token"], "read"):
            raise AccessError(
                self.env._(
                    "The link to subscription %s acts for the customer. Only those "
                    "who may cancel subscriptions can share it.",
                    self.display_name,
                )
            )
        return super()._portal_ensure_token()

    def _get_share_url(
        self, redirect=False, signup_partner=False, pid=None, share_token=True
    ):
        # What is shared stays in the chatter, where a signature for a partner would
        # let everybody write as them.
        pid = None if redirect else pid
        return super()._get_share_url(redirect, signup_partner, pid, share_token)

    def _sign_token(self, pid):
        # sudo: Odoo signs what it mails, whoever writes the message.
        return super(SaleSubscription, self.sudo())._sign_token(pid)

    def _get_link_customer(self):
        return self.partner_id

    def _get_link_secrets(self):
        # sudo: for the customer, whoever has the mail sent.
        return {
            subscription._portal_ensure_token(): subscription._get_link_stand_in()
            for subscription in self.sudo()
        }

    def _get_cannot_act_reason(self, user):
        """Return why a visitor of the portal may only look, or ``None``.

        The link of a customer gives employees no rights, and what they do is no wish
        of the customer.

        :param user: the ``res.users`` who is logged in
        """
        self.ensure_one()
        own = user.partner_id.commercial_partner_id
        is_customer = self.filtered_domain([("partner_id", "child_of", own.ids)])
        if not user._is_internal() or is_customer:
            return None
        return self.env._(
            "You are logged in as an employee, and this is the page of the customer. "
            "Open subscription %s in the back office to change it with your own "
            "rights.",
            self.display_name,
        )

    # === PAGES === #

    def _get_portal_page_url(self, access_token=None, suffix=""):
        """Return the address of a page of this subscription.

        :param str access_token: the one the visitor came with, if any
        :param str suffix: of the page, for example ``"/cancel"``
        """
        self.ensure_one()
        # Whoever is logged in needs no token in their address bar.
        query = f"?access_token={self.access_token}" if access_token else ""
        return f"{self.access_url}{suffix}{query}"

    def _get_cancellation_url(self, cancellation, access_token=None):
        """Return the address of the page about one cancellation."""
        return self._get_portal_page_url(
            access_token, f"/cancellations/{cancellation.id}"
        )

    @api.model
    def _search_for_customer(self, text, domain):
        """Return as a domain which of ``domain`` have ``text`` in one of their names.

        :param str text: of the plan, an item, or the reference
        """
        names = (
            "name",
            "template_id.name",
            "sale_subscription_line_ids.name",
            "archived_line_ids.name",
        )
        found = self.search(
            domain & Domain.OR(Domain(name, "ilike", text) for name in names)
        )
        return Domain("id", "in", found.ids)

    # === NAMES AND PRICES === #

    def _get_portal_title(self):
        """Return what customers call this: its plan."""
        self.ensure_one()
        return self.template_id.name or self.display_name

    def _get_portal_rhythm(self):
        """Return how often the price is paid, e.g. "per month"."""
        self.ensure_one()
        kind = self.template_id.recurring_rule_type or "months"
        count = self.template_id.recurring_interval or 1
        if count == 1:
            return {
                "days": self.env._("per day"),
                "weeks": self.env._("per week"),
                "months": self.env._("per month"),
                "years": self.env._("per year"),
            }[kind]
        return {
            "days": self.env._("every %s days", count),
            "weeks": self.env._("every %s weeks", count),
            "months": self.env._("every %s months", count),
            "years": self.env._("every %s years", count),
        }[kind]

    def _shows_tax_included(self):
        """Return whether prices include tax, as on the company's documents."""
        return self.company_id.account_price_include == "tax_included"

    def _get_portal_tax_text(self, tax):
        """Return whether an amount is shown with tax, where there is any.

        :param float tax: of the amount
        """
        if not tax:
            return None
        if self._shows_tax_included():
            return self.env._("incl. tax")
        return self.env._("excl. tax")

    def _get_portal_price(self):
        """Return the price of a period, as the company's documents say it."""
        self.ensure_one()
        return self.amount_total if self._shows_tax_included() else self.recurring_total

    def _get_portal_terms_of_price(self, tax=None):
        """Return what stands behind the price, e.g. "per month, excl. tax".

        :param float tax: of the price; absent: of what runs
        """
        tax = self.amount_tax if tax is None else tax
        text = self._get_portal_tax_text(tax)
        return ", ".join(filter(None, [self._get_portal_rhythm(), text]))

    def _describe_portal_price(self, untaxed, total):
        """Return the price of a period in words, and what has to be paid of it."""
        tax = self.currency_id.round(total - untaxed)
        price = self.currency_id.format(
            total if self._shows_tax_included() else untaxed
        )
        text = f"{price} {self._get_portal_terms_of_price(tax)}"
        if not tax or self._shows_tax_included():
            return text
        return self.env._(
            "%(price)s (%(total)s incl. tax)",
            price=text,
            total=self.currency_id.format(total),
        )

    # === WHAT IS SHOWN === #

    def _get_portal_state(self):
        """Return the state in the customer's words."""
        self.ensure_one()
        if self.cancellation_state == "cancelled":
            return self._get_portal_ended_text()
        if self.cancellation_date:
            return self.env._(
                "Cancelled: service until %s",
                format_day(self.env, self.last_service_date),
            )
        pending = self._get_pending_cancellation()
        if pending:
            return (
                self.env._("Cancellation received")
                if pending._is_declared()
                else self.env._("Cancellation requested")
            )
        if not self._is_started():
            return self.env._("Not started yet")
        if self.is_paused:
            return self._get_portal_paused_text()
        if self.cancellation_state == "trial":
            return self.env._(
                "Free trial until %s", format_day(self.env, self.trial_end_date)
            )
        return self.env._("Active")

    def _get_portal_ended_text(self):
        """Return when it ended, as far as that is known."""
        if not self.cancellation_date:
            return self.env._("Ended")
        if self.last_service_date >= self._today():
            return self.env._(
                "Cancelled: service until %s",
                format_day(self.env, self.last_service_date),
            )
        return self.env._("Ended on %s", format_day(self.env, self.last_service_date))

    def _get_portal_paused_text(self):
        start = self._get_running_pause().date_from
        if start and start > self._today():
            return self._describe_pause()
        if not self.paused_until:
            return self.env._("Paused")
        return self.env._(
            "Paused until %s", format_day(self.env, self.paused_until - ONE_DAY)
        )

    def _get_portal_notes(self):
        """Return sentences about what is going to change."""
        self.ensure_one()
        notes = []
        if self.ending_lines_note and not self.cancellation_date:
            notes.append(self.env._("Ends separately: %s.", self.ending_lines_note))
        waiting = self.cancellation_ids.filtered(lambda one: one.state == "to_approve")
        if waiting and not self._get_pending_cancellation():
            # Of all of it, the page says so instead of the button.
            notes.append(waiting[0]._get_checking_text())
        return notes

    def _get_portal_lines(self):
        """Return tuples of a line and its depth: add-ons follow their parent."""
        self.ensure_one()
        lines = self._get_all_lines().sorted("id")
        children = lines.grouped("parent_line_id")
        roots = lines.filtered(lambda line: line.parent_line_id not in lines)
        result = []

        def add(line, depth):
            result.append((line, depth))
            for child in children.get(line, ()):
                add(child, depth + 1)

        for root in roots:
            add(root, 0)
        return result

    def _get_portal_invoices(self):
        """Return the posted invoices and credit memos, the latest first.

        A link shows what its visitor could not read: not what is for somebody else.
        """
        self.ensure_one()
        lines = self._get_all_lines()
        return (
            self.env["account.move"]
            .search(
                [
                    ("invoice_line_ids.subscription_line_id", "in", lines.ids),
                    ("move_type", "in", ("out_invoice", "out_refund")),
                    ("state", "=", "posted"),
                ],
                order="invoice_date desc, id desc",
            )
            .filtered(self._is_customer)
        )

    def _get_portal_next_invoice_date(self):
        """Return when the next invoice comes, ``False`` where none does."""
        self.ensure_one()
        if not self._is_in_progress() or self._get_cannot_bill_reason():
            return False
        return self.recurring_next_date

    def _get_portal_cancellations(self):
        """Return the cancellations that a customer is shown, the latest first."""
        return self.cancellation_ids.filtered(
            lambda one: not (one.was_replaced and one.state == "revoked")
        ).sorted("id", reverse=True)

    # === WHAT A CUSTOMER MAY DO, AND WHY NOT === #

    def _get_portal_cannot_cancel_reason(self):
        """Return for the customer why there is nothing to cancel, or ``None``."""
        self.ensure_one()
        if self.cancellation_state == "cancelled":
            return self._get_portal_state() + "."
        if self.cancellation_date:
            return self.env._(
                "This subscription is cancelled already: service ends on %s.",
                format_day(self.env, self.last_service_date),
            )
        pending = self._get_pending_cancellation()
        if pending:
            return pending._get_checking_text()
        if not self.sale_subscription_line_ids:
            return self.env._("There is nothing left to cancel.")
        if not self._get_portal_policy().portal_cancel:
            return self._get_write_to_us_text()
        if not self._get_portal_timings():
            return self.env._(
                "There is no day at present on which this subscription could end. "
                "Please write to us: we take care of it."
            )
        return None

    def _get_write_to_us_text(self):
        return self.env._(
            "This subscription cannot be cancelled here. Please write to us: we take "
            "care of it."
        )

    def _get_portal_cannot_revoke_reason(self):
        """Return why the customer cannot take back what is open, or ``None``."""
        self.ensure_one()
        cancellations = self.cancellation_ids.filtered("is_open")
        if not cancellations:
            return self.env._("There is no cancellation to take back.")
        if not cancellations.filtered(lambda one: one.channel == "portal"):
            return self.env._(
                "This cancellation was entered by us. Please write to us to take it "
                "back."
            )
        if not self._get_portal_revocable():
            return self.env._("Service has ended, so it is too late to take it back.")
        return None

    def _get_portal_cannot_reactivate_reason(self):
        """Return why the customer cannot let this go on, or ``None``."""
        self.ensure_one()
        closing = self._get_closing_cancellations()
        if self.cancellation_state != "cancelled" or not closing:
            return self.env._("There is nothing to reactivate.")
        is_own_wish = set(closing.mapped("channel")) == {"portal"}
        if not (self._get_portal_policy().portal_reactivate and is_own_wish):
            return self.env._(
                "This subscription cannot be reactivated here. Please write to us."
            )
        try:
            self._plan_reactivation("resume")
        except UserError:
            return self.env._(
                "This subscription cannot go on as it was. Please write to us."
            )
        return None

    # === VERBS === #

    def _plan_for_customer(self, options, contradictions=None):
        """Return the checked plan of what a customer asks for; nothing is written.

        :param dict options: of :data:`CUSTOMER_OPTIONS`; any other is ignored
        :param dict contradictions: what the entries of the form leave open: sentences
            by entry
        :raise EntriesError: options cannot be; a sentence for each
        :raise UserError: in the customer's words
        """
        self.ensure_one()
        reason = self._get_portal_cannot_cancel_reason()
        if reason:
            raise UserError(reason)
        options = {name: options[name] for name in CUSTOMER_OPTIONS if name in options}
        errors = {**self._get_entry_errors(options), **(contradictions or {})}
        if errors:
            raise EntriesError(errors)
        try:
            return self._plan_cancellation(options, "portal")
        except WrongCompanyError:
            # Nothing that the customer could mend
            raise UserError(self._get_write_to_us_text()) from None

    def _request_for_customer(self, options, contradictions, fingerprint, key):
        """Cancel as a customer has confirmed it.

        :param dict options: and contradictions: as of :meth:`_plan_for_customer`
        :param str fingerprint: of the preview
        :param str key: of the page; the same one never cancels twice
        :return: the ``subscription.cancellation``
        """
        self.ensure_one()
        self._wait_for_others()
        self.lock_for_update()
        known = self.cancellation_ids.filtered(
            lambda one: key and one.idempotency_key == key
        )
        if known.state in ("revoked", "refused") or known.reactivated_date:
            raise UserError(
                self.env._(
                    "This cancellation was taken back. Confirm again if it shall end "
                    "after all."
                )
            )
        if known:
            return known
        plan = self._plan_for_customer(options, contradictions)
        plan._check_as_shown(fingerprint)
        plan.update({"idempotency_key": key or False})
        return plan._confirm()

    def _revoke_for_customer(self, cancellation):
        """Take back one of the cancellations that customers have asked for.

        :param cancellation: ``subscription.cancellation``
        """
        self.ensure_one()
        if not cancellation or cancellation not in self._get_portal_revocable():
            raise UserError(
                self._get_portal_cannot_revoke_reason()
                or self.env._("This cancellation cannot be taken back.")
            )
        cancellation._revoke_by_customer()

    def _get_portal_revocable(self):
        """Return the cancellations that the customer may take back."""
        return self.cancellation_ids.filtered(
            lambda one: (
                one.is_open
                and one.channel == "portal"
                and not one._get_cannot_revoke_reason()
            )
        )

    def _reactivate_for_customer(self, terms):
        """Let go on what customers have ended, where the policy allows it.

        :param str terms: fingerprint of what was shown
        """
        self.ensure_one()
        self.lock_for_update()
        reason = self._get_portal_cannot_reactivate_reason()
        if reason:
            raise UserError(reason)
        if self._get_reactivation_offer().get_fingerprint() != terms:
            raise UserError(
                self.env._(
                    "What reactivating leads to has changed since it was shown, so "
                    "nothing was done. Please look at it again."
                )
            )
        self._reactivate("resume")[:1]._acknowledge("reactivated")


class SaleSubscriptionLine(models.Model):
    """Say to the customer what becomes of an item."""

    _inherit = "sale.subscription.line"

    def _get_portal_names(self):
        """Return the name and, where it begins with one, the code of the product."""
        self.ensure_one()
        code, name = re.fullmatch(CODE_AND_NAME, self.name or "", re.DOTALL).groups()
        return name, code

    def _get_portal_price(self):
        """Return the price of a period, as the company's documents say it."""
        self.ensure_one()
        is_included = self.sale_subscription_id._shows_tax_included()
        return self.price_total if is_included else self.price_subtotal

    def _get_portal_end_text(self):
        """Return that this has ended, ends, or is to end; ``None`` where it goes on."""
        self.ensure_one()
        if not self.active:
            return self.env._("Ended")
        if not self.cancellation_date:
            return None
        day = format_day(self.env, self.last_service_date)
        # sudo: whoever comes with a link need not be allowed to read cancellations.
        waiting = (
            self.sudo()
            ._get_open_cancellations()
            .filtered(lambda one: one.state == "to_approve")
        )
        if waiting:
            return (
                self.env._("End on %s declared", day)
                if waiting[0]._is_declared()
                else self.env._("End on %s requested", day)
            )
        return self.env._("Ends on %s", day)
