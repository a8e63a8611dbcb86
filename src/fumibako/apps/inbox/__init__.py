"""受信: what came in, how it was read, whom it is from, and what people do with it."""
