# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The addon comes to a company that has a past, is upgraded, and leaves again.

A database of its own, and real processes: what upstream billed is there first, then
Odoo's command line installs, upgrades, and Odoo's own button uninstalls the addon.
"""

from odoo.tests import BaseCase, get_db_name, tagged

from .lifecycle import ADDON, Life

#: By customer, cancelled on 10 July, whose 21 of 31 days in July are not used: the
#: currency, the credit untaxed and its tax.
CREDITS = {
    "Direct": ("USD", 21.0, 0.0),
    # 10 % off 31.00 is 27.90, of which 21 days are 18.90, and 20 % tax.
    "Taxed and discounted": ("USD", 18.9, 3.78),
    "Posted by itself": ("USD", 21.0, 0.0),
    # Posted when the addon was installed already.
    "Draft": ("USD", 21.0, 0.0),
    # And all of August.
    "In advance": ("USD", 52.0, 0.0),
    "By orders": ("USD", 21.0, 0.0),
    "Sold": ("USD", 21.0, 0.0),
    "In euros": ("EUR", 21.0, 0.0),
    # 10.00 were credited by hand, of which 6.77 for these days.
    "Rebate": ("USD", 14.23, 0.0),
    "Taken back": ("USD", 0.0, 0.0),
    # Of 62.00 only: the other two lines cannot be told from each other.
    "Twins": ("USD", 42.0, 0.0),
}
JULY = ["2026-07-01", "2026-07-31"]


@tagged("post_install", "-at_install")
class TestLifecycle(BaseCase):
    """Stages of one database, made once; the tests look at what was found in each."""

    maxDiff = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        life = cls.begin("life")
        life.begin()
        cls.before = life.do("sell")
        life.odoo("--init", ADDON)
        done = life.do("cancel", names=list(CREDITS))
        cls.installed, cls.answers = done["installed"], done["answers"]
        cls.cancelled = done["books"]
        cls.upgrade(life)
        cls.uninstall(life)

    @classmethod
    def begin(cls, name):
        """Return a life whose database is removed in the end."""
        life = Life(f"{get_db_name()}_{name}")
        cls.addClassCleanup(life.end)
        return life

    @classmethod
    def upgrade(cls, life):
        """Upgrade a copy that is of the version before."""
        older = cls.begin("life_older")
        older.begin_like(life)
        cls.old = older.do("take_back")
        older.odoo("--update", ADDON)
        cls.upgraded = older.do("use")
        # Every script runs, one after the other, in the process of an upgrade.
        older.claim_version("19.0.1.0.0")
        older.odoo("--update", ADDON)
        cls.version = older.get_version()

    @classmethod
    def uninstall(cls, life):
        """Uninstall, and install again."""
        life.do("uninstall")
        cls.left = life.do("look_around")
        life.odoo("--init", ADDON)
        cls.again = life.do("read")

    def assert_unaltered(self, before, after, but=()):
        """Assert that journal items are as they were, reconciliation aside (C10).

        :param but: customers that are not looked at
        """
        for customer, books in before.items():
            if customer in but:
                continue
            with self.subTest(customer=customer):
                known = {item[0]: item[1:-2] for item in after[customer]["items"]}
                for number, *values in books["items"]:
                    self.assertEqual(known[number], values[:-2])

    # === INSTALL === #

    def test_what_was_billed_before_is_found(self):
        """C1: every kind of invoice is linked to its line and its days."""
        stamps = self.installed["stamps"]
        for customer in {"Not posted", *CREDITS} - {"In advance", "Twins"}:
            with self.subTest(customer=customer):
                [[start, end, line]] = stamps[customer]
                self.assertEqual([start, end], JULY)
                self.assertTrue(line)
        august = ["2026-08-01", "2026-08-31"]
        days = [stamp[:2] for stamp in stamps["In advance"]]
        self.assertEqual(days, [JULY, august])

    def test_what_cannot_be_told_apart_is_listed(self):
        """design.md §3: reported, never guessed silently."""
        self.assertEqual(self.installed["unlinked"], ["Hosting", "Hosting"])
        linked = [
            bool(line) for _start, _end, line in self.installed["stamps"]["Twins"]
        ]
        self.assertEqual(linked, [False, False, True])

    def test_installing_alters_no_document(self):
        """C10: not one journal item differs."""
        self.assertEqual(
            {name: books["items"] for name, books in self.before.items()},
            {name: books["items"] for name, books in self.installed["books"].items()},
        )

    def test_what_was_closed_before_is_cancelled(self):
        """B11: and nothing else is."""
        states = dict(self.installed["states"])
        self.assertEqual(states.pop("Closed before"), "cancelled")
        self.assertEqual({*states.values()}, {"active"})

    def test_cancelling_credits_to_the_cent(self):
        """A4, C1, C3, C4, C11: what was billed before counts as if it came now."""
        for customer, expected in CREDITS.items():
            with self.subTest(customer=customer):
                answer = self.answers[customer]
                names = ("currency", "credit_untaxed", "credit_tax")
                self.assertEqual(tuple(answer[name] for name in names), expected)
                self.assertEqual(answer["state"], "done")

    def test_a_draft_of_before_is_invoiced_for_what_was_served(self):
        """C9: 10 of 31 days."""
        items = self.cancelled["Not posted"]["items"]
        revenue = [item[7] for item in items if item[2] == "posted" and item[7] < 0]
        self.assertEqual(revenue, [-10.0])

    def test_cancelling_alters_no_invoice(self):
        """C10: invoices, payments and earlier credit memos stay as they were."""
        changed = ("Draft", "Not posted", "Cannot be credited")
        self.assert_unaltered(self.before, self.cancelled, but=changed)

    # === UNINSTALL === #

    def test_nothing_is_left_of_it(self):
        """Issue 6: no record, no column, no view, menu or scheduled action."""
        names = ("records", "columns", "models", "crons", "menus", "views", "broken")
        found = {name: self.left[name] for name in names}
        self.assertEqual(found, {name: [] for name in names})
        self.assertEqual(self.left["state"], "uninstalled")

    def test_upstreams_buttons_are_back(self):
        """A2: only the addon took them away."""
        form = self.left["form"]
        self.assertIn('name="action_close_subscription"', form)
        self.assertIn('string="Close subscription"', form)
        self.assertIn("'clickable': '1'", form)
        self.assertNotIn("action_deactivate", form)
        self.assertGreater(self.left["opened"]["sale.subscription"], 5)

    def test_upstreams_menus_are_shown_as_before(self):
        """D1: to salespeople who see all documents."""
        self.assertEqual(
            self.left["menu_groups"],
            {"root": [self.left["all_documents"]], "configuration_menu": []},
        )

    def test_uninstalling_alters_no_document(self):
        """C10: posted invoices, credit memos and payments stay as they are."""
        self.assert_unaltered(self.cancelled, self.left["books"])
        self.assertIn(19.0, self.get_credits("Due"))

    def get_credits(self, customer):
        """Return the revenue that was credited, from the journal items."""
        items = self.left["books"][customer]["items"]
        return [item[7] for item in items if item[4] == "400000" and item[7] > 0]

    def test_what_is_due_is_credited_before(self):
        """B8: it ended on 12 July, three days ago; 19 of 31 days."""
        due = self.left["books"]["Due"]
        self.assertEqual((due["stage"], due["reason"]), ("post", "Missing features"))
        self.assertEqual(self.get_credits("Due"), [19.0])

    def test_what_cannot_be_credited_ends_and_is_told(self):
        """B7: it is closed all the same, and its salesperson knows."""
        books = self.left["books"]["Cannot be credited"]
        self.assertEqual(books["stage"], "post")
        [[login, _deadline, note]] = books["activities"]
        self.assertEqual(login, "admin")
        self.assertIn("Old Sales is archived", note)
        self.assertIn("Credit it by hand", note)

    def test_a_cancelled_line_leaves_its_subscription(self):
        """A5: with its name, quantity, price and end in the history."""
        books = self.left["books"]["One line"]
        self.assertEqual(books["lines"], ["Hosting"])
        self.assertEqual(books["total"], 31.0)
        self.assertIn(
            "Line removed: “Mail”, quantity 1, price $\N{NO-BREAK SPACE}62.00, which "
            "ended on July 10, 2026.",
            books["history"][0].replace("&nbsp;", "\N{NO-BREAK SPACE}"),
        )

    def test_a_closed_subscription_keeps_the_lines_that_ended_with_it(self):
        """A6: the line that had ended before is gone."""
        books = self.left["books"]
        self.assertEqual(books["Line by line"]["lines"], ["Mail"])
        self.assertEqual(books["Direct"]["lines"], ["Hosting"])
        self.assertEqual(books["Direct"]["total"], 31.0)

    def test_ends_that_were_to_come_are_told(self):
        """B7: on the day, to the salesperson, with what it would be worth."""
        for customer, words in {
            "Ends later": "service was to end on July 20, 2026. End it by hand.",
            "One line later": "of Mail: service was to end on July 20, 2026.",
            "Waits for approval": "which nobody has approved yet.",
        }.items():
            with self.subTest(customer=customer):
                books = self.left["books"][customer]
                self.assertEqual(books["stage"], "in_progress")
                [[login, deadline, note]] = books["activities"]
                self.assertEqual((login, deadline), ("admin", "2026-07-20"))
                self.assertIn(words, note)
                self.assertIn("As of today the credit would be", note)
                self.assertIn(words, books["history"][0])

    def test_money_that_has_not_moved_is_told(self):
        """C6: the refund of 21.00."""
        [[login, _deadline, note]] = self.left["books"]["Paid"]["activities"]
        self.assertEqual(login, "admin")
        self.assertIn("21.00 is not done", note)

    def test_what_somebody_has_to_do_stays(self):
        """D6: an activity of a type of ours, and a letter nobody has looked at."""
        [[_login, _deadline, note]] = self.left["books"]["Runs on"]["activities"]
        self.assertIn("Call them", note)
        [letter] = self.left["letters"]
        self.assertIn("somebody@example.com, about contract “Unknown”", letter)

    def test_upstream_bills_what_runs_and_nothing_that_ended(self):
        """A5, B7: on 1 August, with upstream's own scheduled action."""
        billed = {
            customer: sorted(item[5] for item in self.get_august(books))
            for customer, books in self.left["august"].items()
        }
        running = {
            "Runs on": ["Hosting"],
            "Revoked": ["Hosting"],
            "Ended and reopened": ["Hosting"],
            "One line": ["Hosting"],
            # Forgotten, as their salesperson was told.
            "Ends later": ["Hosting"],
            "One line later": ["Hosting", "Mail"],
            "Waits for approval": ["Hosting"],
        }
        self.assertEqual(
            {name: lines for name, lines in billed.items() if lines}, running
        )

    def get_august(self, books):
        """Return the revenue that was billed now: what was there before is posted."""
        return [item for item in books["items"] if item[2] == "draft" and item[7] < 0]

    # === AGAIN === #

    def test_installing_again_finds_the_old_invoices(self):
        """C1: those of lines that are still there."""
        self.assertEqual(self.again["states"]["Direct"], "cancelled")
        for customer in ("Direct", "Runs on", "By orders", "Sold", "Ends later"):
            with self.subTest(customer=customer):
                self.assertEqual(
                    self.again["stamps"][customer], self.installed["stamps"][customer]
                )
        self.assertEqual(self.again["books"]["Due"]["reason"], "Missing features")
        self.assertEqual(self.again["reasons"], self.installed["reasons"])

    # === UPGRADE === #

    def test_it_is_the_version_before_that_is_upgraded(self):
        self.assertEqual(self.old["version"], "19.0.1.2.0")
        self.assertGreater(self.upgraded["version"], "19.0.1.2.0")

    def test_the_oldest_version_is_upgraded(self):
        """All migration scripts get along with each other."""
        self.assertEqual(self.version, self.upgraded["version"])

    def test_upgrading_alters_nothing(self):
        """C10, D4: journal items, periods, states and histories are the same."""
        self.assertEqual(self.upgraded["books"], self.old["books"])
        self.assertEqual(self.upgraded["stamps"], self.old["stamps"])
        self.assertEqual(self.upgraded["states"], self.old["states"])
        self.assertEqual(self.upgraded["reasons"], self.old["reasons"])

    def test_everything_opens(self):
        """E1: lists and forms."""
        for model in ("subscription.cancellation", "subscription.cancellation.step"):
            self.assertGreater(self.upgraded["opened"][model], 5)

    def test_cancellations_of_before_go_on(self):
        """B7, B8, B12, B15, C6: executed, revoked, approved, reactivated."""
        self.assertEqual(self.upgraded["done"], ["done", 19.0])
        self.assertEqual(
            {step[1] for step in self.upgraded["steps"]}, {"done", "skipped"}
        )
        self.assertEqual(self.upgraded["failed"], "failed")
        self.assertEqual(self.upgraded["revoked"], "active")
        self.assertEqual(self.upgraded["approved"], "scheduled")
        self.assertEqual(self.upgraded["back"], "active")
        # 16 of 31 days.
        self.assertEqual(self.upgraded["preview"], 16.0)

    def test_a_key_belongs_to_the_company(self):
        """E3: it was the subscription's, and two could have the same."""
        self.assertIn("(company_id, idempotency_key)", self.upgraded["index"])
        self.assertEqual(self.upgraded["keys"], ["twice"])

    def test_steps_say_from_when_on_days_were_unbilled(self):
        """C9: undoing needs to know."""
        self.assertEqual(self.upgraded["unbilled_from"], ["2026-07-01"])
