"""Collect what vehicles say: source → verify → spool → answer → decode → sinks."""

import sys

# httpx imports its own command line where rich is installed: 4 MB in every process of ours that sends a request.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
