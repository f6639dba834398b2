# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import models
from odoo.tools import split_every

#: Mails whose documents are printed together.
PRINTED_TOGETHER = 50


class MailMail(models.Model):
    """Print what goes with a mail when it is sent: nobody waits for it then."""

    _inherit = "mail.mail"

    def send(self, auto_commit=False, raise_exception=False, post_send_callback=None):
        # sudo: whoever sends the mail. What is sent after a commit can be gone by then.
        present = self.sudo().exists()
        if not any(present.attachment_ids.mapped("is_printed_later")):
            return super().send(
                auto_commit=auto_commit,
                raise_exception=raise_exception,
                post_send_callback=post_send_callback,
            )
        # Some by some: whoever is stopped has sent what was printed.
        for mails in split_every(PRINTED_TOGETHER, present.ids, self.browse):
            mails.sudo().attachment_ids._print_now()
            super(MailMail, mails).send(
                auto_commit=auto_commit,
                raise_exception=raise_exception,
                post_send_callback=post_send_callback,
            )
        return True
