"""Decisions about one delivery, as values from pure functions: no clock, no database, no socket, no Japanese."""
