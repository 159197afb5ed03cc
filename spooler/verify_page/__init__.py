"""The public page: is this certificate genuine, current, withdrawn? Asked by its code alone, answered without any person in it."""
