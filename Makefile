# Thin front-ends of tools/dev.py, which does the work and explains itself.
#
#   make run                  see it work: http://localhost:8069 (PORT= changes it), Ctrl-C stops
#   make test                 prove it: the whole suite, browser tests included
#   make db DB=name           a fresh database with the addon, replacing one of that name
#                             (DEMO=1: with demo data, GLUE=1: with OCA queue_job,
#                             SHOP=1: with a shop)
#   make check-books DB=name  derive the books of a database anew; no cent may be left over
#   make stop                 stop the embedded PostgreSQL that `make db` leaves running
#
# Environment: ODOO_SRC (an Odoo 19.0 checkout), PGHOST PGPORT PGUSER PGPASSWORD (a server to
# use instead of the embedded one), PORT, JOBS (processes of `make test`), PYTHON (3.10 to
# 3.13).

PYTHON ?= python3
DEV := $(PYTHON) tools/dev.py

COMMANDS := run test db lint bench wheel fuzz faults house i18n screenshots check-books stop clean

.PHONY: help $(COMMANDS)

help:
	@$(DEV) --help

$(COMMANDS):
	@$(DEV) $@
