# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""From a declaration to a cancellation, or to a person who looks at it."""

import logging

import psycopg2

from odoo import api, models
from odoo.exceptions import AccessError, LockError, UserError
from odoo.tools import split_every

from ...arithmetic.likeness import get_address_key
from ...arithmetic.proration import ONE_DAY
from ...callers import is_user
from ...failures import explain
from ...formatting import as_note, format_day
from ..common.activities import drop_activities

_logger = logging.getLogger(__name__)

CHECK_ACTIVITY = "subscription_cancellation.mail_activity_type_declaration"
ON_FILE_TEMPLATE = "subscription_cancellation.mail_template_declaration_on_file"
#: Timings that keep the policy's notice and terms.
ORDINARY_TIMINGS = ("earliest", "end_of_period", "end_of_billed", "end_of_term")


class SubscriptionCancellationDeclaration(models.Model):
    """Find the subscription that is meant, and request its cancellation."""

    _inherit = "subscription.cancellation.declaration"

    # === SCHEDULED ACTION === #

    @api.model
    def _cron_process_declarations(self, batch_size=20):
        """Process what was received, one by one, committing after each batch.

        Then the receipts that wait are mailed, and what nobody has to look at by
        itself gets the activity of the day.

        :param int batch_size: declarations per transaction
        """
        self._process_received(batch_size)
        self._look_at_the_rest()
        self._mail_waiting_receipts(batch_size)

    @api.model
    def _process_received(self, batch_size):
        received = [("state", "=", "received")]
        found = self.search(received, order="id")
        for batch in split_every(batch_size, found.ids, self.browse):
            locked = batch.try_lock_for_update()
            for declaration in locked.filtered_domain(received):
                declaration._process_declaration()
            remaining = self.search_count(received)
            if not self.env["ir.cron"]._commit_progress(
                len(locked), remaining=remaining
            ):
                break

    def _process_declaration(self):
        """Cancel what this means; what cannot be done by itself, a person gets."""
        self = self._for_responsible()  # noqa: PLW0642
        try:
            with self.env.cr.savepoint():
                self._settle(self._match())
        except (psycopg2.OperationalError, LockError):
            # Somebody else is at it; the next run tries again.
            _logger.info("Declaration %s has to wait.", self.name)
        except UserError as error:
            self._leave_to_person(str(error))
        except Exception as error:
            _logger.exception("Declaration %s failed", self.name)
            self._leave_to_person(explain(self.env, error))

    def _settle(self, subscription):
        """Cancel a subscription, unless it is cancelled already as this wants it."""
        if self._is_further(subscription):
            self._acknowledge_further(subscription)
        else:
            self._request(subscription)

    # === MATCH === #

    def _match(self):
        """Return the one subscription that is meant; a cancelled one, if there is none
        that runs.

        :raise UserError: there is not exactly one
        """
        found = self._find_subscriptions()
        known = found.filtered(self._is_from_customer)
        running = known.filtered(
            lambda subscription: subscription.cancellation_state != "cancelled"
        )
        matched = running or known
        if len(matched) != 1:
            raise UserError(self._get_mismatch_reason(found, known, running))
        if self._has_too_many_tries():
            raise UserError(
                self.env._(
                    "Many numbers were tried with this e-mail address today; this one "
                    "is that of %s.",
                    matched.display_name,
                )
            )
        return matched

    def _is_from_customer(self, subscription):
        """Return whether the address that was given is on file for a subscription."""
        on_file = map(get_address_key, self._get_emails(subscription))
        return get_address_key(self.contract_email) in on_file

    def _get_mismatch_reason(self, found, known, running):
        """Return in words, for staff, why there is not one subscription to cancel."""
        if running:
            names = ", ".join(running.mapped("display_name"))
            return self.env._("Several subscriptions match: %s.", names)
        if known:
            return self._get_cancelled_reason(known)
        if found:
            return self.env._(
                "The reference is that of %(names)s, but the e-mail address is not "
                "one of that customer.",
                names=", ".join(found.mapped("display_name")),
            )
        return self.env._("No subscription has the reference that was given.")

    def _get_cancelled_reason(self, subscriptions):
        """Return in words, for staff, that there is nothing left to cancel."""
        names = ", ".join(subscriptions.mapped("display_name"))
        return self.env._("What matches is already cancelled: %s.", names)

    # === FURTHER ONES === #

    def _is_further(self, subscription):
        """Return whether the subscription ends already as this wants it to.

        An extraordinary one may want more than what was declared before.
        """
        pending = subscription._get_pending_cancellation()
        end = pending.effective_date or subscription.cancellation_date
        if subscription.cancellation_state == "cancelled":
            received_on = subscription._to_local_date(self.received_at)
            return bool(end) and end <= received_on + ONE_DAY
        if not end or self.kind == "extraordinary":
            return False
        return end <= self._get_wanted_end(subscription)

    def _get_wanted_end(self, subscription):
        """Return the first day without service that this would lead to."""
        Cancellation = self.env["subscription.cancellation"]
        policy = subscription._map_policies("portal")[subscription]
        then = subscription._as_of(self.received_at)
        options = {
            **Cancellation._get_default_options(then, policy),
            **self._prepare_options(subscription),
        }
        return Cancellation._get_effective_date(then, options, policy)

    def _acknowledge_further(self, subscription):
        """Record that there is nothing left to do, and tell the customer the end."""
        since = self.received_at - ONE_DAY
        told = [
            ("subscription_id", "=", subscription.id),
            ("state", "=", "answered"),
            ("received_at", ">", since),
        ]
        was_told = self.search_count(told, limit=1)
        self._set_state(
            "answered",
            subscription_id=subscription.id,
            check_reason=self._get_cancelled_reason(subscription),
        )
        if not was_told:
            self._tell_address_on_file(subscription.env["subscription.cancellation"])

    # === REQUEST === #

    def _request(self, subscription):
        """Request the cancellation of a subscription, and tell its customer.

        :raise UserError: it cannot be cancelled like this
        """
        self.ensure_one()
        options = self._prepare_options(subscription)
        subscription = subscription.with_company(subscription.company_id)
        cancellation = subscription._request_cancellation(options, "portal")
        self._set_state("matched", subscription_id=subscription.id, check_reason=False)
        # sudo: activities of others, too.
        drop_activities(self.sudo(), CHECK_ACTIVITY)
        self.sudo()._tell_address_on_file(cancellation)
        return cancellation

    def _prepare_options(self, subscription):
        """Return the options of the cancellation that was declared."""
        options = {"declaration_id": self.id}
        if self.extraordinary_reason:
            options["comment"] = self.extraordinary_reason
        policy = subscription._map_policies("portal")[subscription]
        then = subscription._as_of(self.received_at)
        timing = self._get_timing(then, policy)
        day = self._get_end_day(then, timing, policy)
        if not day:
            return {**options, "timing": timing}
        return {
            **options,
            "timing": "specific_date",
            "requested_date": day,
            # Whoever names a day wants to be served on it.
            "cancel_day_billed": True,
        }

    def _get_timing(self, subscription, policy):
        """Return when it ends if no later date is asked for.

        The earliest date that the policy lets customers choose; where it lets them
        choose nothing, its own.
        """
        if self.kind == "extraordinary" or not subscription._is_started():
            return "immediate"
        is_fixed = not policy.allow_override_timing
        return (
            policy.timing
            if is_fixed and policy.timing in ORDINARY_TIMINGS
            else "earliest"
        )

    def _get_end_day(self, subscription, timing, policy):
        """Return the desired last day, or ``False`` where it does not count.

        An ordinary one is not before the end that keeps the policy's terms.
        """
        if self.wants_earliest or not subscription._is_started():
            return False
        if self.kind == "extraordinary":
            return max(self.desired_date, subscription._today())
        cancellations = self.env["subscription.cancellation"]
        end = cancellations._get_ordinary_end(subscription, timing, policy)
        return self.desired_date >= end - ONE_DAY and self.desired_date

    def _get_person_reasons(self, plan, policy):
        """Return in words why a person decides about this, if one does."""
        reasons = []
        if self.kind == "extraordinary":
            reasons.append(self.env._("it is extraordinary"))
        if policy.declaration_needs_person:
            reasons.append(self.env._("it was declared on the public page"))
        if not plan.subscription_id._as_of(self.received_at)._is_started():
            reasons.append(self.env._("the subscription has not started yet"))
        return reasons

    # === TELL === #

    def _tell_address_on_file(self, cancellation):
        """Tell the customer, unless the confirmation of the cancellation does.

        Nobody ends the contract of somebody else unnoticed.
        """
        address = next(iter(self._get_emails(self.subscription_id)), None)
        if address and not cancellation.sudo().told_date:
            self._send_mail(ON_FILE_TEMPLATE, is_for_customer=True, email_to=address)

    def _get_end_text(self):
        """Return when service ends, or that a person decides."""
        subscription = self.subscription_id
        cancellation = self.cancellation_id or subscription._get_pending_cancellation()
        if cancellation.state == "to_approve":
            return self.env._(
                "A person looks at it first; the end date will be confirmed to you."
            )
        end = cancellation.last_service_date or subscription.last_service_date
        if end < subscription._today():
            return self.env._("Service ended on %s.", format_day(self.env, end))
        return self.env._("Service ends on %s.", format_day(self.env, end))

    # === A PERSON === #

    def _leave_to_person(self, reason):
        """Queue this for a person, with the reason why it needs one.

        Of more than the limit allows at once there is one activity a day for all.
        """
        is_too_much = bool(self.receipt_waits_since)
        self._set_state("to_check", check_reason=reason, is_to_look_at=is_too_much)
        if not is_too_much:
            self._give_to_person(self.env._("Check a declared cancellation"), reason)

    def _give_to_person(self, summary, note):
        """Give those who look after it something to do."""
        for user in self._get_responsible():
            self.activity_schedule(
                CHECK_ACTIVITY, summary=summary, note=as_note(note), user_id=user.id
            )

    def _get_responsible(self):
        """Return the users who are asked to look at it. A hook.

        Whoever looks after the subscription, else those who approve what customers
        request.
        """
        if self.subscription_id:
            return self.subscription_id._get_responsible("portal")
        # sudo: the policy decides also for users who may not read it.
        Policy = self.env["subscription.cancellation.policy"].sudo()
        policies = Policy._search_channel(self.company_id, "portal")
        policy = policies[:1] or Policy._get_built_in(self.company_id)
        return policy._get_approvers_in(self.company_id)

    def _for_responsible(self):
        """Return this in company and language of those who look after it."""
        lang = self._get_responsible()[:1].lang
        return self.with_company(self.company_id).with_context(lang=lang or None)

    # === VERBS OF STAFF === #

    def action_assign(self):
        """Open the dialog to choose the subscription that is meant (button)."""
        self.ensure_one()
        self._check_staff()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Assign Subscription"),
            "res_model": "subscription.cancellation.declaration.assign",
            "view_mode": "form",
            "target": "new",
            "context": {"default_declaration_id": self.id},
        }

    def _assign(self, subscription):
        """Let this be the cancellation of ``subscription``.

        :raise UserError: it is decided already, or cannot be cancelled like this
        """
        self.ensure_one()
        self._check_staff()
        self.lock_for_update()
        if self.state != "to_check":
            raise UserError(
                self.env._("Declaration %s does not wait for anybody.", self.name)
            )
        if self.company_id not in subscription.sudo().company_id.parent_ids:
            raise UserError(
                self.env._(
                    "Declaration %(name)s was made to %(company)s, and subscription "
                    "%(subscription)s is of another company. Choose one of "
                    "%(company)s or of its branches.",
                    name=self.name,
                    company=self.company_id.name,
                    subscription=subscription.display_name,
                )
            )
        return self._request(subscription)

    def action_answered(self):
        """Record that somebody settled it otherwise (button)."""
        self._check_staff()
        self._set_state("answered")
        # sudo: activities of others, too.
        drop_activities(self.sudo(), CHECK_ACTIVITY)

    def action_not_spam(self):
        """Process what was taken for spam (button)."""
        self._check_staff()
        self._set_state("received")
        for declaration in self.sudo():
            declaration.with_context(lang=declaration.lang)._acknowledge()
        self._wake_processing()

    def action_view_cancellation(self):
        """Open the cancellation that was made of it (button)."""
        self.ensure_one()
        return self.cancellation_id.get_formview_action()

    def _check_staff(self):
        """Raise AccessError unless the user may cancel subscriptions."""
        self.check_access("read")
        if not is_user(self.env):
            raise AccessError(
                self.env._(
                    "You are not allowed to cancel subscriptions. Ask for the "
                    "“Subscription Cancellation: User” access right."
                )
            )
