"""The pieces of reading a mail that somebody else wrote: none raises for any bytes, and each takes linear time."""
