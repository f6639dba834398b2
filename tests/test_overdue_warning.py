# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""D6: who is warned of an unpaid invoice can pay it then and there."""

from unittest.mock import patch
from urllib.parse import urlsplit

from odoo.exceptions import UserError
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from .mails import MailServerCase
from .test_overdue import OverdueCase

IBAN = "DE89 3704 0044 0532 0130 00"
MOVES = "odoo.addons.subscription_cancellation.models.overdue.account_move"


@tagged("post_install", "-at_install")
class TestOverdueWarningMail(MailServerCase, HttpCase, OverdueCase):
    """$31.00 due on 1 July, of which $11.00 are paid: warned on 8 July."""

    def setUp(self):
        super().setUp()
        self.policy.overdue_warning_days = 3
        self.invoice.partner_id.email = "azure@example.com"
        self.pay(self.invoice, 11.0)

    def warn(self):
        """Run the scheduled action on 8 July; return the mail that was received."""
        self.run_cron("2026-07-08")
        [mail] = self.deliver(self.get_warnings())
        self.assertEqual(mail.recipients, ["azure@example.com"])
        return mail

    def set_bank(self, **values):
        """Let the customer transfer the money to a bank account of the company."""
        bank = self.env["res.bank"].create({"name": "Good Bank", "bic": "COBADEFFXXX"})
        account = self.env["res.partner.bank"].create(
            {
                "acc_number": IBAN,
                "partner_id": self.company.partner_id.id,
                "bank_id": bank.id,
                "allow_out_payment": True,
                **values,
            }
        )
        self.invoice.partner_bank_id = account
        return account

    # === PAY === #

    def test_it_leads_to_the_page_where_it_is_paid(self):
        """D6: without a login, and with the payment opened."""
        self.get_provider(is_published=True)
        url = self.warn().link("Pay invoice")
        self.assertIn("payment=True", url)
        self.assertTrue(url.startswith(self.invoice.get_base_url() + "/my/invoices/"))
        parts = urlsplit(url)
        page = self.url_open(f"{parts.path}?{parts.query}", allow_redirects=False)
        self.assertEqual(page.status_code, 200)
        self.assertIn(self.invoice.name, page.text)
        self.assertIn('id="pay_with"', page.text)
        self.assertIn("20.00", page.text)

    def test_where_nothing_is_paid_online_it_can_be_looked_at(self):
        """D6: no button that leads to "no payment method"."""
        self.env["payment.provider"].sudo().search([]).state = "disabled"
        mail = self.warn()
        self.assertFalse(mail.link("Pay invoice"))
        url = mail.link("View invoice")
        self.assertNotIn("payment=True", url)
        parts = urlsplit(url)
        page = self.url_open(f"{parts.path}?{parts.query}", allow_redirects=False)
        self.assertEqual(page.status_code, 200)
        self.assertIn(self.invoice.name, page.text)

    def test_where_the_portal_does_not_take_payments(self):
        """D6: a setting of Odoo's."""
        self.get_provider(is_published=True)
        self.env["ir.config_parameter"].sudo().set_param(
            "account_payment.enable_portal_payment", "False"
        )
        mail = self.warn()
        self.assertFalse(mail.link("Pay invoice"))
        self.assertTrue(mail.link("View invoice"))

    def test_a_provider_that_customers_do_not_see(self):
        """D6: it is only being tried."""
        self.env["payment.provider"].sudo().search([]).state = "disabled"
        self.get_provider(is_published=False)
        self.assertTrue(self.warn().link("View invoice"))

    # === TRANSFER === #

    def test_it_says_where_to_transfer_the_money(self):
        """D6: holder, account, BIC, bank, and what to write."""
        self.company.partner_id.name = "Our House"
        self.set_bank()
        text = self.warn().text
        for words in (
            "Account holder: Our House",
            f"Account number: {IBAN}",
            "BIC: COBADEFFXXX",
            "Bank: Good Bank",
            f"Reference: {self.invoice.payment_reference}",
            "Amount to pay: $ 20.00",
            "Due date: July 1, 2026",
        ):
            self.assertIn(words, text)

    def test_the_name_of_the_account_holder_may_be_another_one(self):
        """D6: as the bank knows it; without BIC and bank where they are not known."""
        self.set_bank(acc_holder_name="House of Ours Ltd", bank_id=False)
        text = self.warn().text
        self.assertIn("Account holder: House of Ours Ltd", text)
        self.assertNotIn("BIC:", text)
        self.assertNotIn("Bank:", text)

    def test_without_a_bank_account_there_is_none(self):
        """D6: no heading above nothing."""
        self.invoice.partner_bank_id = False
        text = self.warn().text
        self.assertNotIn("Account", text)
        self.assertNotIn("transfer", text)

    # === THE INVOICE === #

    def test_the_invoice_as_it_was_sent_is_attached(self):
        """D6: the same file, not another one."""
        self.env["ir.attachment"].create(
            {
                "name": "INV_2026_07.pdf",
                "raw": b"%PDF-1.4 as sent",
                "mimetype": "application/pdf",
                "res_model": "account.move",
                "res_id": self.invoice.id,
                "res_field": "invoice_pdf_report_file",
            }
        )
        self.invoice.invalidate_recordset()
        files = self.warn().files
        self.assertEqual(files, {"INV_2026_07.pdf": b"%PDF-1.4 as sent"})

    def test_an_invoice_that_was_never_printed_is_attached(self):
        """D6: as an invoice, not as a draft of one; Odoo's tests print HTML."""
        [(name, content)] = self.warn().files.items()
        self.assertIn(self.invoice.name.replace("/", "_"), name)
        self.assertTrue(name.endswith(".pdf"))
        if isinstance(content, bytes):
            content = content.decode()
        self.assertIn(self.invoice.name, content)
        self.assertNotIn("roforma", name + content)
        self.assertFalse(self.invoice.invoice_pdf_report_id)

    @mute_logger(MOVES)
    def test_a_pdf_that_cannot_be_made_holds_up_no_warning(self):
        """D6: who is not warned is cancelled all the same."""
        reports = self.registry["ir.actions.report"]
        broken = patch.object(
            reports, "_render_qweb_pdf", side_effect=UserError("No Wkhtmltopdf")
        )
        with broken:
            mail = self.warn()
        self.assertEqual(mail.files, {})
        self.assertIn("Due date: July 1, 2026", mail.text)

    def test_other_mails_about_invoices_stay_as_they_are(self):
        """D6: only the warning attaches it."""
        template = self.env.ref("account.email_template_edi_invoice")
        values = template._generate_template(
            self.invoice.ids, ("attachment_ids", "report_template_ids")
        )
        self.assertFalse(values[self.invoice.id].get("attachment_ids"))
        self.assertFalse(values[self.invoice.id].get("attachments"))
