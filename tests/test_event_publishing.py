# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""D8: events get their numbers, automation rules run, and nothing is held up by it."""

from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from .common import CANCELLATION_USER
from .events import EVENT, PAYLOAD, RETENTION_PARAMETER, RULE, EventCase

LOGGER = "odoo.addons.subscription_cancellation.models.events.event"
#: Adds what an event is about to the customer's notes, where a test can see it.
NOTE = """
record.partner_id.write(
    {"ref": (record.partner_id.ref or "") + record.event + " "}
)
"""


@tagged("post_install", "-at_install")
class TestPublishing(EventCase):
    def setUp(self):
        super().setUp()
        self.subscription = self.create_billed()

    def get_told(self):
        """Return the events that the rule of this test was run for, in order."""
        return (self.subscription.partner_id.ref or "").split()

    # === NUMBERS === #

    def test_published_events_are_numbered_in_order(self):
        """D8: once; what is not published yet has no number to ask for."""
        self.cancel(self.subscription, timing="end_of_period")
        events = self.get_events(self.subscription)
        self.assertFalse(self.env[EVENT].search([("number", ">", 0)]) & events)
        self.publish()
        first = events[0].number
        self.assertGreater(first, 0)
        self.assertEqual(events.mapped("number"), [first, first + 1])
        self.subscription.revoke_cancellation()
        self.publish()
        self.publish()
        events = self.get_events(self.subscription)
        self.assertEqual(
            [(event.event, event.number - first) for event in events],
            [("requested", 0), ("scheduled", 1), ("revoked", 2)],
        )

    def test_more_than_one_batch(self):
        """D8: everything in one run, in order, whatever the size of a batch."""
        self.publish()
        for _number in range(3):
            self.cancel(self.subscription, timing="end_of_period")
            self.subscription.revoke_cancellation()
        with self.enter_registry_test_mode(), self.registry.cursor() as cr:
            self.env(cr=cr, su=True)[EVENT]._cron_publish(batch_size=4)
        self.env.invalidate_all()
        numbers = self.get_events(self.subscription).mapped("number")
        self.assertEqual(numbers, list(range(numbers[0], numbers[0] + 9)))

    # === RULES === #

    def test_a_rule_runs_on_the_events_it_is_for(self):
        """D8: on creation, with a condition; once per event."""
        self.create_rule(NOTE, domain="[('event', 'in', ('scheduled', 'revoked'))]")
        self.cancel(self.subscription, timing="end_of_period")
        self.subscription.revoke_cancellation()
        self.assertFalse(self.get_told(), "It runs when they are published.")
        self.publish()
        self.assertEqual(self.get_told(), ["scheduled", "revoked"])
        self.publish()
        self.assertEqual(self.get_told(), ["scheduled", "revoked"])

    def test_an_inactive_rule_does_not_run(self):
        """D8: the one that is delivered is inactive, too."""
        self.create_rule(NOTE, active=False)
        self.cancel(self.subscription)
        self.publish()
        self.assertFalse(self.get_told())

    def test_on_create_and_edit_runs_once(self):
        """D8: events are never edited; to be numbered is no edit."""
        self.create_rule(NOTE, trigger="on_create_or_write")
        self.cancel(self.subscription, timing="end_of_period")
        self.publish()
        self.assertEqual(self.get_told(), ["requested", "scheduled"])

    @mute_logger(LOGGER)
    def test_a_rule_that_fails_takes_nothing_back(self):
        """D8: the cancellation is done, other rules run, administrators see why."""
        self.create_rule("raise UserError('The rule is broken')", name="Broken")
        self.create_rule(NOTE, domain="[('event', '=', 'done')]")
        self.create_rule(NOTE, domain="[('no_such_field', '=', 1)]", name="Unfit")
        answer = self.cancel(self.subscription)
        self.assertEqual(answer["state"], "done")
        self.assertEqual(self.credit_memos(self.subscription).amount_total, 21.0)
        self.publish()
        self.assertEqual(self.get_told(), ["done"])
        done = self.get_events(self.subscription, "done")
        self.assertTrue(done.number)
        broken, unfit = done.rule_error.splitlines()
        self.assertEqual(broken, "Broken: The rule is broken")
        self.assertIn("Unfit: ", unfit)
        self.assertIn("no_such_field", unfit)

    @mute_logger(LOGGER)
    def test_what_a_failed_rule_did_is_taken_back(self):
        """D8: all of the rule or nothing."""
        self.create_rule(f"{NOTE}\nraise UserError('Too late')")
        self.cancel(self.subscription)
        self.publish()
        self.assertFalse(self.get_told())
        self.assertIn("Too late", self.get_events(self.subscription)[0].rule_error)

    @mute_logger(LOGGER)
    def test_a_webhook_without_an_address_holds_nothing_up(self):
        """D8: Odoo refuses to send it, which nobody who cancels hears of."""
        rule = self.env.ref(RULE).sudo()
        rule.action_server_ids.webhook_url = False
        rule.active = True
        self.assertEqual(self.cancel(self.subscription)["state"], "done")
        self.publish()
        self.assertIn(
            "give me a URL", self.get_events(self.subscription, "done").rule_error
        )

    def test_a_rule_cannot_change_what_happened(self):
        """D8, D4: it runs as an administrator, but not as the engine."""
        self.create_rule("record.write({'event': 'done'})", name="Forger")
        self.cancel(self.subscription, timing="end_of_period")
        with mute_logger(LOGGER):
            self.publish()
        [requested, _scheduled] = self.get_events(self.subscription)
        self.assertEqual(requested.event, "requested")
        self.assertIn("kept as they happened", requested.rule_error)

    def test_a_rule_that_cancels_something_itself(self):
        """D8: is told of with the next ones."""
        other = self.create_billed(partner_id=self.subscription.partner_id.id)
        self.create_rule(
            f"env['sale.subscription'].browse({other.id})"
            ".request_cancellation(timing='immediate')",
            domain=f"[('subscription_id', '=', {self.subscription.id}),"
            " ('event', '=', 'done')]",
        )
        self.cancel(self.subscription)
        self.publish()
        self.assertEqual(other.cancellation_state, "cancelled")
        last = self.get_events(self.subscription)[-1].number
        numbers = self.get_events(other).mapped("number")
        self.assertEqual(numbers, list(range(last + 1, last + 1 + len(numbers))))

    # === RETENTION === #

    def forget(self, days=None):
        """Run the daily clean-up, with a retention of so many days."""
        if days is not None:
            parameters = self.env["ir.config_parameter"].sudo()
            parameters.set_param(RETENTION_PARAMETER, days)
        self.env[EVENT]._gc_events()

    def test_events_are_forgotten_after_a_year(self):
        """D8: 365 days, the cancellation itself is proof for ever."""
        self.cancel(self.subscription, timing="end_of_period")
        self.publish()
        recent = self.create_billed()
        self.travel_to("2027-07-10")
        self.cancel(recent, timing="immediate")
        self.publish()
        self.forget()
        self.assertEqual(len(self.get_events(self.subscription)), 2)
        self.travel_to("2027-07-10 00:00:01")
        self.forget()
        self.assertFalse(self.get_events(self.subscription))
        self.assertTrue(self.get_events(recent))
        self.assertTrue(self.subscription.cancellation_ids)

    def test_the_retention_is_a_parameter(self):
        """D8: 0 keeps them for ever; what is no number is no reason to forget."""
        self.cancel(self.subscription, timing="end_of_period")
        self.publish()
        self.cancel(self.create_billed())
        self.publish()
        self.travel_to("2026-08-20")
        for days in (0, "for ever", 41):
            self.forget(days)
            self.assertEqual(len(self.get_events(self.subscription)), 2)
        self.forget(40)
        self.assertFalse(self.get_events(self.subscription))

    def test_numbers_go_on_when_everything_is_old(self):
        """D8: whoever asks for what is greater than the last one misses nothing."""
        self.cancel(self.subscription, timing="end_of_period")
        self.publish()
        last = max(self.env[EVENT].search([]).mapped("number"))
        self.travel_to("2028-01-01")
        self.forget()
        self.assertEqual(self.env[EVENT].search([]).mapped("number"), [last])
        self.subscription.cancellation_ids._execute_batch()
        self.publish()
        [_kept, done, *_steps] = self.get_events(self.subscription)
        self.assertEqual((done.event, done.number), ("done", last + 1))

    def test_what_is_not_published_is_not_forgotten(self):
        """D8: however long the scheduled action was switched off."""
        self.cancel(self.subscription, timing="end_of_period")
        self.travel_to("2028-01-01")
        self.forget()
        self.assertEqual(len(self.get_events(self.subscription)), 2)


@tagged("post_install", "-at_install")
class TestPolling(EventCase, HttpCase):
    """Asking for events over JSON-2, with a real key and a plain HTTP client."""

    def setUp(self):
        super().setUp()
        robot = self.create_user(CANCELLATION_USER, login="robot")
        keys = self.env["res.users.apikeys"].with_user(robot).sudo()
        self.headers = {"Authorization": f"Bearer {keys._generate('rpc', 't', None)}"}

    def publish(self):
        """Publish; the registry is in test mode for the server's sake already."""
        action = self.env.ref("subscription_cancellation.ir_cron_publish_events")
        action.method_direct_trigger()
        self.env.invalidate_all()

    def ask(self, last):
        """Return what was published after the event with the number ``last``."""
        response = self.url_open(
            f"/json/2/{EVENT}/search_read",
            json={
                "domain": [["number", ">", last]],
                "fields": PAYLOAD,
                "order": "number",
                "limit": 100,
                "load": None,
            },
            headers=self.headers,
        )
        self.assertEqual(response.status_code, 200, response.text)
        return response.json()

    def test_asking_for_what_is_new(self):
        """D8, E3: everything once, in order, with the right to cancel only."""
        subscription = self.create_billed()
        self.publish()
        last = max([event["number"] for event in self.ask(0)], default=0)
        self.cancel(
            subscription, timing="end_of_period", reason_code="no_longer_needed"
        )
        self.assertEqual(self.ask(last), [])
        self.publish()
        requested, scheduled = self.ask(last)
        self.assertEqual(set(scheduled), {"id", *PAYLOAD})
        self.assertEqual(
            (requested["event"], scheduled["event"]), ("requested", "scheduled")
        )
        self.assertEqual(scheduled["effective_date"], "2026-08-01")
        self.assertEqual(scheduled["last_service_date"], "2026-07-31")
        self.assertEqual(scheduled["reason_code"], "no_longer_needed")
        self.assertEqual(scheduled["subscription_id"], subscription.id)
        self.assertEqual(scheduled["credit_note_ids"], [])
        self.assertEqual(self.ask(scheduled["number"]), [])

    @mute_logger("odoo.http")
    def test_nobody_writes_over_the_api(self):
        """D8, D4: neither do they record or publish."""
        self.cancel(self.create_billed())
        for method, arguments in (
            ("create", {"vals_list": [{"event": "done"}]}),
            ("unlink", {"ids": self.env[EVENT].sudo().search([], limit=1).ids}),
            ("_cron_publish", {}),
            ("_record", {"values_list": []}),
        ):
            response = self.url_open(
                f"/json/2/{EVENT}/{method}", json=arguments, headers=self.headers
            )
            self.assertIn(response.status_code, (403, 404), method)
