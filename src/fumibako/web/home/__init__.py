"""ホーム: what is being sent, how the accounts are, and the first steps."""
