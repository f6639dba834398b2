# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What the history says: each step once, on the cancellation and its subscription."""

from itertools import chain

from markupsafe import Markup

from odoo import models

from ...formatting import format_day, refine_dates


class SubscriptionCancellation(models.Model):
    """Tell in one message per step what was done, why, and what came of it.

    Who did it is the message's author.
    """

    _inherit = "subscription.cancellation"

    # === LOG === #

    def _create_without_note(self, values):
        """Return a new cancellation: the step that it comes with says more."""
        return (
            self.with_context(mail_create_nolog=True).create(values).with_env(self.env)
        )

    def _log(self, body):
        """Log a text on these only, together with what has changed."""
        self._log_with_changes({cancellation.id: body for cancellation in self})

    def _log_step(self, sentences, known, has_reasons=False):
        """Log a step on these and on their subscriptions.

        :param dict sentences: lists of texts, by cancellation
        :param known: ``account.move``, of :meth:`_get_documents` before the step
        :param bool has_reasons: whether to say why these were requested
        """
        told = {
            cancellation: [
                *texts,
                *cancellation._get_document_sentences(known),
                *(cancellation._get_request_sentences() if has_reasons else ()),
            ]
            for cancellation, texts in sentences.items()
        }
        self._log_with_changes(
            {one.id: self._join_sentences(texts) for one, texts in told.items()}
        )
        self.subscription_id._log_with_changes(
            {
                subscription.id: self._join_sentences(
                    chain.from_iterable(told[one] for one in own)
                )
                for subscription, own in self.grouped("subscription_id").items()
            }
        )

    def _join_sentences(self, sentences):
        """Return a body; what several cancellations have in common is said once."""
        body = Markup(" ").join(dict.fromkeys(filter(None, sentences)))
        return refine_dates(body, self.env.lang)

    # === DOCUMENTS === #

    def _get_documents(self):
        """Return the invoices and credit memos that these have made."""
        # sudo: who changes a cancellation need not be allowed to read invoices.
        engine = self.sudo()
        documents = engine.charge_invoice_ids | engine.credit_note_ids
        return documents | engine._get_charge_credit_notes()

    def _get_document_sentences(self, known):
        """Return which documents are new, with links and amounts.

        :param known: ``account.move``, those that are not
        """
        return (self._get_documents() - known)._name_in_history()

    # === SENTENCES === #

    def _describe_linked(self):
        """Return what is cancelled, as a link to this one."""
        return self._describe(self._get_html_link(title=self.name))

    def _get_scheduled_sentence(self):
        """Return that this is scheduled, and for when."""
        return self.env._(
            "%(what)s scheduled: service ends on %(date)s.",
            what=self._describe_linked(),
            date=format_day(self.env, self.last_service_date),
        )

    def _get_request_sentences(self):
        """Return why this was requested, and how, where not in the back office."""
        sentences = []
        if self.reason_id:
            reason = self.reason_name or self.reason_id.name
            sentences.append(self.env._("Reason: %s.", reason))
        if self.comment:
            comment = Markup("<br/>").join(self.comment.strip().splitlines())
            sentences.append(self.env._("Comment: “%s”", comment))
        if self.declaration_id:
            link = self.declaration_id._get_html_link()
            sentences.append(self.env._("Declared by the customer: %s.", link))
        elif self.channel != "backend":
            labels = dict(self._fields["channel"]._description_selection(self.env))
            sentences.append(self.env._("Channel: %s.", labels[self.channel]))
        return sentences

    def _log_request(self, expected):
        """Tell that somebody has to approve this first, and why it was requested.

        :param str expected: the sentence about the credit to come
        """
        end = self.env._(
            "Service would end on %s.", format_day(self.env, self.last_service_date)
        )
        sentences = [self._get_waiting_sentence(), end, expected]
        self._log_step({self: sentences}, self._get_documents(), has_reasons=True)

    def _get_waiting_sentence(self):
        """Return that this waits for approval, and why."""
        return self.env._(
            "%(what)s needs approval: %(reason)s.",
            what=self._describe_linked(),
            reason=self.approval_reason,
        )

    def _get_approved_sentences(self):
        """Return that this was approved, when service ends, and the comment."""
        approved = self.env._(
            "%(what)s approved: service ends on %(date)s.",
            what=self._describe_linked(),
            date=format_day(self.env, self.last_service_date),
        )
        return [approved, self.decision_comment]

    def _get_refused_sentence(self):
        """Return that this was refused, and why."""
        return self.env._(
            "%(what)s refused: %(comment)s",
            what=self._describe_linked(),
            comment=self.decision_comment,
        )

    def _get_revoked_sentence(self):
        """Return that this was revoked."""
        return self.env._(
            "%(what)s revoked: billing goes on.", what=self._describe_linked()
        )

    def _get_obsolete_sentence(self):
        """Return that the end of the subscription has overtaken this."""
        return self.env._(
            "%(what)s is obsolete: the subscription has ended.",
            what=self._describe_linked(),
        )

    def _get_replaced_sentence(self):
        """Return that another cancellation has taken this one's place."""
        return self.env._(
            "%(what)s was replaced by a cancellation with an earlier date.",
            what=self._describe_linked(),
        )

    def _get_failed_sentence(self):
        """Return that this could not be executed, and why."""
        return self.env._(
            "%(what)s failed: %(error)s",
            what=self._describe_linked(),
            error=self.failure_message,
        )

    def _get_undone_sentence(self):
        """Return that this was undone, and which lines go on."""
        return self.env._(
            "%(what)s undone. Service goes on: %(lines)s.",
            what=self._describe_linked(),
            lines=", ".join(self.line_ids.subscription_line_id.mapped("name")),
        )

    def _log_reactivation(self, text, is_undo, known):
        """Tell that the subscription that these closed goes on.

        :param str text: what that leads to
        :param bool is_undo: whether these were a mistake
        :param known: as for :meth:`_log_step`
        """
        told = {}
        for one in self:
            link = one._describe_linked()
            if is_undo:
                opening = self.env._("%s undone.", link)
            else:
                opening = self.env._("%s: the subscription was reactivated.", link)
            told[one] = [opening, text]
        self._log_step(told, known)

    def _log_execution(self, known):
        """Tell what was ended and credited.

        :param known: as for :meth:`_log_step`
        """
        sentences = {one: one._get_execution_sentences() for one in self}
        self._log_step(sentences, known, has_reasons=True)

    def _get_execution_sentences(self):
        """Return what ended."""
        ended = self.env._(
            "%(what)s: service ends on %(date)s.",
            what=self._describe_linked(),
            date=format_day(self.env, self.last_service_date),
        )
        is_credited = bool(self.sudo().credit_note_ids)
        return [
            ended,
            *self._get_paid_ahead_sentences(),
            None if is_credited else self.env._("No credit memo was issued."),
        ]
