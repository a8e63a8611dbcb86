"""Who runs it: wakes, runs and schedules what the apps hand in. The ledger is the queue; nothing is kept here."""
