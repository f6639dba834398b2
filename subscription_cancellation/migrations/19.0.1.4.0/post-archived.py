# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What runs could be archived until 19.0.1.4.0: it was never billed again."""

import logging

_logger = logging.getLogger(__name__)


def migrate(cr, version):
    """Name what was archived while it ran; somebody has to restore or cancel it."""
    cr.execute(
        """
        SELECT string_agg(COALESCE(NULLIF(subscription.name, ''),
                                   '#' || subscription.id), ', '
                          ORDER BY subscription.id)
          FROM sale_subscription subscription
          JOIN sale_subscription_stage stage ON stage.id = subscription.stage_id
         WHERE stage.type = 'in_progress'
           AND subscription.active IS NOT TRUE
        """
    )
    [(names,)] = cr.fetchall()
    if names:
        _logger.warning(
            "These subscriptions were archived while they ran, so that they are not "
            "billed and never end: %s. Filter the list by Archived While Running; "
            "unarchive them, and deactivate those that have ended.",
            names,
        )
