"""メール一括送信: the list, the five steps from sender to result, and the line that follows a running job."""
