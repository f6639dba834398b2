# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What is around Odoo is broken: database, files, mail server, payment provider.

Called in the worker process of the fault test before it begins to work.
"""

import http.server
import json
import tempfile
import threading

import requests

from odoo.api import SUPERUSER_ID, Environment
from odoo.tools import config

from . import databases, postgresql

#: Nobody listens there: the port is reserved.
DEAD_PORT = 1
#: How long our provider's clients wait, instead of Odoo's ten seconds.
PROVIDER_PATIENCE = 0.3


# === DATABASE === #


def lose_connection(cr):
    """Let PostgreSQL end the connection of a cursor, as a restart does."""
    pid = cr._cnx.get_backend_pid()
    databases.execute("SELECT pg_terminate_backend(%s)", parameters=[pid])


def crash_server(cr):
    """Let PostgreSQL crash while it serves a cursor."""
    postgresql.kill_backend(cr._cnx.get_backend_pid())


# === FILES === #


def full_disk(registry, _ledger):
    """Let no attachment be written: there is a file where the folder should be."""
    _set_param(registry, "ir_attachment.location", "file")
    no_folder = tempfile.NamedTemporaryFile(prefix="no-folder-", delete=False)
    config.filestore = lambda _database: no_folder.name


# === MAIL === #


def no_mail_server(registry, _ledger):
    """Send mails to a server that does not answer."""
    with registry.cursor() as cr:
        env = Environment(cr, SUPERUSER_ID, {})
        env["ir.mail_server"].create(
            {"name": "Down", "smtp_host": "127.0.0.1", "smtp_port": DEAD_PORT}
        )


# === PAYMENT PROVIDER === #


def hanging_provider(registry, ledger):
    """Let the demo provider ask a server that takes the request and never answers."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _make_handler(ledger))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/"
    registry["payment.provider"]._build_request_url = lambda provider, endpoint: url
    transaction = registry["payment.transaction"]
    transaction._send_refund_request = _send_over_http
    transaction._send_payment_request = _send_over_http
    _shorten_patience()


def _send_over_http(transaction):
    """Send a transaction as Odoo's providers do, through ``_send_api_request``."""
    transaction.provider_id._send_api_request(
        "POST",
        "transactions",
        json={"reference": transaction.reference, "amount": transaction.amount},
        reference=transaction.reference,
    )


def _shorten_patience():
    original = requests.request

    def request(method, url, **options):
        return original(method, url, **{**options, "timeout": PROVIDER_PATIENCE})

    requests.request = request


def _make_handler(ledger):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with open(ledger, "a", encoding="utf-8") as entries:
                entries.write(json.dumps(json.loads(body)) + "\n")
            threading.Event().wait()

        def log_message(self, *_args):
            """Say nothing."""

    return Handler


def _set_param(registry, key, value):
    with registry.cursor() as cr:
        Environment(cr, SUPERUSER_ID, {})["ir.config_parameter"].set_param(key, value)


#: By name, what can be broken before the work begins.
WORLDS = {
    world.__name__: world for world in (full_disk, no_mail_server, hanging_provider)
}
#: By name, what happens to the connection in the middle of it.
STRIKES = {strike.__name__: strike for strike in (lose_connection, crash_server)}
