"""Tables in files: CSV, also compressed, and Parquet."""
