# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Steps that move money through a payment provider: each transaction once."""

import logging

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ...arithmetic.matching import allocate
from ...arithmetic.proration import from_units, to_units
from .settlement_part import SettlementPart

_logger = logging.getLogger(__name__)


class SubscriptionCancellation(models.Model):
    """Plan refunds and collections."""

    _inherit = "subscription.cancellation"

    def _plan_refunds(self, invoice, amount, shared):
        """Return a part per transaction that can give ``amount`` back, and the rest.

        :param invoice: the credited ``account.move``
        :param float amount: in the invoice's currency
        :param SharedPlan shared: with cancellations that are executed together
        """
        currency = invoice.currency_id
        transactions = invoice._get_paying_transactions()._filter_currency(currency)
        # How it was paid is read for all that are planned together.
        transactions = transactions.with_prefetch(invoice.transaction_ids._prefetch_ids)
        wanted = to_units(amount, currency.rounding)
        capacities = []
        for transaction in transactions:
            left = wanted - sum(capacities)
            reserved = shared.reserved[transaction]
            units = transaction._get_refundable_units(left, reserved)
            capacities += allocate(left, [units])
            shared.reserve(transaction, capacities[-1])
        parts = [
            self._plan_refund(transaction, from_units(units, currency.rounding))
            for transaction, units in zip(transactions, capacities, strict=True)
            if units
        ]
        rest = wanted - sum(capacities)
        if rest:
            parts.append(
                self._plan_refund_by_hand(invoice, from_units(rest, currency.rounding))
            )
        return [part._replace(credited=invoice) for part in parts]

    def _plan_refund(self, transaction, amount):
        """Return the part about one transaction that gives money back."""
        text = self.env._("Will be refunded to %s", transaction._get_method_name())
        return SettlementPart(
            "refund", amount, transaction.currency_id, text, transaction=transaction
        )

    def _plan_refund_by_hand(self, invoice, amount):
        """Return the part about what no provider can give back."""
        journals = invoice.reconciled_payment_ids.filtered(
            lambda payment: not payment.payment_transaction_id
        ).journal_id
        if journals:
            text = self.env._(
                "To be refunded by hand (paid by %s)",
                ", ".join(journals.mapped("name")),
            )
        else:
            text = self.env._("To be refunded by hand")
        return SettlementPart("refund", amount, invoice.currency_id, text)

    def _plan_collection(self, invoice, due):
        """Return the part about collecting one open invoice."""
        token = invoice._get_saved_token()
        if token:
            text = self.env._(
                "Invoice %(invoice)s will be charged to %(method)s",
                invoice=invoice.name,
                method=token._get_method_name(),
            )
        else:
            text = self.env._(
                "Invoice %s stays due: there is no saved payment method to charge",
                invoice.name,
            )
        return SettlementPart(
            "collect", due, invoice.currency_id, text, source=invoice, token=token
        )


class SubscriptionCancellationStep(models.Model):
    """Refund and collect.

    The transaction is stored and committed before the provider is called, and every
    further attempt begins with it: what may have reached the provider is only sent
    again where that cannot happen twice.
    """

    _inherit = "subscription.cancellation.step"

    source_transaction_id = fields.Many2one(
        comodel_name="payment.transaction",
        string="Refund Of",
        readonly=True,
        ondelete="restrict",
        help="The transaction that took the money.",
    )
    token_id = fields.Many2one(
        comodel_name="payment.token",
        string="Saved Payment Method",
        readonly=True,
        ondelete="restrict",
    )
    transaction_id = fields.Many2one(
        comodel_name="payment.transaction",
        readonly=True,
        index="btree_not_null",
        ondelete="restrict",
        help="The transaction of the last attempt.",
    )
    sent_at = fields.Datetime(
        readonly=True, help="When the transaction was about to be sent."
    )
    is_unknown = fields.Boolean(
        string="Outcome Unknown",
        readonly=True,
        help="The transaction may have reached the provider, which gave no answer.",
    )
    is_by_hand = fields.Boolean(compute="_compute_is_by_hand")

    @api.depends("kind", "state", "source_transaction_id", "payment_id", "is_unknown")
    def _compute_is_by_hand(self):
        for step in self:
            is_refused = step.state == "failed" and not step.is_unknown
            is_given = step.source_transaction_id or step.payment_id
            is_waiting = step.state == "pending" and not is_given
            step.is_by_hand = step.kind == "refund" and (is_refused or is_waiting)

    # === REFUND === #

    def _do_refund(self):
        """Give back what is left of the credit memo; return the transaction to send."""
        if self.transaction_id and not self._may_begin_anew():
            return self._resume()
        if self._wait_for_credit_memo():
            return None
        if self._give_up_undone():
            # What was given back in vain is still due on what takes the memo back.
            self.source_move_id._match_take_backs()
            return None
        if self._cut_to_limit():
            return None
        self.cancellation_id._balance_credits()
        left = self._get_left_to_refund()
        if not left:
            self._finish_without_refund()
            return None
        if self._wait_for_unmatched_back():
            return None
        if not self.source_transaction_id:
            self._wait_for_payment_by_hand(left)
            return None
        return self._create_refund(left)

    def _get_left_to_refund(self):
        """Return what this step has to give back, in the currency of the credit memo.

        What is planned, as far as it is left of the credit memo.
        """
        memo = self.source_move_id
        others = (self.cancellation_id.step_ids - self).filtered(
            lambda step: (
                step.kind == "refund"
                and step.source_move_id == memo
                and step.state in ("pending", "failed")
            )
        )
        left = memo._get_open_credit()
        left -= sum(step._get_planned_refund() for step in others)
        # What somebody skipped of another one does not flow over to this one.
        return memo.currency_id.round(max(min(left, self._get_planned_refund()), 0.0))

    def _get_planned_refund(self):
        """Return what is still to give back of what was planned.

        What an accountant has paid counts for the steps by hand, the first one first.
        """
        if self.source_transaction_id:
            return self.amount
        paid = self._get_paid_back_otherwise()
        for step in self.cancellation_id.step_ids.sorted("id"):
            if step == self:
                break
            is_by_hand = step.kind == "refund" and not step.source_transaction_id
            if (
                is_by_hand
                and step._is_open()
                and (step.source_move_id == self.source_move_id)
            ):
                paid -= step.amount
        return max(self.currency_id.round(self.amount - max(paid, 0.0)), 0.0)

    def _give_up_undone(self):
        """Skip what the undo of the cancellation has left to its transaction."""
        if not self.cancellation_id.reactivated_date:
            return False
        self._skip(self.env._("The cancellation was undone."))
        return True

    def _finish_without_refund(self):
        """Say why there is nothing to give back: somebody has, or it is used."""
        amount = self._get_paid_back_otherwise()
        if amount > 0:
            self._tell_paid_back(amount)
            return
        self._skip(self._get_nothing_left(), amount=0.0)

    def _tell_paid_back(self, amount):
        """Prove what somebody has given back of the credit memo."""
        memo = self.source_move_id
        note = self.env._("Paid back by %s.", memo._get_what_gave_back())
        payment = memo._get_standing_payments()[-1:]
        self._set_done(note, payment_id=payment.id, amount=amount)

    def _get_paid_back_otherwise(self):
        """Return what was paid back on the credit memo but by steps."""
        memo = self.source_move_id
        done = self.cancellation_id.step_ids.filtered(
            lambda step: (
                step.kind == "refund"
                and step.state == "done"
                and step.source_move_id == memo
            )
        )
        amount = memo._get_amount_given_back() - sum(done.mapped("amount"))
        return memo.currency_id.round(amount)

    def _wait_for_payment_by_hand(self, left):
        """Ask for the payment that an accountant has to register."""
        self._wait(
            self.env._(
                "%(amount)s cannot be refunded through a payment provider. Register an "
                "outgoing payment on credit memo %(memo)s.",
                amount=self.currency_id.format(left),
                memo=self.source_move_id.name,
            ),
            until_person=True,
        )

    def _create_refund(self, left):
        """Return a new refund of the transaction; what it cannot give is split off."""
        source = self.source_transaction_id
        rounding = self.currency_id.rounding
        units = source._get_refundable_units(to_units(left, rounding))
        amount = from_units(units, rounding)
        rest = self.currency_id.round(left - amount)
        if rest:
            self._split_off(rest)
        if not amount:
            self._skip(
                self.env._(
                    "%s cannot be refunded any more.", source._get_method_name()
                ),
                amount=0.0,
            )
            return None
        self.amount = amount
        return source._create_child_transaction(
            amount,
            is_refund=True,
            cancellation_step_id=self.id,
            # The money goes back to the transaction; its token may be gone.
            token_id=source.token_id.filtered("active").id,
            invoice_ids=[(6, 0, self.source_move_id.ids)],
        )

    def _split_off(self, rest):
        """Leave an amount that this transaction cannot give back to an accountant.

        :return: the step about it
        """
        return self.copy(
            {
                "state": "pending",
                "amount": rest,
                "source_transaction_id": False,
                "transaction_id": False,
                "payment_id": False,
                "done_date": False,
                "note": self.env._("To be refunded by hand"),
                "attempts": 0,
                "next_attempt_at": fields.Datetime.now(),
            }
        )

    # === COLLECT === #

    def _do_collect(self):
        """Charge what is due to the saved payment method; return the transaction."""
        if self.transaction_id and not self._may_begin_anew():
            return self._resume()
        if self._give_up_undone() or self._wait_for_invoice():
            return None
        return self._create_collection(self._get_token(), self.source_move_id)

    def _wait_for_invoice(self):
        """Return whether there is nothing to do about the invoice, now or ever."""
        invoice = self.source_move_id
        # Two cancellations may be about one invoice.
        invoice.lock_for_update()
        drafts = invoice._search_credit_memos().filtered(
            lambda memo: memo.state == "draft"
        )
        if invoice.state != "posted":
            self._wait(
                self.env._("Waits until invoice %s is posted again.", invoice.name)
            )
        elif not invoice.amount_residual:
            self._skip(self.env._("Nothing is due any more on %s.", invoice.name))
        elif invoice.payment_state == "blocked":
            self._skip(self.env._("Invoice %s is blocked for payment.", invoice.name))
        elif drafts:
            self._wait(
                self.env._(
                    "Waits until the draft credit memo of invoice %s is posted.",
                    invoice.name,
                )
            )
        elif invoice._get_transactions_on_way(self):
            self._wait(self.env._("Invoice %s is just being paid.", invoice.name))
        else:
            return False
        return True

    def _get_token(self):
        """Return the saved payment method that was announced, if it still works."""
        token = self.token_id
        is_usable = token.active and token.provider_id.state in ("enabled", "test")
        return token if is_usable else token.browse()

    def _choose_token(self):
        """Take the present payment method: somebody asked for another try."""
        if self.kind == "collect":
            self.token_id = self.source_move_id._get_saved_token() or self.token_id

    def _create_collection(self, token, invoice):
        """Return a new transaction that charges a token, if there is one."""
        if not token:
            self._skip(
                self.env._(
                    "Invoice %s stays due: there is no saved payment method to charge.",
                    invoice.name,
                )
            )
            return None
        # Never more than was announced.
        amount = min(self.amount, invoice.amount_residual)
        self.write({"amount": amount, "token_id": token.id})
        return self.env["payment.transaction"].create(
            {
                "provider_id": token.provider_id.id,
                "payment_method_id": token.payment_method_id.id,
                "token_id": token.id,
                "operation": "offline",
                "amount": amount,
                "currency_id": invoice.currency_id.id,
                "partner_id": invoice.partner_id.id,
                "invoice_ids": [(6, 0, invoice.ids)],
                "cancellation_step_id": self.id,
            }
        )

    # === SEND === #

    def _send(self, transaction):
        """Send a transaction to its provider, and keep the outcome whatever follows."""
        self.write(
            {
                "transaction_id": transaction.id,
                "sent_at": fields.Datetime.now(),
                "is_unknown": False,
            }
        )
        self.cancellation_id._commit_steps()
        try:
            with self.env.cr.savepoint():
                self._request(transaction)
        except Exception:
            # Nobody knows whether it arrived, so that nothing may be sent anew.
            _logger.exception("No answer for %s", transaction.reference)
            self._set_unknown()
            return
        self.cancellation_id._commit_steps()
        self._finish_transaction()

    def _request(self, transaction):
        """Call the provider, as Odoo's own wrappers do.

        They take a lost connection for a refusal, which it need not be.
        """
        try:
            transaction._ensure_provider_is_not_disabled()
        except ValidationError as error:
            transaction._set_error(str(error))
            return
        transaction._log_sent_message()
        sending = transaction.with_context(cancellation_step_sends=True)
        try:
            if transaction.operation == "refund":
                sending._send_refund_request()
            else:
                sending._send_payment_request()
        except ValidationError as error:
            # Also where a provider does not use Odoo's own way to send.
            transaction.provider_id._check_is_refusal(error)
            transaction._set_error(str(error))

    def _finish_transaction(self):
        """Let Odoo book the transaction, and take its outcome over."""
        with self.env.cr.savepoint():
            self.transaction_id._post_process()
        self._take_over_outcome()

    def _take_over_outcome(self):
        """Follow the transaction's state."""
        self.ensure_one()
        transaction = self.transaction_id
        if transaction.state == "done":
            if self.state != "done":
                self._set_done(
                    self._get_done_note(),
                    payment_id=transaction.payment_id.id,
                    amount=abs(transaction.amount),
                    is_unknown=False,
                )
        elif transaction.state in ("pending", "authorized"):
            self.is_unknown = False
            self._wait(
                self.env._(
                    "Waits for the answer of %(provider)s (%(reference)s).",
                    provider=transaction.provider_id.name,
                    reference=transaction.reference,
                )
            )
        elif transaction.state in ("cancel", "error"):
            if self.state == "pending" or self.is_unknown:
                self.is_unknown = False
                if not self._give_up_undone():
                    self._fail(self._get_refusal(transaction))

    def _get_done_note(self):
        """Return in words what the transaction did."""
        transaction = self.transaction_id
        text = (
            self.env._("Refunded to %(method)s (%(reference)s).")
            if transaction.operation == "refund"
            else self.env._("Charged to %(method)s (%(reference)s).")
        )
        return text % {
            "method": transaction._get_method_name(),
            "reference": transaction.reference,
        }

    def _get_refusal(self, transaction):
        """Return in words that, and why, the provider refused."""
        text = (
            self.env._("%(provider)s did not refund (%(reference)s): %(reason)s")
            if transaction.operation == "refund"
            else self.env._(
                "%(provider)s could not collect (%(reference)s), the invoice stays "
                "due: %(reason)s"
            )
        )
        reason = transaction.state_message or self.env._("it was cancelled")
        return text % {
            "provider": transaction.provider_id.name,
            "reference": transaction.reference,
            "reason": reason,
        }

    # === RESUME === #

    def _is_on_way(self):
        """Return whether a transaction of this step may still move money."""
        return self.transaction_id.state in ("draft", "pending", "authorized")

    def _may_begin_anew(self):
        """Return whether the last transaction is certain to have moved nothing."""
        return self.transaction_id.state in ("cancel", "error")

    def _resume(self):
        """Go on with the transaction of an earlier attempt; return it to send it."""
        transaction = self.transaction_id
        if transaction.state != "draft":
            self._finish_transaction()
            return None
        if transaction._can_be_sent_again():
            return transaction
        self._set_unknown()
        return None

    def _set_unknown(self):
        """Stop: only somebody who asks the provider knows what happened."""
        self.is_unknown = True
        self._fail(
            self.env._(
                "Nobody knows whether %(provider)s received transaction %(reference)s: "
                "the connection was lost. Look it up there, then choose Send Again or "
                "Was Done.",
                provider=self.transaction_id.provider_id.name,
                reference=self.transaction_id.reference,
            ),
            is_final=True,
        )

    def _get_cannot_retry_reason(self):
        if self.is_unknown:
            return self.env._(
                "Nobody knows yet whether transaction %s was executed: choose Send "
                "Again or Was Done.",
                self.transaction_id.reference,
            )
        return super()._get_cannot_retry_reason()

    def _get_cannot_skip_reason(self):
        if self.is_unknown:
            return self._get_cannot_retry_reason()
        if self._is_on_way() and self.state == "pending":
            return self.env._(
                "Transaction %s is on its way and cannot be called back.",
                self.transaction_id.reference,
            )
        return super()._get_cannot_skip_reason()

    def _check_unknown(self):
        """Raise unless a person has to decide about the transaction."""
        self.ensure_one()
        self._check_may_settle()
        if not self.is_unknown:
            raise UserError(
                self.env._("The outcome of “%s” is known.", self._get_kind_label())
            )

    def action_send_again(self):
        """Send the same transaction again: it had not arrived (button)."""
        self._check_unknown()
        if self.cancellation_id.reactivated_date:
            raise UserError(
                self.env._(
                    "Cancellation %s is undone: nothing follows it any more. Choose "
                    "Was Done if the provider has executed the transaction.",
                    self.cancellation_id.name,
                )
            )
        self._as_engine()._decide_unknown(lambda step: step._send(step.transaction_id))

    def action_was_done(self):
        """Book the transaction: the provider has executed it (button)."""
        self._check_unknown()
        self._as_engine()._decide_unknown(lambda step: step._book_as_done())

    def _decide_unknown(self, decision):
        """Go on as somebody decided, unless the provider has answered meanwhile.

        :param decision: callable with this step
        """
        with self.cancellation_id._hold_steps() as is_held:
            if not (is_held and self.is_unknown):
                return
            if self.transaction_id.state != "draft":
                self._finish_transaction()
                return
            # Due, so that a kill from here on does not strand it.
            now = fields.Datetime.now()
            self._set_state("pending", attempts=1, error=False, next_attempt_at=now)
            decision(self)

    def _book_as_done(self):
        """Let Odoo book the transaction that the provider has executed."""
        self.transaction_id._set_done()
        self._finish_transaction()

    def action_register_payment(self):
        """Open Odoo's dialog to pay the credit memo back (button).

        It proposes what this step asks for: the rest of the credit memo may go back
        another way.
        """
        self.ensure_one()
        self._check_may_settle()
        memo = self.source_move_id.with_env(self.env)
        action = memo.action_register_payment()
        if memo.currency_id.compare_amounts(self.amount, memo.amount_residual) < 0:
            action["context"] |= {
                "default_amount": self.amount,
                "default_custom_user_amount": self.amount,
                "default_custom_user_currency_id": self.currency_id.id,
            }
        return action
