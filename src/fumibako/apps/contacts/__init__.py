"""連絡: contact records by hand and from received mail, what is to be done next, and each person's timeline."""
