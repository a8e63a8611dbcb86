"""Bulk sends and the delivery ledger: who gets which mail, and what became of it."""
