"""What may be uploaded, and how a request for it is answered."""
