"""A simulated vendor's cloud that answers for simulated vehicles over HTTP."""
