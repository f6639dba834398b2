# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
{
    "name": "Subscription Cancellation with Job Queue",
    "summary": "Several workers and servers share due cancellations as jobs.",
    "version": "19.0.1.0.0",
    "category": "Subscription Management",
    "website": "https://github.com/OCA/contract",
    "author": "Odoo Community Association (OCA)",
    "license": "AGPL-3",
    "depends": ["subscription_cancellation", "queue_job"],
    "data": [
        "data/queue_job_channel.xml",
        "data/queue_job_function.xml",
    ],
    "auto_install": True,
    "uninstall_hook": "uninstall_hook",
}
