# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Which subscription line and period an invoice line bills is found out when posted."""

from odoo import api, models
from odoo.tools import split_every

from .period_stamper import PeriodStamper


class AccountMoveLine(models.Model):
    """Find out which subscription line and period these bill."""

    _inherit = "account.move.line"

    def _stamp_subscription_lines(self):
        """Link invoice lines to the subscription line and period they bill.

        Upstream's own invoices are stamped when they are made; this fills in what
        was typed by hand, or made before this addon was installed.

        :return: the lines of these that could not be matched
        """
        missing = self.filtered(
            lambda line: (
                line.display_type == "product"
                and line.product_id
                and not (line.subscription_line_id and line.start_date)
            )
        )
        # sudo: whoever posts an invoice need not be allowed to read subscriptions.
        return PeriodStamper(missing.sudo()).stamp() if missing else missing

    @api.model
    def _stamp_existing_invoices(self, batch_size=1000):
        """Stamp every invoice line made before this addon was there, drafts included.

        A cancellation has to know which days a draft is going to bill. Running it again
        continues: what is stamped is not touched again.

        :param int batch_size: lines per batch
        :return: tuple of the numbers of lines stamped and left
        """
        unlinked = self._get_unlinked_domain(states=("draft", "posted"))
        ids = self.search(unlinked, order="id").ids
        left = 0
        # Nobody changes what these bill: there is nothing to tell on each.
        quiet = self.with_context(tracking_disable=True)
        for batch in split_every(batch_size, ids, quiet.browse):
            left += len(batch._stamp_subscription_lines())
            self.env.flush_all()
            self.env.invalidate_all()
        return len(ids) - left, left

    def _get_billed_subscriptions(self):
        """Return the subscriptions that this line's invoice may be billing."""
        self.ensure_one()
        orders = self.sale_line_ids.order_id
        return (
            self.subscription_line_id.sale_subscription_id
            or self.move_id.subscription_id
            or orders.order_subscription_id
            or orders.subscription_ids
        )
