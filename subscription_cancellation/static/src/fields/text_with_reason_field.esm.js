/* License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import {Component} from "@odoo/owl";
import {registry} from "@web/core/registry";
import {standardFieldProps} from "@web/views/fields/standard_field_props";

/** One line of text; why it says that is another field, shown on hover. */
export class TextWithReasonField extends Component {
    static template = "subscription_cancellation.TextWithReasonField";
    static props = {...standardFieldProps, reasonField: {type: String}};

    get text() {
        return this.props.record.data[this.props.name] || "";
    }

    get reason() {
        return this.props.record.data[this.props.reasonField] || "";
    }
}

export const textWithReasonField = {
    component: TextWithReasonField,
    supportedTypes: ["char"],
    fieldDependencies: ({options}) => [
        {name: options.reason_field, type: "char", readonly: true},
    ],
    extractProps: ({options}) => ({reasonField: options.reason_field}),
};

registry
    .category("fields")
    .add("subscription_cancellation_text_with_reason", textWithReasonField);
