"""L-BFGS: each update is computed from all rows."""
