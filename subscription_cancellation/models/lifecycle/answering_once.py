# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""A request that is sent again, because its answer was lost, changes nothing."""

import hashlib
import json

from psycopg2.errors import LockNotAvailable

from odoo import api, models
from odoo.exceptions import LockError, UserError
from odoo.tools import SQL
from odoo.tools.i18n import format_list

from ...callers import is_text, quote

#: Longest key, in characters.
KEY_LENGTH = 255


class SaleSubscription(models.Model):
    """Answer each idempotency key once (E3).

    A key belongs to the company: the first request that succeeds uses it up, and its
    answer is kept as it was given. One that failed has stored nothing, its key neither.
    """

    _inherit = "sale.subscription"

    def _answer_once(self, key, options, request):
        """Return the answer to a request, the one given before where the key is known.

        :param str key: from whoever calls; ``None``: nothing is remembered
        :param dict options: of the request, by name
        :param request: a callable that makes it; returns the
            ``subscription.cancellation``
        :rtype: dict
        :raise UserError: the key is no key, or was used for something else
        :raise LockError: somebody else is still at work on the same subscription
        """
        if key is None:
            return request()._as_dict()
        self._check_one()
        self.check_access("read")
        self._check_cancellation_access()
        self._check_idempotency_key(key)
        digest = self._get_request_digest(options)
        known = self._find_request(key)
        if known:
            # Whoever is changing the subscription now does not change this answer.
            self._check_same_request(known, key, digest)
            return known.idempotency_answer
        self._wait_for_others()
        cancellation = request()
        answer = cancellation._as_dict()
        cancellation._remember_answer(key, digest, answer)
        return answer

    def _wait_for_others(self):
        """Wait, not long, for whoever is changing this, to see what came of it.

        What was changed meanwhile makes PostgreSQL refuse the lock, and Odoo begin
        anew: a second request then finds what the first one has done.

        :raise LockError: it takes longer
        """
        try:
            with self.env.cr.savepoint(flush=False):
                self.env.cr.execute(
                    SQL(
                        "SET LOCAL lock_timeout = '3s'; "
                        "SELECT id FROM sale_subscription WHERE id = %s FOR UPDATE; "
                        "SET LOCAL lock_timeout = DEFAULT",
                        self.id,
                    ),
                    # Somebody else was faster: nothing for the log of errors.
                    log_exceptions=False,
                )
        except LockNotAvailable as error:
            raise self._get_lock_error() from error

    @api.private
    def lock_for_update(self, *, allow_referencing=False):
        """Be the only one to change these.

        :raise LockError: somebody else is at work; the sentence says on what
        """
        try:
            return super().lock_for_update(allow_referencing=allow_referencing)
        except LockError as error:
            raise self._get_lock_error() from error

    def _get_lock_error(self):
        """Return the error that says that somebody else was faster: status 409."""
        return LockError(
            self.env._(
                "Subscription %s is being changed by somebody else. Please try again "
                "in a moment.",
                format_list(self.env, self.mapped("display_name")),
            )
        )

    def _find_request(self, key):
        """Return the cancellation that was requested with this key, if any."""
        # sudo: of the whole company, so that a key is never used twice.
        found = self.env["subscription.cancellation"].sudo()
        return found.search(
            [
                ("idempotency_key", "=", key),
                ("company_id", "=", self.company_id.id),
            ],
            limit=1,
        )

    def _get_request_digest(self, options):
        """Return what tells one request from another, as text."""
        text = json.dumps([self.id, options], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()

    def _check_idempotency_key(self, key):
        if not is_text(key) or not key.strip() or len(key) > KEY_LENGTH:
            raise UserError(
                self.env._(
                    "The idempotency_key has to be a text of up to %s characters.",
                    KEY_LENGTH,
                )
            )

    def _check_same_request(self, known, key, digest):
        """Raise where a key comes back with another request."""
        if known.idempotency_digest != digest:
            raise UserError(
                self.env._(
                    "The idempotency_key “%s” was used for another request. Use a new "
                    "key for each cancellation.",
                    quote(key),
                )
            )
