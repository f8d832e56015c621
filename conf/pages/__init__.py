"""Pages: what a page is, and how its cells become outputs and a notebook."""
