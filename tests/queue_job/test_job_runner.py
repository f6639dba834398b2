# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The real job runner executes and settles what is due, and is killed on the way.

Real servers work on a database of their own, with their scheduler, their workers and
their job runner; the seven customers of the fault test five times, in batches of ten.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from unittest.mock import patch

from odoo import sql_db
from odoo.tests import BaseCase, get_db_name, tagged
from odoo.tools import config

from ..faults import databases
from ..faults.stage import EXECUTE, SETTLE, Stage
from ..real_server import RealServer, get_free_port
from ..test_faults import BALANCES, STEPS

SUFFIXES = [f" {number}" for number in range(1, 6)]
CUSTOMERS = len(SUFFIXES) * len(BALANCES)
BATCH_SIZE = 10
#: Two jobs at once, of whatever kind.
CHANNELS = "root:2"
JOBS = -(-CUSTOMERS // BATCH_SIZE)
#: How many seconds the servers may take; dead jobs alone wait for up to a minute.
PATIENCE = 400
OPEN_STEPS = """
    SELECT count(*) FROM subscription_cancellation_step
     WHERE state IN ('pending', 'failed') AND next_attempt_at < '2100-01-01'
"""
OPEN_JOBS = "SELECT count(*) FROM queue_job WHERE state NOT IN ('done', 'failed')"
OPEN_CANCELLATIONS = """
    SELECT count(*) FROM subscription_cancellation
     WHERE state = 'scheduled' AND due_at < '2100-01-01'
"""
PREPARE = f"""
    UPDATE ir_cron SET active = id IN (
        SELECT res_id FROM ir_model_data
         WHERE module = 'subscription_cancellation'
           AND name IN ('ir_cron_execute_due', 'ir_cron_run_steps')
    ), nextcall = now() - INTERVAL '1 day';
    DELETE FROM ir_config_parameter
     WHERE key = 'subscription_cancellation_queue_job.batch_size';
    INSERT INTO ir_config_parameter (key, value)
    VALUES ('subscription_cancellation_queue_job.batch_size', '{BATCH_SIZE}');
"""


class RunnerStage(Stage):
    """A database that servers work on, and what can be seen in it."""

    def start(self):
        """Prepare the database: only our scheduled actions run in it, at once."""
        super().start(suffixes=SUFFIXES)
        # Attachments that the database's source has.
        self.filestore = Path(config.filestore(self.database))
        self.filestore.unlink(missing_ok=True)
        self.filestore.symlink_to(config.filestore(self.source))

    def stop(self):
        super().stop()
        self.filestore.unlink(missing_ok=True)

    def query(self, query):
        """Return the rows of a query, if it has any."""
        connection = sql_db.db_connect(self.database)
        with closing(connection.cursor()) as cr:
            cr.execute(query)
            rows = cr.fetchall() if cr.description else []
            cr.commit()
        sql_db.close_db(self.database)
        return rows

    def count(self, query):
        [[number]] = self.query(query)
        return number

    def wait_until(self, condition, what):
        """Wait until a condition holds.

        :param condition: callable
        :raise TimeoutError: it does not, in a long time
        """
        end = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError(f"{what} took more than {PATIENCE} seconds")
            time.sleep(0.5)

    def wait_until_done(self):
        """Wait until nothing is left to execute, to settle or to run."""
        queries = (OPEN_CANCELLATIONS, OPEN_STEPS, OPEN_JOBS)
        self.wait_until(
            lambda: not any(self.count(query) for query in queries), "Everything due"
        )


@tagged("post_install", "-at_install")
class TestJobRunner(BaseCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)
        cls.stage = RunnerStage(get_db_name())
        cls.addClassCleanup(cls.stage.stop)
        cls.stage.start()

    def setUp(self):
        super().setUp()
        self.stage.reset(EXECUTE, self.folder / self.id())
        self.stage.query(PREPARE)

    # === HELPERS === #

    def start_server(self, workers=0):
        """Return a running server, which ends with the test at the latest."""
        server = RealServer(
            self.stage.database,
            "--load=base,web,queue_job",
            "--max-cron-threads=1",
            f"--workers={workers}",
            f"--gevent-port={get_free_port()}",
        )
        # Where the pages of its PDFs have their style from.
        self.stage.query(
            f"UPDATE ir_config_parameter SET value = '{server.url}'"
            " WHERE key = 'web.base.url'"
        )
        with patch.dict(os.environ, ODOO_QUEUE_JOB_CHANNELS=CHANNELS):
            server.start()
        self.addCleanup(self.kill, server)
        self.stage.wait_until(self.is_awake, "The scheduled action")
        return server

    def kill(self, server):
        """Kill all processes of a server, if there are any: nothing comes after it."""
        server.stop(signal.SIGKILL)
        self.stage.wait_until_left()

    def is_awake(self):
        """Return whether the scheduled action has made jobs; else wake its server."""
        if not self.stage.count("SELECT count(*) FROM queue_job"):
            notify = "SELECT 1 FROM pg_notify('cron_trigger', %s)"
            databases.execute(notify, parameters=[self.stage.database])
            return False
        return True

    def run_in_shell(self, code):
        """Let a new process of Odoo execute Python code, and commit."""
        odoo = [Path(sys.executable).with_name("odoo"), "shell", "--no-http"]
        options = [f"--config={config['config']}", f"--database={self.stage.database}"]
        subprocess.run(
            [*odoo, *options, "--log-level=error"],
            input=f"{code}\nenv.cr.commit()\n",
            stdout=subprocess.DEVNULL,
            text=True,
            check=True,
        )

    def uninstall(self, module):
        """Uninstall an addon, and what depends on it, as *Apps* does."""
        self.run_in_shell(
            f"env['ir.module.module'].search([('name', '=', '{module}')])"
            ".button_immediate_uninstall()"
        )

    def read_jobs(self, method):
        """Return the state, records and process of the jobs of one kind."""
        return self.stage.query(
            "SELECT state, array(SELECT jsonb_array_elements("
            " (records #>> '{}')::jsonb -> 'ids')::int), worker_pid"
            f" FROM queue_job WHERE method_name = '{method}' ORDER BY id"
        )

    def check_books(self, spoiled=()):
        """Assert that everybody was credited, refunded and told, once."""
        books = self.stage.do("read")
        left_over = {key: books[key] for key in ("drafts", "orphans", "locks")}
        self.assertEqual(left_over, {"drafts": 0, "orphans": 0, "locks": 0})
        self.assertEqual(len(books["customers"]), CUSTOMERS)
        for customer, own in books["customers"].items():
            if customer not in spoiled:
                with self.subTest(customer=customer):
                    self.check_customer(customer.split()[0], own)

    def check_customer(self, name, books):
        """Assert that the books of one customer are what they were worked out to be."""
        self.assertEqual(books["cancellations"], ["done"])
        self.assertEqual(books["subscriptions"].count("cancelled"), 1)
        self.assertEqual(
            books["steps"],
            sorted(
                [kind, "done", amount]
                for kind, amount in {**STEPS[name], "confirm": 0.0}.items()
            ),
        )
        self.assertEqual(self.get_balance(books), BALANCES[name])
        # When it was scheduled, and when it was done.
        self.assertEqual(books["confirmations"], [2, 2])
        self.assertEqual(books["activities"], 0)
        self.assertEqual(books["errors"], [])

    def get_balance(self, books):
        """Return what a customer's documents add up to, kind by kind."""
        kinds = ("out_invoice", "out_refund", "inbound", "outbound", "entry")
        amounts = Counter(dict.fromkeys(kinds, 0.0))
        for kind, state, amount, *_rest in books["moves"]:
            if state == "posted" and kind != "payment":
                amounts[kind] += amount
        for kind, state, amount in books["payments"]:
            self.assertEqual(state, "paid")
            amounts[kind] += amount
        return (*(amounts[kind] for kind in kinds), books["receivable"])

    # === TESTS === #

    def test_workers_share_what_is_due_and_do_it_once(self):
        """B7, B8, C4-C9: jobs of several workers, the books as without them."""
        broken = "Ann 5"
        self.stage.do("spoil", customer=broken)
        server = self.start_server(workers=3)
        self.stage.wait_until_done()
        self.kill(server)
        self.check_books(spoiled=[broken])
        self.check_spoiled(broken)
        executed, settled = map(self.read_jobs, ("_job_execute", "_job_run_steps"))
        self.assertEqual({job[0] for job in executed + settled}, {"done"})
        self.assertEqual(len(executed), JOBS)
        ids = [one for job in executed for one in job[1]]
        self.assertEqual(len(ids), CUSTOMERS)
        self.assertEqual(len(set(ids)), CUSTOMERS)
        self.assertGreaterEqual(len({job[2] for job in executed + settled}), 2)

    def check_spoiled(self, customer):
        """Assert that one has failed, with nothing done and somebody told."""
        books = self.stage.do("read")["customers"][customer]
        self.assertEqual(books["cancellations"], ["failed"])
        self.assertEqual(books["activities"], 1)
        self.assertEqual([move[0] for move in books["moves"]].count("out_refund"), 0)

    def test_another_server_goes_on_where_one_is_killed(self):
        """B8, C6, C8: its jobs are done by the other one; nothing is done twice."""
        self.kill_while_settling(self.start_server(workers=3))
        other = self.start_server()
        self.stage.wait_until_done()
        self.kill(other)
        self.check_books()
        jobs = [*self.read_jobs("_job_execute"), *self.read_jobs("_job_run_steps")]
        self.assertEqual({job[0] for job in jobs}, {"done"})

    def kill_while_settling(self, server):
        """Kill a server that is at some steps, has done some, and has some to do."""
        done = "SELECT count(*) FROM queue_job WHERE method_name = '_job_run_steps'"
        self.stage.wait_until(
            lambda: self.stage.count(f"{done} AND state = 'done'") > 5, "Settling five"
        )
        self.stage.wait_until(
            lambda: self.stage.count(f"{done} AND state = 'started'"), "A step's job"
        )
        self.kill(server)
        self.assertTrue(self.stage.count(f"{done} AND state = 'started'"))
        self.assertTrue(self.stage.count(OPEN_STEPS))

    def test_without_a_runner_the_scheduled_actions_do_the_work(self):
        """B7, B8, C4-C9: after an hour; and a runner that comes back finds it done."""
        self.stage.run(actions=[EXECUTE])
        self.assertEqual(self.stage.count(OPEN_CANCELLATIONS), CUSTOMERS)
        self.stage.query(
            "UPDATE queue_job SET date_created = date_created - INTERVAL '1 hour'"
        )
        self.stage.run(actions=[EXECUTE, SETTLE])
        self.check_books()
        jobs = self.read_jobs("_job_execute")
        self.assertEqual({job[0] for job in jobs}, {"pending"})
        self.assertEqual(sum(len(job[1]) for job in jobs), CUSTOMERS)
        self.assertEqual(self.read_jobs("_job_run_steps"), [])
        server = self.start_server()
        self.stage.wait_until_done()
        self.kill(server)
        self.check_books()
        self.assertEqual(
            [job[:2] for job in self.read_jobs("_job_execute")],
            [("done", job[1]) for job in jobs],
        )

    def test_without_the_addon_the_scheduled_action_does_the_work_again(self):
        """B7, B8: uninstalled, its jobs are cancelled, and what is due is executed."""
        self.stage.run(actions=[EXECUTE])
        self.assertEqual(self.stage.count(OPEN_CANCELLATIONS), CUSTOMERS)
        self.assertEqual(
            {job[0] for job in self.read_jobs("_job_execute")}, {"pending"}
        )
        self.uninstall("subscription_cancellation_queue_job")
        self.assertEqual(
            {job[0] for job in self.read_jobs("_job_execute")}, {"cancelled"}
        )
        channels = "SELECT complete_name FROM queue_job_channel"
        self.assertEqual(self.stage.query(channels), [("root",)])
        self.run_in_shell(f"env['subscription.cancellation'].{EXECUTE}()")
        self.assertEqual(self.stage.count(OPEN_CANCELLATIONS), 0)
        self.assertEqual(
            self.stage.query(
                "SELECT state, count(*) FROM subscription_cancellation"
                " WHERE due_at < '2100-01-01' GROUP BY state"
            ),
            [("done", CUSTOMERS)],
        )

    def test_both_addons_are_uninstalled_at_once(self):
        """B7: what is due has ended and is credited, whatever waited in jobs."""
        self.stage.run(actions=[EXECUTE])
        self.assertEqual(self.stage.count(OPEN_CANCELLATIONS), CUSTOMERS)
        self.uninstall("subscription_cancellation")
        self.assertEqual(
            {job[0] for job in self.read_jobs("_job_execute")}, {"cancelled"}
        )
        credited = (
            "SELECT count(*) FROM account_move WHERE move_type = 'out_refund'"
            " AND state = 'posted'"
        )
        # Gus alone is invoiced, not credited.
        self.assertEqual(self.stage.count(credited), CUSTOMERS - len(SUFFIXES))
        left = (
            "SELECT count(*) FROM ir_module_module"
            " WHERE name LIKE 'subscription_cancellation%' AND state != 'uninstalled'"
        )
        self.assertEqual(self.stage.count(left), 0)
