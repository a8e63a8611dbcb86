"""How one account's mails are sent: many connections driven together by one thread, one group commit for all."""
