"""動作状況: whether everything that sending needs is well, in words with the next step."""
