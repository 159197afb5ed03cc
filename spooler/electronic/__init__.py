"""The electronic certificate: issued beside the job as soon as it is accepted, and made anew when it is no longer valid."""
