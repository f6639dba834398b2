/** @odoo-module */
/* License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import {registry} from "@web/core/registry";

const goOn = (content, trigger) => ({
    content,
    trigger,
    run: "click",
    expectUnloadPage: true,
});
const see = (content, trigger) => ({content, trigger});
const click = (content, trigger) => ({content, trigger, run: "click"});

registry.category("web_tour.tours").add("subscription_pause", {
    steps: () => [
        click("Pause", "button[name=action_open_pause_wizard]"),
        see("Days", ".modal div[name=preview]:contains('until it is resumed')"),
        see("Money", ".modal div[name=preview]:contains('is credited')"),
        click("Confirm", ".modal button[name=button_confirm]"),
        see("Since when", "div[name=paused]:contains('Paused from')"),
        click("The record", "button[name=action_view_pauses]"),
        see("Who", "div[name=paused_by_id]:contains('Admin')"),
        click("Back", ".o_breadcrumb .o_back_button, .breadcrumb-item:first a"),
    ],
});

registry.category("web_tour.tours").add("portal_pause", {
    steps: () => [
        goOn("Open it", "table.o_portal_my_doc_table a:contains('Tour')"),
        goOn("Cancel it", "a[name=cancel]"),
        goOn("Continue", "form[name=cancel] button[type=submit]"),
        see("Days", "ul[name=pause_sentences]:contains('Paused from')"),
        see("Money", "ul[name=pause_sentences]:contains('is credited')"),
        {
            content: "Nothing is cut off",
            trigger: "form[name=pause] button[type=submit]",
            run: () => {
                const {scrollWidth, clientWidth} = document.documentElement;
                if (scrollWidth > clientWidth) {
                    throw new Error(`${scrollWidth} px of ${clientWidth} are used`);
                }
            },
        },
        goOn("Pause", "form[name=pause] button[type=submit]"),
        see("Nothing was cancelled", "div[name=message]:contains('is paused')"),
        see("Until when", "span[name=state]:contains('Paused until')"),
    ],
});
