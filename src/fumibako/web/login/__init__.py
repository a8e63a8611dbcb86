"""Login and the first administrator's one-time link."""
