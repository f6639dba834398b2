import {registry} from "@web/core/registry";

const openSteps = {
    content: "See what followed",
    trigger: ".o_notebook_headers a:contains('Settlement')",
    run: "click",
};

const findRow = (...texts) => ({
    trigger: `div[name=step_ids] .o_data_row${texts
        .map((text) => `:contains('${text}')`)
        .join("")}`,
});

registry.category("web_tour.tours").add("subscription_cancellation_half_paid", {
    steps: () => [
        openSteps,
        {
            content: "The credit memo reduces the invoice by what was due",
            ...findRow("Reduce invoice", "INV/", "Done"),
        },
        {
            content: "The rest went back to the card",
            ...findRow("Refund", "Refunded to", "4242", "Done"),
        },
        {
            content: "The refund leads to its transaction and payment",
            trigger:
                "div[name=step_ids] .o_data_row:contains('Refunded to') .o_data_cell[name=outcome]",
            run: "click",
        },
        {
            trigger: ".modal .o_field_widget[name=transaction_id]:contains('R-INV')",
        },
        {
            trigger: ".modal .o_field_widget[name=payment_id] a",
        },
        {
            trigger: ".modal .btn-close",
            run: "click",
        },
        {
            content: "Nothing is left to do",
            trigger: "body:not(:has(.modal)) .o_field_widget[name=settlement_state]",
        },
    ],
});

registry.category("web_tour.tours").add("subscription_cancellation_by_hand", {
    steps: () => [
        openSteps,
        {
            content: "It was paid by bank, so somebody has to pay it back",
            ...findRow("Refund", "Register an outgoing payment", "Pending"),
        },
        {
            trigger:
                "div[name=step_ids] .o_data_row button[name=action_register_payment]",
            run: "click",
        },
        {
            content: "Odoo's own dialog, for the credit memo",
            trigger: ".modal footer button[name=action_create_payments]",
            run: "click",
        },
        {
            trigger: "body:not(:has(.modal)) .o_form_view",
        },
    ],
});
