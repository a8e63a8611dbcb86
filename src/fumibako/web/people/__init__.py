"""名簿 screens: スタッフ, 得意先 and 応募者, as lists and as records."""
