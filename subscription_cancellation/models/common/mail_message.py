# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from collections import defaultdict

from odoo import api, models


class MailMessage(models.Model):
    """Keep no link that acts for the customer where the staff reads it.

    Here, because mails come from many sides: templates, the composer, sharing, and the
    customer's answer that quotes what they got.
    """

    _inherit = "mail.message"

    @api.model_create_multi
    def create(self, vals_list):
        records = self._map_linked(vals_list)
        return super().create(
            [self._without_links(values, records) for values in vals_list]
        )

    @api.model
    def _map_linked(self, vals_list):
        """Return the records that these messages may hold links of, by model and id.

        Of all messages at once, because those of many records are made together.
        """
        ids = defaultdict(set)
        for values in vals_list:
            model, res_id = values.get("model"), values.get("res_id")
            # What has no slash has no link.
            if res_id and "/" in (values.get("body") or ""):
                ids[model].add(res_id)
        return {
            (model, record.id): record
            for model, res_ids in ids.items()
            if hasattr(self.env.get(model), "_hide_links")
            for record in self.env[model].browse(res_ids).exists()
        }

    @api.model
    def _without_links(self, values, records):
        """Return the values of a message without the secrets of its record's links.

        :param dict records: as of :meth:`_map_linked`
        """
        record = records.get((values.get("model"), values.get("res_id")))
        if not record or not values.get("body"):
            return values
        return {**values, "body": record._hide_links(values["body"])}
