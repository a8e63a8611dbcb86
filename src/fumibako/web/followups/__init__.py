"""次回対応: what is to be done next, and ticking it off."""
