# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""A mail server that takes every mail and keeps it."""

import contextlib
import email
import socketserver
import threading


class Sink(socketserver.ThreadingTCPServer):
    """Listens on a port of its own; use :func:`listening`."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Session)
        #: (recipient, message id) of each mail, in the order they came.
        self.received = []
        #: (recipients, content) of each mail, in the order they came.
        self.mails = []

    @property
    def port(self):
        """Return the port that it listens on."""
        return self.server_address[1]


@contextlib.contextmanager
def listening():
    """Run a mail server meanwhile."""
    with Sink() as sink:
        threading.Thread(target=sink.serve_forever, daemon=True).start()
        yield sink
        sink.shutdown()


class _Session(socketserver.StreamRequestHandler):
    """Speak as much SMTP as smtplib needs."""

    def handle(self):
        self.answer(220)
        recipients = []
        for line in self.rfile:
            command = line.split()[0].upper()
            if command == b"RCPT":
                recipients.append(line.decode().partition("<")[2].partition(">")[0])
            elif command == b"DATA":
                self.answer(354)
                self.take(recipients)
                recipients = []
            self.answer(221 if command == b"QUIT" else 250)
            if command == b"QUIT":
                return

    def take(self, recipients):
        """Read one mail and keep it."""
        lines = iter(self.rfile.readline, b".\r\n")
        # A line that begins with a dot comes with another one before.
        content = b"".join(line.removeprefix(b".") for line in lines)
        self.server.mails.append((recipients, content))
        message = email.message_from_bytes(content)
        self.server.received += [
            (recipient, message["Message-Id"]) for recipient in recipients
        ]

    def answer(self, code):
        self.wfile.write(b"%d OK\r\n" % code)
