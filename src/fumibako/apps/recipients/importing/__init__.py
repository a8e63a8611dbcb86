"""取り込み: a file of people is read, matched to our items, shown with every change, and only then stored, undoably."""
