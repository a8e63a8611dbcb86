"""区分マスタ and 連絡区分マスタ: the office's own lists, edited in place."""
