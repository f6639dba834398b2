"""P7: the preview in the dialog, against opening the subscription."""

from __future__ import annotations

from odoo.tests.form import Form

from .database import Cost, Database, count, interleave
from .samples import create_billed
from .table import Row
from .web import Browser

LINES = 20
#: Of a usual subscription: all of it is on one screen.
FEW_LINES = 6
ROUNDS = 20
#: What is divided by what; only the first one has a target.
RATIOS = (
    (
        "preview",
        "form",
        f"preview of {LINES} lines ÷ opening the subscription",
        "≤ 1.0",
    ),
    ("dialog", "form", "the same with the button and the views of the dialog", ""),
    ("preview", "record", "preview ÷ the subscription without its chatter", ""),
)
#: The same for a usual subscription, as a person does it.
FEW_RATIOS = (
    (
        "dialog",
        "form",
        f"opening the dialog of {FEW_LINES} lines ÷ opening the subscription",
        "≤ 0.9",
    ),
    (
        "change",
        "form",
        f"changing an option, {FEW_LINES} lines ÷ opening the subscription",
        "≤ 0.8",
    ),
)
#: What the chatter of a form asks for.
CHATTER = [
    "activities",
    "attachments",
    "contact_fields",
    "followers",
    "scheduledMessages",
    "suggestedRecipients",
]


def measure(databases):
    """Yield the server's time for the dialog against that for the form."""
    small = databases.small
    with small.environment() as env:
        yield from _measure(small, create_billed(env, LINES), RATIOS)
        yield from _measure(small, create_billed(env, FEW_LINES), FEW_RATIOS)


def _measure(small, subscription, ratios):
    """Yield a row per ratio of a subscription."""
    subscription.env.cr.commit()
    screens = Screens(small, subscription)
    works = {
        "preview": screens.read_preview,
        "change": screens.change_option,
        "dialog": screens.open_dialog,
        "form": screens.open_form,
        "record": screens.read_record,
    }
    wanted = {name for ratio in ratios for name in ratio[:2]}
    cost = interleave(
        small.scale(ROUNDS, 5),
        {name: work for name, work in works.items() if name in wanted},
    )
    for numerator, denominator, name, target in ratios:
        yield Row(
            "P7",
            name,
            cost[numerator].seconds / cost[denominator].seconds,
            target,
            f"{_tell(cost[numerator])} ÷ {_tell(cost[denominator])}",
        )


def _tell(cost: Cost) -> str:
    return f"{cost.seconds * 1000:.0f} ms, {cost.queries:.0f} queries"


class Screens:
    """What the web client asks the server for."""

    def __init__(self, database: Database, subscription) -> None:
        self.subscription = subscription
        self.browser = Browser(database.name, "admin")
        own = subscription.with_user(subscription.env.ref("base.user_admin"))
        action = own.action_deactivate()
        self.wizard = own.env[action["res_model"]].with_context(**action["context"])
        self.form_fields = _add_names(own, Form(own)._view["fields_spec"])
        self.dialog_fields = _add_names(
            self.wizard, Form(self.wizard)._view["fields_spec"]
        )

    def read_record(self) -> Cost:
        """The views and the record."""
        return count(self.subscription.env, self._read_record)

    def open_form(self) -> Cost:
        """The views and the record; the chatter's followers and messages."""

        def work():
            self._read_record()
            thread = {
                "thread_model": self.subscription._name,
                "thread_id": self.subscription.id,
            }
            wanted = ["mail.thread", {**thread, "request_list": CHATTER}]
            self.browser.call("/mail/data", fetch_params=[wanted])
            self.browser.call(
                "/mail/thread/messages", **thread, fetch_params={"limit": 30}
            )

        return count(self.subscription.env, work)

    def _read_record(self):
        name, ids = self.subscription._name, self.subscription.ids
        views = [(False, kind) for kind in ("list", "kanban", "form", "search")]
        options = {"toolbar": True, "load_filters": True}
        self.browser.call_method(name, "get_views", views=views, options=options)
        self.browser.call_method(name, "web_read", ids, self.form_fields)

    def read_preview(self) -> Cost:
        """The values of a new record: with the preview."""
        return count(self.subscription.env, self._read_preview)

    def open_dialog(self) -> Cost:
        """The button, the views, and the preview."""

        def work():
            name, ids = self.subscription._name, self.subscription.ids
            action = self.browser.call_method(name, "action_deactivate", ids)
            views = [(False, "form")]
            self.browser.call_method(
                action["res_model"], "get_views", views=views, context=action["context"]
            )
            self._read_preview()

        return count(self.subscription.env, work)

    def _read_preview(self):
        return self._call_onchange({}, [])

    def change_option(self) -> Cost:
        """The answer to another option: what the dialog shows of it."""
        values = self._as_sent(self._read_preview())
        values["refund_mode"] = "full" if values["refund_mode"] != "full" else "none"
        return count(
            self.subscription.env,
            lambda: self._call_onchange(values, ["refund_mode"]),
        )

    def _as_sent(self, values: dict) -> dict:
        """Return what the client sends back of what it was answered."""
        return {
            name: value["id"] if isinstance(value, dict) and "id" in value else value
            for name, value in values.items()
        }

    def _call_onchange(self, values: dict, changed: list) -> dict:
        context = {
            name: value
            for name, value in self.wizard.env.context.items()
            if name.startswith("default_")
        }
        answer = self.browser.call_method(
            self.wizard._name,
            "onchange",
            [],
            values,
            changed,
            self.dialog_fields,
            context=context,
        )
        assert answer["value"]["preview"], answer
        return answer["value"]


def _add_names(model, spec: dict) -> dict:
    """Return the fields that the web client reads: of links, the name too."""
    complete = {}
    for name, wanted in spec.items():
        field = model._fields[name]
        if field.type == "many2one":
            complete[name] = {"fields": {"display_name": {}}}
        elif "fields" in wanted:
            fields = _add_names(model.env[field.comodel_name], wanted["fields"])
            complete[name] = {**wanted, "fields": fields}
        else:
            complete[name] = wanted
    return complete
