"""送信履歴: finished jobs, their rows, and one person's very mail."""
