import {registry} from "@web/core/registry";

const save = [
    {
        content: "Save",
        trigger: ".o_form_button_save:enabled",
        run: "click",
    },
    {
        trigger: ".o_form_saved, .o_form_view:not(:has(.o_form_button_save:visible))",
    },
];

const choose = (field, value) => [
    {
        trigger: `.o_field_widget[name=${field}] input`,
        run: "click",
    },
    {
        trigger: `.o_select_menu_item:contains('${value}')`,
        run: "click",
    },
];

const create = (name, channel) => [
    {
        content: `A new policy: ${name}`,
        trigger: ".o_list_button_add, .o_form_button_create",
        run: "click",
    },
    {
        trigger: ".o_field_widget[name=name] input",
        run: `edit ${name}`,
    },
    ...choose("channel", channel),
];

const check = (field) => ({
    trigger: `.o_field_widget[name=${field}] input`,
    run: "click",
});

const tryOut = (sentences) => [
    {
        content: "Try it on a subscription",
        trigger: ".o_statusbar_buttons button:contains('Try It')",
        run: "click",
    },
    {
        trigger: ".modal .o_field_widget[name=subscription_id] input",
        run: "edit Tour Inc",
    },
    {
        trigger: ".ui-autocomplete a:contains('SUB')",
        run: "click",
    },
    ...sentences.map((sentence) => ({
        trigger: `.modal .o_form_view:contains('${sentence}')`,
    })),
    {
        trigger: ".modal footer button:contains('Close')",
        run: "click",
    },
    {
        trigger: "body:not(:has(.modal))",
    },
];

registry.category("web_tour.tours").add("subscription_cancellation_policies", {
    steps: () => [
        ...create("Customers", "Customer Portal"),
        ...choose("timing", "At the end of the current period"),
        {
            content: "The example follows",
            trigger: ".alert .o_field_widget[name=example]:contains('ends on July 31')",
        },
        check("allow_override_timing"),
        ...choose("refund_mode", "No Refund"),
        check("allow_override_refund_mode"),
        {
            trigger: ".o_field_widget[name=notice_period] input",
            run: "edit 1 && press Tab",
        },
        ...save,
        ...tryOut(["Customers", "No credit memo will be issued", "cancel by"]),
        ...create("Back office", "Back Office"),
        {
            trigger: ".alert .o_field_widget[name=example]:contains('21.00')",
        },
        ...save,
        ...tryOut(["Back office", "A credit memo of"]),
    ],
});
