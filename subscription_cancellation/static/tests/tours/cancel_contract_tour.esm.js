import {registry} from "@web/core/registry";

const fill = (reference) => [
    {
        content: "The button is there at once",
        trigger: "button:contains('Cancel now'):visible",
    },
    {
        trigger: "input[name=customer_name]",
        run: "edit Tour Inc",
    },
    {
        trigger: "input[name=contract_reference]",
        run: `edit ${reference}`,
    },
    {
        trigger: "input[name=contract_email]",
        run: "edit tour@tour.example",
    },
    {
        trigger: "input[name=confirmation_email]",
        run: "edit tour@tour.example",
    },
    {
        content: "One click",
        trigger: "button:contains('Cancel now')",
        run: "click",
        expectUnloadPage: true,
    },
    {
        content: "The same receipt for everybody",
        trigger: `h1:contains('Receipt of your cancellation') ~ dl:contains('${reference}')`,
    },
    {
        trigger: "a:contains('Save the receipt')",
    },
];

registry.category("web_tour.tours").add("cancel_contract_matched", {
    steps: () => fill("TOURSUB"),
});

registry.category("web_tour.tours").add("cancel_contract_unmatched", {
    steps: () => [
        {
            content: "What only one choice needs is there with that choice",
            trigger:
                "body:not(:has(#extraordinary_reason:visible)) #kind_extraordinary",
            run: "click",
        },
        {
            trigger: "#extraordinary_reason:visible",
            run: "edit The service is down.",
        },
        ...fill("NOSUCH"),
        {
            trigger: "dl:contains('The service is down.')",
        },
    ],
});

registry.category("web_tour.tours").add("cancel_contract_objection", {
    steps: () => [
        {
            trigger: "button:contains('Object: keep the contract')",
            run: "click",
            expectUnloadPage: true,
        },
        {
            trigger: ".alert:contains('We have received your objection')",
        },
        {
            trigger: "p:contains('The contract goes on')",
        },
    ],
});

registry.category("web_tour.tours").add("cancel_contract_staff", {
    steps: () => [
        {
            content: "Why it needs a person",
            trigger: ".alert:contains('No subscription has the reference')",
        },
        {
            trigger: "button:contains('Assign Subscription')",
            run: "click",
        },
        {
            trigger: ".modal .o_field_widget[name=subscription_id] input",
            run: "edit TOURSUB",
        },
        {
            trigger: ".ui-autocomplete a:contains('TOURSUB')",
            run: "click",
        },
        {
            trigger: ".modal footer button:contains('Cancel This Subscription')",
            run: "click",
        },
        {
            content: "The cancellation, with the declaration it came from",
            trigger:
                "body:not(:has(.modal)) .o_form_view .o_field_widget[name=declaration_id]",
        },
    ],
});
