"""取り込み・書き出し: a file of people in four steps on one page, its result, its undoing, and files out."""
