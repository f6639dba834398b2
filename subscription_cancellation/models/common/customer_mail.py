# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""A mail to the customer about a record, as the ways of all of them are one (D7)."""

#: Context of mails to customers.
FOR_CUSTOMER = {
    # What staff wrote is not for the customer.
    "cancellation_for_customer": True,
    # Odoo leaves out whoever acts: here that may be the customer.
    "mail_notify_author_mention": True,
}

#: Context key: the summary is printed when its mail is sent, until then it is HTML.
PRINT_LATER = "cancellation_print_later"


def queue(record, template):
    """Put a mail into the queue, and have that sent once this is committed.

    :param record: of a model with a chatter and ``partner_id``, the customer
    :param template: ``mail.template``
    :return: whether the customer is going to get it
    """
    context = {**FOR_CUSTOMER, PRINT_LATER: True}
    messages = record.with_context(**context).message_post_with_source(
        template.with_context(**context),
        subtype_xmlid="mail.mt_comment",
        partner_ids=record.partner_id.ids,
        notify_skip_followers=True,
        force_send=False,
    )
    record.env["ir.attachment"]._mark_printed_later(
        messages.attachment_ids - template.attachment_ids
    )
    scheduler = record.env.ref("mail.ir_cron_mail_scheduler_action", False)
    if scheduler:
        # sudo: whoever acts need not be allowed to read scheduled actions.
        scheduler.sudo()._trigger()
    return record.partner_id in messages.notification_ids.res_partner_id
