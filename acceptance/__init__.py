"""Tries a deployed stack in its account: `make acceptance STACK=… INSTANCE=…`.

docs/runbook.md, "Try a deployed stack", says what each step shows.
"""
