"""連絡記録: search, one record, and a record made of a received mail."""
