/* License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import {
    Many2OneField,
    buildM2OFieldDescription,
} from "@web/views/fields/many2one/many2one_field";
import {Many2One} from "@web/views/fields/many2one/many2one";
import {registry} from "@web/core/registry";

/** So many are in sight without a search: those that are delivered for people. */
const REASONS = 9;

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
