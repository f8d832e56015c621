"""What a page has besides its text where it is hosted: for machines and for return."""
