# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""How much is kept, mailed and brought to attention at once: nobody is flooded."""

import ipaddress
from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import NO_ACCESS, Domain
from odoo.tools import hmac, split_every

from ...arithmetic.proration import ONE_DAY
from ...failures import TooManyDeclarationsError
from ...formatting import as_note

#: Receipts that one client gets mailed per hour.
HOURLY_LIMIT = 10
HOURLY_LIMIT_PARAMETER = "subscription_cancellation.declarations_per_hour"
#: Undecided declarations to a company that are kept per day.
DAILY_LIMIT = 10_000
DAILY_LIMIT_PARAMETER = "subscription_cancellation.declarations_per_day"
#: Receipts to one address per day, so that nobody is flooded with them.
DAILY_MAILS = 10
#: Numbers that one address is tried with per day before a person looks at it.
DAILY_TRIES = 10
ONE_HOUR = timedelta(hours=1)
#: How long a receipt may wait for its turn.
LONGEST_WAIT = timedelta(days=7)
#: Time for the last mail to be an hour old.
MARGIN = timedelta(minutes=1)
#: A customer of a provider has a whole network of IPv6 addresses.
IPV6_PREFIX = 64
RECEIPT_TEMPLATE = "subscription_cancellation.mail_template_declaration_receipt"
LOOK_ACTIVITY = "mail.mail_activity_data_todo"


class SubscriptionCancellationDeclaration(models.Model):
    """Keep what comes, mail receipts as fast as they may go, look at the rest daily."""

    _inherit = "subscription.cancellation.declaration"

    client_hash = fields.Char(readonly=True, copy=False, groups=NO_ACCESS)
    receipt_waits_since = fields.Datetime(
        readonly=True,
        help="The receipt is still to be mailed: many were asked for at once.",
    )
    receipt_mailed_at = fields.Datetime(string="Receipt Mailed On", readonly=True)
    is_to_look_at = fields.Boolean(
        readonly=True,
        help="To be named in the activity of the day: it has none of its own.",
    )
    looked_at = fields.Datetime(
        readonly=True, help="When the activity of the day was made that names it."
    )

    _client_idx = models.Index("(client_hash, receipt_mailed_at)")
    _waiting_idx = models.Index(
        "(id) WHERE receipt_waits_since IS NOT NULL OR is_to_look_at"
    )
    _undecided_idx = models.Index(
        "(received_at) WHERE state IN ('received', 'to_check', 'spam')"
    )

    # === KEPT === #

    @api.model
    def _check_kept(self, company, is_spam):
        """Raise TooManyDeclarationsError where no more are kept today.

        What programs send takes nobody's place.
        """
        states = ("spam",) if is_spam else ("received", "to_check")
        undecided = [
            ("company_id", "=", company.id),
            ("state", "in", states),
            ("received_at", ">", fields.Datetime.now() - ONE_DAY),
        ]
        limit = self._get_daily_limit()
        if self.search_count(undecided, limit=limit) >= limit:
            raise TooManyDeclarationsError

    @api.model
    def _get_daily_limit(self):
        """Return how many undecided declarations to a company are kept per day."""
        return self._get_limit(DAILY_LIMIT_PARAMETER, DAILY_LIMIT)

    @api.model
    def _get_limit(self, parameter, default):
        """Return a limit from a system parameter, unless that is nonsense."""
        limit = self.env["ir.config_parameter"].get_param(parameter, "").strip()
        return int(limit) if limit.isdecimal() else default

    @api.model
    def _hash_client(self, address):
        """Return who sent it, in a form that does not tell who that is."""
        try:
            client = ipaddress.ip_address(address or "")
            if client.version == 6:
                client = ipaddress.ip_network((client, IPV6_PREFIX), strict=False)
        except ValueError:
            client = address
        return hmac(self.env, f"{self._name}.client", str(client))

    @api.autovacuum
    def _gc_client_hashes(self):
        """Forget who sent what is older than any limit looks back."""
        old = fields.Datetime.now() - ONE_DAY
        self.search(
            Domain("client_hash", "!=", False)
            & Domain("received_at", "<", old)
            & Domain("receipt_waits_since", "=", False)
            & (
                Domain("receipt_mailed_at", "=", False)
                | Domain("receipt_mailed_at", "<", old)
            )
        ).client_hash = False

    # === RECEIPTS === #

    @api.model
    def _mail_waiting_receipts(self, batch_size=20):
        """Mail the receipts whose turn it is, in their order.

        :param int batch_size: receipts per transaction
        """
        waiting = self.search([("receipt_waits_since", "!=", False)], order="id")
        old = fields.Datetime.now() - LONGEST_WAIT
        too_old = waiting.filtered(lambda one: one.receipt_waits_since < old)
        too_old.receipt_waits_since = False
        used_up = set()
        for batch in split_every(batch_size, (waiting - too_old).ids, self.browse):
            for declaration in batch.try_lock_for_update():
                localized = declaration.with_context(lang=declaration.lang)
                used_up |= localized._mail_receipt(used_up)
            if not self.env["ir.cron"]._commit_progress():
                break
        if used_up:
            self._wake_processing(fields.Datetime.now() + ONE_HOUR + MARGIN)

    def _mail_receipt(self, used_up=frozenset()):
        """Mail the receipt, unless its client or its address had enough of late.

        :param set used_up: clients and addresses that are known to have had enough
        :rtype: set
        :return: those of this one that have had enough; it was mailed if there are none
        """
        self.ensure_one()
        own = {self.client_hash, self.confirmation_email}
        if own & used_up:
            return own & used_up
        used_up = self._get_used_up()
        if not used_up:
            mailed = self._send_mail(RECEIPT_TEMPLATE)
            self.write(
                {
                    "is_receipt_mailed": mailed,
                    "receipt_mailed_at": mailed and fields.Datetime.now(),
                    "receipt_waits_since": False,
                }
            )
        return used_up

    def _get_used_up(self):
        """Return in a set which of client and address had enough receipts of late."""
        limits = [
            ("client_hash", ONE_HOUR, self._get_hourly_limit()),
            ("confirmation_email", ONE_DAY, DAILY_MAILS),
        ]
        return {
            self[name]
            for name, since, limit in limits
            if self._count_mailed(name, since, limit) >= limit
        }

    def _count_mailed(self, name, since, limit):
        """Return how many receipts went to the same client or address since then.

        :param str name: of the field
        :param int limit: more are not counted
        """
        mailed = [
            (name, "=", self[name]),
            ("receipt_mailed_at", ">", fields.Datetime.now() - since),
        ]
        return self.search_count(mailed, limit=limit) if limit else 0

    @api.model
    def _get_hourly_limit(self):
        """Return how many receipts one client gets mailed per hour."""
        return self._get_limit(HOURLY_LIMIT_PARAMETER, HOURLY_LIMIT)

    # === LOOKED AT === #

    def _has_too_many_tries(self):
        """Return whether its address came with many numbers today that fit nothing.

        Who tries them all has one contract cancelled in the end, of somebody else.
        """
        tries = [
            ("contract_email", "=", self.contract_email),
            ("state", "=", "to_check"),
            ("received_at", ">", self.received_at - ONE_DAY),
        ]
        return self.search_count(tries, limit=DAILY_TRIES) >= DAILY_TRIES

    @api.model
    def _look_at_the_rest(self):
        """Give those who look after it one activity a day for all without their own."""
        rest = self.search([("is_to_look_at", "=", True)], order="id")
        for company, declarations in rest.grouped("company_id").items():
            since = fields.Datetime.now() - ONE_DAY
            today = [("company_id", "=", company.id), ("looked_at", ">", since)]
            if not self.search_count(today, limit=1):
                declarations._ask_to_look()

    def _ask_to_look(self):
        """Make the activity of the day, on the last of these."""
        last = self[-1]._for_responsible()
        spam = self.filtered(lambda declaration: declaration.state == "spam")
        note = last.env._(
            "Taken for the work of a program: %(spam)s. To check, and more than one "
            "connection or address may send at once: %(more)s. Look at them under "
            "Declarations, with the filters “Spam” and “To Check”. “Not Spam” on a "
            "declaration processes it after all, from the day it was received.",
            spam=len(spam),
            more=len(self - spam),
        )
        for user in last._get_responsible():
            last.activity_schedule(
                LOOK_ACTIVITY,
                summary=last.env._("Look at declarations that programs may have made"),
                note=as_note(note),
                user_id=user.id,
            )
        self.write({"is_to_look_at": False, "looked_at": fields.Datetime.now()})
