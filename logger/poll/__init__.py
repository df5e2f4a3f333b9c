"""Polling: which vehicle is asked what and when, within a budget of calls."""
