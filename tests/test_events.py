# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""D8: everything that happens to a cancellation is an event, told as it was then."""

import json
from datetime import date, datetime

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .common import CANCELLATION_MANAGER, CANCELLATION_USER, INVOICING, SALESPERSON
from .events import EVENT, PAYLOAD, EventCase
from .portal import PortalCase

MODELS = "odoo.addons.subscription_cancellation.models"


@tagged("post_install", "-at_install")
class TestEvents(EventCase):
    # === THE PAYLOAD === #

    def test_done_says_when_what_and_how_much(self):
        """D8: $31.00 and 10 % tax for July, ended on 10 July, to the cent."""
        tax = self.create_tax(10.0)
        line = {"price_unit": 31.0, "taxes": tax}
        subscription = self.create_billed([line], code="SUB/EVENT")
        self.pay(subscription.invoice_ids)
        self.travel_to("2026-07-10 08:30:00")
        self.cancel(subscription, reason_code="too_expensive", comment="Too dear")
        cancellation = subscription.cancellation_ids
        self.assertEqual(self.get_names(subscription), ["requested", "done", "step"])
        [done] = self.get_events(subscription, "done").read(PAYLOAD, load=None)
        done.pop("id")
        self.assertEqual(
            done,
            {
                "number": 0,
                "event": "done",
                "event_date": datetime(2026, 7, 10, 8, 30),
                "cancellation_id": cancellation.id,
                "cancellation_name": cancellation.name,
                "subscription_id": subscription.id,
                "subscription_code": "SUB/EVENT",
                "partner_id": subscription.partner_id.id,
                "company_id": self.company.id,
                "channel": "api",
                "state": "done",
                "timing": "immediate",
                "effective_date": date(2026, 7, 11),
                "last_service_date": date(2026, 7, 10),
                "previous_effective_date": False,
                "is_whole": True,
                "subscription_line_ids": self.get_line(subscription, "Line 1").ids,
                "reason_code": "too_expensive",
                "currency": "USD",
                "credit_untaxed": 21.0,
                "credit_tax": 2.1,
                "credit_total": 23.1,
                "refundable": 23.1,
                "credit_note_ids": cancellation.credit_note_ids.ids,
                "invoice_ids": [],
                "invoice_credit_note_ids": [],
                "step_id": False,
                "step_kind": False,
                "step_state": False,
                "step_amount": 0.0,
            },
        )

    def test_a_request_says_what_was_asked_for(self):
        """D8: nothing is credited yet; without a reason its code is an empty text."""
        subscription = self.create_billed([{"name": "One"}, {"name": "Two"}])
        line = self.get_line(subscription, "Two")
        self.cancel(
            subscription,
            timing="specific_date",
            requested_date="2026-07-20",
            line_ids=line.ids,
        )
        self.assertEqual(self.get_names(subscription), ["requested", "scheduled"])
        for event in self.get_events(subscription):
            self.assertEqual(event.reason_code, "")
            self.assertRecordValues(
                event,
                [
                    {
                        "state": "scheduled",
                        "timing": "specific_date",
                        "effective_date": date(2026, 7, 21),
                        "is_whole": False,
                        "subscription_line_ids": line.ids,
                        "credit_total": 0.0,
                        "credit_note_ids": [],
                    }
                ],
            )

    def test_an_event_stays_as_it_happened(self):
        """D8: whatever becomes of the cancellation, the reason or the customer."""
        subscription = self.create_billed()
        self.cancel(
            subscription,
            timing="specific_date",
            requested_date="2026-07-20",
            reason_code="other",
            comment="Moving house",
        )
        before = self.read_scheduled(subscription)
        subscription.postpone_cancellation(requested_date="2026-07-25")
        subscription.revoke_cancellation()
        subscription.code = "RENAMED"
        self.assertEqual(self.read_scheduled(subscription), before)

    def read_scheduled(self, subscription):
        """Return the payload of the one event, as stored."""
        self.env.flush_all()
        self.env.invalidate_all()
        [event] = self.get_events(subscription, "scheduled").read(PAYLOAD, load=None)
        return event

    def test_nothing_else_is_told(self):
        """D8: no secret is in a payload; here are all that a cancellation knows."""
        secret = "s3cret-token"
        customer = self.create_customer(
            name=f"{secret} name", email=f"{secret}@example.com", phone=secret
        )
        subscription = self.create_billed(
            partner_id=customer.id, description=secret, terms=secret
        )
        self.pay_online(subscription.invoice_ids)
        for document in (subscription, subscription.invoice_ids):
            document.access_token = secret
        customer.signup_prepare()
        self.env["payment.token"].sudo().search(
            [("partner_id", "=", customer.id)]
        ).write({"provider_ref": secret, "payment_details": secret})
        self.cancel(
            subscription,
            reason_code="other",
            comment=secret,
            credit_settlement="refund",
        )
        self.run_steps(subscription)
        events = self.get_events(subscription)
        self.assertIn("step", events.mapped("event"))
        told = json.dumps(events.read(PAYLOAD, load=None), default=str)
        self.assertNotIn(secret, told)
        for name in ("Azure", "@", "http", "token", "Other"):
            self.assertNotIn(name, told)

    def test_the_ready_made_webhook_sends_the_documented_fields(self):
        """D8: all of them, and no other."""
        rule = self.env.ref("subscription_cancellation.base_automation_event").sudo()
        self.assertFalse(rule.active)
        [action] = rule.action_server_ids
        self.assertEqual(action.state, "webhook")
        self.assertFalse(action.warning)
        fields = action.webhook_field_ids
        self.assertEqual(set(fields.mapped("name")), set(PAYLOAD))
        self.assertEqual(action.webhook_url, "https://example.com/replace-this-address")
        sample = json.loads(action.webhook_sample_payload)
        self.assertEqual(set(sample) - {"id"}, {"_action", "_id", "_model", *PAYLOAD})

    # === WHAT HAPPENS === #

    def test_nothing_happens_in_a_preview(self):
        """D8, D5: a preview writes nothing."""
        subscription = self.create_billed()
        subscription.preview_cancellation(timing="immediate")
        self.assertFalse(self.get_events(subscription))

    def test_a_request_that_is_rolled_back_never_happened(self):
        """D8: neither is there an event, nor is anybody woken to publish it."""
        subscription = self.create_billed()
        triggers = self.env["ir.cron.trigger"].sudo()
        action = self.env.ref("subscription_cancellation.ir_cron_publish_events")
        waking = [("cron_id", "=", action.id)]
        before = triggers.search_count(waking)
        with self.assertRaises(ZeroDivisionError), self.env.cr.savepoint():
            self.cancel(subscription)
            self.assertEqual(len(self.get_events(subscription, "done")), 1)
            self.assertGreater(triggers.search_count(waking), before)
            raise ZeroDivisionError
        self.assertFalse(self.get_events(subscription))
        self.assertEqual(triggers.search_count(waking), before)

    def test_approved(self):
        """D8, D1: somebody has to approve; then it is scheduled."""
        self.policy.write({"approval_always": True, "allow_own_approval": True})
        subscription = self.create_billed()
        self.cancel(subscription, timing="end_of_period")
        names = ["requested", "approval_needed"]
        self.assertEqual(self.get_names(subscription), names)
        states = self.get_events(subscription).mapped("state")
        self.assertEqual(states, ["to_approve", "to_approve"])
        subscription.cancellation_ids._approve()
        self.assertEqual(self.get_names(subscription), [*names, "scheduled"])

    def test_refused(self):
        """D8, D1: what was said with it is not told."""
        self.policy.write({"approval_always": True, "allow_own_approval": True})
        subscription = self.create_billed()
        self.cancel(subscription)
        subscription.cancellation_ids._refuse("An internal comment", "Sorry")
        event = self.get_events(subscription)[-1]
        self.assertRecordValues(event, [{"event": "refused", "state": "refused"}])

    def test_held_because_the_credit_grew(self):
        """D8, D1: scheduled, and then somebody has to approve after all."""
        self.policy.approval_above = 20.0
        subscription = self.create_subscription([20.0])
        self.travel_to("2026-07-01")
        self.cancel(subscription, timing="specific_date", requested_date="2026-07-10")
        subscription.sale_subscription_line_ids.price_unit = 31.0
        self.bill(subscription, "2026-07-01")
        self.travel_to("2026-07-11")
        subscription.cancellation_ids._execute_batch()
        self.assertEqual(
            self.get_names(subscription), ["requested", "scheduled", "approval_needed"]
        )

    def test_moved_and_done_on_its_date(self):
        """D8, B13: from when to when, and then by the scheduled action."""
        subscription = self.create_billed()
        self.cancel(subscription, timing="specific_date", requested_date="2026-07-20")
        subscription.postpone_cancellation(requested_date="2026-07-15")
        moved = self.get_events(subscription, "moved")
        self.assertRecordValues(
            moved,
            [
                {
                    "state": "scheduled",
                    "previous_effective_date": date(2026, 7, 21),
                    "effective_date": date(2026, 7, 16),
                    "last_service_date": date(2026, 7, 15),
                }
            ],
        )
        self.travel_to("2026-07-16")
        self.run_due()
        self.assertEqual(
            self.get_names(subscription)[:4],
            ["requested", "scheduled", "moved", "done"],
        )
        self.assertEqual(self.get_events(subscription, "done").credit_total, 16.0)

    def test_moved_to_today_is_moved_and_done(self):
        """D8, B13: in this order."""
        subscription = self.create_billed()
        self.cancel(subscription, timing="end_of_period")
        subscription.postpone_cancellation(requested_date="2026-07-10")
        self.assertEqual(
            self.get_names(subscription)[:4],
            ["requested", "scheduled", "moved", "done"],
        )

    def test_extra_days_are_told_with_their_invoice_and_its_credit_memo(self):
        """D8, B13: $15.00 for August when it is moved, and back when it is revoked."""
        subscription = self.create_billed()
        self.cancel(subscription, timing="end_of_period")
        subscription.postpone_cancellation(
            requested_date="2026-08-15", charge_extension=True
        )
        cancellation = subscription.cancellation_ids
        invoice = cancellation.charge_invoice_ids
        self.assertEqual(invoice.amount_total, 15.0)
        subscription.revoke_cancellation()
        memo = invoice.reversal_move_ids
        self.assertEqual(memo.amount_total, 15.0)
        for event, invoices, memos in (
            ("scheduled", [], []),
            ("moved", invoice.ids, []),
            ("revoked", invoice.ids, memo.ids),
        ):
            with self.subTest(event=event):
                told = self.get_events(subscription, event)
                self.assertEqual(told.invoice_ids, invoices)
                self.assertEqual(told.invoice_credit_note_ids, memos)
                self.assertEqual((told.credit_note_ids, told.credit_total), ([], 0.0))
        self.assertFalse(cancellation.credit_note_ids)

    def test_days_that_were_left_out_are_told_when_they_are_billed(self):
        """D8, B12: revoked after August was invoiced without the line."""
        subscription = self.create_billed([{"name": "One"}, {"name": "Two"}])
        line = self.get_line(subscription, "Two")
        self.cancel(subscription, timing="end_of_period", line_ids=line.ids)
        self.bill(subscription, "2026-07-31")
        subscription.revoke_cancellation()
        invoice = subscription.cancellation_ids.charge_invoice_ids
        self.assertEqual(len(invoice), 1)
        revoked = self.get_events(subscription, "revoked")
        self.assertEqual(revoked.invoice_ids, invoice.ids)

    def test_what_takes_a_credit_memo_back_is_told(self):
        """D8, B15: the invoice of the same days."""
        subscription = self.create_billed()
        self.cancel(subscription)
        subscription.reactivate_subscription()
        [event] = self.get_events(subscription, "reactivated")
        invoice = subscription.cancellation_ids.charge_invoice_ids
        self.assertEqual(invoice.reversed_entry_id.ids, event.credit_note_ids)
        self.assertEqual(event.invoice_ids, invoice.ids)

    def test_unbilled_days_are_told(self):
        """D8, C8: what a cancellation invoices is in what it tells."""
        subscription = self.create_subscription()
        self.travel_to("2026-07-10")
        self.cancel(subscription)
        invoice = subscription.cancellation_ids.charge_invoice_ids
        self.assertEqual(invoice.amount_total, 10.0)
        [event] = self.get_events(subscription, "done")
        self.assertEqual(event.invoice_ids, invoice.ids)

    def run_due(self):
        """Execute what is due as the scheduler does."""
        action = self.env.ref("subscription_cancellation.ir_cron_execute_due")
        with self.enter_registry_test_mode():
            action.method_direct_trigger()
        self.env.invalidate_all()

    def test_revoked(self):
        """D8, B12: by a person, or because an earlier end replaced it."""
        subscription = self.create_billed([{"name": "One"}, {"name": "Two"}])
        lines = self.get_line(subscription, "Two")
        later = {"timing": "specific_date", "requested_date": "2026-07-25"}
        self.cancel(subscription, line_ids=lines.ids, **later)
        self.cancel(subscription, timing="specific_date", requested_date="2026-07-20")
        subscription.revoke_cancellation()
        events = self.get_events(subscription)
        single, whole = events.cancellation_id.sorted("id")
        self.assertEqual(
            [(event.cancellation_id, event.event) for event in events],
            [
                (single, "requested"),
                (single, "scheduled"),
                (single, "revoked"),
                (whole, "requested"),
                (whole, "scheduled"),
                (whole, "revoked"),
            ],
        )

    @mute_logger(f"{MODELS}.lifecycle.scheduled_action")
    def test_failed_among_others_that_are_done(self):
        """D8, B7: why it failed is for people to read, and not told."""
        subscriptions = self.create_billed() | self.create_billed()
        for subscription in subscriptions:
            self.cancel(
                subscription,
                "2026-07-10",
                timing="specific_date",
                requested_date="2026-07-15",
            )
        broken, sound = subscriptions
        line = broken.invoice_ids.invoice_line_ids
        line.account_id = line.account_id.copy({"code": "499999"})
        line.account_id.active = False
        self.travel_to("2026-07-16")
        self.run_due()
        failed = self.get_events(broken)[-1]
        self.assertRecordValues(
            failed, [{"event": "failed", "state": "failed", "credit_total": 0.0}]
        )
        self.assertNotIn("done", self.get_names(broken))
        self.assertIn("done", self.get_names(sound))

    def test_reactivated(self):
        """D8, B15: and what had not followed yet is given up."""
        subscription = self.create_billed(
            partner_id=self.create_customer(email="azure@example.com").id
        )
        self.cancel(subscription, unpaid_invoices="collect")
        subscription.reactivate_subscription()
        events = self.get_events(subscription)
        reactivated = events.filtered(lambda event: event.event == "reactivated")
        self.assertRecordValues(reactivated, [{"state": "done", "is_whole": True}])
        skipped = events.filtered(lambda event: event.step_state == "skipped")
        self.assertEqual(set(skipped.mapped("step_kind")), {"collect", "confirm"})

    def test_an_undone_line_is_reactivated(self):
        """D8, B15: the line that came back."""
        self.policy.undo_days = 3
        subscription = self.create_billed([{"name": "One"}, {"name": "Two"}])
        line = self.get_line(subscription, "Two")
        self.cancel(subscription, line_ids=line.ids)
        subscription.cancellation_ids._undo()
        [event] = self.get_events(subscription, "reactivated")
        self.assertFalse(event.is_whole)
        self.assertEqual(event.subscription_line_ids, line.ids)

    def test_the_end_of_the_term(self):
        """D8, B16: nobody asked for it; the reason says so."""
        template = self.create_template(
            recurring_rule_boundary="limited", recurring_rule_count=1
        )
        subscription = self.create_subscription(template=template)
        subscription.date = "2026-07-31"
        self.bill(subscription, "2026-07-01")
        self.travel_to("2026-08-01")
        subscription.cron_subscription_management()
        [done] = self.get_events(subscription, "done")
        self.assertEqual(done.reason_code, "end_of_term")

    # === STEPS === #

    def test_each_step_that_is_done(self):
        """D8, C6: a refund through the provider, and the confirmation."""
        subscription = self.create_billed(
            partner_id=self.create_customer(email="azure@example.com").id
        )
        self.pay_online(subscription.invoice_ids)
        self.travel_to("2026-07-10")
        self.cancel(subscription, credit_settlement="refund")
        self.assertFalse(self.get_events(subscription, "step"))
        self.run_steps(subscription)
        refund = self.steps(subscription, "refund")
        events = self.get_events(subscription, "step")
        self.assertRecordValues(
            events,
            [
                {
                    "step_id": refund.id,
                    "step_kind": "refund",
                    "step_state": "done",
                    "step_amount": 21.0,
                    "currency": "USD",
                },
                {
                    "step_id": self.steps(subscription, "confirm").id,
                    "step_kind": "confirm",
                    "step_state": "done",
                    "step_amount": 0.0,
                    "currency": "USD",
                },
            ],
        )
        self.assertEqual(events.mapped("state"), ["done", "done"])

    def test_each_attempt_that_failed(self):
        """D8, C8: a refused collection, tried again, and given up by a person."""
        subscription = self.create_billed()
        self.create_token(subscription.partner_id, "error")
        self.cancel(subscription, unpaid_invoices="collect", send_confirmation=False)
        self.run_steps(subscription)
        step = self.steps(subscription, "collect")
        self.travel_to(step.next_attempt_at)
        self.run_steps(subscription)
        step.with_user(self.accountant).action_skip()
        collected = self.get_events(subscription, "step").filtered(
            lambda event: event.step_id == step
        )
        self.assertEqual(
            collected.mapped("step_state"), ["failed", "failed", "skipped"]
        )
        self.assertEqual(collected.mapped("step_amount"), [10.0] * 3)

    def test_a_step_that_waits_is_no_event(self):
        """D8, C6: a refund that somebody has to pay, until somebody has."""
        subscription = self.create_billed()
        self.pay(subscription.invoice_ids)
        self.travel_to("2026-07-10")
        self.cancel(subscription, credit_settlement="refund", send_confirmation=False)
        self.run_steps(subscription)
        refund = self.steps(subscription, "refund")
        self.assertTrue(refund.is_by_hand)
        self.assertFalse(self.get_events(subscription, "step"))
        refund.with_user(self.accountant).action_skip()
        [event] = self.get_events(subscription, "step")
        self.assertRecordValues(
            event, [{"step_id": refund.id, "step_state": "skipped"}]
        )

    # === MANY === #

    def test_a_batch_costs_the_same_queries(self):
        """D8: one insert for all of them, whatever their number."""
        counts = [
            min(self.count_queries(number) for _attempt in range(3))
            for number in (2, 20)
        ]
        self.assertEqual(counts[0], counts[1])

    def count_queries(self, number):
        """Return the queries of recording an event of many at once."""
        subscriptions = self.env["sale.subscription"]
        template = self.create_template()
        for _number in range(number):
            subscriptions |= self.create_subscription(template=template)
        self.travel_to("2026-07-10")
        for subscription in subscriptions:
            self.cancel(subscription, timing="end_of_period")
        cancellations = self.env["subscription.cancellation"].search(
            [("subscription_id", "in", subscriptions.ids)]
        )
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        cancellations._record_event("done")
        self.env.flush_all()
        self.assertEqual(len(self.get_events(subscriptions, "done")), number)
        return self.env.cr.sql_log_count - before

    # === PROOF AND RIGHTS === #

    def test_nobody_writes_events(self):
        """D8, D4: not even managers; an administrator is told why not."""
        subscription = self.create_billed()
        self.cancel(subscription)
        event = self.get_events(subscription)[0]
        manager = self.create_user(SALESPERSON, CANCELLATION_MANAGER, login="manager")
        for user in (manager, self.accountant):
            own = event.with_user(user)
            self.assertEqual(own.event, "requested")
            with self.assertRaises(AccessError):
                own.copy()
            with self.assertRaises(AccessError):
                own.unlink()
        for records in (
            event,
            event.with_user(manager),
            event.with_context(cancellation_engine=True),
        ):
            with self.assertRaisesRegex(UserError, "kept as they happened"):
                records.write({"event": "done"})
        with self.assertRaisesRegex(UserError, "kept as they happened"):
            event.unlink()

    def test_who_reads_events(self):
        """D8: who reads cancellations; no customer and no other company."""
        subscription = self.create_billed()
        self.cancel(subscription)
        self.env.flush_all()
        self.env.invalidate_all()
        events = self.get_events(subscription)
        user = self.create_user(CANCELLATION_USER, login="user")
        as_stored = events.read(PAYLOAD, load=None)
        for reader in (user, self.salesperson, self.accountant):
            self.env.invalidate_all()
            told = events.with_user(reader).read(PAYLOAD, load=None)
            self.assertEqual(told, as_stored)
        company = self.env["res.company"].sudo().create({"name": "Elsewhere"})
        stranger = self.create_user(
            SALESPERSON,
            CANCELLATION_MANAGER,
            INVOICING,
            login="stranger",
            company_id=company.id,
        )
        self.assertFalse(self.env[EVENT].with_user(stranger).search([]) & events)
        with self.assertRaises(AccessError):
            events.with_user(stranger).read(["event"])
        portal = new_test_user(
            self.env,
            login="azure",
            groups="base.group_portal",
            partner_id=subscription.partner_id.id,
        )
        for nobody in (portal, self.env.ref("base.public_user")):
            with self.assertRaises(AccessError):
                self.env[EVENT].with_user(nobody).search([])

    def test_only_administrators_read_why_a_rule_failed(self):
        """D8: a rule's error may hold what the rule knows."""
        subscription = self.create_billed()
        self.cancel(subscription)
        event = self.get_events(subscription)[0]
        with self.assertRaises(AccessError):
            event.with_user(self.salesperson).read(["rule_error"])
        self.assertNotIn("rule_error", event.with_user(self.salesperson).read()[0])

    # === IN THE BACK OFFICE === #

    def test_the_button_opens_the_events(self):
        """D8, E1: of this cancellation."""
        subscription = self.create_billed()
        self.cancel(subscription, timing="end_of_period")
        manager = self.create_user(SALESPERSON, CANCELLATION_MANAGER, login="manager")
        cancellation = subscription.cancellation_ids.with_user(manager)
        self.assertEqual(cancellation.event_count, 2)
        action = cancellation.action_view_events()
        found = self.env[action["res_model"]].search(action["domain"])
        self.assertEqual(found, self.get_events(subscription).sorted("id", True))


@tagged("post_install", "-at_install")
class TestEventsOfThePortal(PortalCase):
    def test_a_customer_who_cancels(self):
        """D8, E2: who may read neither events nor automation rules."""
        rule = self.env.ref("subscription_cancellation.base_automation_event").sudo()
        rule.active = True
        self.cancel_as_customer(timing="immediate")
        cancellation = self.get_cancellation()
        self.assertEqual(cancellation.state, "done")
        events = (
            self.env[EVENT]
            .sudo()
            .search([("cancellation_id", "=", cancellation.id)], order="id")
        )
        self.assertEqual(events.mapped("event")[:2], ["requested", "done"])
        self.assertEqual(set(events.mapped("channel")), {"portal"})
        self.assertEqual(events[1].credit_total, 21.0)
        self.assertEqual(set(events.mapped("published_date")), {False})
        self.assertEqual(events.company_id, self.company.with_user(self.env.user))
