"""Step 1: a request comes in, is judged, and is kept as a job."""
