"""What `make` does: install what is missing, keep databases, run and test the addon.

One module per thing that can be missing; each has an ``ensure``-like entry that does
nothing when the thing is there, and can be stopped and started again at any point.
Nothing outside the standard library is imported before the virtual environment exists.
"""
