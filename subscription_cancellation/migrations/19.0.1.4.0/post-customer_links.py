# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Employees could read the links with which customers act; now they cannot."""

#: Take one secret out of each message that has one.
HIDE = """
    UPDATE mail_message message
       SET body = replace(found.body, found.token, found.stand_in)
      FROM (
           SELECT DISTINCT ON (message.id)
                  message.id, message.body, secret.token, secret.stand_in
             FROM mail_message message
             JOIN (
                   SELECT 'sale.subscription' AS model, id AS res_id,
                          access_token AS token,
                          'only-in-the-mail-sale_subscription-' || id || '-'
                              AS stand_in
                     FROM sale_subscription
                    UNION ALL
                   SELECT 'subscription.cancellation', cancellation.id,
                          subscription.access_token,
                          'only-in-the-mail-sale_subscription-'
                              || subscription.id || '-'
                     FROM subscription_cancellation cancellation
                     JOIN sale_subscription subscription
                       ON subscription.id = cancellation.subscription_id
                    UNION ALL
                   SELECT 'subscription.cancellation', cancellation.id,
                          declaration.objection_token,
                          'only-in-the-mail-subscription_cancellation_declaration-'
                              || declaration.id || '-'
                     FROM subscription_cancellation cancellation
                     JOIN subscription_cancellation_declaration declaration
                       ON declaration.id = cancellation.declaration_id
                    UNION ALL
                   SELECT 'subscription.cancellation.declaration', id,
                          objection_token,
                          'only-in-the-mail-subscription_cancellation_declaration-'
                              || id || '-'
                     FROM subscription_cancellation_declaration
                  ) secret
               ON secret.model = message.model
              AND secret.res_id = message.res_id
            WHERE secret.token <> ''
              AND strpos(message.body, secret.token) > 0
           ) found
     WHERE found.id = message.id
"""


def migrate(cr, version):
    """Take the links out of the chatter, and renew those that no customer got.

    What a customer got by mail goes on working: they would be left without it, while
    employees cannot read it any more.
    """
    _forget_unsent_tokens(cr)
    # A message can hold two secrets, and an UPDATE changes a row once.
    cr.execute(HIDE)
    while cr.rowcount:
        cr.execute(HIDE)
    # The signature with which Odoo's sharing let its reader write as the customer.
    cr.execute(
        """
        UPDATE mail_message
           SET body = regexp_replace(body, 'hash=[0-9a-f]{64}', 'hash=', 'g')
         WHERE model = 'sale.subscription'
           AND body ~ 'hash=[0-9a-f]{64}'
        """
    )


def _forget_unsent_tokens(cr):
    """Forget the tokens of which no mail is known; Odoo makes a new one when needed."""
    cr.execute(
        """
        UPDATE sale_subscription subscription
           SET access_token = NULL
         WHERE access_token IS NOT NULL
           AND NOT EXISTS (
                   SELECT FROM mail_message message
                    WHERE (
                              (message.model = 'sale.subscription'
                               AND message.res_id = subscription.id)
                           OR (message.model = 'subscription.cancellation'
                               AND message.res_id IN (
                                       SELECT id FROM subscription_cancellation
                                        WHERE subscription_id = subscription.id
                                   ))
                          )
                      AND (
                              strpos(message.body, subscription.access_token) > 0
                           OR message.message_type IN ('email', 'email_outgoing')
                           OR EXISTS (
                                  SELECT FROM mail_notification notification
                                   WHERE notification.mail_message_id = message.id
                                     AND notification.notification_type = 'email'
                              )
                          )
               )
        """
    )
