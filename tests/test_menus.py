# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Whoever the guide addresses finds the way in, and every screen opens (D1)."""

from lxml import etree

from odoo.tests import tagged

from .common import CANCELLATION_MANAGER, CANCELLATION_USER, CancellationCase

ROOT = "subscription_oca.sale_subscription_root"
INVOICING = "account.group_account_invoice"
SUBSCRIPTIONS = "subscription_oca.sale_subscription_menu"
CONFIGURATION = "subscription_oca.sale_subscription_configuration_menu"
OURS = "subscription_cancellation."
CANCELLATIONS = OURS + "subscription_cancellation_menu"
DECLARATIONS = OURS + "subscription_cancellation_declaration_menu"
ANALYSIS = OURS + "subscription_cancellation_report_menu"
STEPS = OURS + "subscription_cancellation_step_subscription_menu"
TO_REVIEW = OURS + "account_move_to_review_subscription_menu"
POLICIES = OURS + "subscription_cancellation_policy_menu"
#: Who sees what: their groups, menus they have, menus they have not.
PEOPLE = {
    "cancels": (
        [CANCELLATION_USER],
        [SUBSCRIPTIONS, CANCELLATIONS, DECLARATIONS, ANALYSIS, STEPS],
        [CONFIGURATION, TO_REVIEW],
    ),
    "sells": (
        ["sales_team.group_sale_salesman"],
        [SUBSCRIPTIONS, CANCELLATIONS, DECLARATIONS, ANALYSIS, STEPS],
        [CONFIGURATION, TO_REVIEW],
    ),
    "sells_all": (
        ["sales_team.group_sale_salesman_all_leads"],
        [SUBSCRIPTIONS, CANCELLATIONS, CONFIGURATION],
        [POLICIES],
    ),
    "manages": (
        [CANCELLATION_MANAGER],
        [SUBSCRIPTIONS, CANCELLATIONS, CONFIGURATION, POLICIES],
        [TO_REVIEW],
    ),
    "invoices": (
        [INVOICING],
        [SUBSCRIPTIONS, CANCELLATIONS, ANALYSIS, STEPS, TO_REVIEW],
        [CONFIGURATION, DECLARATIONS, POLICIES],
    ),
    "audits": (
        ["account.group_account_readonly"],
        [CANCELLATIONS, ANALYSIS],
        [CONFIGURATION, DECLARATIONS, POLICIES],
    ),
}


def find_menus(env):
    """Return the menus of the app that a user sees, by external ID."""
    menus = env["ir.ui.menu"].load_web_menus(False)
    root = env.ref(ROOT).id
    return {
        menu["xmlid"]: menu
        for menu in menus.values()
        if menu["id"] != "root" and menu["appID"] == root
    }


def open_screen(env, menu):
    """Read what the client reads to show a menu: its views, and the records.

    :return: the number of records that were shown as a form
    """
    if menu["actionModel"] != "ir.actions.act_window":
        return 0
    # sudo: the client gets actions from the server, whatever the rights of the user.
    action = env[menu["actionModel"]].sudo().browse(menu["actionID"])
    records = env[action.res_model].with_context(active_test=False)
    kinds = action.view_mode.split(",")
    views = records.get_views([(False, kind) for kind in kinds])["views"]
    found = records.search([], limit=20)
    if "list" in views:
        read_shown(found, views["list"]["arch"])
    if "form" not in views:
        return 0
    read_shown(found[:5], views["form"]["arch"])
    return len(found[:5])


def read_shown(records, arch):
    """Read the fields of a view as the client does, names of other records too."""
    names = {
        node.get("name")
        for node in etree.fromstring(arch).xpath("//field[not(ancestor::field)]")
    }
    records.web_read(
        {
            name: {"fields": {"display_name": {}}}
            if records._fields[name].type == "many2one"
            else {}
            for name in names
        }
    )


@tagged("post_install", "-at_install")
class TestMenus(CancellationCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        subscription = cls.create_subscription([31.0])
        cls.pay(cls.bill(subscription))
        cls.travel_to("2026-07-10")
        cls.cancel(subscription)

    def test_everybody_has_their_menus(self):
        """D1: by group, as the web client asks for them."""
        for name, (groups, shown, hidden) in PEOPLE.items():
            user = self.create_user(*groups, login=name)
            menus = find_menus(self.env(user=user))
            for xmlid in shown:
                with self.subTest(name, menu=xmlid):
                    self.assertIn(xmlid, menus)
            for xmlid in hidden:
                with self.subTest(name, menu=xmlid):
                    self.assertNotIn(xmlid, menus)

    def test_a_user_of_something_else_has_no_menu(self):
        """D1: an employee without any of these rights."""
        user = self.create_user("base.group_user", login="else")
        self.assertFalse(find_menus(self.env(user=user)))

    def test_every_screen_opens(self):
        """D1: what a menu leads to can be read by who sees it, list and form."""
        for name, (groups, _shown, _hidden) in PEOPLE.items():
            env = self.env(user=self.create_user(*groups, login=name))
            opened = 0
            for xmlid, menu in find_menus(env).items():
                if not menu["actionID"]:
                    continue
                with self.subTest(name, menu=xmlid):
                    opened += open_screen(env, menu)
            self.assertTrue(opened, name)
