"""システム設定 and 操作履歴, for administrators."""
