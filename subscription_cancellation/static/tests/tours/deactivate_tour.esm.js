import {registry} from "@web/core/registry";

registry.category("web_tour.tours").add("subscription_cancellation_whole", {
    steps: () => [
        {
            content: "Deactivate the subscription",
            trigger: ".o_statusbar_buttons button[name=action_deactivate]",
            run: "click",
        },
        {
            content: "The preview says when service ends and what is credited",
            trigger:
                ".modal .o_subscription_cancellation_preview:contains('A credit memo of')",
        },
        {
            content: "At the end of the period nothing is credited",
            trigger: ".modal label:contains('At the end of the current period')",
            run: "click",
        },
        {
            trigger:
                ".modal .o_subscription_cancellation_preview:contains('No credit memo will be issued')",
        },
        {
            content: "Immediately after all",
            trigger: ".modal label:contains('Immediately')",
            run: "click",
        },
        {
            trigger:
                ".modal .o_subscription_cancellation_preview:contains('A credit memo of')",
        },
        {
            content: "Give a reason",
            trigger: ".modal .o_field_widget[name=reason_id] input",
            run: "edit Too expensive",
        },
        {
            trigger: ".ui-autocomplete a:contains('Too expensive')",
            run: "click",
        },
        {
            content: "Confirm",
            trigger: ".modal footer button[name=action_confirm]",
            run: "click",
        },
        {
            content: "The subscription is cancelled and says so",
            trigger: ".ribbon:contains('Cancelled')",
        },
        {
            trigger: ".alert:contains('Too expensive')",
        },
        {
            content: "Deactivate is not offered again",
            trigger:
                ".o_statusbar_buttons:not(:has(button[name=action_deactivate]:visible))",
        },
        {
            content: "The credit memo is one click away",
            trigger: "button[name=action_view_credit_notes]",
            run: "click",
        },
        {
            content: "It tells the credited days",
            trigger: ".o_notebook_headers a:contains('Credited Days')",
            run: "click",
        },
        {
            content: "It leads to the cancellation",
            trigger: "button[name=action_open_cancellation]",
            run: "click",
        },
        {
            trigger: ".o_statusbar_status .o_arrow_button_current:contains('Done')",
        },
    ],
});

registry.category("web_tour.tours").add("subscription_cancellation_line", {
    steps: () => [
        {
            content: "Deactivate one line from its row",
            trigger:
                ".o_data_row:has(.o_data_cell:contains('Tour Server')) button[name=action_deactivate]",
            run: "click",
        },
        {
            content: "The add-on and its add-on end too, the other line does not",
            trigger:
                ".modal .o_subscription_cancellation_preview tr:contains('Tour Backup') .fa-level-up",
        },
        {
            trigger:
                ".modal .o_subscription_cancellation_preview tr:contains('Tour Vault') .fa-level-up",
        },
        {
            trigger:
                ".modal .o_subscription_cancellation_preview:not(:contains('Tour Mail'))",
        },
        {
            trigger: ".modal footer button[name=action_confirm]",
            run: "click",
        },
        {
            content: "Only the other line goes on",
            trigger:
                "div[name=sale_subscription_line_ids]:not(:contains('Tour Server')) .o_data_row:contains('Tour Mail')",
        },
        {
            content: "The ended lines stay visible",
            trigger: ".o_notebook_headers a:contains('Deactivated Lines')",
            run: "click",
        },
        {
            trigger: "div[name=archived_line_ids] .o_data_row:contains('Tour Vault')",
        },
        {
            trigger: "div[name=archived_line_ids] .o_data_row:contains('Tour Server')",
        },
        {
            content: "The subscription itself can still be deactivated",
            trigger: ".o_statusbar_buttons button[name=action_deactivate]",
        },
    ],
});
