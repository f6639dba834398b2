"""P7: opening the dialog with its preview, against opening the subscription."""

from __future__ import annotations

from odoo.tests.form import Form

from .database import Cost, Database, count, interleave
from .samples import create_billed
from .table import Row

LINES = 20
ROUNDS = 15


def measure(small: Database, _large: Database):
    """Yield the server's time for the dialog against that for the form."""
    with small.environment() as env:
        subscription = create_billed(env, LINES)
        admin = env.ref("base.user_admin")
        screens = Screens(subscription.with_user(admin))
        cost = interleave(
            small.scale(ROUNDS, 5),
            {"dialog": screens.open_dialog, "form": screens.open_form},
        )
        yield Row(
            "P7",
            f"opening the dialog, {LINES} lines previewed ÷ opening the subscription",
            cost["dialog"].seconds / cost["form"].seconds,
            "≤ 1.0",
            f"{_tell(cost['dialog'])} ÷ {_tell(cost['form'])}",
        )
        env.cr.rollback()


def _tell(cost: Cost) -> str:
    return f"{cost.seconds * 1000:.0f} ms ({cost.queries:.0f} queries)"


class Screens:
    """What the web client asks the server for."""

    def __init__(self, subscription) -> None:
        self.subscription = subscription
        action = subscription.action_deactivate()
        self.wizard = subscription.env[action["res_model"]].with_context(
            **action["context"]
        )
        self.form_spec = _complete(subscription, Form(subscription))
        self.dialog_spec = _complete(self.wizard, Form(self.wizard))

    def open_form(self) -> Cost:
        """The views and the record."""
        views = [(False, "form"), (False, "search")]

        def work():
            self.subscription.get_views(views, {"toolbar": True})
            self.subscription.web_read(self.form_spec)

        return count(self.subscription.env, work)

    def open_dialog(self) -> Cost:
        """The button, the views, and the values of a new record: with the preview."""

        def work():
            self.subscription.action_deactivate()
            self.wizard.get_views([(False, "form")], {})
            answer = self.wizard.onchange({}, [], self.dialog_spec)
            assert answer["value"]["preview"], answer

        return count(self.subscription.env, work)


def _complete(model, form) -> dict:
    """Return the fields that the web client reads, names of linked records included."""
    return _add_names(model, form._view["fields_spec"])


def _add_names(model, spec: dict) -> dict:
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
