"""メール受信: the list of work not yet finished, one mail beside who wrote it, and the answer."""
