"""Recipe of a feature network of our own, whose features compare pictures of faces."""
