"""The client's side of SMTP submission (RFC 5321, RFC 6409), as conversations."""
