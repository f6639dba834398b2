"""Takes the README's pictures from the running demo (`make screenshots`).

Each entry of PICTURES is a file name, the page to open, and the steps that lead from
there to the moment of the picture.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Page, sync_playwright

FOLDER = Path(__file__).parents[1] / "subscription_cancellation/static/description"
# A browser without a network but the demo's.
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
PAGE = ".o_action_manager .o_view_controller, .o_spreadsheet_dashboard_action, main"
SETTLE_MILLISECONDS = 1000
SETTLE_ATTEMPTS = 60
SIZE = {"width": 1440, "height": 900}
DESKTOP = {"width": 1280, "height": 1000}
TABLET = {"width": 1024, "height": 768}
PHONE = {"width": 360, "height": 740}


def open_subscription(page: Page, name: str) -> None:
    """Open one from the list."""
    page.click(f".o_data_cell:text-is('{name}')")
    page.wait_for_selector(".o_form_view .o_statusbar_status")


def deactivate(page: Page) -> None:
    """The dialog, with its preview."""
    open_subscription(page, "ORD/SUB00006")
    page.click("button[name=action_deactivate]:has-text('Deactivate')")
    page.wait_for_selector(".modal .o_subscription_cancellation_preview")


def subscription(page: Page) -> None:
    """A subscription with add-ons, and an icon to deactivate each line."""
    open_subscription(page, "MON/SUB00004")


def non_renewing(page: Page) -> None:
    """Cancelled for the end of the period, and not reached yet."""
    open_subscription(page, "MON/SUB00007")


def credit_memo(page: Page) -> None:
    """What the accountant sees."""
    # It has ended, and the list opens with what runs.
    page.click(".o_searchview .o_facet_remove")
    open_subscription(page, "YEAR/SUB00008")
    page.click("button[name=action_view_credit_notes]")
    page.wait_for_selector(".o_form_view .o_notebook [name=credited_days]")


def what_followed(page: Page) -> None:
    """What reduced the invoice, and what went back to the card."""
    page.click(".o_data_cell:has-text('Juniper Hollow Yoga')")
    rows = page.locator("div[name=step_ids] .o_data_row")
    refunded = rows.filter(has_text=re.compile("Refunded to"))
    for _attempt in range(SETTLE_ATTEMPTS):
        page.click(".o_notebook_headers a:has-text('Settlement')")
        rows.first.wait_for()
        if refunded.count():
            break
        # A scheduled action is at it.
        page.wait_for_timeout(SETTLE_MILLISECONDS)
        page.reload()
    rows.last.scroll_into_view_if_needed()


def policy(page: Page) -> None:
    """What customers may do, with an example of what comes of it."""
    page.click(".o_data_cell:has-text('Customers')")
    page.wait_for_selector(".o_form_view .o_field_widget[name=example]")


def analysis(page: Page) -> None:
    """What the customers who left cost, month by month, and why they did."""
    page.wait_for_selector(".o_graph_renderer canvas")


def dashboard(page: Page) -> None:
    """What a manager reads at a glance."""
    page.click(".o_search_panel li:has-text('Cancellations')")
    page.wait_for_selector(".o-figure canvas")
    # Its charts are drawn one after the other.
    page.wait_for_timeout(3 * SETTLE_MILLISECONDS)


def portal_subscription(page: Page) -> None:
    """What a customer has, and can cancel."""
    page.click("a:has-text('MON/SUB00004')")
    page.wait_for_selector("[name=lines]")


def portal_form(page: Page) -> None:
    """What shall end, and when."""
    portal_subscription(page)
    page.click("[name=actions] a[name=cancel]")
    page.wait_for_selector("form[name=cancel]")


def portal_summary(page: Page) -> None:
    """Dates and money before anything is cancelled."""
    portal_form(page)
    page.select_option("select[name=reason_id]", index=1)
    page.click("form[name=cancel] button[type=submit]")
    page.wait_for_selector("form[name=confirm]")


def public_page(page: Page) -> None:
    """The page for everybody."""
    page.wait_for_selector("form [name=contract_reference]")


CANCELLATIONS = (
    "/odoo/action-subscription_cancellation.subscription_cancellation_action"
)
POLICIES = (
    "/odoo/action-subscription_cancellation.subscription_cancellation_policy_action"
)
ANALYSIS = "/odoo/cancellation-analysis"
DASHBOARDS = "/odoo/dashboards"
SUBSCRIPTIONS = "/odoo/action-subscription_oca.sale_subscription_action"
PORTAL = "/my/subscriptions"
PUBLIC_PAGE = "/cancel-contract"


class Picture(NamedTuple):
    """A picture: who looks at what, on which screen."""

    name: str
    path: str
    steps: Callable[[Page], None]
    #: Of the demo, password alike; empty: nobody is logged in.
    login: str = "admin"
    size: dict[str, int] = SIZE


PICTURES = [
    Picture("deactivate", SUBSCRIPTIONS, deactivate),
    Picture("credit_memo", SUBSCRIPTIONS, credit_memo),
    Picture("subscription", SUBSCRIPTIONS, subscription),
    Picture("non_renewing", SUBSCRIPTIONS, non_renewing),
    Picture("what_followed", CANCELLATIONS, what_followed),
    Picture("policy", POLICIES, policy),
    Picture("analysis", ANALYSIS, analysis),
    Picture("dashboard", DASHBOARDS, dashboard, size=DESKTOP),
    Picture("portal", PORTAL, portal_subscription, "customer", TABLET),
    Picture("portal_phone", PORTAL, portal_form, "customer", PHONE),
    Picture("portal_summary_phone", PORTAL, portal_summary, "customer", PHONE),
    Picture("public_page", PUBLIC_PAGE, public_page, "", TABLET),
    Picture("public_page_phone", PUBLIC_PAGE, public_page, "", PHONE),
]


def main() -> None:
    """Take all the pictures, or the ones named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", default="http://localhost:8069")
    parser.add_argument("--browser", required=True, help="chromium's path")
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=arguments.browser, args=OPTIONS
        )
        pages: dict[str, Page] = {}
        for picture in PICTURES:
            if arguments.names and picture.name not in arguments.names:
                continue
            if picture.login not in pages:
                page = browser.new_context(base_url=arguments.url).new_page()
                log_in(page, picture.login)
                pages[picture.login] = page
            pages[picture.login].set_viewport_size(picture.size)
            take(pages[picture.login], picture.name, picture.path, picture.steps)
        browser.close()


def log_in(page: Page, login: str) -> None:
    """As somebody of the demo."""
    if not login:
        return
    page.goto("/web/login")
    page.fill("input[name=login]", login)
    page.fill("input[name=password]", login)
    page.click(".oe_login_form button[type=submit]")
    page.wait_for_selector(".o_main_navbar, .o_portal_wrap")


def take(page: Page, name: str, path: str, steps: Callable[[Page], None]) -> None:
    """One picture."""
    page.goto(path)
    page.wait_for_selector(PAGE)
    steps(page)
    # No tooltip of what was clicked last.
    page.mouse.move(0, 0)
    # The web client always keeps a connection, so the network never gets idle.
    page.wait_for_timeout(SETTLE_MILLISECONDS)
    page.screenshot(path=FOLDER / f"{name}.png")
    print(f"· {name}.png", flush=True)


if __name__ == "__main__":
    main()
