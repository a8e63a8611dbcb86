"""Use of the engine without Django: send one mail, test one account."""
