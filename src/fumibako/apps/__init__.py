"""The rows and the rules: one Django app per concept, each importing only the apps below it.

sending → recipients → accounts → categories → audit → office
"""
