# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Odoo logs tracked changes record by record; of many, that is most of the work."""

from markupsafe import Markup

from odoo import models

from ...formatting import refine_dates

#: Context keys that hold the :class:`Logs` of what is logged together.
TRACKING = "subscription_cancellation_tracking"
LOGGING = "subscription_cancellation_logging"


class Logs(list):
    """Values of messages. A class, because no context that comes over RPC has one.

    They are those of one model, and until it is done: what others do meanwhile, in
    hooks of Odoo, has the same context.
    """

    def __init__(self, model):
        super().__init__()
        self.model = model
        self.is_open = True

    def collects_from(self, model):
        """Return whether what ``model`` logs is collected here."""
        return self.is_open and self.model == model


class TrackingMixin(models.AbstractModel):
    """Log the tracked changes of many records in one ``create``.

    For models with a chatter, which name this first: it is about ``mail.thread``.
    """

    _name = "subscription.tracking.mixin"
    _description = "Changes Tracked Together"

    def _message_track(self, fields_iter, initial_values_dict):
        logs = Logs(self._name)
        collecting = self.with_context(**{TRACKING: logs})
        tracking = super(TrackingMixin, collecting)._message_track(
            fields_iter, initial_values_dict
        )
        logs.is_open = False
        if logs:
            # sudo: as Odoo's `_message_log_batch`, which has made these values.
            self.sudo()._create_logs(logs)
        return tracking

    def message_post(self, **kwargs):
        # Hooks of what is posted meanwhile log by themselves.
        if self.env.context.get(TRACKING):
            self = self.with_context(**{TRACKING: None})
        return super().message_post(**kwargs)

    def _create_logs(self, logs):
        """Create messages, and then the changed values of all of them."""
        changes = [values.pop("tracking_value_ids", None) or [] for values in logs]
        messages = self._message_create(logs)
        self.env["mail.tracking.value"].create(
            [
                {**values, "mail_message_id": message.id}
                for message, commands in zip(messages, changes, strict=True)
                for _create, _no_id, values in commands
            ]
        )

    def _log_sentences(self, sentences):
        """Log what happened to one record, together with what has changed.

        :param list sentences: texts, or HTML; what is empty is left out
        """
        body = Markup(" ").join(filter(None, sentences))
        self._log_with_changes({self.id: refine_dates(body, self.env.lang)})

    def _log_with_changes(self, bodies):
        """Log texts: in the message about tracked changes, where there are any.

        :param dict bodies: texts by record id
        """
        tracked = self.env.cr.precommit.data.get(f"mail.tracking.{self._name}", {})
        others = self.browse()
        for record in self:
            before = tracked.get(record.id) or {}
            if any(record[name] != value for name, value in before.items()):
                record._track_set_log_message(bodies[record.id])
            else:
                others |= record
        others._message_log_batch({one.id: bodies[one.id] for one in others})
        # Now: what changes back until the commit would take the text with it.
        self._track_finalize()

    def _message_log_batch(self, bodies, *args, **kwargs):
        # Only logs wait: what is posted notifies followers, for which it must exist.
        logs = self.env.context.get(TRACKING)
        if not (isinstance(logs, Logs) and logs.collects_from(self._name)):
            return super()._message_log_batch(bodies, *args, **kwargs)
        collecting = self.with_context(**{TRACKING: None, LOGGING: logs})
        return super(TrackingMixin, collecting)._message_log_batch(
            bodies, *args, **kwargs
        )

    def _message_create(self, values_list):
        logs = self.env.context.get(LOGGING)
        if not (isinstance(logs, Logs) and logs.collects_from(self._name)):
            return super()._message_create(values_list)
        logs += values_list
        return self.env["mail.message"]
