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

const openSubscription = [
    goOn("Open the subscription", "table.o_portal_my_doc_table a:contains('Tour')"),
];
const openForm = [goOn("Cancel it", "a[name=cancel]")];
const confirm = [
    see("Figures first", "p[name=sentences]:contains('Service ends on')"),
    goOn("Confirm", "form[name=confirm] button[type=submit]"),
    see("The result", "div[name=message]:contains('We have received')"),
];

registry.category("web_tour.tours").add("portal_cancel_whole", {
    steps: () => [
        ...openSubscription,
        ...openForm,
        {
            content: "At the end of the period",
            trigger: "input[name=timing][value=end_of_period]",
            run: "click",
        },
        goOn("Continue", "form[name=cancel] button[type=submit]"),
        ...confirm,
        see("Until when", "p[name=state]:contains('Service ends on')"),
        goOn("Take it back", "form[name=revoke] button"),
        see("It goes on", "div[name=message]:contains('goes on')"),
        see("Active again", "span[name=state]:contains('Active')"),
    ],
});

registry.category("web_tour.tours").add("portal_cancel_line", {
    steps: () => [
        ...openSubscription,
        goOn("Cancel the server", "a[aria-label='Cancel Server']"),
        see("It is chosen", "input[name=line_ids]:checked"),
        goOn("Continue", "form[name=cancel] button[type=submit]"),
        see("The add-on, too", "li:contains('Backup'):contains('(add-on)')"),
        ...confirm,
        see("Both", "dd:contains('Server, Backup')"),
    ],
});

registry.category("web_tour.tours").add("portal_cancel_refused", {
    steps: () => [
        ...openSubscription,
        see("Why not", "p[name=cannot_cancel_reason]:contains('Please write to us')"),
        see("No button", "section[name=actions]:not(:has(a[name=cancel]))"),
    ],
});
