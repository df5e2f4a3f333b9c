"""Collect what vehicles say: source → verify → spool → answer → decode → sinks."""
