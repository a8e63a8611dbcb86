"""The people an office writes to: staff, client contacts and applicants, and their addresses."""
