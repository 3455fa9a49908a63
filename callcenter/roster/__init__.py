"""The duty roster (A5): who is planned when, who is there, who is late, missing or has left."""
