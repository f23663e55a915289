"""Reports: what they say, that they say it as it is, and how their pages look and behave."""
