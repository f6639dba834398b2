# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What happened, told to other software: one row each, published in order."""

import logging

import psycopg2
from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import LockError, UserError
from odoo.fields import Domain
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

from odoo.addons.base_automation.models.base_automation import CREATE_TRIGGERS

from ...const import MAX_CONFLICTS
from ...engine import is_engine
from ...failures import explain

_logger = logging.getLogger(__name__)

EVENTS = [
    ("requested", "Requested"),
    ("approval_needed", "Approval needed"),
    ("scheduled", "Scheduled"),
    ("moved", "Moved"),
    ("revoked", "Revoked"),
    ("refused", "Refused"),
    ("failed", "Failed"),
    ("done", "Done"),
    ("reactivated", "Reactivated"),
    ("step", "Settlement step"),
]
#: What other software is told of an event, and nothing else: no text that people wrote
#: or a payment provider sent, no name, address, token or link.
PAYLOAD = (
    "number",
    "event",
    "event_date",
    "cancellation_id",
    "cancellation_name",
    "subscription_id",
    "subscription_code",
    "partner_id",
    "company_id",
    "channel",
    "state",
    "timing",
    "effective_date",
    "last_service_date",
    "previous_effective_date",
    "is_whole",
    "subscription_line_ids",
    "reason_code",
    "currency",
    "credit_untaxed",
    "credit_tax",
    "credit_total",
    "refundable",
    "credit_note_ids",
    "invoice_ids",
    "invoice_credit_note_ids",
    "step_id",
    "step_kind",
    "step_state",
    "step_amount",
)
#: Days for which events are kept; 0: for ever.
RETENTION_PARAMETER = "subscription_cancellation.event_retention_days"
RETENTION = 365
#: Events forgotten in one go.
VACUUM_SIZE = 10_000


def _selection_of(model, name):
    """Return, for a selection field, the values and words of another field."""
    return lambda self: self.env[model]._fields[name]._description_selection(self.env)


class JsonIds(fields.Json):
    """A list of ids as it was, whoever reads it and whatever became of the records.

    What a ``Many2many`` holds depends on the rights of the reader.
    """

    def convert_to_record(self, value, record):
        """Return the list; Odoo stores nothing where it is empty."""
        return super().convert_to_record(value, record) or []


class SubscriptionCancellationEvent(models.Model):
    """Something that happened to a cancellation, as it was at that moment.

    Written in the transaction in which it happens, and published right after that is
    committed: it gets its number, and automation rules on the creation of events run.
    So neither a rule that fails nor a receiver that does not answer can hold up, or
    take back, a cancellation; and nobody is told what was rolled back.

    Everything is a copy, not a look at the cancellation, which may have moved on.
    Everything is written by the engine; nobody has write access.
    """

    _name = "subscription.cancellation.event"
    _description = "Cancellation Event"
    _inherit = ["subscription.proof.mixin"]
    _rec_name = "cancellation_name"
    _order = "id desc"

    number = fields.Integer(
        readonly=True,
        copy=False,
        help="Counts the events in the order in which they were published: whoever "
        "asks for what is greater than the last number misses none.",
    )
    published_date = fields.Datetime(
        string="Published On",
        readonly=True,
        copy=False,
        help="When the event got its number and the automation rules ran.",
    )
    event = fields.Selection(selection=EVENTS, required=True, readonly=True, index=True)
    event_date = fields.Datetime(string="Happened On", required=True, readonly=True)
    cancellation_id = fields.Many2one(
        comodel_name="subscription.cancellation",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
    )
    cancellation_name = fields.Char(string="Reference", readonly=True)
    subscription_id = fields.Many2one(
        comodel_name="sale.subscription", readonly=True, ondelete="cascade"
    )
    subscription_code = fields.Char(string="Subscription Reference", readonly=True)
    partner_id = fields.Many2one(
        comodel_name="res.partner",
        string="Customer",
        readonly=True,
        ondelete="restrict",
    )
    company_id = fields.Many2one(
        comodel_name="res.company", readonly=True, ondelete="cascade"
    )
    channel = fields.Selection(
        selection=_selection_of("subscription.cancellation", "channel"), readonly=True
    )
    state = fields.Selection(
        selection=_selection_of("subscription.cancellation", "state"),
        readonly=True,
        help="State of the cancellation after the event.",
    )
    timing = fields.Selection(
        selection=_selection_of("subscription.cancellation", "timing"),
        string="When",
        readonly=True,
    )
    effective_date = fields.Date(readonly=True, help="First day without service.")
    last_service_date = fields.Date(string="Ends On", readonly=True)
    previous_effective_date = fields.Date(
        readonly=True,
        help="First day without service before the date was moved.",
    )
    is_whole = fields.Boolean(string="Whole Subscription", readonly=True)
    subscription_line_ids = JsonIds(
        string="Subscription Lines",
        readonly=True,
        help="The ids of the subscription lines that end.",
    )
    reason_code = fields.Char(readonly=True, help="Empty where no reason was given.")
    currency_id = fields.Many2one(
        comodel_name="res.currency", readonly=True, ondelete="restrict"
    )
    currency = fields.Char(
        string="Currency Code", readonly=True, help="The currency of all amounts."
    )
    credit_untaxed = fields.Monetary(
        readonly=True, help="What was credited until then, without taxes."
    )
    credit_tax = fields.Monetary(readonly=True)
    credit_total = fields.Monetary(readonly=True)
    refundable = fields.Monetary(
        readonly=True, help="The part of the credit that exceeds what is due."
    )
    credit_note_ids = JsonIds(
        string="Credit Memos", readonly=True, help="The ids of the credit memos."
    )
    invoice_ids = JsonIds(
        string="Invoices",
        readonly=True,
        help="The ids of the invoices that the cancellation made: of extra, left-out "
        "and unbilled days, and those that took a credit memo back.",
    )
    invoice_credit_note_ids = JsonIds(
        string="Credit Memos of Extra Days",
        readonly=True,
        help="The ids of the credit memos that took such an invoice back. They are not "
        "part of what was credited.",
    )
    step_id = fields.Many2one(
        comodel_name="subscription.cancellation.step",
        string="Settlement Step",
        readonly=True,
        ondelete="cascade",
    )
    step_kind = fields.Selection(
        selection=_selection_of("subscription.cancellation.step", "kind"),
        string="Step",
        readonly=True,
    )
    step_state = fields.Selection(
        selection=_selection_of("subscription.cancellation.step", "state"),
        string="Outcome",
        readonly=True,
    )
    step_amount = fields.Monetary(readonly=True)
    rule_error = fields.Text(
        string="Failed Rules",
        readonly=True,
        copy=False,
        groups="base.group_system",
        help="The automation rules that could not be run for this event, and why.",
    )

    _number_uniq = models.UniqueIndex(
        "(number) WHERE published_date IS NOT NULL",
        "Two events cannot have the same number.",
    )
    _unpublished_idx = models.Index("(id) WHERE published_date IS NULL")

    # === PROOF === #

    def write(self, vals):
        self._check_engine()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_engine(self):
        self._check_engine()

    def _check_engine(self):
        """Raise unless this is the engine, which numbers and forgets events."""
        if not is_engine(self):
            raise UserError(
                self.env._("Events are kept as they happened: they cannot be changed.")
            )

    # === RECORD === #

    @api.model
    def _record(self, values_list):
        """Write down what happened, and wake the scheduled action that publishes it.

        :param list values_list: one dict of field values per event
        """
        events = self._as_engine().create(values_list)
        if events:
            self.env["ir.cron"]._wake_own("publish_events")
        return events

    # === PUBLISH === #

    @api.model
    def _cron_publish(self, batch_size=20):
        """Publish what has happened, in order, committing after each batch.

        :param int batch_size: events per transaction. Odoo sends its webhooks right
            after each commit, one by one, and gives each receiver a second.
        """
        conflicts = 0
        while events := self._lock_unpublished(batch_size):
            try:
                events._publish()
                left = self.search_count(self._get_unpublished_domain())
                Cron = self.env["ir.cron"]
                seconds_left = Cron._commit_progress(len(events), remaining=left)
            except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
                # A rule wrote what somebody else has changed.
                self.env.cr.rollback()
                conflicts += 1
                if conflicts > MAX_CONFLICTS:
                    raise
                continue
            self.env.invalidate_all()
            if not seconds_left:
                break

    @api.model
    def _get_unpublished_domain(self):
        return Domain("published_date", "=", False)

    @api.model
    def _lock_unpublished(self, batch_size):
        """Return the next events; none where somebody else is publishing them.

        They look again after their commit, so what is left to them is not forgotten.
        """
        events = self.search(
            self._get_unpublished_domain(), order="id", limit=batch_size
        )
        try:
            events.lock_for_update()
        except LockError:
            return self.browse()
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            # They have finished these after our snapshot was taken.
            self.env.cr.rollback()
            return self.browse()
        return events

    def _publish(self):
        """Number these, and run the automation rules on them."""
        last = self.search(
            Domain("published_date", "!=", False), order="number desc", limit=1
        )
        now = fields.Datetime.now()
        for number, event in enumerate(self._as_engine(), last.number + 1):
            event.write({"number": number, "published_date": now})
        self.flush_recordset()
        rules = self._get_rules()
        for event in self:
            for rule in rules:
                event._run_rule(rule)

    @api.model
    def _get_rules(self):
        """Return the active automation rules on the creation of events."""
        # sudo: nobody else but administrators may read them.
        return (
            self.env["base.automation"]
            .sudo()
            .search(
                [("model_name", "=", self._name), ("trigger", "in", CREATE_TRIGGERS)]
            )
        )

    def _run_rule(self, rule):
        """Run one rule on this event; where it fails, say so and go on."""
        self.ensure_one()
        try:
            with self.env.cr.savepoint():
                rule._process(rule._filter_post(self))
        except psycopg2.OperationalError:
            raise
        except Exception as error:
            _logger.exception("Automation rule %s failed", rule.name)
            engine = self._as_engine()
            text = f"{rule.name}: {explain(self.env, error)}"
            engine.rule_error = "\n".join(filter(None, [engine.rule_error, text]))

    # === FORGET === #

    @api.model
    def _get_retention_days(self):
        """Return for how many days events are kept, 0: for ever."""
        # sudo: only administrators may read parameters.
        parameters = self.env["ir.config_parameter"].sudo()
        days = parameters.get_param(RETENTION_PARAMETER, "").strip()
        return int(days) if days.isdecimal() else RETENTION

    @api.autovacuum
    def _gc_events(self):
        """Forget published events that are old enough.

        The last one stays, whatever its age: the numbers go on from it.
        """
        days = self._get_retention_days()
        if not days:
            return
        published = Domain("published_date", "!=", False)
        last = self.search(published, order="number desc", limit=1)
        until = fields.Datetime.now() - relativedelta(days=days)
        old = Domain("event_date", "<", until) & Domain("id", "!=", last.id)
        self.search(published & old, limit=VACUUM_SIZE)._as_engine().unlink()
