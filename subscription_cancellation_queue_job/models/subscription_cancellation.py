# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from datetime import timedelta

from odoo import api, models
from odoo.exceptions import LockError
from odoo.fields import Domain
from odoo.tools import split_every

from odoo.addons.queue_job.exception import RetryableJobError
from odoo.addons.queue_job.job import identity_exact

from .queue_job import EXECUTE, SETTLE

#: Name and default of the system parameter: cancellations per job.
BATCH_SIZE = ("subscription_cancellation_queue_job.batch_size", 50)
#: What is due is looked up in so many at once.
PAGE_SIZE = 1000
#: When to look again at what somebody else is at.
LATER = timedelta(minutes=1)


class SubscriptionCancellation(models.Model):
    """Leave to jobs what the scheduled actions would do.

    The locks and states of the engine stay the truth: a job that comes late, or twice,
    finds nothing to do. So where nobody takes the jobs, the scheduled actions do the
    work as they would without this addon.
    """

    _inherit = "subscription.cancellation"

    # === ENQUEUE === #

    @api.model
    def _cron_execute_due(self, batch_size=100):
        """Make jobs of what is due and has none; execute only what nobody takes.

        :param int batch_size: cancellations per job at most; the system parameter may
            say fewer
        """
        if self._is_left_by_jobs():
            return super()._cron_execute_due(batch_size)
        pages = self._get_pages(self, self._get_due_domain(), "due_at")
        size = min(batch_size, self._get_job_batch_size())
        return self._enqueue_due(EXECUTE, pages, size)

    @api.model
    def _cron_run_steps(self, batch_size=100):
        """Make a job of each cancellation that has steps to take.

        The steps of one cancellation are one job, because they are taken in their
        order, by one worker at a time.

        :param int batch_size: cancellations to look up at once, where nobody takes jobs
        """
        if self._is_left_by_jobs():
            return super()._cron_run_steps(batch_size)
        Step = self.env["subscription.cancellation.step"]
        pages = self._get_pages(Step, self._get_due_steps_domain(), "next_attempt_at")
        # What waits for another step stays due, but is no work.
        due = (
            (
                steps.cancellation_id.filtered(lambda one: one._get_next_step(Step)),
                left,
            )
            for steps, left in pages
        )
        return self._enqueue_due(SETTLE, due, 1)

    @api.model
    def _is_left_by_jobs(self):
        """Return whether there are jobs that nobody takes."""
        # sudo: jobs of all companies, whichever user the scheduled action has.
        return self.env["queue.job"].sudo()._look_after_cancellation_jobs()

    @api.model
    def _get_job_batch_size(self):
        """Return how many cancellations are executed together, at least one."""
        name, default = BATCH_SIZE
        # sudo: a technical setting, readable by administrators only.
        value = self.env["ir.config_parameter"].sudo().get_param(name, "")
        return max(int(value), 1) if value.isdigit() else default

    @api.model
    def _get_pages(self, model, domain, date_field):
        """Yield what is due, page by page, and how much is left after each.

        :param model: of what is due
        :param Domain domain: of what is due
        :param str date_field: since when it is; the longest comes first
        """
        rest = domain
        order = f"{date_field}, id"
        while page := model.search(rest, order=order, limit=PAGE_SIZE):
            last = page[-1]
            later = Domain(date_field, ">", last[date_field]) | (
                Domain(date_field, "=", last[date_field]) & Domain("id", ">", last.id)
            )
            rest = domain & later
            yield page, model.search_count(rest)
            # Nothing of it is needed any more, and there may be many pages.
            self.env.invalidate_all()

    def _enqueue_due(self, method, pages, batch_size):
        """Make jobs of what is due and has none, committing after each.

        Every job is about one company, whose documents share their numbering.

        :param pages: yields cancellations that are due, and what is left after them
        """
        # sudo: as in ``_is_left_by_jobs``.
        jobs = self.env["queue.job"].sudo()._search_open_cancellation_jobs(method)
        known = jobs._get_cancellation_ids()
        commit = self.env["ir.cron"]._commit_progress
        for due, left in pages:
            new = due.filtered(lambda one: one.id not in known)
            commit(remaining=left + len(new))
            for company, own in new.grouped("company_id").items():
                for batch in split_every(batch_size, own.ids, self.browse):
                    batch.with_company(company)._enqueue(method)
                    if not commit(len(batch)):
                        return
            known.update(new.ids)
            commit(remaining=left)

    def _enqueue(self, method, eta=None):
        """Make one job of these.

        :param timedelta eta: how long it has to wait
        """
        job = self.with_delay(
            identity_key=identity_exact, description=self._describe_job(method), eta=eta
        )
        getattr(job, method)()

    def _describe_job(self, method):
        """Return the name of a job, as the list of jobs shows it."""
        if method == SETTLE:
            return self.env._("Settle cancellation %s", self.name)
        return self.env._(
            "Execute due cancellations from %(name)s on (%(count)s)",
            count=len(self),
            name=self[0].name,
        )

    # === JOBS === #

    def _job_execute(self):
        """Execute those of these that are due, all in one transaction.

        :raise RetryableJobError: an invoice is in use elsewhere
        """
        due = self.filtered_domain(self._get_due_domain())
        free = due._lock_first(len(due)) if due else due
        try:
            free._execute_batch()
        except LockError as error:
            raise RetryableJobError(
                str(error), seconds=LATER.total_seconds(), ignore_retry=True
            ) from error
        held = due - free
        if held:
            held._enqueue(EXECUTE, eta=LATER)

    def _job_run_steps(self):
        """Take the steps of this cancellation that are due.

        The job may commit (see its function): a transaction is stored before the
        provider is called, and who takes the steps holds a lock across commits. What
        fails is tried again when the step says so, by another job.
        """
        self._run_steps()
