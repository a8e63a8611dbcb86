"""メールアカウント設定: the screen, its search, its connection test and its speed line."""
