"""Mail messages as values, bytes in and bytes out: no socket, no clock. The only importer of the stdlib `email`."""
