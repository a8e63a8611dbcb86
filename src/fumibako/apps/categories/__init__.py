"""The office's own lists of choices: 区分マスタ and the three levels of 連絡区分."""
