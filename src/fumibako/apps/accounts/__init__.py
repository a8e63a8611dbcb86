"""Mail accounts: every item of メールアカウント設定, its rules, presets and who may use it."""
