"""Mail conversations without input or output: generators that yield steps, receive replies and return a result."""
