# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What has to outlive this addon: what ended stays ended, nothing is forgotten.

Odoo drops our models and columns afterwards. Upstream then knows neither the lines
that were deactivated, which it would bill again, nor the ends that are still to come.
What is due is executed, the rest is written where upstream's users see it. Posted
documents are not touched.
"""

from collections import defaultdict

from markupsafe import Markup

from odoo import fields
from odoo.tools import SQL, split_every

from .formatting import format_day

BATCH_SIZE = 100
MODULE = "subscription_cancellation"
#: Where Odoo keeps the external ids of records that belong to no module.
KEPT_MODULE = "__export__"
KEPT_PREFIX = f"{MODULE}_"


class Handover:
    """Hand the subscriptions over to upstream."""

    def __init__(self, env):
        """:param env: of the superuser, with the addon still loaded"""
        self.env = env
        #: By record: sentences for its history.
        self.history = defaultdict(list)
        #: By record: what a person has to do, as pairs of a day and a sentence.
        self.to_do = defaultdict(list)

    def run(self):
        """Do all of it, in one transaction with the uninstallation."""
        self._execute_due()
        # Before they end, while it can be told what they would be credited.
        self._list_open_ends()
        self._end_failed()
        self._list_open_pauses()
        self._list_open_steps()
        self._list_waiting_declarations()
        self._take_off_ended_lines()
        self._write_history()
        self._schedule_activities()
        self._keep_activities()
        self._keep_close_reasons()
        self._keep_demo()
        self._give_menus_back()

    # === ENDS === #

    def _execute_due(self):
        """Credit and end what has reached its date: the customer was promised that."""
        Cancellation = self.env["subscription.cancellation"]
        due = Cancellation.search(Cancellation._get_due_domain(), order="due_at, id")
        for batch in split_every(BATCH_SIZE, due.ids, Cancellation.browse):
            batch._execute_batch()

    def _end_failed(self):
        """Stop what has reached its date and cannot be credited.

        Upstream would bill it again. The credit is left to a person.
        """
        failed = self.env["subscription.cancellation"].search(
            [("state", "=", "failed"), ("due_at", "<=", fields.Datetime.now())]
        )
        for cancellation in failed:
            subscription = cancellation.subscription_id
            active = subscription.sale_subscription_line_ids
            own = cancellation.line_ids.subscription_line_id & active
            (active if cancellation.is_whole else own)._deactivate()
            if not subscription.sale_subscription_line_ids:
                subscription._close(cancellation.reason_id.id)

    def _list_open_ends(self):
        """Tell which ends will not come by themselves any more."""
        Cancellation = self.env["subscription.cancellation"]
        for cancellation in Cancellation.search([("is_open", "=", True)], order="id"):
            self._add_to_do(
                cancellation.subscription_id,
                self._describe_open_end(cancellation),
                cancellation.last_service_date,
            )

    def _describe_open_end(self, cancellation):
        """Return what a person has to do in place of an open cancellation."""
        env = self._get_env(cancellation.subscription_id)
        cancellation = cancellation.with_env(env)
        values = {
            "what": cancellation._describe(),
            "date": format_day(env, cancellation.last_service_date),
            "error": cancellation.failure_message,
        }
        texts = {
            "scheduled": env._(
                "%(what)s: service was to end on %(date)s. End it by hand.", **values
            ),
            "to_approve": env._(
                "%(what)s: service was requested to end on %(date)s, which nobody has "
                "approved yet. Decide, and end it by hand.",
                **values,
            ),
            "failed": env._(
                "%(what)s: service was to end on %(date)s and could not be credited: "
                "%(error)s Credit it by hand.",
                **values,
            ),
        }
        text = texts[cancellation.state]
        return " ".join([text, *self._describe_money(cancellation)])

    def _describe_money(self, cancellation):
        """Return what an open cancellation would credit now, and has charged."""
        credit = cancellation._plan_execution().credit_total
        if credit:
            yield cancellation.env._(
                "As of today the credit would be %s.",
                cancellation.currency_id.format(credit),
            )
        if cancellation.extension_start_date:
            yield cancellation.env._(
                "The days from %s on are charged already.",
                format_day(cancellation.env, cancellation.extension_start_date),
            )

    def _list_open_pauses(self):
        """Tell what is paused without an end: upstream would bill the pause."""
        pauses = self.env["sale.subscription.pause"].search(
            [("state", "=", "paused"), ("date_to", "=", False)], order="id"
        )
        for pause in pauses:
            env = self._get_env(pause.subscription_id)
            text = env._(
                "Paused from %s on. On the day it is resumed, set its next invoice "
                "date to that day: else the pause would be billed.",
                format_day(env, pause.date_from),
            )
            self._add_to_do(pause.subscription_id, text, fields.Date.today())

    def _list_open_steps(self):
        """Tell which money has not moved yet, and which letter was not sent."""
        steps = self.env["subscription.cancellation.step"].search(
            [("state", "in", ("pending", "failed"))]
        )
        for step in steps:
            subscription = step.cancellation_id.subscription_id
            text = self._describe_step(step.with_env(self._get_env(subscription)))
            if step.kind == "confirm":
                # Nothing that has to be done: the customer has the credit memo.
                self.history[subscription].append(text)
            else:
                self._add_to_do(subscription, text, fields.Date.today())

    def _describe_step(self, step):
        """Return that a step is not done, and why."""
        what = step.cancellation_id._describe()
        if step.kind == "confirm":
            return step.env._("%s: the confirmation was not sent.", what)
        return step.env._(
            "%(what)s: “%(step)s” of %(amount)s is not done. %(note)s",
            what=what,
            step=step._get_kind_label(),
            amount=step.currency_id.format(step.amount),
            note=step.error or step.note or "",
        ).strip()

    def _list_waiting_declarations(self):
        """Tell which letters of customers have not been matched to a subscription.

        On the company's own contact: there is no subscription that could tell.
        """
        waiting = self.env["subscription.cancellation.declaration"].search(
            [("state", "in", ("received", "to_check"))], order="id"
        )
        for declaration in waiting:
            company = declaration.company_id or self.env.company
            env = self._get_env(company.partner_id)
            text = env._(
                "Declaration %(name)s, received on %(date)s from %(email)s, about "
                "contract “%(contract)s” was not processed.",
                name=declaration.name,
                date=format_day(env, declaration.received_at),
                email=declaration.contract_email,
                contract=declaration.contract_reference,
            )
            self._add_to_do(company.partner_id, text, fields.Date.today())

    # === LINES === #

    def _take_off_ended_lines(self):
        """Separate what has ended from its subscription, so that it is never billed.

        Nothing is deleted. A closed subscription keeps the lines that ended with it,
        as upstream's do; whoever reopens it wants them back.
        """
        lines = self.env["sale.subscription.line"].search(
            [("active", "=", False), ("sale_subscription_id", "!=", False)], order="id"
        )
        ended = lines.filtered(lambda line: not self._has_ended_with_all(line))
        for line in ended:
            subscription = line.sale_subscription_id
            self.history[subscription].append(self._describe_line(line))
        self.env.flush_all()
        # Not through the ORM: it would compute prices and taxes anew.
        self._update_lines(ended, SQL("sale_subscription_id = NULL, active = TRUE"))
        self._update_lines(lines - ended, SQL("active = TRUE"))
        self.env.invalidate_all()
        (lines - ended).sale_subscription_id._compute_total()

    def _has_ended_with_all(self, line):
        """Return whether a line was deactivated together with its subscription."""
        subscription = line.sale_subscription_id
        if subscription.stage_id.type != "post":
            return False
        end, last = line.cancellation_date, subscription.cancellation_date
        return not (end and last) or end >= last

    def _describe_line(self, line):
        """Return what is taken off, and why."""
        env = self._get_env(line.sale_subscription_id)
        end = line.last_service_date
        return env._(
            "Line removed: “%(name)s”, quantity %(quantity)s, price %(price)s, which "
            "ended on %(date)s.",
            name=line.name,
            quantity=f"{line.product_uom_qty:g}",
            price=line.currency_id.format(line.price_unit),
            date=format_day(env, end) if end else "–",
        )

    def _update_lines(self, lines, assignments):
        """Write columns of subscription lines."""
        self.env.cr.execute(
            SQL(
                "UPDATE sale_subscription_line SET %s WHERE id = ANY(%s)",
                assignments,
                lines.ids,
            )
        )

    # === WORDS === #

    def _get_env(self, record):
        """Return an environment in the language of whoever looks after a record."""
        lang = self._get_responsible(record).lang
        return self.env(context={**self.env.context, "lang": lang})

    def _get_responsible(self, record):
        """Return the salesperson, else the administrator."""
        user = record.user_id
        if user.active and not user.share:
            return user
        return self.env.ref("base.user_admin", False) or self.env.user

    def _add_to_do(self, record, text, day):
        """Note what a person has to do for a record, and from when on."""
        self.to_do[record].append((day, text))
        self.history[record].append(text)

    def _write_history(self):
        """Log on each record what it loses."""
        for record, sentences in self.history.items():
            title = self._get_env(record)._(
                "Subscription Cancellation was uninstalled."
            )
            body = Markup("<p>%s</p>%s") % (title, self._format(sentences))
            record._message_log(body=body)

    def _format(self, sentences):
        """Return a list as HTML."""
        items = Markup().join(Markup("<li>%s</li>") % text for text in sentences)
        return Markup("<ul>%s</ul>") % items

    def _schedule_activities(self):
        """Give the salesperson what only a person can do now."""
        for record, tasks in self.to_do.items():
            env = self._get_env(record)
            days, sentences = zip(*tasks, strict=True)
            record.with_env(env).activity_schedule(
                "mail.mail_activity_data_todo",
                date_deadline=min(days),
                summary=env._("Subscription Cancellation was uninstalled"),
                note=self._format(sentences),
                user_id=self._get_responsible(record).id,
            )

    # === WHAT STAYS === #

    def _keep_activities(self):
        """Let what somebody has to do, or has done, be of a type that stays.

        Odoo cannot delete a type that is in use.
        """
        types = self._get_own_records("mail.activity.type")
        activities = self.env["mail.activity"].with_context(active_test=False)
        kept = activities.search(
            [
                ("activity_type_id", "in", types.ids),
                ("res_model", "=", "sale.subscription"),
            ]
        )
        kept.activity_type_id = self.env.ref("mail.mail_activity_data_todo")

    def _keep_close_reasons(self):
        """Leave the reasons in place that were given; upstream names its own again."""
        self.env["sale.subscription.close.reason"]._protect_upstream(False)
        own = self._get_own_records("sale.subscription.close.reason")
        everything = self.env["sale.subscription"].with_context(active_test=False)
        closed = everything.search([("close_reason_id", "in", own.ids)])
        cancellations = self.env["subscription.cancellation"].search(
            [("reason_id", "in", own.ids)]
        )
        used = closed.close_reason_id | cancellations.reason_id
        self._keep([("model", "=", used._name), ("res_id", "in", used.ids)])

    def _keep_demo(self):
        """Leave the customers, subscriptions and journals of the demo in place.

        They have invoices. Our own records go with their tables: one by one Odoo could
        not delete them, because they refer to each other.
        """
        own = [name for name in self.env if name.startswith("subscription.cancel")]
        demo = [("name", "=like", "demo_%")]
        self._keep([*demo, ("model", "not in", own)])
        self.env["ir.model.data"].search(
            [("module", "=", MODULE), *demo, ("model", "in", own)]
        ).unlink()

    def _give_menus_back(self):
        """Show upstream's menus to those whom it shows them without this addon."""
        menus = {
            "root": self.env.ref("sales_team.group_sale_salesman_all_leads"),
            "configuration_menu": self.env["res.groups"],
        }
        for name, groups in menus.items():
            menu = self.env.ref(f"subscription_oca.sale_subscription_{name}")
            menu.group_ids = groups
        # Its filters are ours.
        self.env.ref("subscription_oca.sale_subscription_action").context = "{}"

    def _keep(self, domain):
        """Have records that come with this addon not deleted with it.

        Odoo does not where there is another external id; see :func:`adopt_reasons`.

        :param list domain: of ``ir.model.data``
        """
        external_ids = self.env["ir.model.data"]
        kept = external_ids.search([("module", "=", MODULE), *domain])
        external_ids.create(
            [
                {
                    "module": KEPT_MODULE,
                    "name": f"{KEPT_PREFIX}{data.name}",
                    "model": data.model,
                    "res_id": data.res_id,
                    "noupdate": True,
                }
                for data in kept
            ]
        )

    def _get_own_records(self, model):
        """Return the records of a model that come with this addon."""
        data = self.env["ir.model.data"].search(
            [("module", "=", MODULE), ("model", "=", model)]
        )
        return self.env[model].browse(data.mapped("res_id"))


def adopt_reasons(env):
    """Take the reasons back that an earlier uninstallation has left in place.

    Else each of them would be there twice.
    """
    kept = env["ir.model.data"].search(
        [
            ("module", "=", KEPT_MODULE),
            ("name", "=like", f"{KEPT_PREFIX}%"),
            ("model", "=", "sale.subscription.close.reason"),
        ]
    )
    for data in kept:
        name = data.name.removeprefix(KEPT_PREFIX)
        data.write({"module": MODULE, "name": name})
