/* License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import {RadioField, radioField} from "@web/views/fields/radio/radio_field";
import {useEffect, useRef} from "@odoo/owl";
import {registry} from "@web/core/registry";

/**
 * The timings of a cancellation, each with its date beside it; those that cannot be
 * chosen are greyed and say why.
 */
export class CancellationTimingField extends RadioField {
    static template = "subscription_cancellation.TimingField";

    setup() {
        super.setup(...arguments);
        const root = useRef("root");
        // What unfolds below is of no use where it is out of sight.
        useEffect(
            (form) => {
                const more = form?.querySelector("details");
                const show = () => more.open && more.scrollIntoView({block: "end"});
                more?.addEventListener("toggle", show);
                return () => more?.removeEventListener("toggle", show);
            },
            () => [root.el?.closest(".o_form_view, .modal-body")]
        );
    }

    get info() {
        return this.props.record.data.timing_choices || {choices: {}};
    }

    getChoice(item) {
        return this.info.choices[item[0]] || {};
    }

    isDisabled(item) {
        return this.props.readonly || Boolean(this.getChoice(item).problem);
    }

    getNote(item) {
        const {day, problem} = this.getChoice(item);
        return problem || day;
    }
}

export const cancellationTimingField = {
    ...radioField,
    component: CancellationTimingField,
    fieldDependencies: [{name: "timing_choices", type: "json", readonly: true}],
    supportedTypes: ["selection"],
};

registry
    .category("fields")
    .add("subscription_cancellation_timing", cancellationTimingField);
