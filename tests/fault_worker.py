# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Real processes that settle cancellations and are killed on the way.

    python -m tests.fault_worker ODOO_CONF DATABASE SOURCE

loads DATABASE's registry once (files are read from SOURCE's), then does one job per
line of its input, each in a process of its own: forked before anything was connected,
it is as fresh as a restarted server, without the seconds that starting one takes.
Jobs and answers are JSON; an answer has the process's exit code and its result.

Nothing of the addon is replaced: the moments at which a process can be killed are
numbered around PostgreSQL's cursor, the provider's methods and the post-processing.
"""

import functools
import gc
import json
import multiprocessing
import os
import signal
import sys
import traceback
from collections import Counter

import freezegun
from psycopg2.errors import SerializationFailure

from odoo import sql_db
from odoo.api import SUPERUSER_ID, Environment
from odoo.fields import Datetime
from odoo.modules.registry import Registry
from odoo.tools import config

from .faults import smtp_sink
from .faults.broken_world import DEAD_PORT, STRIKES, WORLDS

NOW = "2026-07-11 06:00:00"
#: A round is what both scheduled actions do; what waits for a retry comes in the next.
MAX_ROUNDS = 5
#: The scheduled actions, each in several batches, with their commits.
ACTIONS = ("_cron_execute_due", "_cron_run_steps")
ACCOUNTANT = "faults_accountant"


# === MOMENTS === #


class Moments:
    """Number the moments of a run, and kill the process at one of them."""

    def __init__(self, kill_at, ledger, strike=None):
        self.kill_at = kill_at
        #: What happens at that moment to the connection; ``None``: a kill.
        self.strike = STRIKES.get(strike)
        self.cursor = None
        self.ledger = ledger
        self.where = "core"
        self.labels = []
        self.inside = set()

    def reach(self, label):
        """Come to a moment; at the chosen one there is nothing after it."""
        self.labels.append(f"{self.where}: {label}")
        if len(self.labels) == self.kill_at:
            self._write_down(killed_at=self.labels[-1])
            if self.strike:
                self.strike(self.cursor)
            else:
                os.kill(os.getpid(), signal.SIGKILL)

    def install(self, registry):
        """Number what happens in this process from now on."""
        transaction = registry["payment.transaction"]
        self._name_steps(registry["subscription.cancellation.step"])
        self._wrap_cursor()
        for name in ("_send_refund_request", "_send_payment_request"):
            self._wrap_provider(transaction, name)
        self._wrap(transaction, "_post_process", "post-processing")

    def _name_steps(self, step_model):
        original = step_model._attempt

        @functools.wraps(original)
        def attempt(step):
            customer = step.cancellation_id.partner_id.name
            self.where = f"{customer}, {step.kind}"
            original(step)
            self.where = f"{customer}, after {step.kind}"

        step_model._attempt = attempt

    def _wrap_cursor(self):
        execute, commit = sql_db.Cursor.execute, sql_db.Cursor.commit

        def reach_and_execute(cursor, *args, **kwargs):
            self.cursor = cursor
            self.reach("statement")
            return execute(cursor, *args, **kwargs)

        def flush_and_commit(cursor):
            # So that every statement comes before the moment before the commit.
            cursor.flush()
            self._go_through("commit", commit, cursor)

        sql_db.Cursor.execute = reach_and_execute
        sql_db.Cursor.commit = flush_and_commit

    def _wrap(self, owner, name, label):
        original = getattr(owner, name)

        @functools.wraps(original)
        def wrapper(*args, **kwargs):
            return self._go_through(label, original, *args, **kwargs)

        setattr(owner, name, wrapper)

    def _go_through(self, label, method, *args, **kwargs):
        """Number the moments around a call; one inside of another is no news."""
        if label in self.inside:
            return method(*args, **kwargs)
        self.inside.add(label)
        self.reach(f"before {label}")
        result = method(*args, **kwargs)
        self.reach(f"after {label}")
        self.inside.remove(label)
        return result

    def _wrap_provider(self, owner, name):
        """Number the call; write it down where no rollback reaches."""
        original = getattr(owner, name)

        @functools.wraps(original)
        def send(transaction):
            self.reach("before the call")
            self._write_down(reference=transaction.reference, amount=transaction.amount)
            self.reach("the provider has it")
            original(transaction)
            self.reach("the provider answered")

        setattr(owner, name, send)

    def _write_down(self, **entry):
        """Add to the provider's books, which no rollback reaches."""
        with open(self.ledger, "a", encoding="utf-8") as ledger:
            ledger.write(json.dumps(entry) + "\n")
            ledger.flush()
            os.fsync(ledger.fileno())


# === JOBS === #


def prepare(registry, number=0, suffixes=("",)):
    """Commit subscriptions that are billed, partly paid, and due to end.

    :param int number: of all kinds together; absent: one of each kind
    :param suffixes: endings of the customers' names, each with one of each kind
    """
    # Not above: it takes seconds that nothing else needs.
    if number:
        from .faults.many_data import ManyFaults

        return ManyFaults.prepare_many(ACCOUNTANT, number)
    from .fault_data import FaultData

    return FaultData.prepare(ACCOUNTANT, suffixes)


def spoil(registry, customer):
    """Archive the account that a customer's credit memo would be booked on."""
    with registry.cursor() as cr:
        [line] = _get_env(cr)["account.move.line"].search(
            [("partner_id.name", "=", customer), ("subscription_line_id", "!=", False)]
        )
        line.account_id = line.account_id.copy({"code": "499999"})
        line.account_id.active = False


def run(
    registry,
    ledger,
    actions=ACTIONS,
    kill_at=0,
    is_repeatable=True,
    rounds=1,
    batch_size=2,
    strike=None,
    world=None,
):
    """Execute and settle what is due; return the moments on the way.

    :param actions: the scheduled actions to run
    :param int kill_at: the number of the moment at which the process is killed
    :param int rounds: how often, each time at what waits for a retry, too
    :param int batch_size: how many at once
    :param str strike: what happens at the moment instead of a kill
    :param str world: what is broken from the beginning
    """
    if world:
        WORLDS[world](registry, ledger)
    moments = Moments(kill_at, ledger, strike)
    if world != "hanging_provider":
        moments.install(registry)
    if not is_repeatable:
        # The addon's hook: a provider that does not recognise a reference.
        registry["payment.transaction"]._can_be_sent_again = lambda transaction: False
    for _round in range(rounds):
        for action in actions:
            # As the scheduler does: a transaction of its own.
            with registry.cursor() as cr:
                cancellations = _get_env(cr)["subscription.cancellation"]
                getattr(cancellations, action)(batch_size=batch_size)
        if not _bring_retries_forward(registry):
            break
    return moments.labels


def restart(registry, **options):
    """What happens after a restart, until nothing is left to try."""
    return run(registry, rounds=MAX_ROUNDS, **options)


def post_process(registry):
    """Odoo's own scheduled action, which may come before ours."""
    with registry.cursor() as cr:
        _get_env(cr)["payment.transaction"]._cron_post_process()


def send_mails(registry):
    """Send what waits in the mail queue; return how many mails by state."""
    with registry.cursor() as cr:
        env = _get_env(cr)
        env["mail.mail"].process_email_queue()
        ours = _search_mails(env)
        told = env["mail.notification"].search_count(
            [
                ("mail_mail_id", "in", ours.ids),
                ("notification_status", "=", "exception"),
                ("failure_type", "!=", False),
            ]
        )
        return {**Counter(ours.mapped("state")), "told": told}


def mend_mail_server(registry):
    """Let the mail server answer again, and send what has failed, as somebody does.

    :return: what arrived, as (recipient, message id)
    """
    with registry.cursor() as cr, smtp_sink.listening() as sink:
        env = _get_env(cr)
        env["ir.mail_server"].search([("smtp_port", "=", DEAD_PORT)]).write(
            {"smtp_port": sink.port}
        )
        _search_mails(env).filtered(
            lambda mail: mail.state == "exception"
        ).mark_outgoing()
        for _again in range(2):
            env["mail.mail"].process_email_queue()
        return sink.received


def _search_mails(env):
    """Return the mails about the cancellations of the test, not those of others."""
    return env["mail.mail"].search(
        [
            ("model", "=", "subscription.cancellation"),
            ("res_id", "in", _search_cancellations(env).ids),
        ]
    )


def _search_cancellations(env):
    """Return those of the customers of the test."""
    from .fault_books import REF

    return env["subscription.cancellation"].search([("partner_id.ref", "=", REF)])


def decide(registry, ledger, action):
    """Let an accountant say what became of each transaction that nobody knows of.

    :return: how many there were
    """
    Moments(0, ledger).install(registry)
    with registry.cursor() as cr:
        user = _get_env(cr)["res.users"].search([("login", "=", ACCOUNTANT)])
        steps = Environment(cr, user.id, {})["subscription.cancellation.step"]
        unknown = steps.search([("is_unknown", "=", True)])
        for step in unknown:
            getattr(step, action)()
        return len(unknown)


def decide_by_ledger(registry, ledger):
    """Let an accountant decide by the provider's books; return how often."""
    Moments(0, ledger).install(registry)
    with open(ledger, encoding="utf-8") as entries:
        arrived = {entry.get("reference") for entry in map(json.loads, entries)}
    with registry.cursor() as cr:
        user = _get_env(cr)["res.users"].search([("login", "=", ACCOUNTANT)])
        steps = Environment(cr, user.id, {})["subscription.cancellation.step"]
        unknown = steps.search([("is_unknown", "=", True)])
        for step in unknown:
            if step.transaction_id.sudo().reference in arrived:
                step.action_was_done()
            else:
                step.action_send_again()
        return len(unknown)


def read(registry):
    """Return the books, by customer, and what must not be left over."""
    # Not above: the addon is found once the configuration is read.
    from .fault_books import read_books

    with registry.cursor() as cr:
        return read_books(_get_env(cr))


def is_open(registry):
    """Return whether anything is left to execute or to settle."""
    with registry.cursor() as cr:
        cancellations = _get_env(cr)["subscription.cancellation"]
        steps = cancellations.step_ids.search_count(
            cancellations._get_due_steps_domain()
        )
        return bool(cancellations._count_due() or steps)


JOBS = {
    job.__name__: job
    for job in (
        prepare,
        spoil,
        run,
        restart,
        post_process,
        send_mails,
        mend_mail_server,
        decide,
        decide_by_ledger,
        read,
        is_open,
    )
}


def _get_env(cr):
    return Environment(cr, SUPERUSER_ID, {})


def _bring_retries_forward(registry):
    """Let time pass for what is tried again later; return how much that is."""
    while True:
        try:
            with registry.cursor() as cr:
                cr.execute(
                    "UPDATE subscription_cancellation_step SET next_attempt_at = %s"
                    " WHERE state IN ('pending', 'failed')"
                    " AND next_attempt_at < '2100-01-01'",
                    [Datetime.now()],
                )
                return cr.rowcount
        except SerializationFailure:
            # The other process has changed one of them meanwhile.
            continue


# === PROCESSES === #


def main(conf, database, source):
    """Answer the jobs of the input until it ends."""
    config.parse_config(["-c", conf, "-d", database, "--log-level=critical"])
    # Attachments that the database's source has; new ones are kept in the database.
    filestore = config.filestore(source)
    config.filestore = lambda dbname: filestore
    registry = Registry(database)
    _warm_up(registry)
    # As in all tests, mails get the page in place of its PDF.
    config["test_enable"] = True
    freezegun.configure(extend_ignore_list=["multiprocessing"])
    freezegun.freeze_time(NOW).start()
    sql_db.close_all()
    # Collecting garbage would copy the parent's memory into each process.
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        answer = _answer(registry, json.loads(line))
        print(json.dumps(answer), flush=True)


def _warm_up(registry):
    """Compute once, before forking, what the ORM else computes in each process."""
    for model in registry.values():
        for field in model._fields.values():
            registry.get_field_trigger_tree(field)


def _answer(registry, job):
    """Do one job in a process of its own, or in several at once."""
    context = multiprocessing.get_context("fork")
    kill_after = job.pop("kill_after", None)
    started = [
        _start(context, registry, job) for _number in range(job.pop("processes", 1))
    ]
    if kill_after is not None:
        _kill_after(started, kill_after)
    results = [_receive(receiver) for _process, receiver in started]
    for process, _receiver in started:
        process.join()
    codes = [process.exitcode for process, _receiver in started]
    return {"exit_codes": codes, "result": results[0]}


def _start(context, registry, job):
    """Start a process; return it, and where its result comes from."""
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_do_job, args=(registry, job, sender))
    process.start()
    sender.close()
    return process, receiver


def _kill_after(started, seconds):
    """Kill the processes after some time, wherever they are by then."""
    _process, receiver = started[0]
    if not receiver.poll(seconds):
        for process, _receiver in started:
            process.kill()


def _receive(receiver):
    """Return a process's result; of a killed one there is none."""
    try:
        return receiver.recv()
    except EOFError:
        return None


def _do_job(registry, job, sender):
    """Do one job and send its result."""
    # What was cached is of the database as it was before.
    registry.clear_all_caches()
    name = job.pop("job")
    try:
        sender.send(JOBS[name](registry, **job))
    except Exception:
        sender.send(traceback.format_exc())
        raise


if __name__ == "__main__":
    main(*sys.argv[1:])
