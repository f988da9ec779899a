"""Tables: columns of numbers and categories as arrays for a network."""
