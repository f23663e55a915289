"""A graph as one page: a picture to fold, search and question, and a slider over the budget."""
