"""エラーメール: whose address fails and why, what came of it, and the reports that fit no send."""
