"""Sockets and TLS: the only place where a conversation meets the network."""
