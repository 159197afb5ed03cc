"""A whole county in plain Python: the real deciding code between fakes that misbehave, by one seed and a virtual clock."""
