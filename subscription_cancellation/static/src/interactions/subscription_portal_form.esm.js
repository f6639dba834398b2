/* License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import {Interaction} from "@web/public/interaction";
import {registry} from "@web/core/registry";

/** Spares customers what the server would ask back; nothing depends on it. */
export class SubscriptionPortalForm extends Interaction {
    static selector = ".o_subscription_portal form[method=post]";
    dynamicContent = {
        _root: {"t-on-submit": this.onSubmit},
        _window: {"t-on-pageshow": this.onPageshow},
        "[name=line_ids]": {"t-on-change": this.onItem},
        "[name=scope]": {"t-on-change": this.onScope},
        "[name=requested_date]": {"t-on-input": this.onDay},
        "[name=timing]": {"t-on-change": this.onTiming},
        "[name=reason_id]": {"t-on-change": this.onWords},
        "[name=comment]": {"t-on-input": this.onWords},
    };

    setup() {
        this.comment = this.el.querySelector("textarea[name=comment]");
        if (this.comment) {
            this.longest = this.comment.maxLength;
            this.onWords();
        }
    }

    /** Whoever clicks twice sends once. */
    onSubmit(ev) {
        if (ev.defaultPrevented) {
            return;
        }
        // Not before the browser has read which button it was.
        this.waitForTimeout(() => this.setDisabled(true), 0);
    }

    /** The browser shows a page again as it was left. */
    onPageshow() {
        this.setDisabled(false);
    }

    setDisabled(isDisabled) {
        for (const button of this.el.querySelectorAll("button[type=submit]")) {
            button.disabled = isDisabled;
        }
    }

    onItem(ev) {
        if (ev.target.checked) {
            this.el.querySelector("#scope_lines").checked = true;
        }
    }

    onScope(ev) {
        if (ev.target.value === "whole") {
            for (const item of this.el.querySelectorAll("[name=line_ids]")) {
                item.checked = false;
            }
        }
    }

    onDay(ev) {
        if (ev.target.value) {
            this.el.querySelector("#timing_specific_date").checked = true;
        }
    }

    onTiming(ev) {
        const day = this.el.querySelector("[name=requested_date]");
        if (day && ev.target.value !== "specific_date") {
            day.value = "";
        }
    }

    /** Some reasons want a comment, and a shorter one. */
    onWords() {
        const reason = this.el.querySelector("[name=reason_id] option:checked");
        const isNeeded = Boolean(reason && reason.dataset.comment);
        const limit = isNeeded ? Number(this.comment.dataset.short) : this.longest;
        const length = this.comment.value.length;
        const count = this.el.querySelector(".o_comment_count");
        this.comment.required = isNeeded;
        this.comment.maxLength = limit;
        this.el
            .querySelector(".o_comment_optional")
            .classList.toggle("d-none", isNeeded);
        this.el.querySelector(".o_comment_length").textContent = length;
        this.el.querySelector(".o_comment_limit").textContent = limit;
        count.classList.remove("d-none");
        count.classList.toggle("text-danger", length > limit);
    }
}

registry
    .category("public.interactions")
    .add("subscription_cancellation.portal_form", SubscriptionPortalForm);
