import {registry} from "@web/core/registry";

registry.category("web_tour.tours").add("subscription_cancellation_analysis", {
    steps: () => [
        {
            content: "Subscriptions > Reporting, which has one entry",
            trigger:
                ".o_menu_sections [data-menu-xmlid*='subscription_reporting_menu']",
            run: "click",
        },
        {
            content: "Cancellation Analysis",
            trigger: "[data-menu-xmlid*='subscription_cancellation_report_menu']",
            run: "click",
        },
        {
            trigger: ".o_graph_renderer canvas",
        },
        {
            content: "The pivot",
            trigger: ".o_switch_view.o_pivot",
            run: "click",
        },
        {
            trigger: ".o_pivot .o_value:contains('1')",
        },
        {
            trigger: ".o_pivot th:contains('Too expensive')",
        },
        {
            content: "The list",
            trigger: ".o_switch_view.o_list",
            run: "click",
        },
        {
            content: "A row",
            trigger: ".o_data_row .o_data_cell:contains('Tour Inc')",
            run: "click",
        },
        {
            content: "Opens the cancellation",
            trigger: ".o_form_view .o_field_widget[name=subscription_id]",
        },
    ],
});

registry.category("web_tour.tours").add("subscription_cancellation_dashboard", {
    steps: () => [
        {
            content: "Sales > Cancellations",
            trigger: ".o_search_panel li:contains('Cancellations')",
            run: "click",
        },
        {
            content: "Scorecards and charts are there",
            trigger: ".o-figure .o-scorecard, .o-figure canvas",
        },
        {
            content: "Wait until the figures are loaded, then follow a title",
            trigger: ".o-dashboard-clickable-cell",
            run: "click",
        },
        {
            content: "The analysis",
            trigger: ".o_graph_renderer canvas",
        },
    ],
});
