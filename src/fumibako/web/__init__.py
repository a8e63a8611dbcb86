"""The screens: one folder per screen with its views, forms and templates. Parses, calls, renders; decides nothing."""
