/* License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import {RadioField, radioField} from "@web/views/fields/radio/radio_field";
import {registry} from "@web/core/registry";

/**
 * The timings of a cancellation, each with its date beside it; those that cannot be
 * chosen are greyed and say why.
 */
export class CancellationTimingField extends RadioField {
    static template = "subscription_cancellation.TimingField";

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
