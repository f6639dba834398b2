# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The public page understands what people copy, type and paste (E2).

And still guesses nothing: the reference has to be that of one contract, and the
address one of its customer.
"""

import unicodedata

from odoo.tests import HttpCase, tagged

from .test_cancel_contract import CUSTOMER, DeclarationCase, PageCase


@tagged("post_install", "-at_install")
class TestReferences(DeclarationCase):
    """Number of the contract, of its order, or of an invoice."""

    def setUp(self):
        super().setUp()
        self.subscription.code = "SUB-00012"
        # Only what is tested is compared with.
        self.subscription.template_id.code = False

    def assertMatches(self, reference, subscription=None, **values):
        declaration = self.declare_and_process(contract_reference=reference, **values)
        self.assertEqual(declaration.state, "matched", declaration.check_reason)
        self.assertEqual(declaration.subscription_id, subscription or self.subscription)
        declaration.cancellation_id._revoke()

    def assertIsLeft(self, reference, **values):
        declaration = self.declare_and_process(contract_reference=reference, **values)
        self.assertEqual(declaration.state, "to_check", reference)

    def test_hyphens_and_spaces_of_a_pdf(self):
        """E2: PDFs have hyphens, spaces and marks of their own."""
        for mark in "\u2010\u2011\u2012\u2013\u2014\u2212\u00ad\ufe63\uff0d/_. ":
            with self.subTest(mark=hex(ord(mark))):
                self.assertMatches(f"SUB{mark}00012")
        for reference in (
            "SUB00012",
            "sub 00 012",
            "SUB\u00a0-\u202f00012",
            "SUB-\u200b00012\ufeff",
            "\uff33\uff35\uff22-\uff10\uff10\uff10\uff11\uff12",
        ):
            with self.subTest(reference=reference):
                self.assertMatches(reference)

    def test_words_before_the_number(self):
        """E2: in whatever language."""
        for reference in (
            "#SUB-00012",
            "# SUB-00012",
            "Nr. SUB-00012",
            "Nr.SUB-00012",
            "№ SUB-00012",
            "N° SUB-00012",
            "Vertragsnummer: SUB-00012",
            "Vertrags-Nr.: SUB-00012",
            "Mon numéro de contrat est SUB-00012.",
            "(SUB-00012)",
        ):
            with self.subTest(reference=reference):
                self.assertMatches(reference)

    def test_decomposed_letters(self):
        """E2: a Mac writes ü as u and two dots."""
        for stored in ("NFC", "NFD"):
            self.subscription.code = unicodedata.normalize(stored, "Müller-7")
            for typed in ("NFC", "NFD"):
                with self.subTest(stored=stored, typed=typed):
                    self.assertMatches(unicodedata.normalize(typed, "MÜLLER-7"))
        self.assertIsLeft("Muller-7")

    def test_the_number_of_an_invoice(self):
        """E2: it is what customers have on paper."""
        invoice = self.subscription.invoice_ids
        numbers = (
            invoice.name,
            invoice.name.lower(),
            invoice.name.replace("/", " "),
            invoice.name.replace("/", ""),
            invoice.name.replace("/", "\u2013"),
            f"Rechnung Nr. {invoice.name}",
        )
        for number in numbers:
            with self.subTest(number=number):
                self.assertMatches(number)

    def test_the_number_of_an_invoice_that_an_order_made(self):
        """E2: through a sales order, as upstream bills by default."""
        subscription = self.create_subscription(
            invoicing_mode="sale_and_invoice", partner_id=self.customer.id
        )
        invoice = self.bill(subscription, "2026-07-01")
        self.travel_to("2026-07-10 12:00:00")
        self.assertMatches(invoice.name, subscription)
        [order] = subscription.sale_order_ids
        self.assertMatches(order.name, subscription)

    def test_the_invoice_of_two_contracts_is_left_to_a_person(self):
        """E2: nothing is guessed."""
        other = self.create_subscription(partner_id=self.customer.id)
        invoice = self.bill(other, "2026-07-01", post=False)
        self.travel_to("2026-07-10 12:00:00")
        line = self.subscription.sale_subscription_line_ids
        invoice.invoice_line_ids.copy(
            {"move_id": invoice.id, "subscription_line_id": line.id}
        )
        invoice.action_post()
        declaration = self.declare_and_process(contract_reference=invoice.name)
        self.assertWaits(declaration, "Several subscriptions match")

    def test_a_draft_and_a_bill_of_a_supplier_match_nothing(self):
        """E2: only what the customer was sent."""
        draft = self.bill(self.subscription, "2026-08-01", post=False)
        self.travel_to("2026-08-01 12:00:00")
        draft.name = "INV/9/9"
        self.assertIsLeft("INV/9/9")

    def test_what_looks_alike_is_not_the_same(self):
        """E2: nor a part of a number, nor the words around it."""
        for reference in ("0012", "SUB-0001", "SUB-000123", "SUB", "-", "ü", "my 12"):
            with self.subTest(reference=reference):
                self.assertIsLeft(reference)

    def test_many_numbers_with_one_address_are_left_to_a_person(self):
        """E2: nobody tries them all until one fits."""
        for number in range(10):
            self.assertIsLeft(
                f"SUB-9{number}",
                client=f"192.0.2.{number}",
                confirmation_email=f"eve{number}@elsewhere.example",
            )
        declaration = self.declare_and_process(contract_reference="SUB-00012")
        self.assertWaits(declaration, "Many numbers were tried")

    # === COMPANIES === #

    def test_a_contract_of_a_second_company(self):
        """E2: it has a reference of its own; without one, its invoices lead to it."""
        data = self.setup_other_company()
        other = data["company"]
        self.env.user.company_ids |= other
        allowed = (self.company | other).ids
        env = self.env(context={**self.env.context, "allowed_company_ids": allowed})
        product = self.create_product("Elsewhere's hosting")
        product.with_company(other).property_account_income_id = data[
            "default_account_revenue"
        ]
        with_other = self.env["sale.subscription"].with_env(env).with_company(other)
        theirs = with_other.create(
            {
                "partner_id": self.customer.id,
                "pricelist_id": self._create_pricelist().id,
                "template_id": self.create_template().id,
                "company_id": other.id,
                "date_start": "2026-07-01",
                "recurring_next_date": "2026-07-01",
                "journal_id": data["default_journal_sale"].id,
            }
        )
        self.add_line(theirs, {"product_id": product.id})
        theirs.action_start_subscription()
        theirs.write({"date_start": "2026-07-01", "recurring_next_date": "2026-07-01"})
        self.bill(theirs, "2026-07-01")
        self.travel_to("2026-07-10 12:00:00")
        self.assertTrue(theirs.code)
        self.assertMatches(theirs.name, theirs, company=other)
        invoice = theirs.invoice_ids
        # As it is where it was made before there was a reference.
        theirs.code = False
        self.assertMatches(invoice.name, theirs, company=other)
        self.assertIsLeft(invoice.name + "1", company=other)
        theirs._give_missing_codes()
        self.assertTrue(theirs.code)


@tagged("post_install", "-at_install")
class TestAddresses(DeclarationCase):
    """The address of the contract, as people write it and as it is on file."""

    def assertKnows(self, typed):
        declaration = self.declare_and_process(contract_email=typed)
        self.assertEqual(declaration.state, "matched", declaration.check_reason)
        declaration.cancellation_id._revoke()

    def test_domains_with_umlauts_in_either_form(self):
        """E2: browsers send one form, mail programs the other."""
        forms = (
            "ann@müller.example",
            "ann@xn--mller-kva.example",
            "ann@mu\u0308ller.example",
            "Ann@MÜLLER.example",
        )
        for stored in forms:
            self.customer.email = stored
            for typed in forms:
                with self.subTest(stored=stored, typed=typed):
                    self.assertKnows(typed)

    def test_several_addresses_in_one_field(self):
        """E2: as salespeople enter them."""
        for stored in (
            f"first@azure.example, {CUSTOMER}",
            f"first@azure.example; {CUSTOMER}",
            f"first@azure.example {CUSTOMER}",
            f"Ann <{CUSTOMER}>; Bob <bob@azure.example>",
        ):
            self.customer.email = stored
            with self.subTest(stored=stored):
                self.assertKnows(CUSTOMER)

    def test_every_one_of_several_is_told_or_the_first(self):
        """E2: nobody ends a contract unnoticed, whatever is in the field."""
        self.customer.email = "first@azure.example; second@azure.example"
        self.policy.send_confirmation = False
        self.declare_and_process(contract_email="second@azure.example")
        self.assertTrue(self.get_mails("first@azure.example"))

    def test_the_companys_address_where_the_contact_has_none(self):
        """E2: of the customer, and of the contact for invoices; at any depth."""
        company = self.create_customer(name="Azure", is_company=True, email=CUSTOMER)
        department = self.create_customer(name="Sales", parent_id=company.id)
        contact = self.create_customer(name="Ann", parent_id=department.id)
        contact.email = department.email = False
        stranger = self.create_customer(name="Payer", email="pay@payer.example")
        self.subscription.partner_id = contact
        self.assertKnows(CUSTOMER)
        self.subscription.partner_id = stranger
        self.subscription.partner_invoice_id = contact
        self.assertKnows(CUSTOMER)
        department.email = "sales@azure.example"
        self.assertKnows("sales@azure.example")

    def test_who_is_not_on_file_is_still_nobody(self):
        """E2: a part of an address, or another domain."""
        self.customer.email = f"x{CUSTOMER}, y@azure.example"
        for typed in (CUSTOMER, "y@azur.example", "ann@elsewhere.example"):
            with self.subTest(typed=typed):
                declaration = self.declare_and_process(contract_email=typed)
                self.assertEqual(declaration.state, "to_check")


@tagged("post_install", "-at_install")
class TestPasted(PageCase, HttpCase):
    """The same through the page."""

    def test_what_is_pasted_from_a_pdf(self):
        """E2: the entries are taken as they are, and matched."""
        self.customer.email = "ann@xn--mller-kva.example; office@azure.example"
        invoice = self.subscription.invoice_ids
        number = invoice.name.replace("/", "\u00a0\u2011 ")
        self.assertReceipt(
            self.send(
                contract_reference=f"Rg.-Nr.: {number}",
                contract_email="Ann@mu\u0308ller.example\u200b",
            )
        )
        self.process()
        declaration = self.declarations()
        self.assertEqual(declaration.state, "matched", declaration.check_reason)
