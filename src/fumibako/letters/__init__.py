"""Letters with merge fields: written once, read by each receiver as their own. Pure: no mail, no database."""
