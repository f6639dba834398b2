# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Executing what is due: the scheduled action, and failures told to somebody."""

import logging
from datetime import timedelta

import psycopg2
from psycopg2.errors import LockNotAvailable, QueryCanceled

from odoo import api, fields, models
from odoo.exceptions import LockError, UserError
from odoo.fields import Domain
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL, split_every

from ...const import MAX_CONFLICTS
from ...failures import CONFLICTS, explain

_logger = logging.getLogger(__name__)

#: How long the scheduled action waits for a row that somebody else has locked, an
#: invoice's for example: longer than another worker's batch takes.
LOCK_PATIENCE = "20s"
#: When it comes back to what it has left.
LATER = timedelta(minutes=5)
#: Name the advisory locks of journals, and of workers, among those of a database.
JOURNAL_SPACE = 19_0412
WORKER_SPACE = 19_0413
#: So many batches are looked at for one that is free.
PAGE = 10


class SubscriptionCancellation(models.Model):
    """Execute cancellations on their date, many at once."""

    _inherit = "subscription.cancellation"

    @api.model
    def _cron_execute_due(self, batch_size=100):
        """Execute what is due, batch by batch, committing after each.

        Several workers may run this at once: each locks its own batch and skips
        what another one holds. A kill loses at most the running batch, which is
        still due afterwards. After a conflict it goes on one by one; what somebody
        else keeps locked stays due and is left for later, so that the others get done.

        :param int batch_size: cancellations per transaction
        """
        size, conflicts, held = batch_size, 0, self.browse()
        while due := self._lock_due(size, held):
            try:
                seconds_left = due._execute_and_commit(held)
            except CONFLICTS as error:
                self.env.cr.rollback()
                conflicts += 1
                is_locked = isinstance(error, LockNotAvailable)
                # Other conflicts pass: then the whole batch is tried once again.
                if is_locked or conflicts > 1:
                    size = 1
                if len(due) == 1 and (is_locked or conflicts > MAX_CONFLICTS):
                    held, conflicts = held | due, 0
                continue
            size, conflicts = min(2 * size, batch_size), 0
            self.env.invalidate_all()
            if not seconds_left:
                break
        if held:
            self._come_back_later()

    def _execute_and_commit(self, held):
        """Execute together and commit; return how many seconds are left for more.

        :param held: what is left for later, not at once
        """
        self._execute_batch()
        return self.env["ir.cron"]._commit_progress(
            len(self), remaining=self._count_due(held)
        )

    @api.model
    def _come_back_later(self):
        """Wake the scheduled action again before its turn."""
        self.env["ir.cron"]._wake_own("execute_due", fields.Datetime.now() + LATER)

    @api.model
    def _get_due_domain(self, held=()):
        """Return what finds the due ones.

        :param held: cancellations to leave out
        """
        domain = Domain("state", "=", "scheduled") & Domain(
            "due_at", "<=", fields.Datetime.now()
        )
        return domain & Domain("id", "not in", held.ids) if held else domain

    @api.model
    def _count_due(self, held=()):
        """Return how many are due, without those that are left for later."""
        return self.search_count(self._get_due_domain(held))

    @api.model
    def _lock_due(self, batch_size, held=()):
        """Return up to ``batch_size`` due cancellations that no one else holds.

        :param held: never return these
        """
        for _attempt in range(MAX_CONFLICTS):
            try:
                return self._lock_for_worker(batch_size, held)
            except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
                # Another worker finished one of them after our snapshot was taken.
                self.env.cr.rollback()
        return self.browse()

    @api.model
    def _lock_for_worker(self, batch_size, held):
        """Return a batch; where others work, too, preferably of a free journal."""
        self.env.cr.execute(
            SQL("SELECT set_config('lock_timeout', %s, true)", LOCK_PATIENCE)
        )
        due = self._search_due(held, limit=batch_size * PAGE)
        locked = self.browse()
        if due and self._has_other_workers():
            locked = due._lock_in_free_journal(batch_size)
        return (
            locked
            or due._lock_first(batch_size)
            # All of them are held: whatever else is due.
            or self._search_due(held)._lock_first(batch_size)
        )

    @api.model
    def _has_other_workers(self):
        """Say in this transaction that this is one; return whether there are more."""
        self.env.cr.execute(
            SQL("SELECT pg_advisory_xact_lock_shared(%s, 0)", WORKER_SPACE)
        )
        self.env.cr.execute(
            SQL(
                "SELECT count(*) > 1 FROM pg_locks JOIN pg_database"
                " ON pg_database.oid = pg_locks.database"
                " WHERE datname = current_database()"
                " AND locktype = 'advisory' AND classid = %s",
                WORKER_SPACE,
            )
        )
        [is_shared] = self.env.cr.fetchone()
        return is_shared

    @api.model
    def _search_due(self, held, limit=None):
        domain = self._get_due_domain(held)
        return self.search(domain, order="due_at, id", limit=limit)

    def _lock_in_free_journal(self, batch_size):
        """Lock and return some of one journal in which no other worker posts.

        A journal gives its numbers to one transaction after the other: two workers in
        the same one would wait for each other.
        """
        by_journal = self.grouped(lambda due: due.subscription_id.journal_id)
        for journal, due in by_journal.items():
            key = (JOURNAL_SPACE, journal.id or 0)
            self.env.cr.execute(SQL("SELECT pg_try_advisory_xact_lock(%s, %s)", *key))
            [is_free] = self.env.cr.fetchone()
            locked = is_free and due._lock_first(batch_size)
            if locked:
                return locked
        return self.browse()

    def _lock_first(self, batch_size):
        """Lock and return the first ones that are free, subscription included."""
        for batch in split_every(batch_size, self.ids, self.browse):
            locked = batch.try_lock_for_update()
            free = locked.subscription_id.try_lock_for_update()
            locked = locked.filtered_domain([("subscription_id", "in", free.ids)])
            if locked:
                return locked
        return self.browse()

    def _execute_batch(self):
        """Execute together; where that fails, one by one, so that only the bad fail."""
        approved = self - self._hold_above_limit()
        if not approved:
            return
        try:
            with self.env.cr.savepoint():
                approved._execute()
        except Exception as error:
            if _is_passing(error):
                raise
            _logger.info("Executing %s cancellations one by one.", len(approved))
            for cancellation in approved:
                cancellation._execute_or_fail()

    def _execute_or_fail(self):
        """Execute; a failure is recorded on the document and told to somebody."""
        self._try_or_fail(self._execute)

    def _try_or_fail(self, work):
        """Do something with this one; record and tell a failure.

        :param work: a callable
        :return: whether it worked
        """
        self.ensure_one()
        try:
            with self.env.cr.savepoint():
                work()
        except Exception as error:
            if _is_passing(error):
                # It stays due.
                raise
            self._fail(self._explain(error))
            return False
        return True

    def _explain(self, error):
        """Return what is told of a failure; log what only a programmer understands."""
        if not isinstance(error, (UserError, QueryCanceled)):
            _logger.error("Cancellation %s failed", self.name, exc_info=error)
        return explain(self.env, error)

    def _execute_if_due(self):
        """Execute what is due of these, before upstream bills the subscription."""
        now = fields.Datetime.now()
        # sudo: upstream's billing may run with any user.
        due = self.sudo().filtered(
            lambda cancellation: (
                cancellation.state == "scheduled" and cancellation.due_at <= now
            )
        )
        for cancellation in due - due._hold_above_limit():
            cancellation._execute_or_fail()

    def _fail(self, message):
        """Leave the due set with a message and an activity for the responsible."""
        self = self._as_engine()  # noqa: PLW0642
        self._set_state("failed", failure_message=message)
        self._log_step({self: [self._get_failed_sentence()]}, self._get_documents())
        self._notify_responsible(
            self.env._("Cancellation %s failed", self.name), message
        )

    def action_retry(self):
        """Execute a failed cancellation again (button)."""
        self.ensure_one()
        if self.state != "failed":
            raise UserError(
                self.env._(
                    "Cancellation %s did not fail, so there is nothing to try again.",
                    self.name,
                )
            )
        self._check_revoke_access()
        self.subscription_id.lock_for_update()
        engine = self._as_engine()
        # Before executing, which may leave somebody a new one.
        engine.activity_unlink(["mail.mail_activity_data_warning"])
        engine._set_state("scheduled")
        if not engine._hold_if_above_limit():
            engine._execute()


def _is_passing(error):
    """Return whether somebody else is at the record, or the database has gone.

    A statement that the database cancelled is another matter: the record that needs
    it would be in the way of all others for ever.
    """
    if isinstance(error, QueryCanceled):
        return False
    gone = (psycopg2.OperationalError, psycopg2.InterfaceError)
    return isinstance(error, (*gone, LockError))
