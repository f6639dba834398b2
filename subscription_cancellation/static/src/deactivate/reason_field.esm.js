/* License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import {
    Many2OneField,
    buildM2OFieldDescription,
} from "@web/views/fields/many2one/many2one_field";
import {Many2One} from "@web/views/fields/many2one/many2one";
import {registry} from "@web/core/registry";

/** One less than are in sight without a search: those delivered for people are nine. */
const REASONS = 8;

class ReasonMany2One extends Many2One {
    get many2XAutocompleteProps() {
        return {...super.many2XAutocompleteProps, searchLimit: REASONS};
    }
}

/** The reasons that people give, all of them at once. */
export class CancellationReasonField extends Many2OneField {
    static components = {Many2One: ReasonMany2One};
}

registry
    .category("fields")
    .add(
        "subscription_cancellation_reason",
        buildM2OFieldDescription(CancellationReasonField)
    );
