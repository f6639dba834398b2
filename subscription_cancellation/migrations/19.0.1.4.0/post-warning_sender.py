# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The warning about an unpaid invoice is not sent from a customer any more."""

OLD = (
    "{{ object.invoice_user_id.email_formatted or object.company_id.email_formatted "
    "or user.email_formatted }}"
)
NEW = "{{ object._get_warning_sender() or user.email_formatted }}"


def migrate(cr, version):
    """Let the sender be staff, unless somebody has chosen another one.

    The template is not updated by itself, because users may write their own words.
    """
    cr.execute(
        """
        UPDATE mail_template template
           SET email_from = %s
          FROM ir_model_data data
         WHERE data.module = 'subscription_cancellation'
           AND data.name = 'mail_template_overdue_warning'
           AND data.res_id = template.id
           AND template.email_from = %s
        """,
        [NEW, OLD],
    )
