"""Reading what strangers wrote, in a process of its own that may die of it: no database, no network, little memory."""
