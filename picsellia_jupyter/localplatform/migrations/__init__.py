"""How the database came to its present form, step by step; a new one is made at once.

After a change of the tables: `python -m picsellia_jupyter.localplatform.revising WHAT CHANGED`
writes the next step, and with `--again` the last one anew while nobody has it yet.
"""
