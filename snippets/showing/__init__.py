"""What pages need to show things: drawings, figures, tables, both Kerases."""
