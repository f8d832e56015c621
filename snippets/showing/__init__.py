"""What pages need to show things: drawings, figures, tables, Keras 2 beside Keras 3."""
