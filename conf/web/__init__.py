"""The site as readers get it: its search, what a page loads, what it may load."""
