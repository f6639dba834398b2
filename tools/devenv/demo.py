"""`make run`: Odoo on the demo database until Ctrl-C."""

from __future__ import annotations

import contextlib
import re
import signal
import socket
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator

from .databases import Databases
from .settings import DEMO_DATABASE, Settings
from .shell import Failure

START_SECONDS = 120
STOP_SECONDS = 15
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
LOGINS = """
  Odoo with the demo company is at  http://localhost:{port}

    everything                      login admin       password admin
    salesperson                     login sales       password sales
    accountant                      login accountant  password accountant
    customer, in the portal (/my)   login customer    password customer

  Subscriptions > Subscriptions, open one, Deactivate.   Ctrl-C stops all of it.
"""


def require_free_port(port: int) -> None:
    """Refuse a port that another program listens on."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise Failure(
                f"Port {port} cannot be used ({error.strerror.lower()})",
                "Stop the program that uses it, or choose another: make run PORT=8070",
            ) from None


def serve(settings: Settings, databases: Databases) -> None:
    """Run Odoo, tell the address when it answers, and stop it on Ctrl-C."""
    stopped = threading.Event()
    for number in STOP_SIGNALS:
        signal.signal(number, lambda *_: stopped.set())
    with running(settings) as odoo:
        if _wait_until_it_answers(settings, odoo, stopped):
            print(LOGINS.format(port=settings.port), flush=True)
            threading.Thread(
                target=_warm_up, args=[settings.port, databases], daemon=True
            ).start()
        while not stopped.wait(0.5) and odoo.poll() is None:
            pass
        if not stopped.is_set():
            raise _died(settings)


@contextlib.contextmanager
def running(settings: Settings) -> Iterator[subprocess.Popen]:
    """Odoo on the demo database, as long as the block runs."""
    command = [settings.venv / "bin" / "odoo", "-c", settings.conf, "-d", DEMO_DATABASE]
    options = [f"--db-filter=^{DEMO_DATABASE}$", "--max-cron-threads=1"]
    with (settings.state / "odoo.log").open("w") as log:
        # In a session of its own Ctrl-C reaches it once, from here.
        odoo = subprocess.Popen(
            [*command, *options],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield odoo
        finally:
            _stop(odoo)


def wait_until_it_answers(settings: Settings, odoo: subprocess.Popen) -> None:
    """Return when Odoo answers; Failure when it does not."""
    _wait_until_it_answers(settings, odoo, threading.Event())


def _wait_until_it_answers(settings, odoo, stopped: threading.Event) -> bool:
    """Whether Odoo answers; False when we were told to stop before."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and not stopped.is_set():
        if odoo.poll() is not None:
            raise _died(settings)
        if _answers(settings.port):
            return True
        stopped.wait(0.3)
    if stopped.is_set():
        return False
    raise Failure(f"Odoo did not answer in {START_SECONDS} seconds", _look(settings))


def _answers(port: int) -> bool:
    """Whether the login page comes."""
    try:
        return _visit(urllib.request.build_opener(), port, "/web/login") != ""
    except OSError:
        return False


def _warm_up(port: int, databases: Databases) -> None:
    """Have done before it is needed what Odoo would only do a minute later."""
    _bundle_assets(port)
    databases.run_scheduled_actions(DEMO_DATABASE)


def _bundle_assets(port: int) -> None:
    """Have the web client's scripts and styles bundled."""
    cookies = urllib.request.HTTPCookieProcessor()
    browser = urllib.request.build_opener(cookies)
    with contextlib.suppress(OSError, AttributeError):
        page = _visit(browser, port, "/web/login")
        token = re.search(r'name="csrf_token" value="([^"]+)"', page)[1]
        login = {"login": "admin", "password": "admin", "csrf_token": token}
        page += _visit(
            browser, port, "/web/login", urllib.parse.urlencode(login).encode()
        )
        for path in sorted(set(re.findall(r'"(/web/assets/[^"]+)"', page))):
            _visit(browser, port, path)


def _visit(browser, port: int, path: str, form: bytes | None = None) -> str:
    """A page's text; OSError when it does not come."""
    with browser.open(f"http://localhost:{port}{path}", form, timeout=60) as page:
        return page.read().decode()


def _stop(odoo: subprocess.Popen) -> None:
    """Ask Odoo to stop, and see that it does."""
    if odoo.poll() is None:
        odoo.send_signal(signal.SIGTERM)
    try:
        odoo.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        odoo.kill()
        odoo.wait()


def _died(settings: Settings) -> Failure:
    """Odoo ended without being asked to."""
    return Failure("Odoo stopped by itself", _look(settings))


def _look(settings: Settings) -> str:
    """Where to look for the reason."""
    return f"See the end of {settings.state}/odoo.log"
