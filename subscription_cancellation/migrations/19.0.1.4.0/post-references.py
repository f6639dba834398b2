# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Numbers of cancellations and declarations are written as in names of files."""

OLD, NEW = "({{ object.name }})", "({{ object._get_reference() }})"


def migrate(cr, version):
    """Let subjects have it in every language; other words of theirs stay."""
    cr.execute(
        """
        UPDATE mail_template template
           SET subject = replace(subject::text, %s, %s)::jsonb
          FROM ir_model_data data
         WHERE data.module = 'subscription_cancellation'
           AND (
               data.name LIKE 'mail_template_cancellation_%%'
               OR data.name LIKE 'mail_template_declaration_%%'
           )
           AND data.model = 'mail.template'
           AND data.res_id = template.id
        """,
        [OLD, NEW],
    )
