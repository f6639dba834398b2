# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain

_logger = logging.getLogger(__name__)

#: The jobs of this addon.
EXECUTE, SETTLE = "_job_execute", "_job_run_steps"
#: In these states a job is still to be done; of the last one a person was told.
OPEN_STATES = ("wait_dependencies", "pending", "enqueued", "started", "failed")
#: After it a failed job is tried again, and one that waits is waited for no more.
PATIENCE = timedelta(hours=1)


class QueueJob(models.Model):
    """Know which cancellations have a job already, and whether anybody does it."""

    _inherit = "queue.job"

    @api.model
    def _get_cancellation_jobs_domain(self, *methods):
        """Return the domain of jobs that are not done.

        :param methods: ``EXECUTE``, ``SETTLE``; both where absent
        """
        return (
            Domain("model_name", "=", "subscription.cancellation")
            & Domain("method_name", "in", methods or (EXECUTE, SETTLE))
            & Domain("state", "in", OPEN_STATES)
        )

    @api.model
    def _search_open_cancellation_jobs(self, *methods):
        """Return the jobs that are not done.

        :param methods: ``EXECUTE``, ``SETTLE``; both where absent
        """
        domain = self._get_cancellation_jobs_domain(*methods)
        return self.search_fetch(domain, ["records"])

    def _get_cancellation_ids(self):
        """Return the ids of the cancellations that these are about.

        Read from the jobs themselves, which cannot contradict what the runner does. An
        identity key alone would not do: ``queue_job`` compares it with what waits, not
        with what runs or has failed, and a batch of cancellations is another one as
        soon as one more is due.
        """
        return {cancellation_id for job in self for cancellation_id in job.records.ids}

    @api.model
    def _look_after_cancellation_jobs(self):
        """Try failed jobs again; return whether there are some that nobody takes.

        What is wrong with a cancellation or a step is recorded on it, and its job is
        done. A job fails where the database or the server did, and nobody's
        cancellation should wait for somebody to notice.
        """
        before = fields.Datetime.now() - PATIENCE
        late = self._count_late_cancellation_jobs(before)
        if late:
            _logger.warning(
                "%s jobs of subscription cancellations have waited for more than %s: "
                "see that the job runner runs, and that its channels are wide enough. "
                "The scheduled actions do the work themselves until they are done.",
                late,
                PATIENCE,
            )
        failed = Domain("state", "=", "failed") & (
            Domain("date_started", "=", False) | Domain("date_started", "<=", before)
        )
        self.search(self._get_cancellation_jobs_domain() & failed).requeue()
        return bool(late)

    @api.model
    def _count_late_cancellation_jobs(self, before):
        """Return how many jobs have waited, or are said to run, since ``before``."""
        pending = Domain("state", "=", "pending") & (
            Domain("eta", "<=", before)
            | (Domain("eta", "=", False) & Domain("date_created", "<=", before))
        )
        enqueued = Domain("state", "=", "enqueued") & Domain(
            "date_enqueued", "<=", before
        )
        started = Domain("state", "=", "started") & Domain("date_started", "<=", before)
        return self.search_count(
            self._get_cancellation_jobs_domain() & (pending | enqueued | started)
        )
