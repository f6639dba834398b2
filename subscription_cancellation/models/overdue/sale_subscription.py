# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""End what stays unpaid: find it, warn the customer, cancel it (D6)."""

import logging
from datetime import date, timedelta
from itertools import groupby
from typing import NamedTuple

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import LockError, UserError
from odoo.fields import Domain
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import split_every

from ...const import MAX_CONFLICTS
from ...failures import explain
from ...formatting import as_note, format_day
from ..common.activities import drop_activities
from .customer_balances import CustomerBalances

_logger = logging.getLogger(__name__)

NOT_PAID = "not_paid"
OVERDUE_ACTIVITY = "subscription_cancellation.mail_activity_type_overdue"


class Arrears(NamedTuple):
    """An unpaid invoice of a subscription, and when that has consequences."""

    subscription: models.Model
    invoice: models.Model
    due_date: date
    #: From when on the days count: the due date, or an undo that came after it.
    since: date
    warning_date: date | None
    cancel_date: date
    #: ``account.move.line``: what the customer has that could pay it.
    open_credits: models.Model
    #: Whether the present customer, or who pays for them, owes it.
    is_own: bool

    def needs_person(self):
        """Return whether somebody has to look at it; nothing is cancelled for it."""
        return bool(self.open_credits) or not self.is_own

    def is_to_cancel(self):
        """Return whether the subscription is to be cancelled by now."""
        return self.cancel_date <= self.subscription._today()

    def is_to_warn(self):
        """Return whether the customer is to be warned now."""
        today = self.subscription._today()
        warned = self.invoice.cancellation_warning_date
        return (
            bool(self.warning_date)
            and not (warned and warned >= self.since)
            and not self.needs_person()
            and self.warning_date <= today < self.cancel_date
        )


class SaleSubscription(models.Model):
    """Cancel for non-payment, as the policy for the channel "system" says."""

    _inherit = "sale.subscription"

    overdue_failure_date = fields.Date(
        copy=False,
        readonly=True,
        help="The day on which somebody was told that the automatic cancellation for "
        "non-payment failed, or was left to a person.",
    )

    # === SCHEDULED ACTION === #

    @api.model
    def _cron_cancel_overdue(self, batch_size=50):
        """Warn about, and cancel for, invoices that stay unpaid.

        Several workers may run this at once: each skips what another one holds. A
        subscription that cannot be cancelled is told to somebody and does not stop
        the others; it is tried again with the next run.

        :param int batch_size: subscriptions per transaction
        """
        Cron = self.env["ir.cron"]
        found = self._search_overdue()
        Cron._commit_progress(remaining=len(found))
        for batch in split_every(batch_size, found.ids, self.browse):
            batch._handle_batch()
            seconds_left = Cron._commit_progress(len(batch))
            self.env.invalidate_all()
            if not seconds_left:
                break

    @api.model
    def _search_overdue(self):
        """Return the subscriptions to cancel, or about which to warn, now."""
        arrears = self._search_arrears()
        ids = {
            item.subscription.id: True
            for item in arrears
            if item.is_to_cancel() or item.is_to_warn()
        }
        return self.browse(ids)

    def _handle_batch(self):
        """Warn about, or cancel, those of these that nobody else holds.

        What they owe is read again: another worker, or a payment, may have been
        faster than this batch.
        """
        for _attempt in range(MAX_CONFLICTS):
            try:
                arrears = self.try_lock_for_update()._get_arrears()
                for subscription, items in groupby(
                    arrears, lambda item: item.subscription
                ):
                    subscription._handle_arrears(list(items))
                self.env.flush_all()
                return
            except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
                # Another transaction changed one of them after ours began.
                self.env.cr.rollback()
        _logger.warning("Overdue subscriptions %s are left to the next run", self.ids)

    def _handle_arrears(self, arrears):
        """Cancel this subscription, or warn about its unpaid invoices.

        :param list arrears: all :class:`Arrears` of it
        """
        self.ensure_one()
        due = [item for item in arrears if item.is_to_cancel()]
        invoices = self.env["account.move"].union(*(item.invoice for item in due))
        if due and self._is_dunning_over(invoices):
            self._cancel_or_tell(due)
            return
        for item in arrears:
            if item.is_to_warn():
                self._do_or_tell(
                    lambda item=item: self._warn_unpaid(item),
                    item.warning_date,
                    self.env._("Warning about an unpaid invoice failed"),
                )

    def _cancel_or_tell(self, due):
        """Cancel for what is clear; else ask somebody to look at it.

        :param list due: the :class:`Arrears` to cancel for
        """
        clear = [item for item in due if not item.needs_person()]
        if not clear:
            self._tell_unclear(due[0])
            return
        self._do_or_tell(
            lambda: self._cancel_unpaid(clear[0]),
            clear[0].cancel_date,
            self.env._("Automatic cancellation for non-payment failed"),
        )

    def _is_dunning_over(self, invoices):
        """Return whether nothing more is to be tried before cancelling.

        A hook for addons that remind customers or collect payments: as long as this
        returns ``False``, the subscription goes on, however long it is unpaid. It is
        asked again with every run of the scheduled action.

        :param invoices: ``account.move``, the customer invoices of this subscription
            that are overdue by the days of the policy, at least one
        """
        self.ensure_one()
        return True

    # === WHAT IS UNPAID === #

    def _get_arrears(self):
        """Return the :class:`Arrears` of these subscriptions."""
        return self._search_arrears(Domain("id", "in", self.ids)) if self else []

    @api.model
    def _search_arrears(self, domain=Domain.TRUE):
        """Return what is unpaid long enough for a warning or a cancellation.

        The number of queries does not depend on how many there are.

        :param domain: on the subscriptions
        :return: list of :class:`Arrears`, by subscription, the most urgent first
        """
        # sudo: the scheduled action looks at every company's journal items; a person
        # only sees what comes of it for invoices they can read.
        policies = self.env["subscription.cancellation.policy"].sudo()._search_overdue()
        if not policies:
            return []
        first_step = timedelta(days=policies._get_days_until_first_step())
        # East of UTC the next day may have begun already.
        latest = fields.Date.today() + timedelta(days=1) - first_step
        running = domain & self._get_running_domain()
        return sorted(
            self._match_arrears(self._read_unpaid(latest, running), policies),
            key=lambda item: (item.subscription.id, item.cancel_date, item.invoice.id),
        )

    @api.model
    def _match_arrears(self, unpaid, policies):
        """Return the arrears of those whose policy is one of ``policies``.

        :param list unpaid: as of :meth:`_read_unpaid`
        """
        subscriptions = self.sudo().union(*(row[0] for row in unpaid))
        applied = subscriptions._map_policies("system")
        unpaid = [row for row in unpaid if applied[row[0]] in policies]
        balances = self._read_balances(invoice for _subscription, invoice in unpaid)
        arrears = [
            subscription._get_arrears_of(invoice, applied[subscription], balances)
            for subscription, invoice in unpaid
        ]
        return [
            item
            for item in arrears
            if item
            and not item.subscription._was_cancelled_unpaid_since(item.cancel_date)
        ]

    def _get_arrears_of(self, invoice, policy, balances):
        """Return the :class:`Arrears` with one invoice, ``None`` where there are none.

        :param CustomerBalances balances: of whoever owes it
        """
        tolerance = policy._get_overdue_tolerance_units(invoice)
        due_date = balances.get_overdue_date(invoice, tolerance)
        if not due_date:
            return None
        undone = self.cancellation_ids.filtered(
            lambda one: one.stage_before_id and one.reactivated_date
        ).mapped("reactivated_date")
        since = max([due_date, *map(self._to_local_date, undone)])
        dates = policy._get_overdue_dates(since)
        open_credits = balances.get_open_credits(invoice)
        is_own = self._is_owed_by_customer(invoice)
        return Arrears(self, invoice, due_date, since, *dates, open_credits, is_own)

    def _is_owed_by_customer(self, invoice):
        """Return whether the customer, or who pays for them, owes an invoice.

        What a former customer has not paid is no reason to end it.
        """
        order = self.sale_order_id
        payer = order.partner_invoice_id.commercial_partner_id
        is_paid_by_order = (
            order.partner_id == self.partner_id
            and payer == invoice.commercial_partner_id
        )
        return is_paid_by_order or self._is_customer(invoice)

    @api.model
    def _read_balances(self, invoices):
        """Return what the customers of invoices owe, and have, with these companies.

        What is paid for an order that is not invoiced yet is none of their credits.

        :param invoices: iterable of ``account.move``
        :rtype: CustomerBalances
        """
        items = self.env["account.move.line"].sudo()
        invoices = items.move_id.union(*invoices)
        accounts = invoices.partner_id, invoices.company_id
        # East of UTC the next day may have begun already.
        latest = fields.Date.today() + timedelta(days=1)
        overdue = items._search_open_items(*accounts, self._get_unpaid_domain(latest))
        open_credits = items._search_open_items(
            *accounts, [("amount_residual_currency", "<", 0.0)]
        )
        steps = self.env["subscription.cancellation.step"]
        free = steps._filter_free_credits(open_credits)
        return CustomerBalances(overdue, free._filter_not_for_orders())

    @api.model
    def _get_running_domain(self):
        """Return what runs on, as far as anybody has decided."""
        open_whole = Domain("is_open", "=", True) & Domain("is_whole", "=", True)
        return (
            Domain("stage_id.type", "=", "in_progress")
            & Domain("cancellation_date", "=", False)
            & Domain("cancellation_ids", "not any", open_whole)
        )

    @api.model
    def _get_unpaid_domain(self, latest):
        """Return the receivables of posted invoices that should have been paid.

        Not those that are being paid, are blocked for payment or are left out of
        follow-ups: Odoo's ways to say that something is disputed.

        :param date latest: due date
        """
        on_way = self.env["payment.transaction"]._get_on_way_domain()
        return Domain(
            [
                ("display_type", "=", "payment_term"),
                ("parent_state", "=", "posted"),
                ("date_maturity", "<=", latest),
                ("reconciled", "=", False),
                ("amount_residual", ">", 0.0),
                ("no_followup", "=", False),
                ("move_id.move_type", "=", "out_invoice"),
                ("move_id.payment_state", "in", ("not_paid", "partial")),
                ("move_id.transaction_ids", "not any", on_way),
            ]
        )

    @api.model
    def _read_unpaid(self, latest, running):
        """Return subscriptions and their unpaid invoices.

        :param date latest: due date
        :param running: domain on the subscriptions
        :return: list of tuples of subscription and invoice
        """
        items = self.env["account.move.line"].sudo()
        billing = Domain("subscription_line_id.sale_subscription_id", "any", running)
        domain = self._get_unpaid_domain(latest) & Domain(
            "move_id.invoice_line_ids", "any", billing
        )
        groups = items._read_group(domain, ["move_id"])
        invoice_ids = [invoice.id for (invoice,) in groups]
        pairs = items._read_group(
            Domain("move_id", "in", invoice_ids) & billing,
            ["move_id", "subscription_line_id"],
        )
        own = items.move_id.union(*(invoice for invoice, _line in pairs))
        own = own._without_strangers()
        # Two lines of a subscription on one invoice are one.
        return list(
            {
                (line.sale_subscription_id, invoice)
                for invoice, line in pairs
                if invoice in own
            }
        )

    def _was_cancelled_unpaid_since(self, day):
        """Return whether this was cancelled for non-payment on ``day`` or later.

        It runs all the same: somebody refused, revoked or undid that, and decides
        about that invoice from now on.
        """
        self.ensure_one()
        return any(
            cancellation.channel == "system"
            and cancellation.reason_id.code == NOT_PAID
            and self._to_local_date(cancellation.request_date) >= day
            for cancellation in self.cancellation_ids
        )

    # === CONSEQUENCES === #

    def _do_or_tell(self, work, since, summary):
        """Do it all or not at all; a failure is told to somebody.

        :param work: callable without arguments
        :param date since: when this was first due
        :param str summary: what failed, in words
        """
        self.ensure_one()
        try:
            with self.env.cr.savepoint():
                work()
        except psycopg2.OperationalError:
            raise
        except Exception as error:
            self._tell_overdue_failure(since, error, summary)

    def _cancel_unpaid(self, arrears):
        """Cancel this subscription because of an unpaid invoice."""
        comment = self.env._(
            "Invoice %(invoice)s, due on %(date)s, is not paid.",
            invoice=arrears.invoice.name,
            date=format_day(self.env, arrears.due_date),
        )
        options = {"reason_code": NOT_PAID, "comment": comment}
        # Upstream and Odoo look up some things by the current company.
        in_company = self.with_company(self.company_id)
        in_company._request_cancellation(options, channel="system")
        drop_activities(self, OVERDUE_ACTIVITY)

    def _warn_unpaid(self, arrears):
        """Warn the customer about an unpaid invoice."""
        invoice = arrears.invoice.with_company(self.company_id)
        invoice._send_cancellation_warning(self._today())

    def _tell_unclear(self, arrears):
        """Ask somebody to look at an unpaid invoice that ends nothing by itself."""
        if arrears.is_own:
            self._tell_open_credits(arrears)
        else:
            self._tell_former_customer(arrears)

    def _tell_former_customer(self, arrears):
        """Ask somebody to look at an unpaid invoice of somebody else."""
        invoice = arrears.invoice
        self._tell_overdue(
            arrears.cancel_date,
            self.env._("Not paid by somebody else"),
            self.env._(
                "Invoice %(invoice)s, due on %(date)s, is not paid by %(debtor)s, but "
                "the subscription is %(customer)s's now. So it was not cancelled. "
                "Collect the invoice, or deactivate the subscription.",
                invoice=invoice.name,
                date=format_day(self.env, arrears.due_date),
                debtor=invoice.partner_id.display_name,
                customer=self.partner_id.display_name,
            ),
        )

    def _tell_open_credits(self, arrears):
        """Ask somebody to look at an unpaid invoice of a customer who has a credit."""
        invoice, items = arrears.invoice, arrears.open_credits
        self._tell_overdue(
            arrears.cancel_date,
            self.env._("Not paid, but the customer has a credit"),
            self.env._(
                "Invoice %(invoice)s, due on %(date)s, is not paid, but there are open "
                "credits of %(customer)s: %(credits)s. So the subscription was not "
                "cancelled. Reconcile them with the invoice, or deactivate the "
                "subscription.",
                invoice=invoice.name,
                date=format_day(self.env, arrears.due_date),
                customer=items._get_customer().display_name,
                credits=items._describe_open(),
            ),
        )

    def _tell_overdue_failure(self, since, error, summary):
        """Tell somebody of a failure.

        :param date since: when what failed was first due
        :param Exception error: what went wrong
        :param str summary: what failed, in words
        """
        if isinstance(error, LockError):
            _logger.info("Subscription %s is left to the next run: %s", self.id, error)
            return
        is_expected = isinstance(error, UserError)
        _logger.warning(
            "Subscription %s: %s", self.id, summary, exc_info=not is_expected and error
        )
        self._tell_overdue(since, summary, explain(self.env, error))

    def _tell_overdue(self, since, summary, note):
        """Give the responsible something to do, once and not every night again."""
        told = self.overdue_failure_date
        if told and told >= since:
            return
        self.overdue_failure_date = self._today()
        self.activity_schedule(
            OVERDUE_ACTIVITY,
            summary=summary,
            note=as_note(note),
            user_id=self._get_overdue_responsible().id,
        )

    def _get_overdue_responsible(self):
        """Return who is told: see :meth:`_get_responsible`. A hook."""
        return self._get_responsible("system")[:1]
