import {registry} from "@web/core/registry";

const select = (number) => ({
    content: `Choose draft ${number}`,
    trigger: `.o_data_row:nth-child(${number}) .o_list_record_selector input`,
    run: "click",
});

registry.category("web_tour.tours").add("subscription_cancellation_review", {
    steps: () => [
        {
            content: "Three drafts wait",
            trigger: ".o_data_row:nth-child(3)",
        },
        select(1),
        select(2),
        select(3),
        {
            trigger: ".o_selection_box:contains('3')",
        },
        {
            content: "Post them together",
            trigger: ".o_control_panel button[name=action_post]",
            run: "click",
        },
        {
            content: "Nothing is left to review",
            trigger: ".o_view_nocontent:contains('No credit memo waits for you')",
        },
    ],
});
