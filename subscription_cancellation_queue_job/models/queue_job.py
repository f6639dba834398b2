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
#: After this time a failed job is tried again, and a waiting one is worth a warning.
PATIENCE = timedelta(hours=1)


class QueueJob(models.Model):
    """Know which cancellations have a job already."""

    _inherit = "queue.job"

    @api.model
    def _search_open_cancellation_jobs(self, *methods):
        """Return the jobs that are not done.

        :param methods: ``EXECUTE``, ``SETTLE``; both where absent
        """
        return self.search(
            Domain("model_name", "=", "subscription.cancellation")
            & Domain("method_name", "in", methods or (EXECUTE, SETTLE))
            & Domain("state", "in", OPEN_STATES)
        )

    def _get_cancellation_ids(self):
        """Return the ids of the cancellations that these are about.

        Read from the jobs themselves, which cannot contradict what the runner does. An
        identity key alone would not do: ``queue_job`` compares it with what waits, not
        with what runs or has failed, and a batch of cancellations is another one as
        soon as one more is due.
        """
        return {cancellation_id for job in self for cancellation_id in job.records.ids}

    def _look_after_cancellation_jobs(self):
        """Try failed ones of these again, and warn of those that nobody takes.

        What is wrong with a cancellation or a step is recorded on it, and its job is
        done. A job fails where the database or the server did, and nobody's
        cancellation should wait for somebody to notice.
        """
        before = fields.Datetime.now() - PATIENCE
        failed = self.filtered(lambda job: job.state == "failed")
        failed.filtered(lambda job: (job.date_started or before) <= before).requeue()
        waiting = self.filtered(lambda job: job.state == "pending") - failed
        late = waiting.filtered(lambda job: (job.eta or job.date_created) <= before)
        if late:
            _logger.warning(
                "%s jobs of channel %s have waited for more than %s: see that the job "
                "runner runs, and that its channels are wide enough.",
                len(late),
                late[0].channel,
                PATIENCE,
            )
