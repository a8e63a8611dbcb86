"""The client's side of POP3 (RFC 1939, RFC 2449, RFC 2595), as conversations."""
