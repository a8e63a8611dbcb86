"""Fetching mail: the terms of one session, what is remembered of a server's mailbox, and the session itself."""
