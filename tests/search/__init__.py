"""The search, against the method's released one and against brute force."""
