"""A deployed stack, tried in its account: `make acceptance STACK=… INSTANCE=…`; docs/runbook.md, "Try a deployed stack"."""
