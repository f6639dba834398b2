# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What the portal answers: what comes next, what it costs, in true words (E2)."""

from odoo.tests import tagged

from .portal import PortalCase


@tagged("post_install", "-at_install")
class TestWhatComesNext(PortalCase):
    """The page after the confirmation (D4, D7, E2)."""

    def read_next(self):
        """Return what the page says now, not right after the confirmation."""
        self.authenticate("azure", "azure")
        return self.see(f"/cancellations/{self.get_cancellation().id}").text("next")

    def test_scheduled(self):
        """B12, D7, E2: until when it runs, where the mail went, the way back."""
        page = self.cancel_as_customer(timing="end_of_period")
        text = page.text("next")
        self.assertIn("Service goes on until July 31, 2026, and ends then", text)
        self.assertIn("We wrote to azure@example.com about it on July 10, 2026.", text)
        self.assertIn("You can take it back until July 31, 2026.", text)
        self.travel_to("2026-08-01")
        self.assertNotIn("take it back", self.read_next())

    def test_ended_today(self):
        """D7, E2: the mail that is on its way, then the mail that was sent."""
        page = self.cancel_as_customer(timing="immediate")
        text = page.text("next")
        self.assertIn("The confirmation goes to azure@example.com", text)
        self.assertIn("If this was a mistake, write to us until July 17, 2026", text)
        self.run_steps(self.subscription)
        self.assertIn("We wrote to azure@example.com about it", self.read_next())
        self.travel_to("2026-07-18")
        self.assertNotIn("mistake", self.read_next() or "")

    def test_ended_and_to_be_reactivated(self):
        """B15, E2: where the policy offers it, that is the way back."""
        self.policy.portal_reactivate = True
        page = self.cancel_as_customer(timing="immediate")
        self.assertIn("reactivate", page.text("next"))
        self.assertNotIn("write to us", page.text("next"))

    def test_waiting(self):
        """D7, E2: who answers, and where to."""
        self.policy.approval_always = True
        text = self.cancel_as_customer(timing="end_of_period").text("next")
        self.assertIn("We check your cancellation", text)
        self.assertIn("We wrote to azure@example.com about it on July 10, 2026.", text)
        self.assertIn("You can take it back until we have answered.", text)

    def test_no_address(self):
        """D7, E2: nothing is said to be sent that cannot be."""
        self.customer.email = False
        text = self.cancel_as_customer(timing="end_of_period").text("next")
        self.assertNotIn("We wrote", text)
        self.assertIn("We have no e-mail address of yours", text)

    def test_taken_back(self):
        """B12, E2: there is nothing more to take back."""
        self.cancel_as_customer(timing="end_of_period")
        self.send(self.see(), "revoke")
        text = self.read_next()
        self.assertIn("Service goes on, and so do its invoices.", text)
        self.assertNotIn("You can take it back", text)

    def test_no_row_of_nothing(self):
        """E2: what came to nothing is no row."""
        self.cancel_as_customer(timing="immediate")
        cancellation = self.get_cancellation()
        told = cancellation._get_steps_to_tell()
        self.assertTrue(told)
        # As nothing of ours makes it, so that the books do not fit.
        self.books_fit = False
        told._as_engine().amount = 0.0
        self.assertFalse(cancellation._get_steps_to_tell())
        self.assertFalse(self.see(f"/cancellations/{cancellation.id}").has("parts"))


@tagged("post_install", "-at_install")
class TestReactivation(PortalCase):
    """Above the button stands a question, and what it costs (B15, E2)."""

    def setUp(self):
        super().setUp()
        self.policy.portal_reactivate = True
        self.cancel_as_customer(timing="immediate")

    def test_a_question_and_what_is_invoiced_when(self):
        """B15, E2: what was credited today, the price from the next period on."""
        page = self.see()
        text = page.text("reactivate")
        self.assertIn("Do you want this subscription to go on?", text)
        self.assertIn("Invoiced today: $ 21.00, which we had credited.", text)
        self.assertIn("From August 1, 2026 on: $ 31.00 per month", text)
        self.assertNotIn("goes on.", text)
        self.assertNotIn("started", text)
        [button] = page.tree.xpath("//form[@name='reactivate']//button")
        self.assertEqual(
            " ".join(button.text_content().split()), "Order with Obligation to Pay"
        )
        self.send(page, "reactivate")
        self.env.invalidate_all()
        again = self.subscription.cancellation_ids.credit_note_ids.reversal_move_ids
        self.assertEqual(again.amount_total, 21.0)
        self.assertEqual(str(self.subscription.recurring_next_date), "2026-08-01")

    def test_with_tax(self):
        """B15, E2: what has to be paid, tax included; nothing that costs 0.00."""
        self.subscription = self.create_subscription(
            [{"price_unit": 36.0, "taxes": self.create_tax(19.0)}],
            partner_id=self.customer.id,
        )
        self.bill(self.subscription, "2026-07-10")
        self.cancel_as_customer(timing="immediate")
        page = self.see()
        self.assertIn(
            "$ 36.00 per month, excl. tax ($ 42.84 incl. tax)", page.text("reactivate")
        )
        self.assertFalse(page.has("price"))
        self.assertNotIn("$ 0.00 per month", self.go("/my/subscriptions").text())

    def test_after_the_paid_period(self):
        """B15, E2: the credit stays; the first invoice comes at once."""
        self.travel_to("2026-08-05")
        self.authenticate("azure", "azure")
        text = self.see().text("reactivate")
        self.assertNotIn("which we had credited", text)
        self.assertIn("From today on: $ 31.00 per month", text)

    def test_what_was_shown_is_what_is_done(self):
        """B15, E2: shown yesterday; since then it costs something else."""
        page = self.see()
        lines = self.subscription.archived_line_ids
        lines.price_unit = 40.0
        for changes in ({}, {"terms": None}, {"terms": "x"}):
            answer = self.send(page, "reactivate", **changes)
            self.assertIn("has changed since it was shown", answer.text("message"))
        self.env.invalidate_all()
        self.assertEqual(self.subscription.cancellation_state, "cancelled")
        answer = self.send(self.see(), "reactivate")
        self.assertIn("goes on", answer.text("message"))

    def test_no_words_of_the_staff(self):
        """B15, C8, E2: what was written off is due again; that is all."""
        self.env.invalidate_all()
        self.subscription._reactivate("resume")
        self.policy.unpaid_invoices = "write_off"
        accounts = self.company_data
        self.company.write(
            {
                "cancellation_write_off_account_id": accounts[
                    "default_account_expense"
                ].id,
                "cancellation_write_off_journal_id": accounts[
                    "default_journal_misc"
                ].id,
            }
        )
        august = self.bill(self.subscription, "2026-08-01")
        self.travel_to("2026-08-10")
        self.authenticate("azure", "azure")
        self.cancel_as_customer(timing="immediate")
        self.run_steps(self.subscription)
        text = self.see().text("reactivate")
        for word in ("write-off", "written off"):
            self.assertNotIn(word, text)
        self.assertIn(f"Invoice {august.name} is due again", text)


@tagged("post_install", "-at_install")
class TestDeclaredNotRequested(PortalCase):
    """What is the customer's right is declared and received (B5, E2)."""

    def declare(self):
        self.policy.approval_always = True
        return self.cancel_as_customer(timing="end_of_period")

    def test_while_it_is_checked(self):
        """B5, E2: no page calls it a request."""
        self.check_words(self.declare())
        page = self.see()
        self.check_words(page)
        self.assertEqual(page.text("state"), "Cancellation received")
        self.assertIn("End on July 31, 2026 declared", page.text("lines"))
        self.check_words(self.see("/cancel"))
        self.check_words(self.go("/my/subscriptions"))

    def check_words(self, page):
        text = page.text()
        for word in ("request", "accepted", "asked us"):
            self.assertNotIn(word, text.lower(), page.url)

    def test_the_summary_before(self):
        """B5, E2: nothing is asked for, and nothing ends now."""
        self.policy.approval_always = True
        page = self.check_out(timing="end_of_period")
        self.check_words(page)
        buttons = page.tree.xpath("//form[@name='confirm']//button")
        self.assertEqual(
            " ".join(buttons[0].text_content().split()), "Send Cancellation"
        )

    def test_once_somebody_has_decided_against_it(self):
        """B5, E2: what it is, not that nobody wanted it."""
        self.declare()
        cancellation = self.get_cancellation()
        cancellation._refuse("Not the customer's", "You are not the customer.")
        page = self.see(f"/cancellations/{cancellation.id}")
        self.check_words(page)
        self.assertIn("without effect", page.text("state"))
        self.assertNotIn("accept", cancellation._get_refusal_text())
        self.assertIn("received", cancellation._get_refusal_text())

    def test_part_of_it(self):
        """B5, E2: an item is declared, too."""
        self.add_line(self.subscription, 10.0)
        line = self.subscription.sale_subscription_line_ids[0]
        self.policy.approval_always = True
        page = self.send(self.see(f"/cancel?line={line.id}"), "cancel")
        self.check_words(self.send(page, "confirm"))
        self.check_words(self.see())

    def test_what_breaks_the_terms_is_requested(self):
        """B4, E2: entered in the back office before notice is over: no right."""
        self.policy.write({"approval_always": True, "notice_period": 1})
        self.cancel(self.subscription)
        self.assertEqual(self.see().text("state"), "Cancellation requested")


@tagged("post_install", "-at_install")
class TestExtraordinary(PortalCase):
    """A day that the policy allows ignores nothing (B4, B5)."""

    def get_pdf_words(self):
        return self.see(
            f"/cancellations/{self.get_cancellation().id}?report_type=html"
        ).text()

    def test_a_day_of_ones_own(self):
        """B4, E2: no terms, none ignored; neither record, nor API, nor document."""
        self.cancel_as_customer(timing="specific_date", requested_date="2026-08-15")
        cancellation = self.get_cancellation()
        self.assertFalse(cancellation.is_extraordinary)
        self.assertFalse(cancellation._as_dict()["extraordinary"])
        for word in ("xtraordinary", "ignored"):
            self.assertNotIn(word, self.get_pdf_words())

    def test_a_day_after_the_earliest_one(self):
        """B5, E2: notice is kept."""
        self.policy.notice_period = 1
        self.cancel_as_customer(timing="specific_date", requested_date="2026-08-15")
        self.assertFalse(self.get_cancellation().is_extraordinary)
        self.assertNotIn("xtraordinary", self.get_pdf_words())

    def test_a_day_before_it(self):
        """B4: entered in the back office."""
        self.policy.notice_period = 1
        self.cancel(
            self.subscription, timing="specific_date", requested_date="2026-07-20"
        )
        self.assertTrue(self.get_cancellation().is_extraordinary)
        self.assertIn("notice periods and terms are ignored", self.get_pdf_words())

    def test_moved_to_a_day_that_keeps_them_and_back(self):
        """B4, B13: what it is follows the date."""
        self.policy.notice_period = 1
        self.cancel(
            self.subscription, timing="specific_date", requested_date="2026-08-20"
        )
        self.subscription.postpone_cancellation(requested_date="2026-08-25")
        self.assertFalse(self.get_cancellation().is_extraordinary)
        self.subscription.postpone_cancellation(requested_date="2026-07-25")
        self.assertTrue(self.get_cancellation().is_extraordinary)
